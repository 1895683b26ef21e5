"""What is averaged: the ways to train that are compared at equal cost, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from epsl_opt.core.framework import Framework
from epsl_opt.plugins.study import Row, Table
from epsl_opt.studies.shared.settings import PSL, SUBSAMPLE, Method, epsl

CLIENTS, BATCH = 5, 64
RATIOS = (0.5, 1.0)


def equal_batch(phi: float) -> int:
    """Return the batch size at which PSL backpropagates no more rows at the server than EPSL(phi)."""
    m = round(phi * BATCH)
    return (m + CLIENTS * (BATCH - m)) // CLIENTS


def averaging(phi: float) -> Mapping[str, Method]:
    """Return, by words, what can be done with as many rows at the server as EPSL(phi) has; `per-client` apart."""
    smaller = equal_batch(phi)
    return {
        "mean (the paper's)": epsl(phi),
        "mean, layer-wise": epsl(phi, linearization="layer-wise"),
        "mean, per-client, at PSL's cost": epsl(phi, linearization="per-client"),
        "mean, paired by label": epsl(phi, pairing="label"),
        "representative": epsl(phi, aggregation="representative"),
        "representative, paired by label": epsl(phi, aggregation="representative", pairing="label"),
        "subsampling": Method(f"subsampling({phi:g})", Framework.EPSL, phi, rule=SUBSAMPLE),
        "PSL on smaller batches": Method(f"PSL, b = {smaller}", Framework.PSL, batch_size=smaller),
    }


METHODS = {method.label: method for method in (PSL, *(way for phi in RATIOS for way in averaging(phi).values()))}
EVERY_ACTIVATION = (PSL.label, *(epsl(phi).label for phi in RATIOS))
"""Methods that are tried with each activation function; the others with ReLU only."""


def cost_table(ratios: Sequence[float]) -> Table:
    """Return the rows that each method has to pass on in a round."""
    methods = dict.fromkeys([PSL, *(method for phi in ratios for method in averaging(phi).values())])
    rows = [_costs(method) for method in methods]
    caption = f"Rows (samples) of a round by stage, {CLIENTS} clients with {BATCH} samples each."
    return Table.of("costs", caption, rows)


def _costs(method: Method) -> Row:
    b = method.batch_size or BATCH
    m = round(method.phi * b)
    options = dict(method.options)
    kept = options.get("linearization") == "per-client"
    extra = 0 if kept or method.rule or "aggregation" in options else m
    backward = CLIENTS * b if kept else m + CLIENTS * (b - m)
    server = {"server_forward": CLIENTS * b + extra, "server_backward": backward}
    return {"method": method.label, "uplink": CLIENTS * b, **server, "downlink": backward}

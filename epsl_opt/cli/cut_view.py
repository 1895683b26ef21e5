"""The cut layers of a model, as rows and as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from epsl_opt.cli.output import table
from epsl_opt.cli.units import number

if TYPE_CHECKING:
    from rich.table import Table

    from epsl_opt.core.instance import CutLayer, ModelProfile

CUT_COLUMNS = (
    "index",
    "name",
    "client_forward_flops",
    "client_backward_flops",
    "activation_bits",
    "gradient_bits",
    "client_parameter_bits",
)
_HEADS = ("#", "cut after", "forward MFLOP", "backward MFLOP", "smashed kbit", "gradient kbit", "parameters kbit")
_SCALES = (1e6, 1e6, 1e3, 1e3, 1e3)


def cut_rows(model: ModelProfile) -> list[dict[str, str | float]]:
    """Return a row per cut layer."""
    return [
        {"index": j} | {column: getattr(cut, column) for column in CUT_COLUMNS[1:]}
        for j, cut in enumerate(model.cut_layers)
    ]


def cut_table(model: ModelProfile) -> Table:
    """Return the cut layers as a table."""
    rows = [(str(j), cut.name, *_numbers(cut)) for j, cut in enumerate(model.cut_layers)]
    return table(f"Cut layers of {model.name}: what the client holds, per sample", _HEADS, rows, text_columns=2)


def _numbers(cut: CutLayer) -> list[str]:
    return [number(getattr(cut, column) / scale, 5) for column, scale in zip(CUT_COLUMNS[2:], _SCALES, strict=True)]

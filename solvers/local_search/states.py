"""Allocations evaluated exactly, many at once, with what is needed to estimate their neighbours.

The uplink phase ends at the latest of two kinds of times: `own_s`, when each client would be ready with all of its own
power limit, and `root_s`, when all clients end together on the total power. Where models are exchanged, both times are
of the uplink phase and the exchange together, and `root_s` keeps the clients' own limits, too.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.solvers.local_search.exchange import exchange_end
from epsl_opt.solvers.local_search.filled import Band, Filled
from epsl_opt.solvers.local_search.problem import SearchProblem
from epsl_opt.solvers.local_search.rows import Rows

NEWTON_STEPS = 60
LAST_STEP = 1e-7
"""A relative Newton step of this size is the last: the error left is about its square."""


@dataclass(frozen=True, eq=False)
class States:
    """N allocations and their evaluation.

    `owner` (N, M); `cut` (N,), an index into the problem's cuts; `latency_s` (N,).

    At the end of the uplink phase on the total power, `root_s` (N,), each client's `rate` (nat/s), water `level`
    (W/Hz), `power_w`, and `slope_w_per_s`, the power that ending sooner costs, rate times level over `wait_s`, all
    (N, C). `at_root` sums the active subchannels, `root_spare` the best idle one. With all of the client's own power,
    ending at `own_s` (N, C), the same with `limit` in the name.

    `downlink_bps` and `back_s` (N, C) are the downlink rates and the ends of the clients' backward passes, counted from
    the start of the downlink.
    """

    owner: IntArray
    cut: IntArray
    latency_s: FloatArray
    root_s: FloatArray
    rate: FloatArray
    level: FloatArray
    power_w: FloatArray
    slope_w_per_s: FloatArray
    wait_s: FloatArray
    at_root: Filled
    root_spare: Band
    own_s: FloatArray
    limit_level: FloatArray
    limit_slope_w_per_s: FloatArray
    at_limit: Filled
    limit_spare: Band
    downlink_bps: FloatArray
    back_s: FloatArray

    def __len__(self) -> int:
        return len(self.cut)

    def take(self, index: IntArray) -> States:
        """Return the states at `index`."""
        parts: dict[str, Any] = {f.name: getattr(self, f.name)[index] for f in fields(self)}
        return States(**parts)

    def replaced(self, index: IntArray, other: States) -> States:
        """Return a copy in which the states at `index` are those of `other`, in order."""
        parts: dict[str, Any] = {
            f.name: _put(getattr(self, f.name), index, getattr(other, f.name)) for f in fields(self)
        }
        return States(**parts)


def evaluate(problem: SearchProblem, owner: IntArray, cut: IntArray) -> States:
    """Evaluate allocations exactly; a latency is inf where a client cannot do its traffic.

    Parameters
    ----------
    owner
        Client index of each subchannel, none of them free, shape (N, subchannels).
    cut
        Index into the problem's cut layers, shape (N,).
    """
    rows, ready = Rows(problem, owner), problem.forward_s[cut]
    nats, bits = problem.sent_nats[cut][:, None], problem.downlink_bits[cut][:, None]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        limit_level, at_limit, best_rate = rows.for_power(problem.limit_w)
        limit_spare = rows.spare(limit_level)
        own = ready + np.where(nats > 0, nats / best_rate, 0.0)
        end = exchange_end if problem.exchanges else _end_on_total_power
        root, rate, wait = end(problem, rows, cut, own.max(axis=1))
        level, at_root, power = rows.for_rate(rate)
        root_spare = rows.spare(level)
        back = problem.backward_s[cut] + np.where(bits > 0, bits / rows.downlink_bps, 0.0)
        slope = np.where(nats > 0, level * rate / wait, 0.0)
        limit_slope = np.where(nats > 0, limit_level * best_rate / (own - ready), 0.0)
    latency = np.maximum(root, own.max(axis=1)) + problem.shared_s[cut] + back.max(axis=1)
    return States(
        owner=owner,
        cut=cut,
        latency_s=np.where(np.isfinite(latency), latency, np.inf),
        root_s=root,
        rate=rate,
        level=level,
        power_w=np.where(nats > 0, power, 0.0),
        slope_w_per_s=slope,
        wait_s=wait,
        at_root=at_root,
        root_spare=root_spare,
        own_s=own,
        limit_level=limit_level,
        limit_slope_w_per_s=limit_slope,
        at_limit=at_limit,
        limit_spare=limit_spare,
        downlink_bps=rows.downlink_bps,
        back_s=back,
    )


def _end_on_total_power(
    problem: SearchProblem, rows: Rows, cut: IntArray, start: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Root of sum_i power_i(T) = P_th by Newton on its logarithm, which is convex: after one step, from the left.

    Returns it, and each client's rate and time for it.
    """
    ready, nats = problem.forward_s[cut], problem.nats[cut][:, None]
    last_ready = ready.max(axis=1)
    end = np.where(np.isfinite(start), start, 2 * last_ready + 1)
    for _ in range(NEWTON_STEPS):
        slack = end[:, None] - ready
        rate = nats / slack
        level, _, power = rows.for_rate(rate)
        need = power.sum(axis=1)
        step = np.log(need / problem.total_w) * need / (level * rate / slack).sum(axis=1)
        step = np.where(nats[:, 0] > 0, np.maximum(step, 0.9 * (last_ready - end)), 0.0)
        step[~np.isfinite(step)] = 0.0
        end = end + step
        if (np.abs(step) <= LAST_STEP * end).all():
            break
    root = np.where(nats[:, 0] > 0, end, last_ready)
    wait = root[:, None] - ready
    return root, nats / wait, wait


def _put(value: Any, index: IntArray, other: Any) -> Any:
    if isinstance(value, Filled | Band):
        return type(value)(*(_put(getattr(value, f.name), index, getattr(other, f.name)) for f in fields(value)))
    changed = value.copy()
    changed[index] = other
    return changed

"""What a move does to an allocation, estimated in O(1) from the state's sums, for many moves at once.

A move takes subchannel `give` from its client and hands it to client `to`; in a swap, `to` hands `back` in return.
Only the rows of the two clients change. With the sets of active subchannels kept (the moved ones enter or leave them),
powers and rates follow in closed form. The end of the uplink phase on the total power is one Newton step away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epsl_opt.core.arrays import BoolArray, FloatArray, IntArray
from epsl_opt.solvers.local_search.filled import NONE, Band
from epsl_opt.solvers.local_search.problem import SearchProblem
from epsl_opt.solvers.local_search.smoothing import Smoothed
from epsl_opt.solvers.local_search.states import States


@dataclass(frozen=True, eq=False)
class Moves:
    """K moves on N states, all arrays of shape (K,)."""

    state: IntArray
    give: IntArray
    to: IntArray
    back: IntArray

    def take(self, index: IntArray | BoolArray) -> Moves:
        """Return the moves at `index`."""
        return Moves(self.state[index], self.give[index], self.to[index], self.back[index])

    def donors(self, states: States) -> IntArray:
        """Return the clients that hold `give` now."""
        return states.owner[self.state, self.give]


@dataclass(frozen=True, eq=False)
class ChangedRows:
    """One client of each move after the move, all arrays of shape (K,); units as in `States`."""

    power_w: FloatArray
    slope_w_per_s: FloatArray
    own_s: FloatArray
    back_s: FloatArray


def estimate(problem: SearchProblem, states: States, smoothed: Smoothed, moves: Moves) -> FloatArray:
    """Return the change of the smoothed latency in seconds that each move is expected to make, shape (K,)."""
    donors = moves.donors(states)
    n = moves.state
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        first = changed_rows(problem, states, n, donors, moves.give, moves.back)
        second = changed_rows(problem, states, n, moves.to, moves.back, moves.give)
        root = root_estimate_s(problem, states, n, (donors, first), (moves.to, second))
        change = smoothed.change_s(
            n, (donors, moves.to), root, (first.own_s, second.own_s), (first.back_s, second.back_s)
        )
    return np.where(np.isnan(change), np.inf, change)


def root_estimate_s(
    problem: SearchProblem, states: States, n: IntArray, *changes: tuple[IntArray, ChangedRows]
) -> FloatArray:
    """One Newton step towards the end of the uplink phase on the total power, in seconds, shape (K,)."""
    power = states.power_w.sum(axis=1)[n]
    slope = states.slope_w_per_s.sum(axis=1)[n]
    for client, row in changes:
        power = power + row.power_w - states.power_w[n, client]
        slope = slope + row.slope_w_per_s - states.slope_w_per_s[n, client]
    step = np.log(power / problem.total_w) * power / slope
    return states.root_s[n] + np.where(problem.sent_nats[states.cut[n]] > 0, step, 0.0)


def changed_rows(
    problem: SearchProblem, states: States, n: IntArray, client: IntArray, minus: IntArray, plus: IntArray
) -> ChangedRows:
    """Clients of states `n` without subchannel `minus` (or NONE) and with `plus` (or NONE)."""
    cut = states.cut[n]
    nats, bits = problem.sent_nats[cut], problem.downlink_bits[cut]
    ready, rate = problem.forward_s[cut, client], states.rate[n, client]
    leaving, coming = Band.of(problem, client, minus), Band.of(problem, client, plus)
    here = (n, client)
    at_root = states.at_root[here].exchanged_at_rate(leaving, coming, states.root_spare[here], rate)
    limit = problem.limit_w[client]
    at_limit = states.at_limit[here].exchanged_at_power(leaving, coming, states.limit_spare[here], limit)
    level = np.exp(at_root.log_level(rate))
    downlink = states.downlink_bps[here] - _downlink_bps(problem, client, minus) + _downlink_bps(problem, client, plus)
    return ChangedRows(
        power_w=np.where(nats > 0, at_root.bandwidth * level - at_root.noise, 0.0),
        slope_w_per_s=np.where(nats > 0, level * rate / states.wait_s[here], 0.0),
        own_s=ready + np.where(nats > 0, nats / at_limit.best_rate(limit), 0.0),
        back_s=problem.backward_s[cut, client] + np.where(bits > 0, bits / np.maximum(downlink, 0.0), 0.0),
    )


def _downlink_bps(problem: SearchProblem, client: IntArray, k: IntArray) -> FloatArray:
    return np.where(k != NONE, problem.downlink_bps[client, k], 0.0)

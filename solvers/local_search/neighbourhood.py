"""Which moves are worth estimating: all of them on small instances, the best by price on large ones."""

from __future__ import annotations

import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.solvers.local_search.estimate import Moves
from epsl_opt.solvers.local_search.filled import NONE
from epsl_opt.solvers.local_search.problem import SearchProblem
from epsl_opt.solvers.local_search.smoothing import Smoothed
from epsl_opt.solvers.local_search.states import States

ALL_MOVES = 6000
"""A state with at most so many neighbours has all of them estimated."""

SCREENED_SHIFTS = 2000
SCREENED_SWAPS = 2000


def neighbourhood(problem: SearchProblem, states: States, smoothed: Smoothed) -> Moves:
    """Return moves on all states, those of one state together and in order of states."""
    C = problem.n_clients
    screened = _is_screened(problem)
    parts = [_screened(problem, states, smoothed, n) if screened else _all(states, n, C) for n in range(len(states))]
    return Moves(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def moves_per_state(problem: SearchProblem) -> tuple[int, int]:
    """Return about how many moves of a state are estimated, and how many are priced before that."""
    if _is_screened(problem):
        return SCREENED_SHIFTS + SCREENED_SWAPS, problem.noise.size
    return _n_moves(problem), 0


def _is_screened(problem: SearchProblem) -> bool:
    return _n_moves(problem) > ALL_MOVES


def _n_moves(problem: SearchProblem) -> int:
    C, M = problem.n_clients, problem.n_subchannels
    return M * (C - 1) + M * (M - 1) // 2


def _all(states: States, n: int, n_clients: int) -> tuple[IntArray, ...]:
    owner = states.owner[n]
    give, to = np.nonzero(owner[:, None] != np.arange(n_clients))
    first, second = np.nonzero(np.triu(owner[:, None] != owner))
    return _joined(n, (give, to), (first, second), owner)


def _screened(problem: SearchProblem, states: States, smoothed: Smoothed, n: int) -> tuple[IntArray, ...]:
    """At current prices: who values each subchannel most, and the best exchange of each pair of clients."""
    owner = states.owner[n]
    value = prices_s(problem, states, smoothed, n)
    surplus = value - value[owner, np.arange(len(owner))]
    return _joined(n, _best_shifts(surplus, owner), _best_swaps(surplus, owner), owner)


def prices_s(problem: SearchProblem, states: States, smoothed: Smoothed, n: int) -> FloatArray:
    """What a small share of each subchannel is worth to each client of state `n`, in seconds a share, shape (C, M).

    Uplink: power saved at the client's water level, B (w ln(w / n) - (w - n)) (the envelope theorem), times the time a
    watt saves; downlink: rate times the time a bit per second saves, by the weights of the softened maxima.
    """
    up, down = smoothed.uplink.weight[n], smoothed.downlink.weight[n]
    cut, slope = states.cut[n], states.slope_w_per_s[n]
    price = np.zeros(problem.noise.shape)
    if problem.sent_nats[cut] > 0:
        shared = up[-1] / up.sum() / slope.sum()
        price += shared * _saved_w(problem, states.level[n])
        price += (up[:-1] / up.sum() / states.limit_slope_w_per_s[n])[:, None] * _saved_w(
            problem, states.limit_level[n]
        )
    if problem.downlink_bits[cut] > 0:
        wait = states.back_s[n] - problem.backward_s[cut]
        price += (down / down.sum() * wait / states.downlink_bps[n])[:, None] * problem.downlink_bps
    return price


def _saved_w(problem: SearchProblem, level: FloatArray) -> FloatArray:
    height = np.maximum(np.log(level)[:, None] - problem.log_noise, 0.0)
    saved = problem.bandwidth_hz * (level[:, None] * (height - 1.0) + problem.noise)
    return np.where(height > 0, saved, 0.0)


def _best_shifts(surplus: FloatArray, owner: IntArray) -> tuple[IntArray, IntArray]:
    """The clients that gain most from each subchannel."""
    C, M = surplus.shape
    rest, receivers = surplus.copy(), []
    rest[owner, np.arange(M)] = -np.inf
    for _ in range(min(max(SCREENED_SHIFTS // M, 1), C - 1)):
        receivers.append(rest.argmax(axis=0))
        rest[receivers[-1], np.arange(M)] = -np.inf
    return np.tile(np.arange(M), len(receivers)), np.concatenate(receivers)


def _best_swaps(surplus: FloatArray, owner: IntArray) -> tuple[IntArray, IntArray]:
    """For the pairs of clients with the largest sum: what each would most like to have from the other."""
    gain, favourite = _favourites(surplus, owner)
    worth = np.triu(gain + gain.T, 1)
    count = min(SCREENED_SWAPS, worth.size - 1)
    first, second = np.divmod(np.argpartition(-worth, count, axis=None)[:count], len(worth))
    useful = worth[first, second] > 0
    first, second = first[useful], second[useful]
    return favourite[second, first], favourite[first, second]


def _favourites(surplus: FloatArray, owner: IntArray) -> tuple[FloatArray, IntArray]:
    """What each client (row) would gain from the best subchannel of each other (column), and which one it is."""
    C = len(surplus)
    order = np.argsort(owner, kind="stable")
    holder, start, size = np.unique(owner[order], return_index=True, return_counts=True)
    offered = surplus[:, order]
    best = np.maximum.reduceat(offered, start, axis=1)
    client, place = np.nonzero(offered == np.repeat(best, size, axis=1))
    gain, favourite = np.full((C, C), -np.inf), np.full((C, C), NONE)
    gain[:, holder] = best
    favourite[client, owner[order[place]]] = order[place]
    return gain, favourite


def _joined(
    n: int, shifts: tuple[IntArray, IntArray], swaps: tuple[IntArray, IntArray], owner: IntArray
) -> tuple[IntArray, ...]:
    give = np.concatenate([shifts[0], swaps[0]])
    to = np.concatenate([shifts[1], owner[swaps[1]]])
    back = np.concatenate([np.full(len(shifts[0]), NONE), swaps[1]])
    return np.full(len(give), n), give, to, back

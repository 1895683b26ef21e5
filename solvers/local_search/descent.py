"""One step of descent on many states at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.solvers.local_search.estimate import Moves, estimate
from epsl_opt.solvers.local_search.filled import NONE
from epsl_opt.solvers.local_search.neighbourhood import neighbourhood
from epsl_opt.solvers.local_search.problem import SearchProblem
from epsl_opt.solvers.local_search.smoothing import Smoothed
from epsl_opt.solvers.local_search.states import States, evaluate

LOOKED_AT = 200
"""Best estimated moves of a state from which a set that can be made together is picked."""

SINGLES = 4
"""Best estimated moves of a state that are tried alone."""

LEAST_IMPROVEMENT = 1e-10
"""Relative; less is rounding."""


def descend(problem: SearchProblem, states: States, temperature_s: FloatArray) -> tuple[States, FloatArray]:
    """Make the best moves found from each state; return the new states and the relative gains in smoothed latency.

    The most promising moves by estimate are tried exactly: each of the best few alone, and the best 2, 4, 8, ... that
    touch different clients together.
    """
    smoothed = Smoothed.of(problem, states, temperature_s)
    moves = neighbourhood(problem, states, smoothed)
    change = estimate(problem, states, smoothed, moves)
    owners, parent = _trials(problem, states, moves, change, smoothed.value_s)
    gain = np.zeros(len(states))
    if len(parent) == 0:
        return states, gain
    tried = evaluate(problem, owners, states.cut[parent])
    value = Smoothed.of(problem, tried, temperature_s[parent]).value_s
    order = np.lexsort((value, parent))
    best = order[np.r_[True, np.diff(parent[order]) > 0]]
    better = value[best] < smoothed.value_s[parent[best]] * (1 - LEAST_IMPROVEMENT)
    winner = best[better]
    gain[parent[winner]] = 1 - value[winner] / smoothed.value_s[parent[winner]]
    return states.replaced(parent[winner], tried.take(winner)), gain


def _trials(
    problem: SearchProblem, states: States, moves: Moves, change: FloatArray, value_s: FloatArray
) -> tuple[IntArray, IntArray]:
    """Allocations to evaluate, shape (trials, M), and the state each comes from."""
    owners: list[IntArray] = []
    parent: list[int] = []
    ends = np.searchsorted(moves.state, np.arange(len(states) + 1))
    for n in range(len(states)):
        best = ends[n] + _ascending(change[ends[n] : ends[n + 1]], -LEAST_IMPROVEMENT * value_s[n])
        for owner in _applied(states.owner[n], moves.take(best)):
            owners.append(owner)
            parent.append(n)
    return np.array(owners).reshape(len(owners), problem.n_subchannels), np.array(parent, dtype=np.intp)


def _ascending(change: FloatArray, below: float) -> IntArray:
    candidates = np.flatnonzero(change < below)
    if len(candidates) > LOOKED_AT:
        candidates = candidates[np.argpartition(change[candidates], LOOKED_AT)[:LOOKED_AT]]
    return candidates[np.argsort(change[candidates], kind="stable")]


def _applied(owner: IntArray, moves: Moves) -> Iterator[IntArray]:
    """Yield the allocation after each of the first moves alone, and after the first 2, 4, 8, ... independent ones."""
    donors = owner[moves.give].tolist()
    listed = list(zip(moves.give.tolist(), donors, moves.to.tolist(), moves.back.tolist(), strict=True))
    for move in listed[:SINGLES]:
        yield _with(owner.copy(), move)
    touched: set[int] = set()
    together, made = owner.copy(), 0
    for move in listed:
        if move[1] in touched or move[2] in touched:
            continue
        touched |= {move[1], move[2]}
        _with(together, move)
        made += 1
        if made > 1 and made & (made - 1) == 0:
            yield together.copy()
    if made > 2 and made & (made - 1):
        yield together


def _with(owner: IntArray, move: tuple[int, int, int, int]) -> IntArray:
    give, donor, to, back = move
    owner[give] = to
    if back != NONE:
        owner[back] = donor
    return owner

"""The subchannels of two clients split anew, in the best of all ways, for many pairs of clients at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.solvers.local_search.goals import Goal
from epsl_opt.solvers.local_search.problem import SearchProblem
from epsl_opt.solvers.local_search.subsets import subset_powers, subsets

WHOLE = 10
"""Pairs that hold no more than this have all their subchannels split anew: 2^10 ways."""

POOL = 8
"""Of pairs that hold more, so many drawn at random are split anew."""

MOST_PAIRS = 100
"""Pairs looked at together, a bound on memory."""

NOTICEABLE = 1e-9
"""Relative; a smaller gain is rounding."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """P pairs of clients that have no client in common, both shapes (P,)."""

    first: IntArray
    second: IntArray

    def take(self, index: IntArray) -> Pairs:
        """Return the pairs at `index`."""
        return Pairs(self.first[index], self.second[index])


def drawn_pairs(terms: FloatArray, rng: np.random.Generator) -> Pairs:
    """Pair clients at random: every other time those with the largest terms, shape (clients,), with the others."""
    half = len(terms) // 2
    order = np.argsort(-terms) if rng.random() < 0.5 else rng.permutation(len(terms))
    count = min(half, MOST_PAIRS)
    return Pairs(order[:count], rng.permutation(order[half:])[:count])


def split_anew(problem: SearchProblem, goal: Goal, owner: IntArray, pairs: Pairs, rng: np.random.Generator) -> int:
    """Give each pair's subchannels to its two clients so that their part of the potential is least; change `owner`.

    As the pairs have no client in common, the gains add up. Returns how many pairs gained.
    """
    of_client = np.full(problem.n_clients, -1)
    of_client[pairs.first] = of_client[pairs.second] = np.arange(len(pairs.first))
    held, count = _held(of_client[owner], len(pairs.first), rng)
    size = np.where(count <= WHOLE, count, POOL)
    gained = 0
    for n in np.unique(size[count > 1]).tolist():
        group = np.flatnonzero((size == n) & (count > 1))
        gained += _split_group(problem, goal, owner, pairs.take(group), (held[group], count[group]), n)
    return gained


def pairing_work(problem: SearchProblem) -> float:
    """Return about the microseconds of one call, with all clients in pairs, on one core of 2020."""
    pairs = min(problem.n_clients // 2, MOST_PAIRS)
    size = min(math.ceil(2 * problem.n_subchannels / problem.n_clients), WHOLE)
    return 1500 + 0.3 * pairs * float(1 << size)


def _held(pair: IntArray, n_pairs: int, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    """The subchannels of each pair in random order, padded with 0, shape (P, columns), and how many they are."""
    order = np.lexsort((rng.random(len(pair)), pair))
    order = order[pair[order] >= 0]
    count = np.bincount(pair[order], minlength=n_pairs)
    place = np.arange(len(order)) - np.repeat(count.cumsum() - count, count)
    held = np.zeros((n_pairs, int(count.max(initial=0))), dtype=np.intp)
    held[pair[order], place] = order
    return held, count


def _split_group(
    problem: SearchProblem, goal: Goal, owner: IntArray, pairs: Pairs, holding: tuple[IntArray, IntArray], size: int
) -> int:
    """Split pairs whose pools have the same size; a subset is what the first of a pair gets of the pool."""
    count = holding[1]
    held = holding[0][:, : int(count.max())]
    there = np.arange(size, held.shape[1]) < count[:, None]
    rest = owner[held[:, size:]]
    terms = []
    for client in (pairs.first, pairs.second):
        kept = there & (rest == client[:, None])
        power, downlink = subset_powers(problem, client, held, kept, goal.rate[client])
        terms.append(goal.terms(client[:, None], power, downlink))
    potential = terms[0] + terms[1][:, ::-1]
    pool = held[:, :size]
    now = (owner[pool] == pairs.first[:, None]) @ (1 << np.arange(size))
    best, row = potential.argmin(axis=1), np.arange(len(pool))
    better = potential[row, best] < potential[row, now] * (1 - NOTICEABLE)
    mine = subsets(size)[best[better]] > 0
    owner[pool[better]] = np.where(mine, pairs.first[better, None], pairs.second[better, None])
    return int(better.sum())

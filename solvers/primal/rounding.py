"""From a fractional allocation to one client per subchannel: whole counts first, then who gets which."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import linear_sum_assignment

from epsl_opt.core.arrays import BoolArray, FloatArray, IntArray
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import CutCosts
from epsl_opt.core.schedule import FREE
from epsl_opt.core.serving import serving_allocation
from epsl_opt.solvers.primal.allocation import usable
from epsl_opt.solvers.primal.evaluation import allocation_latencies_s

WHOLE = 0.99
MOST_CANDIDATES = 32
ASSIGNMENT_WORK = 2_000_000
"""Candidates times subchannels squared: what the assignment problems of one rounding may cost."""

LARGEST_ASSIGNMENT = 1500
"""More open subchannels than this are given away one by one, the surest first."""


def round_allocation(
    instance: Instance, costs: CutCosts, fraction: FloatArray, *, stop: Callable[[], bool] = lambda: False
) -> IntArray:
    """Round r, shape (clients, subchannels), to the best of a few allocations; client indices, shape (subchannels,).

    The clients' totals are rounded to whole counts, in the nearest way and with one subchannel moved from one client
    to another; for each, an assignment problem keeps most of the fractions. The least latency wins. If none of them
    serves every client, what does so with least is kept, and the rest given by the fractions. When `stop` says that
    time is up, those rounded until then must do, one at the least.
    """
    allowed = usable(instance, costs)
    fraction = _given_whole(fraction)
    n_subchannels = fraction.shape[1]
    n_candidates = max(1, min(MOST_CANDIDATES, ASSIGNMENT_WORK // n_subchannels**2))
    counts = _candidate_counts(fraction.sum(axis=1), n_subchannels, n_candidates)
    owners = np.array(
        [assign_counts(fraction, count, allowed) for n, count in enumerate(counts) if n == 0 or not stop()]
    )
    latency_s = allocation_latencies_s(instance, costs, owners)
    best: IntArray = owners[latency_s.argmin()]
    if np.isfinite(latency_s.min()):
        return best
    serving = serving_allocation(instance, costs)
    return np.where(serving.owner == FREE, fraction.argmax(axis=0), serving.owner) if serving.complete else best


def _given_whole(fraction: FloatArray) -> FloatArray:
    """Share out evenly what a relaxation left free, where that is a subchannel or more: nothing in it is of worth."""
    if round(float(fraction.sum())) == fraction.shape[1]:
        return fraction
    left: FloatArray = np.maximum(1.0 - fraction.sum(axis=0), 0.0)
    return fraction + left / len(fraction)


def assign_counts(fraction: FloatArray, counts: IntArray, allowed: BoolArray) -> IntArray:
    """Give client i exactly `counts[i]` subchannels so that the total fraction kept is largest, shape (subchannels,).

    Subchannels that are nearly whole stay with their client as far as its count allows.
    """
    owner = np.where(fraction.max(axis=0) > WHOLE, fraction.argmax(axis=0), FREE)
    left = counts - np.bincount(owner[owner != FREE], minlength=len(counts))
    for poor in np.flatnonzero(left < 0):
        owner[np.flatnonzero(owner == poor)[left[poor] :]] = FREE
        left[poor] = 0
    open_ = np.flatnonzero(owner == FREE)
    if len(open_) > LARGEST_ASSIGNMENT:
        return _given_away(fraction, owner, left, allowed)
    places = np.repeat(np.arange(len(counts)), left)
    worth = fraction[np.ix_(places, open_)] - 2.0 * ~allowed[np.ix_(places, open_)]
    place, column = linear_sum_assignment(worth, maximize=True)
    owner[open_[column]] = places[place]
    return owner


def _given_away(fraction: FloatArray, owner: IntArray, left: IntArray, allowed: BoolArray) -> IntArray:
    """Give each open subchannel to the client that holds most of it and has a place left, the surest first."""
    worth = np.where(allowed, fraction, -1.0)
    open_ = np.flatnonzero(owner == FREE)
    for k in open_[np.argsort(-worth[:, open_].max(axis=0), kind="stable")]:
        client = int(np.where(left > 0, worth[:, k], -2.0).argmax())
        owner[k] = client
        left[client] -= 1
    return owner


def _candidate_counts(total: FloatArray, n_subchannels: int, most: int) -> list[IntArray]:
    """The nearest whole counts, and those one transfer away that stay nearest to the fractional totals."""
    n_clients = len(total)
    least = int(n_clients <= n_subchannels)  # with fewer subchannels than clients, nobody needs one
    base = nearest_counts(total, np.full(n_clients, least), np.full(n_clients, n_subchannels))
    giving = np.where(base > 1, total - base, np.inf)
    strain = giving[:, None] - (total - base)[None, :]
    np.fill_diagonal(strain, np.inf)
    found = [base]
    for flat in np.argsort(strain, axis=None, kind="stable")[: most - 1]:
        giver, taker = np.unravel_index(flat, strain.shape)
        if np.isfinite(strain[giver, taker]):
            moved = base.copy()
            moved[giver] -= 1
            moved[taker] += 1
            found.append(moved)
    return found


def nearest_counts(total: FloatArray, least: IntArray, most: IntArray) -> IntArray:
    """Round fractional counts that sum to a whole number to whole ones with the same sum, by largest remainders.

    `least` and `most` are kept to, shape (clients,).

    Raises
    ------
    ValueError
        If no counts between them have that sum.
    """
    n_subchannels = round(float(total.sum()))
    if not (least <= most).all() or not least.sum() <= n_subchannels <= most.sum():
        raise ValueError(f"no counts between {least} and {most} sum to {n_subchannels}")
    counts = np.clip(np.floor(total).astype(np.intp), least, most)
    while counts.sum() > n_subchannels:
        counts[np.where(counts > least, counts - total, -np.inf).argmax()] -= 1
    while counts.sum() < n_subchannels:
        counts[np.where(counts < most, total - counts, -np.inf).argmax()] += 1
    return counts

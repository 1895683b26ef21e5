"""Random changes that take a search out of a local optimum: ruin what a few clients hold, and deal it out anew."""

from __future__ import annotations

import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.solvers.local_search.states import States

MOST_CLIENTS = 4
LARGEST_POOL = 10


def perturbed(states: States, n: int, rng: np.random.Generator) -> IntArray:
    """Return an allocation near that of state `n`, shape (subchannels,); nobody loses his last subchannel.

    Two to four clients, every other time the straggler of a phase among them, put some of their subchannels together;
    these are dealt out at random, either in the same numbers as before or in any.
    """
    owner: IntArray = states.owner[n].copy()
    pool = _pool(owner, _clients(states, n, rng), rng)
    if rng.random() < 0.5:
        owner[pool] = rng.permutation(owner[pool])
    else:
        owner[pool] = rng.choice(np.unique(owner[pool]), len(pool))
    _restore_missing(owner, states.owner[n], rng)
    return owner


def _restore_missing(owner: IntArray, before: IntArray, rng: np.random.Generator) -> None:
    """Give whoever was left without a subchannel one back; each brings `owner` nearer to `before`, so it ends."""
    while (missing := np.setdiff1d(before, owner)).size:
        owner[rng.choice(np.flatnonzero(before == missing[0]))] = missing[0]


def _clients(states: States, n: int, rng: np.random.Generator) -> IntArray:
    C = states.own_s.shape[1]
    chosen = rng.permutation(C)[: rng.integers(2, MOST_CLIENTS + 1)]
    if rng.random() < 0.5:
        chosen[0] = _straggler(states.own_s[n] if rng.random() < 0.5 else states.back_s[n])
    return np.unique(chosen)


def _straggler(end_s: FloatArray) -> int:
    return int(end_s.argmax())


def _pool(owner: IntArray, clients: IntArray, rng: np.random.Generator) -> IntArray:
    held = np.flatnonzero(np.isin(owner, clients))
    size = int(rng.integers(2, min(max(3, len(held) // 2), LARGEST_POOL) + 1))
    return rng.permutation(held)[:size]

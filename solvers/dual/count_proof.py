"""Which phase ends prices per client and count rule out, and the level below which no schedule ends its phases.

A *wait* is how long a phase lasts after the last client is ready for it; a level is a sum of all phases' waits. At
fixed prices what a class pays falls with the waits, as the rates needed do: its cost is a sum of price times traffic
over (wait + head start), and of what it pays for what it holds. Among several price vectors of a class the largest cost
counts, among a client's classes the least. Where all clients together pay more than the shared costs no schedule has
such waits, or less of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.solvers.dual.count_classes import CountClasses
from epsl_opt.solvers.dual.count_model import CountModel, Shared
from epsl_opt.solvers.dual.lagrangian import ROUNDING

FIRST_CELLS = 48
"""Parts of a phase's wait looked at first; those not ruled out are split again into `SPLIT` each."""

SPLIT = 6
MOST_CELLS = 3000
HALVINGS = 8
NEAREST = 3
BLOCK = 2_000_000
"""Numbers in an array of (waits, price vectors)."""


@dataclass(frozen=True, eq=False)
class _Vectors:
    """Price vectors of some of the classes: their model, own prices, and price times traffic (phases, vectors)."""

    model: CountModel
    index: IntArray
    own: FloatArray
    traffic: FloatArray


class CountProof:
    """Prices of one model: several of each class's own, several of those that all clients share.

    `head_start_s` is how much earlier than the last each client is ready, shape (phases, clients).
    """

    def __init__(self, model: CountModel, head_start_s: FloatArray) -> None:
        self._model, self._client_head_start_s = model, head_start_s
        self._vectors: list[_Vectors] = []
        self._shared: list[Shared] = []
        self._made_for: list[FloatArray] = []
        self._held: list[list[FloatArray]] = []
        self._order = np.zeros(0, dtype=np.intp)
        self._first = self._order

    def add_own(self, index: IntArray, own: FloatArray, traffic: FloatArray) -> None:
        """Add price vectors of some classes, in the model's units.

        Parameters
        ----------
        index
            Which classes; at first all.
        own
            Theirs, shape (len(index), 5).
        traffic
            Their price times traffic of each phase, shape (phases, len(index)).
        """
        new = _Vectors(self._model.take(index), index, own, traffic * (1 - ROUNDING))
        for prices, held in zip(self._shared, self._held, strict=True):
            held.append(new.model.held_cost(own, prices))
        self._vectors.append(new)
        of_class = np.concatenate([each.index for each in self._vectors])
        self._order = np.argsort(of_class, kind="stable")
        self._first = np.flatnonzero(np.diff(of_class[self._order], prepend=-1))
        self._line_traffic = np.concatenate([each.traffic for each in self._vectors], axis=1)[:, self._order]
        client = self._model.classes.client[of_class[self._order]]
        self._head_start_s = self._client_head_start_s[:, client]

    def add_shared(self, shared: Shared, waits: FloatArray) -> None:
        """Add prices that all clients see, made for these waits, shape (phases,)."""
        self._shared.append(shared)
        self._made_for.append(waits)
        self._held.append([each.model.held_cost(each.own, shared) for each in self._vectors])

    @property
    def classes(self) -> CountClasses:
        """Of the model."""
        return self._model.classes

    def nearest_shared(self, waits: FloatArray) -> int:
        """Which of the shared prices was made for the waits nearest to these."""
        return int(np.abs(np.array(self._made_for) - waits).sum(axis=1).argmin())

    def shared(self, n: int) -> Shared:
        """The n-th of the shared prices."""
        return self._shared[n]

    def ruled_out(self, waits: FloatArray) -> FloatArray:
        """Return how far the clients' payments exceed the shared costs, at the best prices, shape (waits,).

        Of the shared prices the `NEAREST` are tried, by what they were made for.

        Parameters
        ----------
        waits
            In seconds, positive, shape (waits, phases).
        """
        margin = np.full(len(waits), -np.inf)
        distance = np.abs(waits[:, None, :] - np.array(self._made_for)).sum(axis=2)
        nearest = np.argsort(distance, axis=1)[:, :NEAREST]
        for rank in range(nearest.shape[1]):
            for n in np.unique(nearest[margin <= 0, rank]):
                open_ = np.flatnonzero((margin <= 0) & (nearest[:, rank] == n))
                margin[open_] = np.maximum(margin[open_], self._margin(int(n), waits[open_]))
        return margin

    def class_costs(self, waits: FloatArray, n: int) -> FloatArray:
        """What each class pays at one vector of waits and the n-th shared prices, shape (classes,)."""
        costs: FloatArray = self._costs(n, waits[None, :])[0]
        return costs

    def _margin(self, n: int, waits: FloatArray) -> FloatArray:
        parts = np.array_split(waits, max(1, -(-len(self._order) * len(waits) // BLOCK)))
        paid = np.concatenate([self._model.classes.cheapest(self._costs(n, part)) for part in parts])
        found: FloatArray = paid.sum(axis=1) - ROUNDING * np.abs(paid).sum(axis=1)
        found -= self._model.shared_cost(self._shared[n])
        return np.nan_to_num(found, nan=-np.inf, posinf=np.inf, neginf=-np.inf)

    def _costs(self, n: int, waits: FloatArray) -> FloatArray:
        """Of each class at its dearest prices, shape (waits, classes)."""
        cost = np.tile(np.concatenate(self._held[n])[self._order], (len(waits), 1))
        for phase, head_start_s in enumerate(self._head_start_s):
            cost += self._line_traffic[phase] / (waits[:, phase, None] + head_start_s)
        dearest: FloatArray = np.fmax.reduceat(cost, self._first, axis=1)
        return dearest


def proven_level_s(
    proofs: Sequence[CountProof], known_s: float, wanted_s: float, n_phases: int, least_s: float
) -> tuple[float, FloatArray]:
    """Return a level that no schedule goes below, and waits just above it that are not ruled out.

    Parameters
    ----------
    proofs
        Any number of them.
    known_s, wanted_s
        A level that is proven, and the highest that is of interest; if that is proven it is returned at once.
    n_phases
        How many waits make up a level.
    least_s
        Waits are told apart to this.
    """
    gap = _first_gap(proofs, wanted_s, n_phases, least_s)
    if gap is None:
        return wanted_s, np.zeros(0)
    open_s = wanted_s
    for _ in range(HALVINGS):
        middle_s = (known_s + open_s) / 2
        found = _first_gap(proofs, middle_s, n_phases, least_s)
        if found is None:
            known_s = middle_s
        else:
            open_s, gap = middle_s, found
    return known_s, gap


def _first_gap(proofs: Sequence[CountProof], level_s: float, n_phases: int, least_s: float) -> FloatArray | None:
    """Return waits of this level, or nearly, that are not ruled out; None if there are none.

    The waits of all phases but the last are split into cells; a cell is done if its upper corner is ruled out, with the
    most that is left for the last phase.
    """
    if n_phases == 1:
        waits = np.array([[level_s]])
        return None if _ruled_out(proofs, waits)[0] > 0 else waits[0]
    free = n_phases - 1
    cells = FIRST_CELLS if free == 1 else FIRST_CELLS // 4
    width = level_s / cells
    low = np.stack(np.meshgrid(*[width * np.arange(cells)] * free, indexing="ij"), axis=-1).reshape(-1, free)
    while True:
        left = level_s - low.sum(axis=1)
        low, left = low[left > 0], left[left > 0]
        corner = np.column_stack([low + width, left])
        margin = _ruled_out(proofs, corner)
        open_ = margin <= 0
        if not open_.any():
            return None
        low, corner, left = low[open_], corner[open_], left[open_]
        inside = np.column_stack([low + least_s, left])
        beaten = _ruled_out(proofs, inside)
        if width <= least_s or (beaten <= 0).any() or len(low) * SPLIT**free > MOST_CELLS:
            worst: FloatArray = inside[beaten.argmin()]
            return worst
        width /= SPLIT
        steps = width * np.stack(np.meshgrid(*[np.arange(SPLIT)] * free, indexing="ij"), axis=-1).reshape(-1, free)
        low = (low[:, None, :] + steps).reshape(-1, free)


def _ruled_out(proofs: Sequence[CountProof], waits: FloatArray) -> FloatArray:
    margin = np.full(len(waits), -np.inf)
    for proof in reversed(proofs):
        open_ = np.flatnonzero(margin <= 0)
        if open_.size:
            margin[open_] = np.maximum(margin[open_], proof.ruled_out(waits[open_]))
    return margin

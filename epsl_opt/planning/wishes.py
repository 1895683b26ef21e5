"""What a user asks of a plan, and the grid, seeds and horizon that are taken where nothing is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from epsl_opt.core.cut_limits import limit_cuts
from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.core.instance import Instance
from epsl_opt.core.options import Options
from epsl_opt.planning.grid import Grid
from epsl_opt.plugins.backend import AnyBackend
from epsl_opt.training.goal import TrainingGoal
from epsl_opt.training.request import TrainingRequest

FRAMEWORKS = (Framework.EPSL, Framework.PSL, Framework.SFL, Framework.SL)
RATIOS, QUICK_RATIOS = (0.5, 1.0), (0.5,)
AVERAGE_EVERY, QUICK_AVERAGE_EVERY = (None, 5, 20), (None, 5)
RATE_FACTORS, QUICK_RATE_FACTORS = (0.3, 1.0, 3.0, 10.0), (1.0, 3.0)
"""Of the backend's own learning rate."""

SEQUENTIAL = 0.3
"""Where the server steps once per client, rates are so much lower."""

SEEDS, QUICK_SEEDS = (0, 1, 2), (0, 1)
HORIZON, QUICK_HORIZON = 400, 200
"""Rounds."""

RATE = "lr"
"""The option of a backend that a learning rate is given by."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """The values of each decision as the user gave them; None where the defaults are taken (see `Grid`).

    Parameters
    ----------
    min_cut
        The first cut layer that is allowed.
    quick
        Whether to take fewer values where none are given.
    """

    frameworks: Sequence[Framework] | None = None
    aggregation_ratios: Sequence[float] | None = None
    cut_layers: Sequence[str] | None = None
    min_cut: str | None = None
    batch_sizes: Sequence[int] | None = None
    average_every: Sequence[int | None] | None = None
    learning_rates: Sequence[float] | None = None
    seeds: Sequence[int] | None = None
    quick: bool = False

    def grid(self, instance: Instance, backend: AnyBackend) -> Grid:
        """Return the grid for an instance that fits the training.

        Raises
        ------
        InputError
            If there is no such cut layer, a value is out of its range, or the backend takes no learning rate.
        """
        self._check(backend)
        batch_size = instance.training.batch_size
        averaging = QUICK_AVERAGE_EVERY if self.quick else AVERAGE_EVERY
        rates, sequential = self._rates(backend)
        smaller = max(batch_size // 4, 1)
        return Grid(
            frameworks=self.frameworks or FRAMEWORKS,
            aggregation_ratios=self.aggregation_ratios or (QUICK_RATIOS if self.quick else RATIOS),
            cut_layers=self._cuts(instance),
            batch_sizes=self.batch_sizes or ((smaller,) if self.quick else tuple({smaller: 0, batch_size: 0})),
            average_every=self.average_every or (averaging if backend.averages else (None,)),
            learning_rates=rates,
            sequential_rates=sequential,
        )

    def request(
        self, backend: AnyBackend, options: Options, task: str, target: float | None, rounds: int | None
    ) -> TrainingRequest:
        """Return what pilots train, but for what points decide: evaluated after every round, up to the horizon."""
        goal = TrainingGoal(rounds or self.horizon, target, evaluate_every=1)
        return TrainingRequest(backend=backend, options=options, task=task, goal=goal)

    @property
    def chosen_seeds(self) -> tuple[int, ...]:
        """The seeds of a point's pilots."""
        return tuple(self.seeds or (QUICK_SEEDS if self.quick else SEEDS))

    @property
    def horizon(self) -> int:
        """Rounds after which a pilot ends, if nothing else is asked for."""
        return QUICK_HORIZON if self.quick else HORIZON

    def _check(self, backend: AnyBackend) -> None:
        for ratio in self.aggregation_ratios or ():
            if not 0 <= ratio <= 1:
                raise InputError("--phi", f"must be from 0 to 1, got {ratio:g}")
        for framework in self.frameworks or ():
            if framework is Framework.CENTRALISED:
                raise InputError("--frameworks", "centralised trains on data that the server does not have")
        asked = [value for value in self.average_every or () if value is not None]
        if asked and not backend.averages:
            raise InputError("--average-every", f"is nothing that the backend {backend.name} can do")
        if self.learning_rates is not None and RATE not in backend.options_type.model_fields:
            raise InputError("--learning-rate", f"is nothing that the backend {backend.name} has an option for")
        for rate in self.learning_rates or ():
            if not rate > 0:
                raise InputError("--learning-rate", f"must be positive, got {rate:g}")

    def _cuts(self, instance: Instance) -> tuple[str, ...]:
        limited = limit_cuts(instance, self.cut_layers, self.min_cut)
        names = [cut.name for cut in limited.model.cut_layers]
        first = limited.training.min_cut_layer
        allowed = tuple(names if first is None else names[names.index(first) :])
        return allowed if self.cut_layers is not None or not self.quick else distinct_cuts(limited, allowed)

    def _rates(self, backend: AnyBackend) -> tuple[Sequence[float | None], Sequence[float] | None]:
        if self.learning_rates is not None:
            return self.learning_rates, None
        own = backend.options_type.model_fields.get(RATE)
        if own is None or not isinstance(own.default, int | float):
            return (None,), None
        factors = QUICK_RATE_FACTORS if self.quick else RATE_FACTORS
        rates = [float(f"{own.default * factor:.3g}") for factor in factors]
        return rates, [float(f"{rate * SEQUENTIAL:.3g}") for rate in rates]


def distinct_cuts(instance: Instance, names: Sequence[str]) -> tuple[str, ...]:
    """Return, of cut layers with equal client-side models, the one with the least smashed data.

    Between such cuts there are layers without weights: which side has them changes what is sent, and what is learned
    only where gradients are aggregated.
    """
    cuts = [cut for cut in instance.model.cut_layers if cut.name in names]
    least: dict[float | str, tuple[float, str]] = {}
    for cut in cuts:
        own, model = (cut.activation_bits, cut.name), cut.client_parameter_bits or cut.name
        least[model] = min(least.get(model, own), own, key=lambda found: found[0])
    return tuple(name for _, name in least.values())

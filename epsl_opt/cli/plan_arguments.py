"""What `epsl-opt plan` takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from epsl_opt.cli.numbers import COUNT, listed

if TYPE_CHECKING:
    from epsl_opt.planning.wishes import Wishes
    from epsl_opt.training.request import TrainingRequest

NEVER = "never"


@dataclass(frozen=True, kw_only=True)
class PlanArguments:
    """What `plan` takes, as it is on the command line; None is the default."""

    instance: str
    task: str | None
    network: str | None
    target: float | None
    frameworks: tuple[str, ...] | None
    phi: tuple[float, ...] | None
    cut_layers: tuple[str, ...] | None
    min_cut: str | None
    batch_sizes: tuple[int, ...] | None
    average_every: tuple[int | None, ...] | None
    learning_rates: tuple[float, ...] | None
    seeds: tuple[int, ...] | None
    rounds: int | None
    rounds_table: str | None
    quick: bool
    time_limit: float
    gap: float
    pairs: tuple[str, ...]
    backend: str | None
    jobs: int | None
    engine: str
    scheduler: str | None
    output: str | None
    form: str
    quiet: bool

    def wishes(self) -> Wishes:
        """Return the grid that is asked for."""
        from epsl_opt.core.framework import Framework
        from epsl_opt.planning.wishes import Wishes

        return Wishes(
            frameworks=None if self.frameworks is None else [Framework(name) for name in self.frameworks],
            aggregation_ratios=self.phi,
            cut_layers=self.cut_layers,
            min_cut=self.min_cut,
            batch_sizes=self.batch_sizes,
            average_every=self.average_every,
            learning_rates=self.learning_rates,
            seeds=self.seeds,
            quick=self.quick,
        )

    def request(self) -> TrainingRequest:
        """Return what pilots train, but for what points decide.

        Raises
        ------
        click.UsageError, InputError
            Naming the option with a bad value, or what must be installed first.
        """
        from epsl_opt.core.defaults import DEFAULT_BACKEND, DEFAULT_TASK
        from epsl_opt.core.options import split_pairs
        from epsl_opt.plugins.registry import load_backend
        from epsl_opt.training.request import backend_options, ready

        if self.target is None:
            raise click.UsageError("--target is missing: the test accuracy to reach, as a fraction")
        if not 0 <= self.target <= 1:
            raise click.UsageError(f"--target must be from 0 to 1, got {self.target:g}")
        backend = ready(load_backend(self.backend or DEFAULT_BACKEND))
        network = [] if self.network is None else [f"network={self.network}"]
        options = backend_options(backend, split_pairs([*self.pairs, *network], "plan"))
        return self.wishes().request(backend, options, self.task or DEFAULT_TASK, self.target, self.rounds)


class CountList(click.ParamType):  # type: ignore[type-arg]
    """Whole numbers from 1 as `4,16`."""

    name = "counts"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Return the numbers in the order given."""
        return tuple(dict.fromkeys(COUNT.convert(part, param, ctx) for part in listed(value)))


class AveragingList(click.ParamType):  # type: ignore[type-arg]
    """Whole numbers from 1, or `never`, as `never,5,10`."""

    name = "averaging"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int | None, ...]:
        """Return the numbers in the order given, None for never."""
        parts = [part.strip() if isinstance(part, str) else part for part in listed(value)]
        return tuple(dict.fromkeys(None if part == NEVER else COUNT.convert(part, param, ctx) for part in parts))

"""What `epsl-opt train` takes, here and on ranks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from epsl_opt.cli.training_params import TrainingArguments

if TYPE_CHECKING:
    from epsl_opt.plugins.backend import AnyBackend
    from epsl_opt.training.request import TrainingRequest


@dataclass(frozen=True, kw_only=True)
class TrainArguments(TrainingArguments):
    """What `epsl-opt train` takes, as it is on the command line; None is the default."""

    instance: str | None
    solver: str | None
    schedule: str | None
    time_limit: float
    gap: float
    framework: str | None
    phi: float | None
    seed: int
    pairs: tuple[str, ...]
    describe: bool
    output: str | None
    resume: bool
    form: str
    quiet: bool

    def refuse_contradictions(self) -> None:
        """Raise if arguments don't go together.

        Raises
        ------
        click.UsageError
            Naming them.
        """
        if self.instance is None:
            raise click.UsageError("INSTANCE is missing")
        if self.solver is not None and self.schedule is not None:
            raise click.UsageError("--solver and --schedule are two ways to a schedule; give one")
        if self.instance == self.schedule == "-":
            raise click.UsageError("INSTANCE and --schedule can't both be standard input")
        if self.resume and self.output is None:
            raise click.UsageError("--resume needs --output DIR, the folder of the training")

    def training_request(self, backend: AnyBackend | None = None) -> TrainingRequest:
        """Return what is to be trained, by the backend that the user named if none is given.

        Raises
        ------
        click.UsageError, InputError
            Naming the option with a bad value, or what must be installed first.
        """
        from epsl_opt.core.framework import Framework
        from epsl_opt.core.options import split_pairs

        network = [] if self.network is None else [f"network={self.network}"]
        shared = self.shared_request(split_pairs([*self.pairs, *network], "train"), backend)
        return replace(
            shared, framework=Framework(self.framework or Framework.EPSL), aggregation_ratio=self.phi, seed=self.seed
        )

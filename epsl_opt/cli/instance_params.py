"""Options that make the instance of what is going to be trained, and limit where its network is cut."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from epsl_opt.cli.messages import note
from epsl_opt.cli.numbers import COUNT
from epsl_opt.cli.params import CommandT, cut_options, framework_options
from epsl_opt.cli.redirect import stdout_to_stderr
from epsl_opt.cli.training_params import complete_backend
from epsl_opt.core.defaults import DEFAULT_BACKEND, DEFAULT_TASK
from epsl_opt.core.framework import Framework

if TYPE_CHECKING:
    from epsl_opt.core.instance import Instance
    from epsl_opt.training.request import FittedInstance, TrainingRequest


@dataclass(frozen=True, kw_only=True)
class InstanceArguments:
    """What makes another instance of the one that is named, as it is on the command line; None leaves it as it is."""

    task: str | None
    network: str | None
    backend: str | None
    batch_size: int | None
    phi: float | None
    framework: str | None
    average_every: int | None
    cut_layers: tuple[str, ...] | None
    min_cut: str | None

    @property
    def names_training(self) -> bool:
        """Whether the network is that of a training."""
        return (self.task, self.network, self.backend) != (None, None, None)

    def load(self, source: str) -> Instance:
        """Load an instance and apply the options to it.

        Raises
        ------
        InputError
            If there is no such instance, or an option does not go with it.
        """
        from epsl_opt.problems.sources import load_instance

        return self.apply(load_instance(source))

    def apply(self, instance: Instance) -> Instance:
        """Return the instance of what is going to be trained, as `epsl-opt train` makes it, with fewer places to cut.

        Raises
        ------
        InputError
            If an option does not go with it, or training it needs something that is not installed.
        """
        if not self.names_training:
            return self._changed(instance)
        with stdout_to_stderr():
            fitted = self._request(instance).fit(instance)
        tell_replaced(fitted)
        return fitted.instance

    def _changed(self, instance: Instance) -> Instance:
        from epsl_opt.core.cut_limits import limit_cuts
        from epsl_opt.core.framework_choice import choose_framework

        changed = (self.batch_size, self.phi, self.framework, self.average_every)
        if changed != (None, None, None, None):
            named = None if self.framework is None else Framework(self.framework)
            instance = choose_framework(
                instance, named, self.average_every, aggregation_ratio=self.phi, batch_size=self.batch_size
            )
        return limit_cuts(instance, self.cut_layers, self.min_cut)

    def _request(self, instance: Instance) -> TrainingRequest:
        from epsl_opt.plugins.registry import load_backend
        from epsl_opt.training.request import TrainingRequest, backend_options, ready

        trainer = ready(load_backend(self.backend or DEFAULT_BACKEND))
        request = TrainingRequest(
            backend=trainer,
            options=backend_options(trainer, {} if self.network is None else {"network": self.network}),
            task=self.task or DEFAULT_TASK,
            framework=Framework(self.framework or Framework.EPSL),
            aggregation_ratio=self.phi,
            batch_size=self.batch_size,
            average_every=self.average_every,
            cut_layers=self.cut_layers,
            min_cut=self.min_cut,
        )
        return request.about(instance) if self.framework is None else request


def refuse_instance_options(without: str, *names: str) -> None:
    """Raise if one of these parameters, or any if none is named, stands on the command line where it has no effect.

    Raises
    ------
    click.UsageError
        Naming the option and what it lacks.
    """
    ctx = click.get_current_context()
    for name in names or tuple(field.name for field in fields(InstanceArguments)):
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name.replace('_', '-')} {without}")


def tell_replaced(fitted: FittedInstance) -> None:
    """Tell if an instance got another network's profile."""
    if fitted.replaced:
        new, old, of = fitted.instance.model.name, fitted.source.model.name, fitted.source.name
        note(f"{of}: the profile of the network that is trained, {new!r}, replaces that of {old!r}")


def instance_options(command: CommandT) -> CommandT:
    """Add what makes another instance of the one that is named."""
    command = framework_options(cut_options(command))
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_TASK_HELP = f"Take the network of this training task [default: the instance's model; with --network: {DEFAULT_TASK}]."
_BACKEND_HELP = f"With --task: who trains it [default: {DEFAULT_BACKEND}]."

_OPTIONS = (
    click.option("-t", "--task", metavar="NAME", help=_TASK_HELP),
    click.option("--network", metavar="NAME", help="Take this network [default: the task's own]."),
    click.option("--backend", metavar="NAME", shell_complete=complete_backend, help=_BACKEND_HELP),
    click.option("-b", "--batch-size", type=COUNT, metavar="B", help="Samples per client [default: the instance's]."),
    click.option("--phi", type=float, metavar="P", help="Aggregation ratio [default: the instance's]."),
)

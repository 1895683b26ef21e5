"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import wraps
from typing import TYPE_CHECKING, Protocol, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from epsl_opt.cli.numbers import COUNT, MAX_SEED, SECONDS, SEED, THREADS, listed
from epsl_opt.core.defaults import DEFAULT_REL_GAP, DEFAULT_TIME_LIMIT_S
from epsl_opt.core.framework import Framework
from epsl_opt.core.plain_text import shown

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from epsl_opt.core.results import Limits

CommandT = TypeVar("CommandT", bound=Callable[..., object])


class Decorator(Protocol):
    """What adds options to a command."""

    def __call__(self, command: CommandT, /) -> CommandT:
        """Return the command with them."""


class NameList(click.ParamType):  # type: ignore[type-arg]
    """Names between commas; a list in a configuration file is taken as it is."""

    name = "list"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Return the names, without empty ones."""
        parts = listed(value)
        names = [part.strip() for part in parts if isinstance(part, str)]
        if len(names) < len(parts):
            self.fail("must be names between commas", param, ctx)
        return tuple(filter(None, names))


class SolverList(NameList):
    """Solvers between commas."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete the last name as a solver."""
        done, comma, last = incomplete.rpartition(",")
        return [CompletionItem(f"{done}{comma}{item.value}") for item in complete_solver(ctx, param, last)]


class SeedList(click.ParamType):  # type: ignore[type-arg]
    """Seeds as `0..4` (both ends included) or `0,3,7`."""

    name = "seeds"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Return the seeds in the order given."""
        try:
            seeds = [seed for part in listed(value) for seed in _seed_range(str(part))]
        except ValueError:
            self.fail(f"must look like 0..4 or 0,3,7, got {shown(value)}", param, ctx)
        return tuple(dict.fromkeys(seeds))


def _seed_range(text: str) -> range:
    first, dots, last = text.strip().partition("..")
    low, high = int(first), int(last if dots else first)
    if low < 0 or high < low or high - low >= 100_000 or high > MAX_SEED:
        raise ValueError(text)
    return range(low, high + 1)


def complete_solver(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a solver's name."""
    from epsl_opt.plugins import registry

    return _matching(registry.names(registry.SOLVERS), incomplete)


def complete_scenario(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a scenario or library instance."""
    from epsl_opt.plugins import registry
    from epsl_opt.problems import library

    return _matching([*registry.names(registry.SCENARIOS), *library.names()], incomplete)


def complete_instance(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a scenario, a library instance or, if none fits, a file."""
    return complete_scenario(ctx, param, incomplete) or [CompletionItem(incomplete, type="file")]


def _matching(names: Sequence[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


instance_argument = click.argument("instance", metavar="INSTANCE", shell_complete=complete_instance)


def packed(kind: type[DataclassInstance]) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Let a command take the parameters that are fields of a dataclass as one such object, before all others.

    Of several kinds, the objects come in the order of the decorators.
    """

    def pack(command: Callable[..., int]) -> Callable[..., int]:
        @wraps(command)
        def unpacked(*packs: object, **given: object) -> int:
            own = {field.name: given.pop(field.name) for field in fields(kind) if field.name in given}
            return command(*packs, kind(**own), **given)

        return unpacked

    return pack


quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress, notes or warnings.")


no_bound_option = click.option(
    "--no-bound",
    is_flag=True,
    help="No bound beside solvers that prove none (a tenth of the time limit at most).",
)


def format_option(*formats: str) -> Decorator:
    """Return the `--format` option with these formats, the first being the default."""
    return click.option(
        "-f",
        "--format",
        "form",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="How to write to standard output.",
    )


def output_option(what: str) -> Decorator:
    """Return the `-o` option."""
    return click.option(
        "-o", "--output", type=click.Path(), metavar="FILE", help=f"Write {what} to this file, whole or not at all."
    )


def pairs_option(what: str, metavar: str = "K=V") -> Decorator:
    """Return the repeatable `--option K=V` option."""
    return click.option("--option", "pairs", multiple=True, metavar=metavar, help=f"{what} (repeatable).")


def limit_options(command: CommandT) -> CommandT:
    """Add the limits that hold for every solver."""
    options = (
        click.option(
            "--time-limit", type=SECONDS, default=DEFAULT_TIME_LIMIT_S, show_default=True, metavar="S", help=_TIME_HELP
        ),
        click.option("--gap", type=float, default=DEFAULT_REL_GAP, show_default=True, metavar="G", help=_GAP_HELP),
        click.option("--seed", type=SEED, default=0, show_default=True, metavar="N", help="Of the solver's own draws."),
        click.option("--threads", type=THREADS, metavar="N", help="Threads a solver may use [default: its choice]."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def cut_options(command: CommandT) -> CommandT:
    """Add the limits on where the network may be cut."""
    options = (
        click.option("--cut-layers", type=NameList(), metavar="A,B", help="Cut at one of these only [default: any]."),
        click.option("--min-cut", metavar="NAME", help="The first cut layer that is allowed."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def framework_options(command: CommandT) -> CommandT:
    """Add whose round is minimised."""
    options = (
        click.option("--framework", type=click.Choice([each.value for each in Framework]), help=_FRAMEWORK_HELP),
        click.option("--average-every", type=COUNT, metavar="I", help=_AVERAGE_HELP),
    )
    for option in reversed(options):
        command = option(command)
    return command


_FRAMEWORK_HELP = "Whose round is minimised [default: the instance's, EPSL]."
_AVERAGE_HELP = "Of epsl and psl: the mean round if client-side models are averaged after every I-th [default: never]."
_TIME_HELP = "Wall-clock seconds for building and solving; inf for none."
_GAP_HELP = "Stop once (latency - bound) / latency is at most this, as a fraction: 0.05 is 5 %."


def is_configured(parameter: str) -> bool:
    """Return whether a parameter of the running command comes from a configuration file."""
    return click.get_current_context().get_parameter_source(parameter) is ParameterSource.DEFAULT_MAP


def make_limits(time_limit: float, gap: float, seed: int, threads: int | None) -> Limits:
    """Return `Limits`.

    Raises
    ------
    click.UsageError
        Naming the option with a bad value.
    """
    from epsl_opt.core.results import Limits

    try:
        return Limits(time_s=time_limit, rel_gap=gap, threads=threads, seed=seed)
    except ValueError as error:
        field, _, problem = str(error).partition(" ")
        option = {"time_s": "--time-limit", "rel_gap": "--gap"}.get(field, f"--{field}")
        raise click.UsageError(f"{option} {problem}") from error


def is_default(parameter: str) -> bool:
    """Return whether neither the command line nor a configuration file gives an option."""
    return click.get_current_context().get_parameter_source(parameter) is ParameterSource.DEFAULT

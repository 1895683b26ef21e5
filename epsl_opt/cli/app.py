"""The `epsl-opt` command: what every command shares, and the table that finds the others without importing them."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from epsl_opt.cli.exits import ExitCode
from epsl_opt.errors import EngineError, EpslOptError

PROGRAM = "epsl-opt"

COMMANDS = {
    "solve": ("epsl_opt.cli.solve", "Find a verified schedule for an instance."),
    "compare": ("epsl_opt.cli.compare", "Run every solver on every instance and rank them."),
    "train": ("epsl_opt.cli.train", "Train for real under a schedule."),
    "study": ("epsl_opt.cli.study", "Run studies: questions about EPSL, answered with pictures and numbers."),
    "report": ("epsl_opt.cli.report", "Write the studies of a folder as one HTML page."),
    "check": ("epsl_opt.cli.check", "Verify a schedule file against its instance."),
    "generate": ("epsl_opt.cli.generate", "Draw an instance from a scenario."),
    "show": ("epsl_opt.cli.show", "Describe an instance or a schedule."),
    "solvers": ("epsl_opt.cli.solvers", "List the solvers, or one solver's options."),
    "profile": ("epsl_opt.cli.profile", "Count what a network costs at each possible cut; measure this machine."),
    "plot": ("epsl_opt.cli.plot", "Draw a schedule file as a picture."),
    "export": ("epsl_opt.cli.export", "Convert a schedule to CSV or Parquet, or an instance to an optimisation model."),
    "schema": ("epsl_opt.cli.schema", "Print the JSON Schema of a file format."),
    "info": ("epsl_opt.cli.info", "Show versions, processor and optional packages."),
    "completion": ("epsl_opt.cli.completion", "Print a shell's completion script."),
}
"""Command -> module and the first sentence of its help; a test keeps the two in step."""


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name][0]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name near matches of an unknown command."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            raise click.UsageError(_unknown_command(name), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _show_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"{PROGRAM} {version(PROGRAM)}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--config", type=click.Path(), metavar="FILE", help="Read options from this TOML file.")
@click.option("--debug", is_flag=True, help="Log what happens to stderr; show tracebacks of errors.")
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show it.")
@click.pass_context
def cli(ctx: click.Context, config: str | None, debug: bool) -> None:
    """Plan the radio and compute resources of parallel split learning (EPSL) over a wireless edge network.

    INSTANCE arguments take a file, - for standard input, the name of a library instance, or a scenario with options.

    \b
    Examples:
      epsl-opt solve paper --solver local-search
      epsl-opt compare paper --seeds 0..4 --output results
      epsl-opt generate paper --option clients=10 --seed 3 -o instance.json

    Results go to standard output, messages to standard error. Exit codes: 0 verified schedule, 1 unexpected error,
    2 bad input, 3 proven infeasible, 4 no schedule found, 5 schedule rejected, 130 interrupted.
    """
    from epsl_opt.cli.talk import configure_logging

    ctx.obj = {"debug": debug}
    configure_logging(debug)
    if config is not None:
        from epsl_opt.cli.config import load_config

        ctx.default_map = load_config(config, ctx)


def run(arguments: Sequence[str], command: click.Command | None = None) -> int:
    """Run one command line and return its exit code; every error becomes one line on stderr.

    Another program than `epsl-opt` gives its own command.
    """
    arguments = list(arguments) or ["--help"]
    debug = "--debug" in arguments
    try:
        program = PROGRAM if command is None else command.name
        code = (command or cli).main(arguments, prog_name=program, standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", ExitCode.INTERRUPTED)
    except click.ClickException as error:
        return _fail(_usage(error), ExitCode.BAD_INPUT)
    except EngineError as error:
        return _fail(str(error), ExitCode.ERROR, debug)
    except EpslOptError as error:
        return _fail(str(error), ExitCode.BAD_INPUT, debug)
    except Exception as error:
        hint = "" if debug else f" (`{PROGRAM} --debug ...` shows where)"
        return _fail(f"unexpected {type(error).__name__}: {error}{hint}", ExitCode.ERROR, debug)
    return int(code or 0)


def _fail(message: str, code: ExitCode, debug: bool = False) -> int:
    if debug:
        traceback.print_exc()
    line = " ".join(message.splitlines())
    click.echo(f"{PROGRAM}: error: {line}", file=sys.stderr)
    return code


def _usage(error: click.ClickException) -> str:
    message = error.format_message().rstrip(".")
    context: Any = getattr(error, "ctx", None)
    path = context.command_path if context is not None else PROGRAM
    return f"{message} (see `{path} --help`)"


def _unknown_command(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(COMMANDS)}"
    return f"no such command {name!r}; {hint}"

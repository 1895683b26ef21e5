"""The `epsl-opt` command: what every command shares, and the table that finds the others without importing them."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from types import TracebackType

import click
from click.core import ParameterSource

from epsl_opt.cli.exits import ExitCode
from epsl_opt.core.errors import EngineError, EpslOptError, InputError
from epsl_opt.core.plain_text import shorten, shown

PROGRAM = "epsl-opt"

COMMANDS = {
    "solve": ("epsl_opt.cli.solve", "Find a verified schedule for an instance."),
    "compare": ("epsl_opt.cli.compare", "Run every solver on every instance and rank them."),
    "train": ("epsl_opt.cli.train", "Train for real under a schedule."),
    "plan": ("epsl_opt.cli.plan", "Find what to train, so that a target accuracy comes soonest."),
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


class CommandContext(click.Context):
    """The context of one command: it notes on an error which options came from a configuration file."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if isinstance(error, InputError | click.UsageError) and (keys := self._configured()):
            note = f"{self.find_root().params['config']} sets {', '.join(keys)}"
            if note not in getattr(error, "__notes__", ()):  # contexts are left more than once
                error.add_note(note)
        return super().__exit__(kind, error, trace)

    def _configured(self) -> list[str]:
        """Return the options from the file, by their names there."""
        return [
            f"{self.info_name}.{parameter.opts[-1].lstrip('-')}"
            for parameter in self.command.params
            if self.get_parameter_source(parameter.name or "") is ParameterSource.DEFAULT_MAP
        ]


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
        command.context_class = CommandContext
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
        from epsl_opt.core.distribution import version

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
    from epsl_opt.cli.messages import configure_logging

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
    stdout, stderr = sys.stdout, sys.stderr
    try:
        return _run(arguments, command or cli)
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", ExitCode.INTERRUPTED)
    except click.ClickException as error:
        return _fail(_usage(error), ExitCode.BAD_INPUT)
    except SystemExit:
        if sys.stdout is stdout:
            raise
        sys.stdout, sys.stderr = stdout, stderr  # click put others there: the reader of a help page has left
        return ExitCode.OK
    except Exception as error:
        return _fail(*_told(error, debug), debug)


def _run(arguments: list[str], command: click.Command) -> int:
    if bad := next((argument for argument in arguments if not _is_argument(argument)), None):
        raise click.UsageError(f"no program can be given {shown(bad)}")
    program = PROGRAM if command is cli else command.name
    return int(command.main(arguments, prog_name=program, standalone_mode=False) or 0)


def _is_argument(text: str) -> bool:
    """Return whether a shell could have given this; what calls us from Python can give more."""
    try:
        return "\0" not in text and os.fsencode(text) is not None
    except UnicodeEncodeError:
        return False


def _fail(message: str, code: ExitCode, debug: bool = False) -> int:
    from epsl_opt.cli.messages import brief, say

    if debug:
        traceback.print_exc()
    say(f"{PROGRAM}: error: {brief(message)}")
    return code


def _told(error: Exception, debug: bool) -> tuple[str, ExitCode]:
    """Return what to say of an error, and its code."""
    if isinstance(error, EpslOptError):
        return _noted(error), ExitCode.ERROR if isinstance(error, EngineError) else ExitCode.BAD_INPUT
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):  # torch's is a RuntimeError
        return f"does not fit the memory: {shorten(str(error), 500)}".rstrip(": "), ExitCode.BAD_INPUT
    if isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError):
        return _refusal(error), ExitCode.BAD_INPUT
    hint = "" if debug else f" (`{PROGRAM} --debug ...` shows where)"
    return f"unexpected {type(error).__name__}: {shorten(str(error), 500)}{hint}", ExitCode.ERROR


def _refusal(error: OSError) -> str:
    """Say what the system does not want: what it refuses to write to the terminal, or a file that nobody expected."""
    place = "standard output" if error.filename is None else str(error.filename)
    return f"{place}: {error.strerror or error}"


def _noted(error: Exception) -> str:
    """Return what an error says, and what is known of where the options came from."""
    return f"{error}{''.join(f' ({note})' for note in getattr(error, '__notes__', ()))}"


def _usage(error: click.ClickException) -> str:
    message = error.format_message().rstrip(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context is not None else PROGRAM
    notes = "".join(f"; {note}" for note in getattr(error, "__notes__", ()))
    return f"{message} (see `{path} --help`{notes})"


def _unknown_command(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(COMMANDS)}"
    return f"no such command {name!r}; {hint}"

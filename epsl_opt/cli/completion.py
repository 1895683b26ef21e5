"""`epsl-opt completion`: the script that teaches a shell."""

from __future__ import annotations

import click

from epsl_opt.cli.output import emit

COMPLETE_VARIABLE = "_EPSL_OPT_COMPLETE"
"""The variable through which click's scripts ask the program for completions."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    """Print a shell's completion script.

    It completes commands, options, and the names of solvers, scenarios and library instances.

    \b
    Examples:
      epsl-opt completion bash > ~/.local/share/bash-completion/completions/epsl-opt
      epsl-opt completion zsh > "${fpath[1]}/_epsl-opt"
      epsl-opt completion fish > ~/.config/fish/completions/epsl-opt.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    root = ctx.find_root()
    script = kind(root.command, {}, "epsl-opt", COMPLETE_VARIABLE)
    emit(kind.source_template % script.source_vars() + "\n")
    return 0

"""Options from a TOML file: a table per command, and plain keys for every command that has such an option.

The command line wins over a command's table, which wins over plain keys.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, cast

import click

from epsl_opt.errors import InputError

OptionMap = dict[str, click.Option]


def load_config(path: str, ctx: click.Context) -> dict[str, dict[str, Any]]:
    """Read a configuration file into click's `default_map`: command -> parameter -> value.

    Raises
    ------
    InputError
        Naming the file and the key, if it can't be read, a key is unknown or a value is wrong.
    """
    data = _read(path)
    options = {name: _options_of(name, ctx) for name in _group(ctx).list_commands(ctx)}
    plain = {key: value for key, value in data.items() if key not in options}
    known_plain = sorted({key for found in options.values() for key in found})
    for key in plain:
        if _normal(key) not in known_plain:
            raise _unknown(path, key, [*known_plain, *options])
    return {name: _merged(path, name, plain, data.get(name, {}), options=options[name], ctx=ctx) for name in options}


def _merged(
    path: str, command: str, plain: dict[str, Any], table: Any, *, options: OptionMap, ctx: click.Context
) -> dict[str, Any]:
    """Return the parameters of one command."""
    if not isinstance(table, dict):
        raise InputError(path, "must be a table", command)
    for key in table:
        if _normal(key) not in options:
            raise _unknown(path, f"{command}.{key}", sorted(options), key)
    shared = {_normal(key): value for key, value in plain.items() if _normal(key) in options}
    given = shared | {_normal(key): value for key, value in table.items()}
    return {
        options[key].name or key: _converted(path, f"{command}.{key}", options[key], value, ctx)
        for key, value in given.items()
    }


def _converted(path: str, key: str, option: click.Option, value: Any, ctx: click.Context) -> Any:
    """Return what click would take from the command line, having tried that it converts."""
    if isinstance(value, bool) != option.is_flag:
        raise InputError(path, "must be true or false" if option.is_flag else f"must not be {value!r}", key)
    if option.multiple:
        pairs = [f"{name}={text}" for name, text in value.items()] if isinstance(value, dict) else value
        value = pairs if isinstance(pairs, list) else [pairs]
    try:
        option.type_cast_value(ctx, value)
    except (click.BadParameter, TypeError, ValueError) as error:
        text = error.format_message() if isinstance(error, click.BadParameter) else str(error)
        raise InputError(path, text.partition(": ")[2].rstrip(".") or text, key) from error
    return value


def _options_of(command: str, ctx: click.Context) -> OptionMap:
    found = _group(ctx).get_command(ctx, command)
    parameters = found.params if found is not None else []
    return {
        _normal(parameter.opts[-1].lstrip("-")): parameter
        for parameter in parameters
        if isinstance(parameter, click.Option)
    }


def _group(ctx: click.Context) -> click.Group:
    return cast(click.Group, ctx.command)


def _normal(key: str) -> str:
    return key.replace("_", "-")


def _unknown(path: str, field: str, known: list[str], name: str | None = None) -> InputError:
    from epsl_opt.options import unknown

    return InputError(path, unknown(name or field, known), field)


def _read(path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(path, error.strerror or str(error)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(path, f"is not TOML: {error}") from error

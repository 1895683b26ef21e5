"""Options from a TOML file: a table per command, and plain keys for every command that has such an option.

The command line wins over a command's table, which wins over plain keys.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import cast

import click

from epsl_opt.core.errors import InputError
from epsl_opt.core.plain_text import shown
from epsl_opt.core.reading import read_text

OptionMap = dict[str, click.Option]

MAX_BYTES = 2**20

_TEXTS = (click.types.StringParamType, click.Path, click.Choice)
"""Types that take text only; the others look at what they get themselves."""


def load_config(path: str, ctx: click.Context) -> dict[str, dict[str, object]]:
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
    path: str, command: str, plain: dict[str, object], table: object, *, options: OptionMap, ctx: click.Context
) -> dict[str, object]:
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


def _converted(path: str, key: str, option: click.Option, value: object, ctx: click.Context) -> object:
    """Return what click would take from the command line, having tried that it converts."""
    if isinstance(value, bool) != option.is_flag:
        raise InputError(path, "must be true or false" if option.is_flag else f"must not be {shown(value)}", key)
    if option.multiple:
        value = _pairs(path, key, value)
    elif isinstance(option.type, _TEXTS):
        value = _text(path, key, value)
    try:
        option.type_cast_value(ctx, value)
    except click.BadParameter as error:
        text = error.format_message()
        raise InputError(path, text.partition(": ")[2].rstrip(".") or text, key) from error
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(path, f"must not be {shown(value)}", key) from error
    return value


def _pairs(path: str, key: str, value: object) -> list[str]:
    """Return `K=V` texts from such a text, a list of them, or a table, in which tables may stand: `K.K=V`."""
    if isinstance(value, dict):
        return [f"{name}={text}" for name, text in _leaves(path, key, value)]
    return [_text(path, key, text) for text in (value if isinstance(value, list) else [value])]


def _leaves(path: str, key: str, table: dict[str, object], above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(path, key, value, f"{above}{name}.")
        elif isinstance(value, list):
            raise InputError(path, f"must not be {shown(value)}", f"{key}.{above}{name}")
        else:
            yield f"{above}{name}", _text(path, f"{key}.{above}{name}", str(value))


def _text(path: str, key: str, value: object) -> str:
    """Return a value that must be text."""
    if not isinstance(value, str):
        raise InputError(path, f"must be text, got {shown(value)}", key)
    if "\0" in value:
        raise InputError(path, "must not hold a NUL character", key)
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
    from epsl_opt.core.options import unknown

    return InputError(path, unknown(name or field, known), field)


def _read(path: str) -> dict[str, object]:
    text = read_text(path, MAX_BYTES)
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise InputError(path, "is nested too deeply") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(path, f"is not TOML: {error}") from error
    except ValueError as error:
        raise InputError(path, "holds an integer of too many digits") from error

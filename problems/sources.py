"""Where instances come from: a file, standard input, the instance library, or a scenario with options."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from epsl_opt.core.errors import InputError
from epsl_opt.core.instance import Instance
from epsl_opt.core.json_record import read_instance
from epsl_opt.core.options import parse_options, split_pairs, unknown
from epsl_opt.core.reading import is_readable
from epsl_opt.plugins import registry


def load_instance(source: str) -> Instance:
    """Return the instance that `source` names.

    Parameters
    ----------
    source
        A file, `-` for standard input, a name from the instance library, or a scenario with options
        (`paper:clients=10,subchannels=40,seed=3`).

    Raises
    ------
    InputError
        If there is no such thing, or it is wrong.
    """
    from epsl_opt.problems import library

    name, _, options = source.partition(":")
    if is_readable(source):
        return read_instance(source)
    if source in library.names():
        return library.load(source)
    if name in registry.names(registry.SCENARIOS):
        return generate(name, split_pairs([pair for pair in options.split(",") if pair], f"scenario {name}"))
    if Path(source).suffix or "/" in source:
        return read_instance(source)
    known = sorted([*library.names(), *registry.names(registry.SCENARIOS)])
    raise InputError("instance", f"{unknown(name, known)}; nor is it a file")


def generate(scenario: str, options: dict[str, str]) -> Instance:
    """Draw an instance from a scenario by its registered name.

    Raises
    ------
    InputError
        If the scenario or an option is unknown, or a value is bad.
    """
    chosen = registry.load_scenario(scenario)
    owner = f"scenario {scenario}"
    try:
        made: object = chosen.generate(parse_options(chosen.options_type, options, owner))
        if type(made) is not Instance:
            raise InputError(owner, f"made a {type(made).__qualname__}, not an Instance")
        return made.validated()
    except ValidationError as error:
        raise InputError.from_validation(owner, error) from error

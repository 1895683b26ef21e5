"""Numbers that no option can bear are refused wherever they are written, and nothing else happens."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epsl_opt import InputError
from epsl_opt.cli.app import COMMANDS, cli, run
from epsl_opt.cli.exits import ExitCode
from epsl_opt.cli.numbers import SECONDS, Real, Whole
from epsl_opt.core.options import Options, parse_options
from epsl_opt.plugins import registry

HUGE = ("99999999999999999999", "9" * 5000, "-99999999999999999999", "inf", "-inf", "nan", "1e400", "1.5", "", "x")
TOML = st.recursive(
    st.booleans()
    | st.integers()
    | st.sampled_from(["inf", "-inf", "nan", "1e400", "9" * 400, "2020-01-01", "10:00:00", '"\\u0000"', '"x"', "1.5"])
    | st.text(st.characters(exclude_categories=["Cs", "Cc"])).map(lambda text: f"'{text.replace(chr(39), '')}'"),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(map(toml, parts))}]")
        | inner.map(lambda value: f"{{ a = {toml(value)} }}")
    ),
    max_leaves=5,
)


def toml(value: object) -> str:
    """Write a value as TOML; what is text is TOML already."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def options_of(command: str) -> list[click.Option]:
    """Return the options of a command."""
    found = cli.get_command(click.Context(cli), command)
    assert found is not None
    return [parameter for parameter in found.params if isinstance(parameter, click.Option)]


def taken(option: click.Option, text: str) -> float | None:
    """Return the number that an option reads in a text, None if it refuses it in a short line."""
    try:
        found: float = option.type_cast_value(click.Context(cli), text)
    except click.BadParameter as error:
        return None if len(error.format_message()) < 300 else math.nan
    return found


def numeric_options() -> Iterator[tuple[str, click.Option]]:
    """Return every command's options that take a number; those that `Limits`, `Client` and `Training` judge apart."""
    for name in COMMANDS:
        for option in options_of(name):
            if option.name not in ("gap", "client_power_dbm", "phi") and is_number(option.type):
                yield name, option


def is_number(kind: click.ParamType) -> bool:
    """Return whether a type of options is one of numbers."""
    return isinstance(kind, Whole | Real | click.types.IntParamType | click.types.FloatParamType)


@pytest.mark.parametrize(("command", "option"), list(numeric_options()))
@pytest.mark.parametrize("text", HUGE)
def test_every_number_of_the_command_line_is_bounded(command: str, option: click.Option, text: str) -> None:
    """A number that is too large, infinite where that means nothing, or none at all is wrong usage."""
    found = taken(option, text)
    if isinstance(option.type, Real):
        assert found is None or math.isfinite(found) or (found == math.inf and option.type is SECONDS)
    else:
        assert found is None


def option_types() -> dict[str, type[Options]]:
    """Return the options of everything that is registered here."""
    found: dict[str, type[Options]] = {}
    for group in (registry.SOLVERS, registry.SCENARIOS, registry.EXPORTERS, registry.BACKENDS):
        for name in registry.names(group):
            try:
                found[f"{group} {name}"] = registry.load(group, name).options_type
            except InputError:
                continue
    return found


def kinds(annotation: Any) -> set[Any]:
    """Return the plain types that an annotation allows."""
    if get_origin(annotation) in (Annotated, Union, UnionType):
        return set().union(*map(kinds, get_args(annotation)))
    return {annotation}


@pytest.mark.parametrize("name", option_types())
def test_every_number_of_a_plug_in_is_finite_and_fits_a_machine(name: str) -> None:
    """Solvers, scenarios, exporters and backends never see infinities, NaN, or integers beyond 64 bits."""
    options = option_types()[name]
    for field, info in options.model_fields.items():
        bad = (*(["inf", "nan", "1e400"] if float in kinds(info.annotation) else []),)
        bad += ("99999999999999999999", "9" * 5000) if int in kinds(info.annotation) else ()
        for text in bad:
            with pytest.raises(InputError) as caught:
                parse_options(options, {field: text}, "plug-in")
            assert len(str(caught.value)) < 400


@given(st.sampled_from([(name, option) for name in COMMANDS for option in options_of(name)]), TOML)
def test_any_value_of_any_key_is_taken_or_refused_by_its_name(
    tmp_path_factory: pytest.TempPathFactory, option: tuple[str, click.Option], value: object
) -> None:
    """A configuration file with any value for any option is code 0, or code 2 and one line with file and key."""
    command, parameter = option
    key = parameter.opts[-1].lstrip("-")
    path = tmp_path_factory.mktemp("toml") / "epsl.toml"
    path.write_text(f"[{command}]\n{key} = {toml(value)}\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        patch.setattr("epsl_opt.cli.messages.say", said.append)
        code = run(["--config", str(path), "completion", "bash"])
    assert code in (ExitCode.OK, ExitCode.BAD_INPUT)
    if code == ExitCode.BAD_INPUT:
        assert len(said) == 1
        assert str(path) in said[0]


@pytest.mark.parametrize(
    "text",
    [
        b"seed = " + b"9" * 5000,
        b"a = " + b"[" * 6000 + b"]" * 6000,
        b"a = " + b"{a=" * 3000 + b"1" + b"}" * 3000,
        b"a." * 3000 + b"a = 1",
        b"\xff",
        b"\x00",
        b"seed = 1\nseed = 2",
        b"x" * 2**21,
        b"seed = 2020-13-45",
    ],
    ids=range(9),
)
def test_what_is_no_configuration_is_one_line(text: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Endless digits, endless nesting, no text, a file of megabytes: code 2 and a line that names the file."""
    path = tmp_path / "epsl.toml"
    path.write_bytes(text)
    assert run(["--config", str(path), "schema", "schedule"]) == ExitCode.BAD_INPUT
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert str(path) in err


@pytest.mark.parametrize("source", ["paper:" + ",".join(f"k{i}=1" for i in range(200)), "x" * 5000, "a\0b", "a\ud800"])
@pytest.mark.parametrize("command", ["show", "solve", "generate", "check", "compare", "export", "plot"])
def test_any_text_may_name_an_instance(command: str, source: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Texts that no file can be called are looked up as what else they may be, and refused in one short line."""
    more = {"check": ["x.json"], "plot": ["-o", "never.png"]}.get(command, [])
    assert run([command, source, *more]) == ExitCode.BAD_INPUT
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert len(err) < 2200


def test_a_scenario_with_many_options_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    """A scenario's text may be longer than a file's name."""
    text = "paper:clients=2,subchannels=3," + "radius_m=150.0" + "0" * 300
    assert run(["show", text, "-f", "csv"]) == ExitCode.OK
    assert capsys.readouterr().err == ""

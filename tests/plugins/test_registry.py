"""Names are found through entry points, and near misses are helped."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from epsl_opt import InputError, Options, Scenario, ScenarioOptions, Solver, SolverKind, SolverOptions
from epsl_opt.core.options import parse_options, split_pairs, unknown
from epsl_opt.plugins import registry
from epsl_opt.plugins.backend import TrainingOptions
from epsl_opt.plugins.exporter import ExporterOptions
from epsl_opt.plugins.registry import load_scenario


class EveryKind(Options):
    """Options of every type a command line meets."""

    max_rounds: int = Field(default=3, ge=1)
    tolerance: float = 1e-6
    greedy_start: bool = True


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entry points that lead nowhere, or to what is no solver."""
    entries = {
        "no-module": "epsl_opt_absent.solver:Mine",
        "no-attribute": "epsl_opt.plugins.solver:Mine",
        "no-solver": "builtins:dict",
    }
    found = {name: EntryPoint(name, value, "any") for name, value in entries.items()}
    monkeypatch.setattr(registry, "_entries", lambda group: found)


@pytest.mark.parametrize("name", registry.names(registry.SOLVERS))
def test_every_registered_solver_loads_under_its_name(name: str) -> None:
    """Each solver has the name it is registered under, a kind, a one-line summary, and options with defaults."""
    solver = registry.load_solver(name)
    assert isinstance(solver, Solver)
    assert solver.name == name
    assert isinstance(solver.kind, SolverKind)
    assert len(solver.summary.splitlines()) == 1
    solver.options_type()
    assert all(field.description for field in solver.options_type.model_fields.values())


@pytest.mark.parametrize("name", registry.names(registry.SCENARIOS))
def test_every_registered_scenario_loads_under_its_name(name: str) -> None:
    """Each scenario has the name it is registered under, a one-line summary, and options with defaults."""
    scenario = load_scenario(name)
    assert isinstance(scenario, Scenario)
    assert scenario.name == name
    assert len(scenario.summary.splitlines()) == 1
    scenario.options_type()
    assert all(field.description for field in scenario.options_type.model_fields.values())


def test_an_unknown_solver_lists_near_matches() -> None:
    """A misspelt name is answered by what it may have meant."""
    with pytest.raises(InputError, match=r"^solver: unknown name 'gredy'; did you mean greedy\?$"):
        registry.load_solver("gredy")


def test_a_name_like_no_other_lists_all() -> None:
    """A name that resembles nothing is answered by what there is."""
    with pytest.raises(InputError) as caught:
        registry.load_solver("zzzzzz")
    assert str(caught.value).endswith("there are: " + ", ".join(registry.names(registry.SOLVERS)))


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("no-module", "does not load: No module named 'epsl_opt_absent'"),
        ("no-attribute", "does not load: module 'epsl_opt.plugins.solver' has no attribute 'Mine'"),
        ("no-solver", "is not an epsl_opt.plugins.solver.Solver"),
    ],
)
def test_a_broken_entry_point_is_named(name: str, problem: str) -> None:
    """A plug-in that does not import, or is no solver, is one line with its name."""
    with pytest.raises(InputError) as caught:
        registry.load_solver(name)
    assert f"'{name}'" in str(caught.value)
    assert problem in str(caught.value)


def test_options_have_one_base_under_all_its_names() -> None:
    """What plug-ins derived their options from is one class, whatever it was called."""
    assert Options is SolverOptions is ScenarioOptions is ExporterOptions is TrainingOptions


@pytest.mark.parametrize("key", ["max_rounds", "max-rounds"])
def test_options_are_converted_from_text(key: str) -> None:
    """Text becomes the option's type, and `-` is as good as `_` in a key."""
    parsed = parse_options(EveryKind, {key: "7", "tolerance": "1e-3", "greedy_start": "no"}, "solver x")
    assert parsed == EveryKind(max_rounds=7, tolerance=1e-3, greedy_start=False)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"max_round": "1"}, "solver x: option: unknown name 'max_round'; did you mean max_rounds?"),
        ({"zz": "1"}, "solver x: option: unknown name 'zz'; there are: greedy_start, max_rounds, tolerance"),
        ({"max_rounds": "0"}, "solver x: max_rounds: input should be greater than or equal to 1, got '0'"),
        ({"tolerance": "tiny"}, "solver x: tolerance: "),
        ({"greedy_start": "perhaps"}, "solver x: greedy_start: "),
    ],
    ids=str,
)
def test_a_bad_option_is_named(options: dict[str, Any], problem: str) -> None:
    """An unknown key lists near matches, and a bad value names its key."""
    with pytest.raises(InputError) as caught:
        parse_options(EveryKind, options, "solver x")
    assert str(caught.value).startswith(problem)


text = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=5)


@given(st.dictionaries(text, text))
def test_pairs_are_split_at_the_first_equals_sign(options: dict[str, str]) -> None:
    """`K=V` texts give back keys and values, even if a value holds `=` itself."""
    assert split_pairs([f"{key}={value}=1" for key, value in options.items()], "x") == {
        key: f"{value}=1" for key, value in options.items()
    }


@pytest.mark.parametrize("pairs", [["seed"], ["=3"], [" =3"], ["a=1", "a=2"]], ids=str)
def test_what_is_no_pair_is_refused(pairs: list[str]) -> None:
    """No `=`, no key, or the same key twice is refused."""
    with pytest.raises(InputError, match=r"^x: option: "):
        split_pairs(pairs, "x")


def test_nothing_known_is_said() -> None:
    """Where there is nothing to choose from, the message says so."""
    assert unknown("a", []) == "unknown name 'a'; there are: none"

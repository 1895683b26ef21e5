"""The instance library holds distinct, feasible, reproducible instances with consistent best known results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from epsl_opt import InputError, Instance, load_instance
from epsl_opt.core.feasibility import infeasibility
from epsl_opt.core.json_text import read_json
from epsl_opt.files.json_files import write_record
from epsl_opt.problems import library
from epsl_opt.problems.library import BestKnown, LibraryEntry

every_entry = pytest.mark.parametrize("entry", library.entries(), ids=library.names())


@every_entry
def test_instances_are_regenerated_as_recorded(entry: LibraryEntry) -> None:
    """The generator still draws, to eleven digits, the instance that the best known results are for."""
    assert library.fingerprint(library.load(entry.name)) == pytest.approx(entry.fingerprint, rel=1e-11)


@every_entry
def test_instances_bear_their_library_name_and_are_feasible(entry: LibraryEntry) -> None:
    """A library name gives, also on the command line, a feasible instance of that name."""
    instance = load_instance(entry.name)
    assert instance.name == entry.name
    assert f"-c{instance.n_clients}-m{instance.n_subchannels}" in entry.name
    assert infeasibility(instance) is None


@every_entry
def test_best_known_results_are_consistent(entry: LibraryEntry) -> None:
    """No bound lies above a latency, and the gap is theirs."""
    known = library.best_known(entry.name)
    assert known == entry.best_known
    if known.latency_s is not None and known.bound_s is not None:
        assert known.bound_s <= known.latency_s * (1 + 1e-9)
        assert known.gap == pytest.approx(1 - known.bound_s / known.latency_s, abs=1e-9)


def test_instances_differ() -> None:
    """No two entries share a name, a description or an instance."""
    entries = library.entries()
    for field in ("name", "description", "fingerprint"):
        assert len({getattr(entry, field) for entry in entries}) == len(entries)


def test_the_library_is_broad() -> None:
    """The library spans what solvers must face: sizes, fading, aggregation, models, bandwidths, M = C, one client."""
    instances = [entry.generate() for entry in library.entries()]
    sizes = {(instance.n_clients, instance.n_subchannels) for instance in instances}
    assert {(2, 3), (5, 20), (10, 40), (20, 80), (50, 200), (200, 800)} <= sizes
    assert any(C == M for C, M in sizes)
    assert any(C == 1 for C, _ in sizes)
    assert {0.0, 0.5, 1.0} <= {instance.training.aggregation_ratio for instance in instances}
    assert len({instance.model.name for instance in instances}) >= 5
    assert any(len(set(instance.bandwidth_hz)) > 1 for instance in instances)
    fadings = {_option(instance, "fading") for instance in instances}
    assert fadings == {"none", "rayleigh", "rician"}
    assert {_option(i, "fading") for i in instances if i.n_clients == 200} == {"none", "rayleigh"}


def _option(instance: Instance, name: str) -> Any:
    assert instance.origin is not None
    return instance.origin["options"][name]


def test_unknown_instances_have_near_matches() -> None:
    """A name with a slip lists what it may have meant."""
    for look_up in (library.load, library.best_known):
        with pytest.raises(InputError, match="unknown name 'tiny-c2-m33'; did you mean tiny-c2-m3"):
            look_up("tiny-c2-m33")


def test_the_file_is_written_as_it_is_read(tmp_path: Path) -> None:
    """Reading the shipped library and writing it changes no byte."""
    copy = tmp_path / "library.json"
    write_record(copy, library.read(library.PATH))
    assert copy.read_bytes() == library.PATH.read_bytes()


def test_a_damaged_library_is_named(tmp_path: Path) -> None:
    """A wrong field in a library file is one line with file and field."""
    document = read_json(library.PATH)
    document["entries"][1]["best_known"] = {"latency_s": -1.0, "latency_solver": "greedy"}
    path = tmp_path / "library.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError, match=rf"{path}: entries\[1\]\.best_known\.latency_s: "):
        library.read(path)


def test_wrong_options_name_the_entry() -> None:
    """An entry whose options don't exist says which instance and which option."""
    entry = LibraryEntry(name="mine", description="wrong", options={"client": 3}, fingerprint=0.0)
    with pytest.raises(InputError, match="library instance mine: option: unknown name 'client'; did you mean clients"):
        entry.generate()


@pytest.mark.parametrize("half", [{"latency_s": 1.0}, {"bound_solver": "exact"}])
def test_a_figure_and_its_solver_come_together(half: dict[str, Any]) -> None:
    """A best known figure without the solver that found it, or the reverse, can't be constructed."""
    with pytest.raises(ValidationError, match="must be given together"):
        BestKnown(**half)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_the_fingerprint_sees_every_gain(index: int) -> None:
    """Changing one gain by a ten-thousandth, or swapping two clients' rows, changes the fingerprint."""
    instance = library.load("tiny-c2-m3")
    nudged, swapped = instance.channel.uplink_gain.copy(), instance.channel.uplink_gain[::-1].copy()
    nudged[1, index] *= 1.0001
    for gain in (nudged, swapped):
        other = instance.replace(channel=instance.channel.model_copy(update={"uplink_gain": gain}))
        assert library.fingerprint(other) != pytest.approx(library.fingerprint(instance), rel=1e-11)

"""Measured devices in the paper's scenario."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from epsl_opt import InputError, load_instance

PI = {"name": "pi4", "cycles_per_s": 1.5e9, "cycles_per_flop": 0.2, "max_power_w": 1.0, "samples": 50}


def write(path: Path, content: Any) -> str:
    """Write JSON and return the path."""
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def test_measured_clients_take_the_first_places(tmp_path: Path) -> None:
    """Only the first clients' devices change: positions, gains and everything else are those of the same draw."""
    drawn = load_instance("paper:seed=3")
    path = write(tmp_path / "two.json", [PI, PI | {"name": "phone"}])
    found = load_instance(f"paper:seed=3,clients_json={path}")
    assert [client.name for client in found.clients] == ["pi4", "phone", "client-2", "client-3", "client-4"]
    assert [client.distance_m for client in found.clients] == [client.distance_m for client in drawn.clients]
    assert found.clients[0].cycles_per_flop == 0.2
    assert found.channel == drawn.channel
    assert found.clients[2:] == drawn.clients[2:]


def test_a_single_client_needs_no_list(tmp_path: Path) -> None:
    """The file that `epsl-opt profile --client-output` writes is taken as it is."""
    path = write(tmp_path / "pi.json", PI)
    assert load_instance(f"paper:clients_json={path}").clients[0].name == "pi4"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (PI | {"cycles_per_s": -1}, "cycles_per_s: input should be greater than 0"),
        ([PI, {"name": "x"}], r"\[1\]: cycles_per_s: missing field"),
        ([PI] * 6, "has 6 clients, but the scenario only 5"),
    ],
)
def test_wrong_files_are_named(content: Any, message: str, tmp_path: Path) -> None:
    """A wrong client is one line with file and field."""
    path = write(tmp_path / "bad.json", content)
    with pytest.raises(InputError, match=message) as caught:
        load_instance(f"paper:clients_json={path}")
    assert str(caught.value).startswith(path)

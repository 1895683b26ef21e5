"""The machine at hand as a client."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epsl_opt.core.instance import Client
from epsl_opt.files import measured_client
from epsl_opt.files.measured_client import client_of, processor_clock_hz, total_flops, total_s
from epsl_opt.plugins.backend import LayerTime, Measurement

PI = Client(name="pi", cycles_per_s=1.0, cycles_per_flop=1.0, max_power_w=1.5, samples=200)
POSITIVE = st.floats(1e-6, 1e6)
LAYERS = st.builds(
    LayerTime,
    name=st.just("x"),
    forward_s=POSITIVE,
    backward_s=POSITIVE,
    forward_flops=POSITIVE,
    backward_flops=POSITIVE,
)


@given(st.lists(LAYERS, min_size=1, max_size=5))
def test_simulated_time_is_the_measured_one(layers: list[LayerTime]) -> None:
    """At the client's speed, the FLOPs of the whole network take the seconds that were measured."""
    measurement = Measurement(tuple(layers), 8, 0)
    client = client_of(measurement, PI)
    assert client.cycles_per_flop * total_flops(measurement) / client.cycles_per_s == pytest.approx(
        total_s(measurement)
    )
    assert client.model_copy(update={"cycles_per_s": 1.0, "cycles_per_flop": 1.0}) == PI


def test_no_flops_make_no_client() -> None:
    """Layers without FLOPs tell nothing about a processor."""
    with pytest.raises(ValueError, match="0 FLOPs in 2 s say nothing about a processor"):
        client_of(Measurement((LayerTime("pool", 1.0, 1.0, 0.0, 0.0),), 8, 0), PI)


@pytest.mark.parametrize(
    ("max_clock", "cpu_info", "clock_hz"),
    [
        ("1800000\n", "cpu MHz\t\t: 1000.5\n", 1.8e9),
        (None, "cpu MHz\t\t: 1000.5\nx : y\ncpu MHz\t\t: 2400.25\n", 2.40025e9),
        ("nonsense", "Hardware : BCM2711\n", 1e9),
        ("0", None, 1e9),
        (None, None, 1e9),
    ],
)
def test_clock_is_what_the_system_tells(
    max_clock: str | None, cpu_info: str | None, clock_hz: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The highest clock comes first, then the present one, then 1 GHz."""
    for name, text in (("MAX_CLOCK", max_clock), ("CPU_INFO", cpu_info)):
        path = tmp_path / name
        monkeypatch.setattr(measured_client, name, path)
        if text is not None:
            path.write_text(text, encoding="utf-8")
    assert processor_clock_hz() == pytest.approx(clock_hz)

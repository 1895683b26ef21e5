"""The paper's scenario draws what its options say, and each option touches nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epsl_opt import InputError, Instance, load_instance
from epsl_opt.core.feasibility import infeasibility
from epsl_opt.problems.paper_options import PaperOptions
from epsl_opt.problems.scenario import MAX_NAME, PaperScenario

seeds = st.integers(0, 2**64)


def generate(**options: Any) -> Instance:
    """Draw the paper's scenario with these options."""
    return PaperScenario().generate(PaperOptions(**options))


def parts(instance: Instance) -> dict[str, Any]:
    """List what an instance consists of, each part in a form that compares."""
    clients = instance.clients
    return {
        "distance": [client.distance_m for client in clients],
        "sight": [client.line_of_sight for client in clients],
        "clock": [client.cycles_per_s for client in clients],
        "kappa": [client.cycles_per_flop for client in clients],
        "client power": [client.max_power_w for client in clients],
        "samples": [client.samples for client in clients],
        "server": instance.server,
        "bandwidth": instance.subchannels.bandwidth_hz.tolist(),
        "frequency": instance.subchannels.center_frequency_hz.tolist(),
        "uplink": instance.channel.uplink_gain.tolist(),
        "downlink": instance.channel.downlink_gain.tolist(),
        "noise": instance.channel.noise_psd_w_per_hz,
        "model": instance.model,
        "training": instance.training,
    }


GAINS = {"uplink", "downlink"}
LOS = {"line_of_sight": "los"}
KNOBS: list[tuple[dict[str, Any], str, Any, set[str]]] = [
    ({}, "seed", 1, {"distance", "sight", "clock", *GAINS}),
    (LOS, "radius_m", 100.0, {"distance", *GAINS}),
    (LOS, "min_distance_m", 50.0, {"distance", *GAINS}),
    (LOS, "distance_spread", 0.5, {"distance", *GAINS}),
    ({}, "bandwidth_hz", 20e6, {"bandwidth", "frequency", *GAINS}),
    ({}, "bandwidth_spread", 0.5, {"bandwidth", "frequency", *GAINS}),
    ({}, "center_frequency_hz", 39e9, {"frequency", *GAINS}),
    ({}, "min_cycles_per_s", 0.5e9, {"clock"}),
    ({}, "max_cycles_per_s", 3e9, {"clock"}),
    ({}, "compute_spread", 0.0, {"clock"}),
    ({}, "client_cycles_per_flop", 0.1, {"kappa"}),
    ({}, "server_cycles_per_s", 1e10, {"server"}),
    ({}, "server_cycles_per_flop", 0.1, {"server"}),
    ({}, "client_power_dbm", 20.0, {"client power"}),
    ({}, "total_power_dbm", 20.0, {"server"}),
    ({}, "downlink_psd_dbm_per_hz", -60.0, {"server"}),
    ({}, "noise_psd_dbm_per_hz", -170.0, {"noise"}),
    ({}, "antenna_gain", 100.0, GAINS),
    ({}, "line_of_sight", "los", {"sight", *GAINS}),
    ({}, "shadowing", 0.0, GAINS),
    ({}, "fading", "rayleigh", GAINS),
    ({"fading": "rician"}, "rician_k_db", 3.0, GAINS),
    ({"fading": "rayleigh"}, "reciprocal", False, {"downlink"}),
    ({"fading": "rayleigh"}, "round", 1, GAINS),
    ({"round": 3}, "speed_m_per_s", 14.0, {"distance", "sight", *GAINS}),
    ({"round": 3, "speed_m_per_s": 14.0}, "round_interval_s", 1.0, {"distance", "sight", *GAINS}),
    ({}, "model", "lenet5-28", {"model"}),
    ({}, "batch_size", 32, {"training"}),
    ({}, "aggregation_ratio", 1.0, {"training"}),
    ({}, "samples", 100, {"samples"}),
    ({}, "sample_spread", 0.5, {"samples"}),
]


@pytest.mark.parametrize(("base", "knob", "value", "touched"), KNOBS, ids=[knob for _, knob, _, _ in KNOBS])
def test_a_knob_changes_its_own_concern_only(base: dict[str, Any], knob: str, value: Any, touched: set[str]) -> None:
    """Turning one knob changes exactly the parts it is about, and every other draw stays to the bit."""
    alone = {} if knob == "speed_m_per_s" else base
    before, after = parts(generate(**alone)), parts(generate(**base, **{knob: value}))
    assert {name for name in before if before[name] != after[name]} == touched


def test_every_knob_is_covered() -> None:
    """No option escapes the test above but the sizes and the files, which have tests of their own."""
    elsewhere = {"clients", "clients_json", "subchannels", "uplink_csv", "downlink_csv", "csv_quantity"}
    assert {knob for _, knob, _, _ in KNOBS} == set(PaperOptions.model_fields) - elsewhere


@given(seeds, st.sampled_from(["none", "rayleigh", "rician"]))
def test_equal_options_give_equal_instances(seed: int, fading: str) -> None:
    """A scenario is a function of its options: drawn again, the digest is the same."""
    assert generate(seed=seed, fading=fading).sha256 == generate(seed=seed, fading=fading).sha256


@given(seeds, st.integers(1, 5), st.integers(1, 4))
def test_more_clients_keep_the_first_ones(seed: int, few: int, extra: int) -> None:
    """Adding clients leaves the first ones as they were, place, processor, data and gains."""
    options = {"seed": seed, "subchannels": 6, "fading": "rayleigh", "reciprocal": False, "sample_spread": 0.5}
    small, large = generate(clients=few, **options), generate(clients=few + extra, **options)
    assert large.clients[:few] == small.clients
    assert np.array_equal(large.channel.uplink_gain[:few], small.channel.uplink_gain)
    assert np.array_equal(large.channel.downlink_gain[:few], small.channel.downlink_gain)


@given(seeds, st.integers(1, 5), st.integers(1, 4))
def test_more_subchannels_keep_the_first_ones(seed: int, few: int, extra: int) -> None:
    """Adding subchannels leaves bandwidth and fading of the first ones as they were; only the band's edges move."""
    small_fading, small = _fading_and_bandwidth(seed, few)
    large_fading, large = _fading_and_bandwidth(seed, few + extra)
    assert np.array_equal(large[:few], small)
    assert large_fading[:, :few] == pytest.approx(small_fading, rel=1e-9)


def _fading_and_bandwidth(seed: int, subchannels: int) -> tuple[np.ndarray, np.ndarray]:
    options = {"seed": seed, "subchannels": subchannels, "bandwidth_spread": 0.3}
    faded, flat = generate(fading="rayleigh", **options), generate(**options)
    return faded.channel.uplink_gain / flat.channel.uplink_gain, faded.bandwidth_hz


@given(seeds, st.floats(0, 0.9), st.integers(1, 30))
def test_the_band_is_contiguous_around_its_centre(seed: int, spread: float, subchannels: int) -> None:
    """Subchannels lie side by side without overlap, and the whole band is centred where the options say."""
    bands = generate(seed=seed, bandwidth_spread=spread, subchannels=subchannels).subchannels
    lower = bands.center_frequency_hz - bands.bandwidth_hz / 2
    upper = bands.center_frequency_hz + bands.bandwidth_hz / 2
    assert lower[1:] == pytest.approx(upper[:-1], rel=1e-12)
    assert (lower[0] + upper[-1]) / 2 == pytest.approx(28e9, rel=1e-12)
    assert (abs(bands.bandwidth_hz / 10e6 - 1) <= spread + 1e-12).all()


def test_concerns_are_independent() -> None:
    """Knowing one draw of a client says nothing about its others: no two of them are correlated."""
    instance = generate(clients=4000, subchannels=1, line_of_sight="los", sample_spread=0.9)
    distance = np.array([client.distance_m for client in instance.clients])
    shadowing = np.log(instance.channel.uplink_gain[:, 0] * distance**2.1)
    correlation = np.corrcoef([distance, instance.client_flops_per_s, instance.data_share, shadowing])
    assert (abs(correlation - np.eye(4)) < 0.06).all()


@given(seeds)
def test_default_draws_stay_in_the_papers_ranges(seed: int) -> None:
    """Distances, processors and data of the default scenario lie where the paper puts them."""
    instance = generate(seed=seed, clients=10)
    assert all(1 <= client.distance_m <= 200 for client in instance.clients)
    assert all(1e9 <= client.cycles_per_s <= 1.6e9 for client in instance.clients)
    assert instance.data_share == pytest.approx(np.full(10, 0.1))
    assert infeasibility(instance) is None


def test_default_constants_are_the_papers() -> None:
    """Powers, densities and sizes given in dB reach the instance as the paper's numbers in SI units."""
    instance = generate()
    assert (instance.n_clients, instance.n_subchannels) == (5, 20)
    assert instance.max_power_w == pytest.approx(np.full(5, 1.5), rel=1e-3)
    assert instance.server.total_uplink_power_w == pytest.approx(5.0, rel=1e-3)
    assert instance.server.downlink_psd_w_per_hz == pytest.approx(1e-8)
    assert instance.channel.noise_psd_w_per_hz == pytest.approx(3.98107e-21, rel=1e-5)
    assert instance.client_flops_per_s == pytest.approx([16 * client.cycles_per_s for client in instance.clients])
    assert instance.server_flops_per_s == pytest.approx(1.6e11)
    assert (instance.training.batch_size, instance.aggregated_samples) == (64, 32)


def test_no_spread_means_identical_clients() -> None:
    """With every spread at 0 and shadowing off, all clients in line of sight have one distance, clock and gain."""
    instance = generate(compute_spread=0, distance_spread=0, shadowing=0, line_of_sight="los", clients=7)
    for field in ("distance_m", "cycles_per_s", "samples"):
        assert len({getattr(client, field) for client in instance.clients}) == 1
    assert np.ptp(instance.channel.uplink_gain, axis=0) == pytest.approx(np.zeros(20))


@given(seeds, st.sampled_from(["none", "rayleigh"]), st.floats(0, 1))
def test_the_origin_regenerates_the_instance(seed: int, fading: str, ratio: float) -> None:
    """The options recorded in an instance give that instance again."""
    instance = generate(seed=seed, fading=fading, aggregation_ratio=ratio)
    assert instance.origin is not None
    assert instance.origin["scenario"] == "paper"
    assert generate(**instance.origin["options"]) == instance


def test_the_name_is_what_load_instance_takes() -> None:
    """An instance's name gives the same instance on the command line, default or not."""
    for options in ({}, {"seed": 3, "clients": 7, "fading": "rayleigh", "reciprocal": False, "bandwidth_hz": 5e6}):
        instance = generate(**options)
        assert load_instance(instance.name) == instance


def test_a_long_name_is_cut_off() -> None:
    """Many options at once still give a valid name."""
    numbers = dict.fromkeys(("client_cycles_per_flop", "server_cycles_per_flop", "shadowing"), 0.1234567890123)
    numbers |= dict.fromkeys(("min_cycles_per_s", "max_cycles_per_s", "server_cycles_per_s"), 1234567890.123)
    assert len(generate(**numbers, samples=123456789, batch_size=123456, radius_m=123.456789).name) == MAX_NAME


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("paper:cleints=3", "scenario paper: option: unknown name 'cleints'; did you mean clients or clients_json?"),
        ("paper:clients=0", "scenario paper: clients: input should be greater than or equal to 1"),
        ("paper:clients=2.5", "scenario paper: clients: input should be a valid integer"),
        ("paper:clients=9999999,subchannels=2", "clients: times subchannels must be at most 10,000,000"),
        ("paper:seed=-1", "scenario paper: seed:"),
        ("paper:radius_m=nan", "scenario paper: radius_m: input should be a finite number"),
        ("paper:min_distance_m=0.5", "scenario paper: min_distance_m:"),
        ("paper:min_distance_m=300", "scenario paper: min_distance_m: exceeds radius_m (200)"),
        ("paper:min_cycles_per_s=2e9", "scenario paper: min_cycles_per_s: exceeds max_cycles_per_s (1.6e+09)"),
        ("paper:compute_spread=5", "scenario paper: compute_spread: leaves the slowest client without a clock"),
        ("paper:bandwidth_spread=1", "scenario paper: bandwidth_spread: input should be less than 1"),
        ("paper:bandwidth_hz=3e9", "scenario paper: bandwidth_hz: 6e+10 Hz in all do not fit around 2.8e+10 Hz"),
        ("paper:aggregation_ratio=1.1", "scenario paper: aggregation_ratio:"),
        ("paper:client_power_dbm=inf", "scenario paper: client_power_dbm:"),
        ("paper:fading=ricean", "scenario paper: fading: input should be 'none', 'rayleigh' or 'rician'"),
        ("paper:rician_k_db=5", "rician_k_db: has no effect without fading=rician"),
        ("paper:reciprocal=false", "reciprocal: has no effect without fading"),
        ("paper:csv_quantity=snr_db", "csv_quantity: has no effect without uplink_csv or downlink_csv"),
        ("paper:model=resnet18", "model profile: unknown name 'resnet18'; did you mean resnet18-"),
    ],
)
def test_bad_options_are_named(spec: str, words: str) -> None:
    """A bad option is one line that names the scenario, the option and the rule it breaks."""
    with pytest.raises(InputError) as caught:
        load_instance(spec)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_option_is_described() -> None:
    """Every option has a default and says in words what it is."""
    for name, field in PaperOptions.model_fields.items():
        assert not field.is_required(), name
        assert field.description, name

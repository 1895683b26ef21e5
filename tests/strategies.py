"""Hypothesis strategies for small valid instances and feasible schedules, shared by all tests.

`tests/` is on pytest's path (`pythonpath` in pyproject.toml): `from strategies import instances, schedules`.
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from epsl_opt import FREE, Instance, Schedule, ScheduleDocument
from epsl_opt.core.framework import Framework
from epsl_opt.core.frameworks import instance_round
from epsl_opt.core.instance import Channel, Client, CutLayer, ModelProfile, Server, Subchannels, Training
from epsl_opt.files.documents import InstanceReference, cut_reference, owners, rates, stages

AGGREGATION_RATIOS = (0.0, 0.3, 0.5, 1.0)


def magnitudes(low: float, high: float) -> st.SearchStrategy[float]:
    """Positive floats, even over orders of magnitude, written with few digits so that failures read well."""
    exponents = st.floats(np.log10(low), np.log10(high), allow_nan=False)
    return exponents.map(lambda exponent: float(f"{10**exponent:.4g}"))


@st.composite
def instances(
    draw: st.DrawFn,
    max_clients: int = 4,
    max_subchannels: int = 7,
    max_cut_layers: int = 3,
    ratios: tuple[float, ...] = AGGREGATION_RATIOS,
) -> Instance:
    """Feasible instances (M >= C, positive gains): unequal bandwidths, gains over many orders of magnitude."""
    C = draw(st.integers(1, max_clients))
    M = draw(st.integers(C, max(C, max_subchannels)))
    bandwidth = draw(st.lists(magnitudes(1e6, 5e7), min_size=M, max_size=M))
    return Instance(
        name="drawn",
        clients=tuple(draw(clients(i)) for i in range(C)),
        server=draw(servers()),
        subchannels=Subchannels(
            bandwidth_hz=np.array(bandwidth),
            center_frequency_hz=28e9 + np.cumsum(bandwidth),
        ),
        channel=Channel(
            uplink_gain=draw(gains(C, M)),
            downlink_gain=draw(gains(C, M)),
            noise_psd_w_per_hz=3.98e-21,
        ),
        model=draw(model_profiles(max_cut_layers)),
        training=Training(batch_size=draw(st.integers(1, 64)), aggregation_ratio=draw(st.sampled_from(ratios))),
    )


ROUNDS = (
    {},
    {"framework": Framework.PSL, "average_every": 1},
    {"framework": Framework.EPSL, "average_every": 3},
    {"framework": Framework.SFL},
    {"framework": Framework.SL},
    {"framework": Framework.FL},
)
"""Arguments of `Instance.with_training`, for every kind of round."""


@st.composite
def instances_of_any_round(
    draw: st.DrawFn, max_clients: int = 4, max_subchannels: int = 7, max_cut_layers: int = 3
) -> Instance:
    """Feasible instances, about the round of any framework, with models that are small or large beside smashed data."""
    drawn = draw(instances(max_clients, max_subchannels, max_cut_layers))
    return drawn.replace(model=resized(drawn, draw(magnitudes(1e-3, 30)))).with_training(
        **draw(st.sampled_from(ROUNDS))
    )


def resized(instance: Instance, factor: float) -> ModelProfile:
    """The instance's profile with models of so many times the size."""
    cuts = tuple(
        cut.model_copy(update={"client_parameter_bits": factor * cut.client_parameter_bits})
        for cut in instance.model.cut_layers
    )
    bits = factor * instance.model.total_parameter_bits
    return instance.model.model_copy(update={"cut_layers": cuts, "total_parameter_bits": bits})


def clients(index: int) -> st.SearchStrategy[Client]:
    """Client `index`, of any strength."""
    return st.builds(
        Client,
        name=st.just(f"client-{index}"),
        cycles_per_s=magnitudes(1e8, 1e10),
        cycles_per_flop=magnitudes(0.02, 1),
        max_power_w=magnitudes(0.01, 3),
        samples=st.integers(1, 1000),
        distance_m=st.none(),
        line_of_sight=st.none(),
    )


def servers() -> st.SearchStrategy[Server]:
    """Servers whose total power limit may or may not bind."""
    return st.builds(
        Server,
        cycles_per_s=magnitudes(1e9, 1e11),
        cycles_per_flop=magnitudes(0.01, 0.1),
        downlink_psd_w_per_hz=magnitudes(1e-10, 1e-7),
        total_uplink_power_w=magnitudes(0.01, 10),
    )


def gains(n_clients: int, n_subchannels: int) -> st.SearchStrategy[np.ndarray]:
    """Positive gains, shape (clients, subchannels): SNRs from hopeless to excellent side by side."""
    row = st.lists(magnitudes(1e-15, 1e-7), min_size=n_subchannels, max_size=n_subchannels)
    return st.lists(row, min_size=n_clients, max_size=n_clients).map(np.array)


@st.composite
def model_profiles(draw: st.DrawFn, max_cut_layers: int = 3) -> ModelProfile:
    """Networks whose client-side cost grows with the cut while the smashed data is of any size."""
    J = draw(st.integers(1, max_cut_layers))
    forward = np.cumsum(draw(st.lists(magnitudes(1e5, 1e9), min_size=J + 1, max_size=J + 1)))
    last_layer = draw(magnitudes(1e3, 1e6))
    cuts = tuple(
        CutLayer(
            name=f"layer-{j + 1}",
            client_forward_flops=float(forward[j]),
            client_backward_flops=2 * float(forward[j]),
            activation_bits=draw(magnitudes(1e3, 1e7)),
            gradient_bits=draw(magnitudes(1e3, 1e7)),
            client_parameter_bits=1e6 * (j + 1),
        )
        for j in range(J)
    )
    return ModelProfile(
        name="drawn",
        total_forward_flops=float(forward[-1]),
        total_backward_flops=2 * float(forward[-1]) + last_layer,
        last_layer_backward_flops=last_layer,
        total_parameter_bits=1e6 * (J + 1),
        cut_layers=cuts,
    )


@st.composite
def schedules(draw: st.DrawFn, instance: Instance) -> Schedule:
    """Feasible schedules of `instance`: every client holds a subchannel with power, some subchannels may be free."""
    C, M = instance.n_clients, instance.n_subchannels
    extra = draw(st.lists(st.integers(FREE, C - 1), min_size=M - C, max_size=M - C))
    owner = np.array(draw(st.permutations([*range(C), *extra])))
    weight = np.array(draw(st.lists(st.floats(0.01, 1), min_size=M, max_size=M)))
    weight[owner == FREE] = 0.0
    share = weight / np.bincount(owner + 1, weights=weight, minlength=C + 1)[owner + 1].clip(min=1e-300)
    power = share * np.append(instance.max_power_w, 0.0)[owner] * draw(st.floats(0.1, 1))
    power *= min(1.0, instance.server.total_uplink_power_w / power.sum())
    return Schedule(draw(st.integers(0, instance.n_cut_layers - 1)), owner, power)


@st.composite
def instances_with_schedules(draw: st.DrawFn, *, any_round: bool = False) -> tuple[Instance, Schedule]:
    """An instance, of EPSL's or of any round, and a feasible schedule of it."""
    instance = draw(instances_of_any_round() if any_round else instances())
    return instance, draw(schedules(instance))


def schedule_document(instance: Instance, schedule: Schedule) -> ScheduleDocument:
    """The file of a schedule that some solver found."""
    latency = instance_round(instance, schedule)
    return ScheduleDocument(
        instance=InstanceReference(name=instance.name, sha256=instance.sha256),
        solver="drawn",
        status="verified",
        stop_reason="completed",
        cut_layer=cut_reference(instance, schedule.cut_layer),
        batch_size=instance.training.batch_size,
        aggregation_ratio=instance.training.aggregation_ratio,
        framework=instance.training.framework,
        average_every=instance.training.average_every,
        subchannel_client=owners(schedule),
        subchannel_power_w=schedule.subchannel_power_w,
        latency_s=latency.round_latency_s,
        bound_s=None,
        gap=None,
        stages=stages(latency),
        rates=rates(instance, schedule),
        provenance={"seed": 0},
    )


def small_instance() -> Instance:
    """A fixed instance: two clients, three subchannels, two cut layers."""
    return Instance(
        name="small",
        clients=tuple(
            Client(name=f"client-{i}", cycles_per_s=1e9, cycles_per_flop=0.0625, max_power_w=1.5, samples=100)
            for i in range(2)
        ),
        server=Server(cycles_per_s=5e9, cycles_per_flop=0.03125, downlink_psd_w_per_hz=1e-8, total_uplink_power_w=2.5),
        subchannels=Subchannels(bandwidth_hz=[1e7, 2e7, 1e7], center_frequency_hz=[28e9, 28.01e9, 28.03e9]),
        channel=Channel(
            uplink_gain=[[1e-9, 2e-9, 3e-9], [3e-10, 2e-10, 1e-10]],
            downlink_gain=[[1e-9, 2e-9, 3e-9], [3e-10, 2e-10, 1e-10]],
            noise_psd_w_per_hz=3.98e-21,
        ),
        model=ModelProfile(
            name="small",
            total_forward_flops=1e8,
            total_backward_flops=2e8,
            last_layer_backward_flops=1e5,
            total_parameter_bits=1e7,
            cut_layers=tuple(
                CutLayer(
                    name=f"layer-{j}",
                    client_forward_flops=1e7 * j,
                    client_backward_flops=2e7 * j,
                    activation_bits=1e6 / j,
                    gradient_bits=1e6 / j,
                    client_parameter_bits=1e6 * j,
                )
                for j in (1, 2)
            ),
        ),
        training=Training(batch_size=8, aggregation_ratio=0.5),
    )


def decision(schedule: Schedule | None) -> tuple[int, list[int], list[float]] | None:
    """Return what a schedule decides, to be compared to the last bit."""
    if schedule is None:
        return None
    return schedule.cut_layer, schedule.subchannel_client.tolist(), schedule.subchannel_power_w.tolist()


def masked(instance: Instance, up: ArrayLike, down: ArrayLike) -> Instance:
    """Return an instance without the gains where a mask of shape (clients, subchannels) is zero."""
    channel = instance.channel
    return instance.replace(
        channel=Channel(
            uplink_gain=channel.uplink_gain * up,
            downlink_gain=channel.downlink_gain * down,
            noise_psd_w_per_hz=channel.noise_psd_w_per_hz,
        )
    )

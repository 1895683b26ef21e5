"""The options of the paper's scenario; the defaults are the paper's numbers or, where so marked, reconstructions."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field, model_validator
from pydantic.fields import FieldInfo

from epsl_opt.core.defaults import DEFAULT_MAX_POWER_DBM, DEFAULT_SAMPLES
from epsl_opt.core.options import Options
from epsl_opt.core.record import PositiveFloat, PositiveInt, UnitInterval
from epsl_opt.problems.fading import Fading
from epsl_opt.problems.path_loss import REFERENCE_DISTANCE_M

Decibels = Annotated[float, Field(ge=-500, le=500, allow_inf_nan=False)]
MAX_GAINS = 10_000_000
MAX_ROUND = 100_000
ROUND_INTERVAL_S = 5.0


class LineOfSight(StrEnum):
    """Who sees the server."""

    AUTO = "auto"
    """Drawn by distance."""
    LOS = "los"
    """Every client."""
    NLOS = "nlos"
    """No client."""


class CsvQuantity(StrEnum):
    """What the numbers of a CSV file are."""

    GAIN = "gain"
    """Linear power gains, antenna gains included."""
    GAIN_DB = "gain_db"
    """The same in dB."""
    SNR_DB = "snr_db"
    """Signal-to-noise ratios in dB on one subchannel; see `measured`."""


class PaperOptions(Options):
    """Every number of the paper's scenario, and knobs around it."""

    clients: PositiveInt = Field(default=5, description="C, number of clients")
    subchannels: PositiveInt = Field(default=20, description="M, number of subchannels")
    seed: int = Field(default=0, ge=0, description="of every random draw")

    radius_m: PositiveFloat = Field(
        default=200.0, le=100_000, description="clients are uniform in a disc of this radius"
    )
    min_distance_m: float = Field(
        default=1.0, ge=REFERENCE_DISTANCE_M, allow_inf_nan=False, description="no client is nearer to the server"
    )
    distance_spread: UnitInterval = Field(
        default=1.0, description="1: uniform in the disc; 0: all at the disc's mean distance"
    )

    bandwidth_hz: PositiveFloat = Field(default=10e6, description="mean bandwidth of a subchannel")
    bandwidth_spread: float = Field(
        default=0.0, ge=0, lt=1, description="bandwidths are uniform within this fraction around the mean"
    )
    center_frequency_hz: PositiveFloat = Field(default=28e9, description="centre of the whole band")

    min_cycles_per_s: PositiveFloat = Field(default=1e9, description="slowest client processor")
    max_cycles_per_s: PositiveFloat = Field(default=1.6e9, description="fastest client processor")
    compute_spread: float = Field(
        default=1.0,
        ge=0,
        allow_inf_nan=False,
        description="stretches client processors around the middle of that range; 0: identical",
    )
    client_cycles_per_flop: PositiveFloat = Field(
        default=1 / 16, description="kappa_i, a client's processor cycles for one FLOP"
    )
    server_cycles_per_s: PositiveFloat = Field(default=5e9, description="f_s, the server's processor")
    server_cycles_per_flop: PositiveFloat = Field(
        default=1 / 32, description="kappa_s, the server's processor cycles for one FLOP"
    )

    client_power_dbm: Decibels = Field(default=DEFAULT_MAX_POWER_DBM, description="P_i, each client's power limit")
    total_power_dbm: Decibels = Field(default=36.99, description="P_th, limit on the sum of all clients' powers")
    downlink_psd_dbm_per_hz: Decibels = Field(default=-50.0, description="p_DL, the server's transmit density")
    noise_psd_dbm_per_hz: Decibels = Field(default=-174.0, description="sigma^2, noise density")
    antenna_gain: PositiveFloat = Field(
        default=10.0, description="product of both ends' antenna gains, linear (a reconstruction)"
    )
    line_of_sight: LineOfSight = Field(default=LineOfSight.AUTO, description="auto, los or nlos")
    shadowing: float = Field(
        default=1.0, ge=0, le=10, description="scales the model's shadowing (3.6 and 9.7 dB); 0: off"
    )
    fading: Fading = Field(default=Fading.NONE, description="small-scale fading: none, rayleigh or rician")
    rician_k_db: Decibels = Field(default=10.0, description="K-factor, for fading=rician")
    reciprocal: bool = Field(default=True, description="downlink fading is uplink fading; false: drawn apart")
    round: int | None = Field(
        default=None, ge=0, le=MAX_ROUND, description="number of the round, from 0: fading is fresh in each"
    )
    speed_m_per_s: PositiveFloat | None = Field(
        default=None, le=1000, description="mean speed at which clients move from round to round (a reconstruction)"
    )
    round_interval_s: PositiveFloat | None = Field(
        default=None, description=f"time from one round to the next, {ROUND_INTERVAL_S:g} s if not given"
    )

    model: str = Field(default="resnet18-64", description="model profile: a shipped one's name or a .json file")
    batch_size: PositiveInt = Field(default=64, description="b, samples per client and round")
    aggregation_ratio: UnitInterval = Field(
        default=0.5, description="phi, the share of last-layer gradients that is aggregated"
    )
    samples: PositiveInt = Field(default=DEFAULT_SAMPLES, description="mean samples a client holds (a reconstruction)")
    sample_spread: float = Field(
        default=0.0, ge=0, lt=1, description="samples are uniform within this fraction around the mean"
    )

    clients_json: str | None = Field(
        default=None, min_length=1, description="measured devices, which take the places of the first clients"
    )
    uplink_csv: str | None = Field(default=None, min_length=1, description="measured uplink channel: a row a client")
    downlink_csv: str | None = Field(
        default=None, min_length=1, description="measured downlink channel, if not the uplink's"
    )
    csv_quantity: CsvQuantity = Field(default=CsvQuantity.GAIN, description="gain, gain_db or snr_db")

    @property
    def measured(self) -> bool:
        """Whether the channel comes from a file rather than from the channel model."""
        return self.uplink_csv is not None or self.downlink_csv is not None

    def changed(self) -> dict[str, Any]:
        """Return the options that are not at their default, ready for JSON."""
        dumped = self.model_dump(mode="json")
        return {name: dumped[name] for name, field in type(self).model_fields.items() if self._is_changed(name, field)}

    def _is_changed(self, name: str, field: FieldInfo) -> bool:
        return bool(getattr(self, name) != field.default)

    @model_validator(mode="after")
    def _check_ranges(self) -> Self:
        """Minimum and maximum are in order, processors stay positive, and the arrays fit a memory."""
        if self.min_distance_m > self.radius_m:
            raise ValueError(f"min_distance_m: exceeds radius_m ({self.radius_m:g})")
        if self.min_cycles_per_s > self.max_cycles_per_s:
            raise ValueError(f"min_cycles_per_s: exceeds max_cycles_per_s ({self.max_cycles_per_s:g})")
        half_range = (self.max_cycles_per_s - self.min_cycles_per_s) / 2
        if self.compute_spread * half_range >= self.min_cycles_per_s + half_range:
            raise ValueError("compute_spread: leaves the slowest client without a clock")
        if self.clients * self.subchannels > MAX_GAINS:
            raise ValueError(f"clients: times subchannels must be at most {MAX_GAINS:,}")
        return self

    @model_validator(mode="after")
    def _check_effect(self) -> Self:
        """An option that has no effect here is a mistake, not a wish."""
        idle = {"rician_k_db": "without fading=rician"} if self.fading is not Fading.RICIAN else {}
        if self.fading is Fading.NONE:
            idle["reciprocal"] = "without fading"
            idle |= {} if self.speed_m_per_s else {"round": "without fading or speed_m_per_s"}
        if self.round is None:
            idle["speed_m_per_s"] = "without round"
        if self.speed_m_per_s is None:
            idle["round_interval_s"] = "without speed_m_per_s"
        if self.measured:
            idle |= dict.fromkeys(_CHANNEL_MODEL, "with a measured channel (uplink_csv, downlink_csv)")
        else:
            idle["csv_quantity"] = "without uplink_csv or downlink_csv"
        wrong = [f"{name}: has no effect {why}" for name, why in idle.items() if name in self.changed()]
        if wrong:
            raise ValueError(wrong[0])
        return self


_CHANNEL_MODEL = (
    "radius_m",
    "min_distance_m",
    "distance_spread",
    "antenna_gain",
    "line_of_sight",
    "shadowing",
    "fading",
    "rician_k_db",
    "reciprocal",
    "round",
    "speed_m_per_s",
    "round_interval_s",
)

"""What a little more of a resource is worth, from the prices behind a certified bound."""

from __future__ import annotations

from pydantic import Field

from epsl_opt.core.arrays import NonNegativeVector
from epsl_opt.core.record import NonNegativeFloat, Record


class MarginalValues(Record):
    """Seconds of round latency that a unit more would save, to first order, at the schedule's cut layer.

    They belong to the bound's relaxation: where the gap is closed they tell the true worth of small changes; a whole
    subchannel is not small, and whoever needs certainty solves again.
    """

    total_uplink_power_s_per_w: NonNegativeFloat = Field(description="a watt more of P_th")
    client_power_s_per_w: NonNegativeVector = Field(description="a watt more of each client's P_i")
    client_compute_s_per_gflops: NonNegativeVector = Field(description="a GFLOP/s more for each client")
    server_compute_s_per_gflops: NonNegativeFloat = Field(description="a GFLOP/s more for the server")
    subchannel_s: NonNegativeVector = Field(description="one more subchannel like each of these")

"""The power-control problem as a convex program through CVXPY: the reference for `power_control`."""

from __future__ import annotations

import cvxpy as cp
import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import CutCosts, transmission_time_s
from epsl_opt.solvers.convex.conic import solve_conic
from epsl_opt.solvers.primal.allocation import equal_power_w

# The program is of order one as it is built; Clarabel's own scaling makes it stall short of these tolerances.
SETTINGS: dict[str, float] = {
    "tol_gap_abs": 1e-10,
    "tol_gap_rel": 1e-10,
    "tol_feas": 1e-10,
    "equilibrate_enable": False,
}


class ReferencePowerControl:
    """Minimise T1 + T3 over the powers of one allocation; the gains are parameters, so it can be solved again warm.

    The unit of time is what equal power density needs beyond the last client's forward pass, the unit of each power
    that density scaled down until the client just keeps up: the cone program is of order one in any units.

    Parameters
    ----------
    instance, costs
        The problem; clients must have something to send.
    owner
        Client index of each subchannel, shape (subchannels,); every client must hold one with a gain.
    """

    def __init__(self, instance: Instance, costs: CutCosts, owner: IntArray) -> None:
        self._instance, self._costs, self._owner = instance, costs, owner
        member = (owner == np.arange(instance.n_clients)[:, None]).astype(float)
        self._snr = cp.Parameter(len(owner), nonneg=True)
        self._unit_w, end_s = self._units(equal_power_w(instance, owner))
        self._ready_s = float(costs.client_forward_s.max())
        self._unit_s = end_s - self._ready_s
        power, end = cp.Variable(len(owner), nonneg=True), cp.Variable()
        rate = (member * instance.bandwidth_hz) @ cp.log1p(cp.multiply(self._snr, power))
        head_start = (self._ready_s - costs.client_forward_s) / self._unit_s
        per_nat = self._unit_s / (costs.uplink_bits * np.log(2))
        total_w = instance.server.total_uplink_power_w
        rows = [
            per_nat * rate >= cp.inv_pos(end + head_start),
            (member * self._unit_w) @ power / instance.max_power_w <= 1,
            self._unit_w @ power / total_w <= 1,
        ]
        if costs.exchange_bits > 0:
            exchange = cp.Variable()
            rows.append(self._unit_s / (costs.exchange_bits * np.log(2)) * rate >= cp.inv_pos(exchange))
            end += exchange
        self._program = cp.Problem(cp.Minimize(end), rows)

    def phase_s(self, instance: Instance | None = None) -> float:
        """Solve with Clarabel and return T1, or T1 + T3, in seconds, of this or an instance with other gains only.

        Raises
        ------
        cvxpy.SolverError
            If the solver does not end with an optimal solution.
        """
        instance = instance or self._instance
        noise = instance.uplink_noise_w_per_hz[self._owner, np.arange(len(self._owner))]
        self._snr.value = self._unit_w / (instance.bandwidth_hz * noise)
        if not solve_conic(self._program, settings=SETTINGS):
            raise cp.SolverError(f"power control ended as {self._program.status}")
        return self._ready_s + float(self._program.value) * self._unit_s

    def _units(self, equal_w: FloatArray) -> tuple[FloatArray, float]:
        """Each subchannel's unit of power in watts, and the unit of time in seconds."""
        end = self._ends_s(equal_w)
        low, high = np.zeros(len(end)), np.ones(len(end))
        for _ in range(60):
            middle = 0.5 * (low + high)
            late = self._ends_s(equal_w * middle[self._owner]) > end.max()
            low, high = np.where(late, middle, low), np.where(late, high, middle)
        return equal_w * high[self._owner], float(end.max())

    def _ends_s(self, power_w: FloatArray) -> FloatArray:
        instance, costs = self._instance, self._costs
        noise = instance.uplink_noise_w_per_hz[self._owner, np.arange(len(self._owner))]
        rate = instance.bandwidth_hz * np.log1p(power_w / (instance.bandwidth_hz * noise)) / np.log(2)
        per_client: FloatArray = np.bincount(self._owner, rate, minlength=instance.n_clients).astype(np.float64)
        return costs.client_forward_s + transmission_time_s(costs.uplink_bits, per_client)

"""The cells of the study, round by round."""

from __future__ import annotations

from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import round_latency
from epsl_opt.core.schedule import Schedule
from epsl_opt.problems.sources import load_instance
from epsl_opt.solvers.primal.allocation import equal_power_w
from epsl_opt.solvers.primal.power_control import best_schedule
from epsl_opt.studies.shared.scenario import paper
from epsl_opt.studies.shared.solver_runs import schedule_of, solve_with

SUBCHANNELS = {5: 20, 20: 80}
"""Clients of a cell -> its subchannels."""

CHANGES = {"fading": "fading=rayleigh", "walking": "speed_m_per_s=1.4", "driving": "speed_m_per_s=14"}
"""What changes from round to round -> options of the scenario."""

TITLES = {"fading": "Rayleigh fading", "walking": "walking, 1.4 m/s", "driving": "driving, 14 m/s"}

KEPT, EQUAL, CONTROLLED = "as scheduled", "equal", "controlled anew"
POWERS = (KEPT, EQUAL, CONTROLLED)
"""Where the powers of a schedule from an earlier round come from: that round, no channel at all, or the round it is."""

REL_GAP = 1e-3


def cell(clients: int, change: str, seed: int, round_number: int) -> Instance:
    """Return a cell in one of its rounds."""
    options = f"clients={clients},subchannels={SUBCHANNELS[clients]},seed={seed},round={round_number}"
    return load_instance(f"paper:{options},{CHANGES[change]}")


def mean_cell(clients: int, seed: int) -> Instance:
    """Return the cell with every gain at its mean over fading."""
    return load_instance(paper(clients=clients, subchannels=SUBCHANNELS[clients], seed=seed))


def solved(instance: Instance, solver: str) -> tuple[Schedule, float]:
    """Return a solver's schedule and the seconds it took.

    Raises
    ------
    RuntimeError
        If it found none.
    """
    result = solve_with(instance, solver, rel_gap=REL_GAP)
    return schedule_of(result), result.build_s + result.solve_s


def with_power(instance: Instance, schedule: Schedule, power: str) -> Schedule:
    """Return a schedule's allocation and cut layer with the powers it has in a round.

    Raises
    ------
    RuntimeError
        If powers are to be controlled and a client can't send or receive.
    """
    cut, owner = schedule.cut_layer, schedule.subchannel_client
    if power == KEPT:
        return schedule
    if power == EQUAL:
        return Schedule(cut, owner, equal_power_w(instance, owner))
    best = best_schedule(instance, cut_costs(instance, cut), cut, owner)
    if best is None:
        raise RuntimeError(f"a client can't send or receive in {instance.name}")
    return best


def latency_s(instance: Instance, schedule: Schedule) -> float:
    """Return the latency of a round under a schedule."""
    return round_latency(instance, schedule).round_latency_s

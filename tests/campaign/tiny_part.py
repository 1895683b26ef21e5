"""Random tiny instances through every solver, against enumeration in extended precision."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from campaign.command import run_command
from campaign.faults import Fault, FaultKind
from campaign.judging import command_faults
from campaign.oracle import best_latency_s
from campaign.part import Part, Trial
from campaign.tiny_instances import random_instance
from epsl_opt import write_record

TOLERANCE = 2e-9
"""Relative: twice what the check allows a schedule in power and a claim in rounding."""

GAPS = (1e-9, 1e-6, 1e-4, 1e-2)
TIME_LIMIT_S = 20.0

FINISH = ("exact", "brute-force")
"""Who has to prove an optimum, or that there is no schedule, within the time limit."""

FIND = ("exact", "brute-force", "convex", "greedy", "bcd", "local-search")
"""Who has to find a schedule if there is one."""


class TinyInstances(Part):
    """Tiny instances."""

    name = "tiny"
    title = "tiny instances, every solver against enumeration"
    share = 0.06
    limit_s = 600.0

    def attempt(self, trial: Trial) -> Sequence[Fault]:
        """Solve one instance with every solver and compare the claims with the oracle."""
        instance = random_instance(trial.rng)
        gap = float(trial.rng.choice(GAPS))
        write_record(Path("instance.json"), instance)
        optimum_s = best_latency_s(instance)
        faults = [fault for solver in solvers() for fault in _solver_faults(solver, gap, optimum_s)]
        if faults:
            Path("optimum").write_text(f"{optimum_s!r}\n")
        return faults


@cache
def solvers() -> tuple[str, ...]:
    """Return every solver that is registered here."""
    return tuple(row["solver"] for row in json.loads(run_command(["solvers", "--format", "json"]).stdout))


def _solver_faults(solver: str, gap: float, optimum_s: float) -> Iterator[Fault]:
    """Yield what one solver got wrong, from the command line and from what it claims."""
    output = f"{solver}.json"
    arguments = ["solve", "instance.json", "-s", solver, "--gap", repr(gap), "--time-limit", str(TIME_LIMIT_S)]
    outcome = run_command([*arguments, "--format", "json", "-o", output], interrupt_after_s=3 * TIME_LIMIT_S)
    yield from command_faults(outcome)
    try:
        claims = json.loads(outcome.stdout)
    except ValueError:
        return
    for kind, detail in claim_faults(solver, claims, optimum_s, gap):
        if kind is not FaultKind.EXCEPTION or outcome.code != 1:  # which has told it
            yield Fault(kind, outcome.line, detail)
    if claims["status"] == "verified":
        check = run_command(["check", "instance.json", output])
        yield from command_faults(check)
        if check.code != 0:
            yield Fault(FaultKind.WRONG_FIGURE, check.line, check.stdout)


def claim_faults(
    solver: str, claims: Mapping[str, Any], optimum_s: float, gap: float
) -> Iterator[tuple[FaultKind, str]]:
    """Yield kind and detail of every claim of a schedule document that the optimum refutes.

    Parameters
    ----------
    solver
        Its name.
    claims
        The document.
    optimum_s
        Of the instance; inf if it has no schedule.
    gap
        The relative gap that was asked for.
    """
    stop, status, bound_s = claims["stop_reason"], claims["status"], claims.get("bound_s")
    if status == "rejected":
        yield FaultKind.REJECTED, str(claims["provenance"].get("message"))
        return
    if stop == "error":
        yield FaultKind.EXCEPTION, str(claims["provenance"].get("message"))
    if stop == "time_limit" and solver in FINISH:
        yield FaultKind.NOT_FINISHED, f"after {TIME_LIMIT_S:g} s"
    if stop == "infeasible_proved" and optimum_s < math.inf:
        yield FaultKind.FALSE_INFEASIBILITY, f"the optimum is {optimum_s!r} s"
    if bound_s is not None and bound_s > optimum_s * (1 + TOLERANCE):
        yield FaultKind.FALSE_BOUND, f"bound {bound_s!r} s, optimum {optimum_s!r} s"
    if status == "verified":
        yield from _latency_faults(stop, claims["latency_s"], optimum_s, gap)
    elif solver in FIND and optimum_s < math.inf and stop in ("completed", "infeasible_proved"):
        yield FaultKind.NO_SCHEDULE, f"{stop}, and the optimum is {optimum_s!r} s"


def _latency_faults(stop: str, latency_s: float, optimum_s: float, gap: float) -> Iterator[tuple[FaultKind, str]]:
    seen = f"latency {latency_s!r} s, optimum {optimum_s!r} s"
    if latency_s < optimum_s * (1 - TOLERANCE):
        yield FaultKind.IMPOSSIBLE, seen
    proved_gap = {"optimal_proved": 0.0, "gap_reached": gap}.get(stop, math.inf)
    if latency_s * (1 - proved_gap) > optimum_s * (1 + TOLERANCE):
        yield FaultKind.FALSE_OPTIMUM, f"{stop}, {seen}"

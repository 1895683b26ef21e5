"""What age does to a schedule, and what a new one is worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from epsl_opt.plugins.study import Cell, Finding, Row, Table, Verdict
from epsl_opt.report.intervals import Interval, judge_at_least, judge_at_most
from epsl_opt.studies.dynamics.cells import CHANGES, CONTROLLED, KEPT, POWERS, SUBCHANNELS, TITLES
from epsl_opt.studies.dynamics.resolving import PERIODS, ROUNDS, SOLVERS
from epsl_opt.studies.shared import rows as found

TOLERATED = 1.05

STALENESS = (
    "clients", "change", "solver", "power", "every", "ratio", "ratio_low", "ratio_high", "latency_s", "p90_s", "draws",
)  # fmt: skip
WORTH = (
    "clients", "change", "solver", "every", "saved_s", "saved_s_low", "saved_s_high", "solve_s", "control_s", "cost_s",
    "net", "net_low", "net_high", "draws",
)  # fmt: skip


def latencies_s(rows: Sequence[Row], column: str = "latency_s", /, **wanted: Cell) -> dict[int, float]:
    """Return a column of the rows about schedules of an age, by seed."""
    return found.by_seed(rows, column, part="resolving", **wanted)


def net_s(rows: Sequence[Row], **wanted: Cell) -> dict[int, float]:
    """Return latency and the time for solving and power control together, a round, by seed."""
    every = wanted["every"]
    parts = [latencies_s(rows, column, power=CONTROLLED, **wanted) for column in ("latency_s", "solve_s", "control_s")]
    return {seed: parts[0][seed] + parts[1][seed] / int(every or 1) + parts[2][seed] for seed in parts[0]}


def staleness(rows: Sequence[Row]) -> Table:
    """Return latencies over those under an optimal schedule in every round; no time measured is in it."""
    made: list[Row] = []
    for clients, change, solver, power, every in product(SUBCHANNELS, CHANGES, SOLVERS, POWERS, PERIODS):
        cell: dict[str, Cell] = {"clients": clients, "change": change}
        mine: dict[str, Cell] = {"solver": solver, "power": power, "every": every}
        latency = latencies_s(rows, **cell, **mine)
        if latency:
            ratio = found.ratio(latency, best(rows, **cell))
            tail = found.mean(latencies_s(rows, "p90_s", **cell, **mine)).mean
            made.append(
                cell
                | mine
                | found.columns(ratio, "ratio")
                | {"latency_s": found.mean(latency).mean, "p90_s": tail, "draws": ratio.n}
            )
    return Table("staleness", "Latency by the age of the schedule.", STALENESS, made)


def worth(rows: Sequence[Row]) -> Table:
    """Return what a schedule every K rounds saves a round against one for all, and costs; measured times are in it."""
    made: list[Row] = []
    for clients, change, solver, every in product(SUBCHANNELS, CHANGES, SOLVERS, PERIODS):
        cell: dict[str, Cell] = {"clients": clients, "change": change}
        mine: dict[str, Cell] = cell | {"solver": solver}
        latency = latencies_s(rows, power=CONTROLLED, every=every, **mine)
        if latency:
            once = latencies_s(rows, power=CONTROLLED, every=ROUNDS, **mine)
            net = found.ratio(net_s(rows, every=every, **mine), best(rows, **cell))
            solve, control = (
                found.mean(latencies_s(rows, column, power=CONTROLLED, every=every, **mine)).mean
                for column in ("solve_s", "control_s")
            )
            costs = {"solve_s": solve, "control_s": control, "cost_s": solve / every + control}
            saved = found.columns(found.difference(once, latency), "saved_s")
            made.append({**mine, "every": every, **saved, **costs, **found.columns(net, "net"), "draws": net.n})
    return Table("worth", "What schedules save and cost a round, powers controlled anew.", WORTH, made)


def best(rows: Sequence[Row], **cell: Cell) -> dict[int, float]:
    """Return the latencies under an optimal schedule in every round, its making not counted."""
    return latencies_s(rows, solver="exact", power=CONTROLLED, every=1, **cell)


def resolving_findings(rows: Sequence[Row]) -> Iterator[Finding]:
    """Judge what schedules of an age are good for."""
    for clients, change in product(SUBCHANNELS, CHANGES):
        where = f"{TITLES[change]}, {clients} clients"
        cell: dict[str, Cell] = {"clients": clients, "change": change, "solver": "exact"}
        if best(rows, clients=clients, change=change):
            yield _once_is_enough(rows, cell, where)
            yield _every_round_pays(rows, cell, where)
            yield _best_period(rows, cell, where)
    for clients in SUBCHANNELS:
        yield from _over_changes(rows, clients)


def _once_is_enough(rows: Sequence[Row], cell: dict[str, Cell], where: str) -> Finding:
    once = latencies_s(rows, power=CONTROLLED, every=ROUNDS, **cell)
    now = latencies_s(rows, power=CONTROLLED, every=1, **cell)
    ratio = found.ratio(once, now)
    claim = f"a schedule made once is enough: rounds are at most {round(100 * (TOLERATED - 1))} % longer ({where})"
    evidence = f"latency, made once over made in every round, {ratio.text()}; powers controlled anew"
    return Finding(claim, judge_at_most(ratio, TOLERATED), f"{evidence}, {ratio.n} cells")


def _every_round_pays(rows: Sequence[Row], cell: dict[str, Cell], where: str) -> Finding:
    ratio = found.ratio(net_s(rows, every=ROUNDS, **cell), net_s(rows, every=1, **cell))
    claim = f"an optimal schedule in every round pays against one for all, solving counted in ({where})"
    limits = " and ".join(f"{break_even(rows, every, cell).text(3, ' s')} against K = {every}" for every in (2, ROUNDS))
    taken = found.mean(latencies_s(rows, "solve_s", power=CONTROLLED, every=1, **cell)).mean
    evidence = f"time a round, once over every round, {ratio.text()}; solving took {taken:.2g} s and may take {limits}"
    return Finding(claim, judge_at_least(ratio, 1.0), evidence)


def break_even(rows: Sequence[Row], every: int, cell: dict[str, Cell]) -> Interval:
    """Return how long solving may take for K = 1 to cost no more than K = `every`, in seconds."""
    later = latencies_s(rows, power=CONTROLLED, every=every, **cell)
    share = 1 - 1 / every
    now = latencies_s(rows, power=CONTROLLED, every=1, **cell)
    return found.difference(
        {seed: value / share for seed, value in later.items()}, {seed: value / share for seed, value in now.items()}
    )


def _best_period(rows: Sequence[Row], cell: dict[str, Cell], where: str) -> Finding:
    net = {every: net_s(rows, every=every, **cell) for every in PERIODS}
    means = {every: found.geometric_mean(values).mean for every, values in net.items()}
    least = min(means, key=lambda every: means[every])
    wins = sum(min(PERIODS, key=lambda every: net[every][seed]) == least for seed in net[least])
    times = ", ".join(f"{means[every]:.4g} s at {every}" for every in PERIODS)
    claim = f"a round takes the least time, solving counted in, with a new schedule every K = {least} rounds ({where})"
    return Finding(claim, Verdict.OBSERVED, f"best in {wins} of {len(net[least])} cells; geometric means: {times}")


def _over_changes(rows: Sequence[Row], clients: int) -> Iterator[Finding]:
    """Judge what holds over all kinds of change; a cell counts once."""

    def once(solver: str, power: str) -> dict[int, float]:
        settings = [
            latencies_s(rows, clients=clients, change=change, solver=solver, power=power, every=ROUNDS)
            for change in CHANGES
        ]
        return found.over_settings(settings, geometric=True)

    if not once("exact", CONTROLLED):
        return
    ratio = found.ratio(once("exact", KEPT), once("exact", CONTROLLED))
    yield Finding(
        f"controlling powers anew makes up for a schedule's age in part ({clients} clients)",
        judge_at_least(ratio, 1.0),
        f"latency, powers as scheduled over controlled anew, one schedule for all rounds, {ratio.text()}",
    )
    ratio = found.ratio(once("greedy", CONTROLLED), once("exact", CONTROLLED))
    yield Finding(
        f"an optimal schedule stays better than greedy's as both grow old ({clients} clients)",
        judge_at_least(ratio, 1.0),
        f"latency, greedy over exact, one schedule for all rounds, powers controlled anew, {ratio.text()}",
    )
    yield _exact_pays(rows, clients)


def _exact_pays(rows: Sequence[Row], clients: int) -> Finding:
    """Judge optimal schedules in every round against bcd's; a cell counts once."""

    def over(column: str, solver: str) -> dict[int, float]:
        wanted: dict[str, Cell] = {"clients": clients, "solver": solver, "every": 1}
        settings = [
            net_s(rows, change=change, **wanted)
            if column == "net"
            else latencies_s(rows, column, change=change, power=CONTROLLED, **wanted)
            for change in CHANGES
        ]
        return found.over_settings(settings, geometric=column == "net")

    ratio = found.ratio(over("net", "bcd"), over("net", "exact"))
    shorter = found.difference(over("latency_s", "bcd"), over("latency_s", "exact"))
    longer = found.difference(over("solve_s", "exact"), over("solve_s", "bcd"))
    claim = f"proving optimality in every round pays against bcd in every round, solving counted in ({clients} clients)"
    evidence = (
        f"time a round, bcd over exact, {ratio.text(4)}; exact makes the round {shorter.text(3, ' s')} shorter and "
        f"takes {longer.text(3, ' s')} longer"
    )
    return Finding(claim, judge_at_least(ratio, 1.0), evidence)

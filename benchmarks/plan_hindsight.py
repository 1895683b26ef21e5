"""Compare `epsl-opt plan` with the best in hindsight: every point of a grid trained with every seed, to the target.

    python -m benchmarks.plan_hindsight --train        # trains what is not there yet, into out/plan-hindsight; hours
    python -m benchmarks.plan_hindsight                # replays the planner, writes the table of docs/plan.md
    python -m benchmarks.plan_hindsight --show         # prints it only

How many rounds a training takes to the target does not depend on the radio: each grid is trained once, and serves the
cells of `plan_grids`, whose latencies differ. The planner's pilots are answered from what is kept.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.engine_arguments import add_engine_arguments, chosen_engine
from benchmarks.plan_grids import GRIDS, SEEDS, TUNED_ON, Learning
from docs_tools.marked_text import markdown_table, write_marked
from epsl_opt import load_instance
from epsl_opt.campaigns.engines import Engine
from epsl_opt.core.csv_rows import read_csv
from epsl_opt.core.stop_request import StopRequest
from epsl_opt.planning.latency import PointLatency
from epsl_opt.planning.pilots import Pilots, seen
from epsl_opt.planning.plan import LIMITS, priced
from epsl_opt.planning.point import Point
from epsl_opt.planning.race import Race, Slice
from epsl_opt.planning.standing import Pilot, Standing
from epsl_opt.planning.verdict import Verdict
from epsl_opt.plugins.registry import load_backend
from epsl_opt.training.goal import TrainingGoal
from epsl_opt.training.request import FittedInstance, TrainingRequest, backend_options

ROOT = Path(__file__).parents[1]
PAGE, ROUNDS = ROOT / "docs" / "plan.md", ROOT / "benchmarks" / "plan_rounds"
OUT = Path("out/plan-hindsight")
CLOSE = 1.1
HEAD = "| setting | points | plan's choice (s) | best in hindsight (s) | ratio | rounds used | certificate |"
RULE = "|---|--:|--:|--:|--:|--:|---|"

Table = Mapping[tuple[Point, int], Pilot]
"""What came of the training of a point with a seed."""


@dataclass(frozen=True)
class Row:
    """One setting: times are means over the seeds, in simulated seconds; NaN where no point has all of them."""

    setting: str
    points: int
    chosen_s: float
    best_s: float
    share: float
    holds: bool

    @property
    def ratio(self) -> float:
        """How much longer the choice takes than the best."""
        return self.chosen_s / self.best_s

    def cells(self) -> tuple[str, ...]:
        """Return the row of the table."""
        numbers = (f"{self.chosen_s:.2f}", f"{self.best_s:.2f}", f"{self.ratio:.3f}", f"{100 * self.share:.0f} %")
        return self.setting, str(self.points), *numbers, "holds" if self.holds else "**contradicted**"


def fitted_to(learning: Learning, cell: str) -> tuple[TrainingRequest, FittedInstance]:
    """Return what is trained, and a cell made fit for it."""
    backend = load_backend("torch")
    base = TrainingRequest(
        backend=backend,
        options=backend_options(backend, learning.options),
        task=learning.task,
        goal=TrainingGoal(learning.horizon, max(learning.targets), evaluate_every=1),
    )
    return base, base.fit(load_instance(cell))


def train(learning: Learning, engine: Engine, folder: Path) -> dict[float, Table]:
    """Train every point with every seed to the highest target or the horizon; return what came of it by target."""
    base, fitted = fitted_to(learning, f"paper:clients={learning.clients},seed=0")
    points = learning.grid.points()
    latencies = priced(fitted.instance, base, points, LIMITS)
    pilots = Pilots(base, fitted, latencies, folder / learning.name, engine, None, StopRequest())
    slices = [Slice(point, seed, learning.horizon) for seed in SEEDS for point in points]
    found = pilots.train(slices)
    return {
        target: {(each.point, each.seed): seen(result, learning.horizon, target) for each, result in found.items()}
        for target in learning.targets
    }


def write_rounds(learning: Learning, tables: Mapping[float, Table]) -> None:
    """Keep how many rounds each training took, or that it did not get there."""
    ROUNDS.mkdir(exist_ok=True)
    with (ROUNDS / f"{learning.name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("target", "point", "seed", "rounds", "reached", "diverged"))
        for target, table in tables.items():
            for (point, seed), pilot in table.items():
                row = (target, point.label, seed, pilot.rounds, pilot.reached or "", int(pilot.diverged))
                writer.writerow(row)


def read_rounds(learning: Learning) -> dict[float, Table]:
    """Read them back."""
    by_label = {point.label: point for point in learning.grid.points()}
    tables: dict[float, dict[tuple[Point, int], Pilot]] = {target: {} for target in learning.targets}
    for _, (target, label, seed, rounds, reached, diverged) in list(read_csv(ROUNDS / f"{learning.name}.csv"))[1:]:
        pilot = Pilot(int(rounds), int(reached) if reached else None, diverged == "1")
        tables[float(target)][by_label[label], int(seed)] = pilot
    return dict(tables)


def replay(table: Table, slices: Sequence[Slice]) -> dict[Slice, Pilot]:
    """Answer slices as the trainings did."""
    found = {}
    for each in slices:
        whole = table[each.point, each.seed]
        ended = whole.rounds <= each.rounds
        found[each] = whole if ended else Pilot(each.rounds)
    return found


def judge(learning: Learning, name: str, cell: str, tables: Mapping[float, Table]) -> list[Row]:
    """Plan for a cell, once for each target, and compare with what all trainings say."""
    base, fitted = fitted_to(learning, cell)
    latencies = priced(fitted.instance, base, learning.grid.points(), LIMITS)
    return [
        _judged(f"{learning.name}, {target:g}: {name}", latencies, learning.horizon, table)
        for target, table in tables.items()
    ]


def _judged(setting: str, latencies: Mapping[Point, PointLatency], horizon: int, table: Table) -> Row:
    standings = [Standing(point, latency) for point, latency in latencies.items()]
    race = Race(standings, SEEDS, horizon)
    race.run(lambda slices: replay(table, slices))
    verdict = Verdict.of(standings, race.spread())
    times = {each.point: time_s(each, table) for each in standings}
    best_s = min(times.values())
    chosen_s = np.nan if verdict.winner is None else times[verdict.winner.point]
    used = sum(each.rounds for each in standings)
    whole = sum(pilot.rounds for pilot in table.values())
    holds = verdict.least_s <= best_s and not chosen_s > verdict.most_s
    return Row(setting, len(standings), float(chosen_s), best_s, used / whole, bool(holds))


def time_s(standing: Standing, table: Table) -> float:
    """Return a point's mean time to target over all seeds; inf if one of them does not get there."""
    reached = [table[standing.point, seed].reached for seed in SEEDS]
    times = [np.inf if rounds is None else standing.latency.timing.simulated_time_s(rounds) for rounds in reached]
    return float(np.mean(times))


def summary(rows: Sequence[Row]) -> str:
    """Say in a sentence what the settings come to that the planner was not tuned on."""
    told = [row for row in rows if row.setting not in TUNED_ON and np.isfinite(row.best_s)]
    close = sum(row.ratio <= CLOSE for row in told)
    shares = [row.share for row in told]
    broken = sum(not row.holds for row in told)
    worst = max(row.ratio for row in told)
    return (
        f"Over {len(told)} settings, apart from the {len(TUNED_ON)} on which the planner was tried while it was made: "
        f"the choice is within 10 % of the best in hindsight in {close} ({100 * close / len(told):.0f} %), and "
        f"{worst:.2f} times as long at the worst; pilots use {100 * np.mean(shares):.0f} % of all rounds on average, "
        f"{100 * max(shares):.0f} % at most; the certificate is contradicted in {broken}.\n"
    )


def main() -> None:
    """Train, or replay."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", action="store_true", help="train what is not there yet")
    parser.add_argument("--only", choices=[each.name for each in GRIDS], action="append", help="these grids only")
    parser.add_argument("--show", action="store_true", help="print the table, and leave docs/plan.md alone")
    add_engine_arguments(parser, "one per processor")
    args = parser.parse_args()
    chosen = [each for each in GRIDS if not args.only or each.name in args.only]
    if args.train:
        with chosen_engine(args, here=False) as engine:
            for each in chosen:
                write_rounds(each, train(each, engine, OUT))
    tables = {each: read_rounds(each) for each in chosen if (ROUNDS / f"{each.name}.csv").exists()}
    rows = [
        row
        for each, found in tables.items()
        for name, cell in each.cells.items()
        for row in judge(each, name, cell, found)
    ]
    text = markdown_table(HEAD, RULE, [row.cells() for row in rows])
    if args.show or args.only:
        print(text, summary(rows), sep="\n")
    else:
        write_marked(PAGE, {"hindsight": lambda: summary(rows) + "\n" + text})


if __name__ == "__main__":
    main()

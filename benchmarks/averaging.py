"""EPSL with averaged client-side models against every framework on cells with scarce subchannels: time to a target.

    python -m benchmarks.averaging
    python -m benchmarks.averaging --only iid --quick

What is learned does not depend on the radio: every way to train is trained once for each seed, and its rounds to target
are then priced on several cells, by the certified schedule of its own round. Cut layer, ratio, I and learning rate are
tuned for each framework on seeds of their own, all by one rule: the whole grid on the first seed, the soonest few on
two more. The tuned ones are trained on ten others. Tables go into `docs/averaging.md`, the rounds into `out/averaging`,
where finished trainings are kept and not run again; `--quick` trains two seeds and leaves the page alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.averaging_grids import SETTINGS
from benchmarks.averaging_points import Point, Setting, make_setup
from benchmarks.averaging_prices import check_alike
from benchmarks.averaging_rounds import COLUMNS, Rounds, Winners, promising, rounds_rows, winners
from benchmarks.averaging_tables import lead_table, time_table, tuning_table
from benchmarks.destination import destination
from benchmarks.engine_arguments import add_engine_arguments, chosen_engine
from benchmarks.training_results import learn, trained
from docs_tools.marked_text import write_marked
from epsl_opt import InputError
from epsl_opt.campaigns.engines import Engine
from epsl_opt.files.csv_text import format_csv
from epsl_opt.files.training_records import first_reaching
from epsl_opt.files.writing import write_bytes

PAGE = Path(__file__).parents[1] / "docs" / "averaging.md"
OUT = Path("out/averaging")
TUNING_SEEDS = (0, 1, 2)
SEEDS = tuple(range(10, 20))


@dataclass(frozen=True)
class Found:
    """A setting's rounds to target: the grid on one seed, the promising points on more, the winners on others."""

    first: Rounds
    tuned: Rounds
    best: Winners
    rounds: Rounds


def count_rounds(setting: Setting, asked: Iterable[tuple[Point, int]], engine: Engine) -> Rounds:
    """Train points on seeds and return their rounds to target."""
    pairs = list(asked)
    setups = [make_setup(setting, point, seed) for point, seed in pairs]
    learn(setups, OUT / "runs", engine)
    found: dict[Point, dict[int, int | None]] = {}
    for (point, seed), case in zip(pairs, trained(setups, OUT / "runs"), strict=True):
        reached = first_reaching(case.records, setting.target_accuracy)
        found.setdefault(point, {})[seed] = None if reached is None else reached.round
    return found


def count_patiently(setting: Setting, asked: Iterable[tuple[Point, int]], engine: Engine) -> Rounds:
    """Return rounds to target; those that were given up get twice as many rounds of the same training."""
    found = count_rounds(setting, asked, engine)
    missed = [(point, seed) for point, counts in found.items() for seed, number in counts.items() if number is None]
    longer = count_rounds(patient(setting), missed, engine) if missed else {}
    return {point: {**counts, **longer.get(point, {})} for point, counts in found.items()}


def patient(setting: Setting) -> Setting:
    """Return the setting with twice as many rounds."""
    return replace(setting, rounds=2 * setting.rounds)


def measure(setting: Setting, seeds: Sequence[int], engine: Engine) -> Found:
    """Tune, then train the tuned points on the other seeds; one seed after the other."""
    check_alike(setting)
    first = count_rounds(setting, product_by_seed(setting.grid, TUNING_SEEDS[:1]), engine)
    tuned = count_rounds(setting, product_by_seed(promising(setting, first), TUNING_SEEDS), engine)
    best = winners(setting, tuned)
    chosen = dict.fromkeys(point for points in best.values() for point in points.values())
    return Found(first, tuned, best, count_patiently(setting, product_by_seed(chosen, seeds), engine))


def product_by_seed(points: Iterable[Point], seeds: Sequence[int]) -> list[tuple[Point, int]]:
    """Return all points with the first seed, all with the second, and so on."""
    kept = list(points)
    return [(point, seed) for seed in seeds for point in kept]


def write(setting: Setting, found: Found, page: Path) -> None:
    """Write the rounds, and the page's tables."""
    kinds = {
        "first": (setting, found.first),
        "tuned": (setting, found.tuned),
        "rounds": (patient(setting), found.rounds),
    }
    for name, (limited, rounds) in kinds.items():
        text = format_csv(COLUMNS, rounds_rows(limited, rounds))
        write_bytes(OUT / f"{setting.name}-{name}.csv", text.encode())
    write_marked(
        page,
        {
            f"averaging-{setting.name}-times": lambda: time_table(setting, found.best, found.rounds),
            f"averaging-{setting.name}-leads": lambda: lead_table(setting, found.best, found.rounds),
            f"averaging-{setting.name}-tuning": lambda: tuning_table(setting, found.first, found.tuned),
        },
    )


def main() -> int:
    """Return 0; 2 if something given is wrong, 130 if interrupted, what is finished being kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [setting.name for setting in SETTINGS]
    parser.add_argument("--only", choices=names, help="one setting (default: all)")
    add_engine_arguments(parser, "processors")
    parser.add_argument("--quick", action="store_true", help="two seeds; the documentation is left alone")
    args = parser.parse_args()
    page = destination(PAGE, OUT / "quick" if args.quick else None)
    try:
        with chosen_engine(args, here=False) as engine:
            for setting in (each for each in SETTINGS if args.only in (None, each.name)):
                write(setting, measure(setting, SEEDS[:2] if args.quick else SEEDS, engine), page)
    except InputError as error:
        print(f"averaging: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    print(f"wrote {page}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

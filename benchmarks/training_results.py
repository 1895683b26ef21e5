"""Train every framework on real images under certified schedules, and write what it came to into `docs/results.md`.

    python -m benchmarks.training_results --mnist DIR
    python -m benchmarks.training_results --quick

DIR holds the files `t10k-images-idx3-ubyte.gz` and `t10k-labels-idx1-ubyte.gz`; without it, MNIST is left out and its
part of the page stays as it is. Learning rates are tuned for each method with the same budget, on splits of their own.
Finished trainings are kept in `out/training-results/runs` and not run again; `--quick` writes to
`out/training-results/quick` instead of the page.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean

from benchmarks.destination import destination
from benchmarks.engine_arguments import add_engine_arguments, chosen_engine
from benchmarks.training_methods import METHODS, Method, Setting, make_setup
from benchmarks.training_tables import Outcome, compare_table, method_table, picture, tuning_table
from docs_tools.marked_text import write_marked
from epsl_opt import InputError
from epsl_opt.campaigns.engines import Engine
from epsl_opt.campaigns.trainings import TrainedCase, train_cases
from epsl_opt.core.stop_request import StopRequest
from epsl_opt.report.plots.save import save_picture
from epsl_opt.solving.provenance import cpu, versions
from epsl_opt.training.run import TrainingRun
from epsl_opt.training.setup import TrainingSetup

PAGE = Path(__file__).parents[1] / "docs" / "results.md"
OUT = Path("out/training-results")
SEEDS = (0, 1, 2)
LAST = 3
"""Evaluations whose mean accuracy counts when a learning rate is chosen."""


def settings(mnist: Path | None, quick: bool) -> list[Setting]:
    """Return what is trained."""
    digits = Setting("digits", "digits", "cnn", 300, 0.90)
    early = replace(digits, name="digits-early", cut_layer="pool1")
    found = [digits, early, replace(digits, name="digits-small-batch", batch_size=16)]
    if mnist is not None:
        lenet = Setting(
            "mnist", f"mnist:root={mnist}", "lenet5", 160, 0.90, rates=(0.05, 0.1, 0.2, 0.4), tuning_seeds=(100,)
        )
        found.append(lenet)
    small = {"rounds": 20, "rates": (0.1,), "tuning_seeds": (100,)}
    return [replace(setting, **small) for setting in found[:1]] if quick else found


def learn(cases: Sequence[TrainingSetup], folder: Path, engine: Engine) -> None:
    """Train what is not there yet.

    Raises
    ------
    KeyboardInterrupt
        If the user stops it; what is finished is kept.
    RuntimeError
        If a training came to no end.
    """
    done = train_cases(cases, folder=folder, observer=Progress(), engine=engine)
    if done.failures:
        raise RuntimeError(done.failures[0])
    if done.interrupted:
        raise KeyboardInterrupt


class Progress:
    """Writes what begins or is done to standard error."""

    def start(self, label: str, rounds: int, request: StopRequest) -> None:
        """Hear that another training begins."""
        print(label, file=sys.stderr, flush=True)

    def listen(self, run: TrainingRun) -> None:
        """Hear of a round that is done."""


def trained(cases: Sequence[TrainingSetup], folder: Path) -> tuple[TrainedCase, ...]:
    """Return what finished trainings learned."""
    return train_cases(cases, folder=folder).cases


def late_accuracy(case: TrainedCase) -> float:
    """Return the mean of the last accuracies; 0 if the training diverged."""
    found = [record.test_accuracy for record in case.records if record.test_accuracy is not None]
    return 0.0 if case.row.message or len(found) < LAST else fmean(found[-LAST:])


def tune(setting: Setting, folder: Path, engine: Engine) -> dict[str, dict[float, float]]:
    """Return method -> learning rate -> mean accuracy on the splits for tuning."""
    grid = [(method, lr) for method in METHODS for lr in setting.rates]
    cases = [make_setup(setting, method, lr, seed) for method, lr in grid for seed in setting.tuning_seeds]
    learn(cases, folder, engine)
    accuracy = iter([late_accuracy(case) for case in trained(cases, folder)])
    found: dict[str, dict[float, float]] = {}
    for method, lr in grid:
        found.setdefault(method.label, {})[lr] = fmean(next(accuracy) for _ in setting.tuning_seeds)
    return found


def run(setting: Setting, seeds: Sequence[int], folder: Path, engine: Engine) -> Outcome:
    """Tune, then train every method with its learning rate on every seed."""
    tuned = tune(setting, folder, engine)
    best = {label: max(found, key=found.__getitem__) for label, found in tuned.items()}
    cases = {
        (method, seed): make_setup(setting, method, best[method.label], seed) for method in METHODS for seed in seeds
    }
    learn(list(cases.values()), folder, engine)
    done: dict[Method, list[TrainedCase]] = {}
    for (method, _), case in zip(cases, trained(list(cases.values()), folder), strict=True):
        done.setdefault(method, []).append(case)
    return Outcome(setting, tuned, best, done)


TABLES = {"": method_table, "-differences": compare_table, "-tuning": tuning_table}
CONDITIONS = "training-conditions"


def markers(chosen: Sequence[Setting]) -> list[str]:
    """Return the names of the page's generated parts, in its order."""
    return [CONDITIONS, *(f"training-{setting.name}{suffix}" for setting in chosen for suffix in TABLES)]


def parts(outcome: Outcome) -> dict[str, Callable[[], str]]:
    """Return the generated parts of one setting by the name of their markers."""
    name = outcome.setting.name
    return {f"training-{name}{suffix}": partial(table, outcome) for suffix, table in TABLES.items()}


def main() -> int:
    """Return 0; 2 if something given is wrong, 130 if interrupted, what is finished being kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, metavar="DIR", help="where the MNIST files are")
    add_engine_arguments(parser, "processors")
    parser.add_argument("--quick", action="store_true", help="a small run that leaves the documentation alone")
    args = parser.parse_args()
    seeds = SEEDS[:2] if args.quick else SEEDS
    page = destination(PAGE, OUT / "quick" if args.quick else None)
    (page.parent / "pictures").mkdir(exist_ok=True)
    try:
        with chosen_engine(args, here=False) as engine:
            for setting in settings(args.mnist, args.quick):
                outcome = run(setting, seeds, OUT / "runs", engine)
                write_marked(page, parts(outcome))
                save_picture(picture(outcome), page.parent / "pictures" / f"training-{setting.name}")
    except InputError as error:
        print(f"training_results: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    software = ", ".join(f"{name} {version}" for name, version in versions())
    made = f"`python -m benchmarks.training_results --mnist DIR`; {os.cpu_count()} processors ({cpu()}); {software}."
    write_marked(page, {CONDITIONS: lambda: made})
    print(f"wrote {page}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

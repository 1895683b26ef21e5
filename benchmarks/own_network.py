"""The paper's own network, ResNet-18, on real MNIST: what late cuts cost in accuracy, and what averaging gives back.

    python -m benchmarks.own_network --mnist DIR

DIR holds the files `t10k-images-idx3-ubyte.gz` and `t10k-labels-idx1-ubyte.gz`. Five clients of the paper's scenario
train on 8,000 of its 10,000 images. Trainings are kept in `out/own-network`, the most telling ones first, and go on
where they were stopped; the table in `docs/averaging.md` holds those that are finished (`--table`: those only).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean

from benchmarks.averaging_points import ANY_CUT, BACKEND
from benchmarks.averaging_prices import quickest
from docs_tools.marked_text import markdown_table, write_marked
from epsl_opt import InputError, Instance, Limits, ScheduleDocument, load_instance, solve
from epsl_opt.backends.pytorch.options import TorchOptions
from epsl_opt.campaigns.stored_training import StoredTraining
from epsl_opt.core.framework import Framework
from epsl_opt.training.goal import TrainingGoal
from epsl_opt.training.request import TrainingRequest
from epsl_opt.training.setup import TrainingSetup, method_name

PAGE = Path(__file__).parents[1] / "docs" / "averaging.md"
OUT = Path("out/own-network")
ROUNDS, EVALUATE_EVERY, SEEDS = 100, 10, (0, 1, 2)
CUT = "layer4.1"
"""Where a round without exchange of models is nearly the quickest: the server holds the last layer alone."""


@dataclass(frozen=True)
class Way:
    """A way to train, and its learning rate."""

    framework: Framework
    phi: float | None = None
    average_every: int | None = None
    lr: float = 0.05

    @property
    def name(self) -> str:
        """As people write it."""
        return method_name(self.framework.value, self.phi or 0.0, self.average_every)


REFERENCE = Way(Framework.SFL)
WAYS = (
    REFERENCE,
    Way(Framework.EPSL, 0.5, 5),
    Way(Framework.PSL, None, 5),
    Way(Framework.PSL),
    Way(Framework.EPSL, 0.5),
    Way(Framework.FL),
    Way(Framework.EPSL, 1.0, 5),
    Way(Framework.SL, lr=0.02),
)
ORDER = [(way, seed) for ways in (WAYS[:3], WAYS[3:]) for seed in SEEDS for way in ways]
"""What is asked first is trained first."""


def stored(way: Way, seed: int, mnist: Path) -> StoredTraining:
    """Return a training in its folder."""
    request = TrainingRequest(
        backend=BACKEND,
        options=TorchOptions(network="resnet18", lr=way.lr),
        task=f"mnist:root={mnist}",
        framework=way.framework,
        aggregation_ratio=way.phi,
        average_every=way.average_every,
        cut_layers=(CUT,),
        seed=seed,
        own_schedule=False,
        goal=TrainingGoal(ROUNDS, None, EVALUATE_EVERY),
        checkpoint_every=20,
    )
    fitted = request.fit(load_instance("paper"))
    document = ScheduleDocument.from_result(fitted.instance, solve(fitted.instance, "greedy", Limits()))
    return StoredTraining(TrainingSetup(fitted, document), OUT / f"{way.name}-lr{way.lr:g}-seed{seed}")


def accuracies(ways: Sequence[Way], mnist: Path) -> Mapping[Way, Mapping[int, Sequence[float]]]:
    """Return the accuracies of finished trainings, one every `EVALUATE_EVERY` rounds."""
    found: dict[Way, dict[int, list[float]]] = {way: {} for way in ways}
    for way in ways:
        for seed in SEEDS:
            if (result := stored(way, seed, mnist).finished()) is not None:
                tested = [record.test_accuracy for record in result.records if record.test_accuracy is not None]
                found[way][seed] = tested
    return found


def table(found: Mapping[Way, Mapping[int, Sequence[float]]]) -> str:
    """Return one line a way to train: accuracy after some rounds, and what it lacks of SplitFed's on the same seeds."""
    head = (
        "| way to train | learning rate | after 20 rounds (%) | 50 | 100 | less SplitFed's after 100 (points) | seeds |"
    )
    return markdown_table(head, "|---|--:|--:|--:|--:|--:|---|", _rows(found))


def latency_table(mnist: Path) -> str:
    """Return the certified mean round of every way to train, at the late cut and at its own quickest one."""
    fitted = BACKEND.fit(load_instance("paper"), f"mnist:root={mnist}", TorchOptions(network="resnet18"))
    head = f"| way to train | mean round, cut at {CUT} (s) | own quickest cut | mean round there (s) |"
    return markdown_table(head, "|---|--:|---|--:|", (_priced(fitted, way) for way in WAYS))


def _priced(fitted: Instance, way: Way) -> tuple[str, ...]:
    late, best = (quickest(fitted, way.framework, way.phi or 0.0, way.average_every, cut) for cut in (CUT, ANY_CUT))
    where = "-" if way.framework is Framework.FL else best.cut_layer
    return way.name, f"{late.mean_s:.4g}", where, f"{best.mean_s:.4g}"


def _rows(found: Mapping[Way, Mapping[int, Sequence[float]]]) -> Iterator[Sequence[str]]:
    reference = found[REFERENCE]
    for way, by_seed in found.items():
        if by_seed:
            curves = list(by_seed.values())
            after = (_mean([100 * curve[n // EVALUATE_EVERY - 1] for curve in curves]) for n in (20, 50, ROUNDS))
            points = [100 * (by_seed[seed][-1] - reference[seed][-1]) for seed in by_seed if seed in reference]
            lacks = f"{fmean(points):+.2f}" if points and way != REFERENCE else "-"
            yield (way.name, f"{way.lr:g}", *after, lacks, ", ".join(map(str, by_seed)))


def _mean(values: Sequence[float]) -> str:
    spread = f" [{min(values):.1f}, {max(values):.1f}]" if len(values) > 1 else ""
    return f"{fmean(values):.1f}{spread}"


def main() -> int:
    """Return 0; 2 if something given is wrong, 130 if interrupted, what is finished being kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, required=True, metavar="DIR", help="where the MNIST files are")
    parser.add_argument("--table", action="store_true", help="train nothing, write the table of what is finished")
    args = parser.parse_args()
    try:
        write_marked(PAGE, {"own-network-latency": partial(latency_table, args.mnist)})
        for way, seed in () if args.table else ORDER:
            training = stored(way, seed, args.mnist)
            print(training.label, file=sys.stderr, flush=True)
            if training.finished() is None:
                training.train()
            write_marked(PAGE, {"own-network": partial(table, accuracies(WAYS, args.mnist))})
        write_marked(PAGE, {"own-network": partial(table, accuracies(WAYS, args.mnist))})
    except InputError as error:
        print(f"own_network: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

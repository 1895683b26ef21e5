"""What the studies train: tasks, ways to train, and with how much effort."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from epsl_opt.core.framework import Framework
from epsl_opt.plugins.study import Cell, Point

SUBSAMPLE = "subsample"
"""Name of the rule in `subsampling`, which is no option of the backend."""


class Cutting(StrEnum):
    """Where a network is cut if no layer is named."""

    QUICKEST = "quickest"
    """Where the method's own round is quickest."""


@dataclass(frozen=True)
class Setting:
    """A task with a network, a partition and a cut layer, on the paper's scenario.

    Parameters
    ----------
    name
        To be called by, in points and tables.
    task, network
        As the torch backend knows them.
    target_accuracy
        What "time to the target" is about.
    cut_layer
        A layer's name, or `Cutting.QUICKEST`.
    options
        More options of the backend, such as the partition.
    """

    name: str
    task: str
    network: str
    target_accuracy: float
    cut_layer: str
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Method:
    """A way to train.

    Parameters
    ----------
    label
        To be called by, in points and tables.
    framework, phi
        EPSL's aggregation ratio is 0 for all others.
    options
        Of the backend.
    rule
        `SUBSAMPLE`, or None for what the options say.
    batch_size
        Samples a client and round; None: the scenario's.
    """

    label: str
    framework: Framework
    phi: float = 0.0
    options: tuple[tuple[str, str], ...] = ()
    rule: str | None = None
    batch_size: int | None = None


def epsl(phi: float, **options: str) -> Method:
    """Return EPSL with an aggregation ratio and options; its label says which."""
    label = ", ".join([f"EPSL({phi:g})", *options.values()])
    return Method(label, Framework.EPSL, phi, tuple(options.items()))


PSL = Method("PSL", Framework.PSL)


@dataclass(frozen=True)
class Budget:
    """Effort: rounds of each training, seeds to measure on, and seeds and learning rates to tune with before.

    Learning rates are those of `optimizer`.
    """

    rounds: int
    seeds: int
    tuning_seeds: int
    rates: tuple[float, ...]
    optimizer: str = "adam"

    def to_point(self) -> dict[str, Cell]:
        """Return it as parameters of a point, since it decides the rows."""
        rates = " ".join(f"{rate:g}" for rate in self.rates)
        counts = {"rounds": self.rounds, "seeds": self.seeds, "tuning_seeds": self.tuning_seeds}
        return {**counts, "optimizer": self.optimizer, "rates": rates}

    @classmethod
    def of_point(cls, point: Point) -> Budget:
        """Return what `to_point` wrote."""
        rounds, seeds, tuning_seeds = (int(point[key] or 0) for key in ("rounds", "seeds", "tuning_seeds"))
        rates = tuple(map(float, str(point["rates"]).split()))
        return cls(rounds, seeds, tuning_seeds, rates, str(point["optimizer"]))

    def text(self) -> str:
        """Say it in a few sentences."""
        rates = ", ".join(f"{rate:g}" for rate in self.rates)
        seeds = "1 training" if self.tuning_seeds == 1 else f"{self.tuning_seeds} trainings"
        return (
            f"{OPTIMISERS[self.optimizer]}, learning rates falling to 0 along a cosine over {self.rounds} rounds. Each "
            f"way to train has its own learning rate, tuned with the same budget: {len(self.rates)} rates ({rates}), "
            f"{seeds} each on seeds used for nothing else; the best accuracy at the end wins. Then {self.seeds} seeds, "
            "each with a scenario, split, weights and batches of its own."
        )


OPTIMISERS = {"adam": "Adam", "sgd": "SGD with momentum 0.9"}

QUICK = Budget(rounds=80, seeds=3, tuning_seeds=1, rates=(0.01, 0.03))
FULL = Budget(rounds=150, seeds=8, tuning_seeds=2, rates=(0.005, 0.01, 0.02, 0.04))
FULL_SGD = Budget(rounds=200, seeds=8, tuning_seeds=2, rates=(0.05, 0.1, 0.2, 0.4), optimizer="sgd")

SYNTHETIC = "synthetic:patterns=2,difficulty=0.3,samples=2500"


def by_name(settings: tuple[Setting, ...]) -> Mapping[str, Setting]:
    """Return settings by name."""
    return {setting.name: setting for setting in settings}

"""The interface of a training backend: it trains for real under a schedule, and leaves clock and files to the core."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from epsl_opt.core.errors import EpslOptError, InputError
from epsl_opt.core.framework import Framework
from epsl_opt.core.framework_choice import check_averaging
from epsl_opt.core.instance import Instance, ModelProfile
from epsl_opt.core.options import Options
from epsl_opt.core.schedule import Schedule

MAX_SEED = 2**64 - 1
"""The largest that random generators take."""


@dataclass(frozen=True)
class TrainingPlan:
    """What to train: `task` names the data and is the backend's to understand, like `seed`.

    Client-side models are averaged after every `average_every`-th round, by the clients' shares of the data and with
    SplitFed's traffic, if it is given.

    Raises
    ------
    InputError
        If the seed is out of its range, or models can't be averaged so (see `check_averaging`).
    """

    instance: Instance
    schedule: Schedule
    framework: Framework
    task: str
    seed: int = 0
    average_every: int | None = None

    def __post_init__(self) -> None:
        check_averaging(self.framework, self.average_every)
        if not 0 <= self.seed <= MAX_SEED:
            raise InputError("seed", "must be from 0 to 2**64 - 1, as random generators take it")

    def detached(self) -> TrainingPlan:
        """Return an equal plan that shares nothing writable with this one, for a backend to keep."""
        return replace(self, instance=self.instance.detached(), schedule=self.schedule.copy())


@dataclass(frozen=True)
class RoundOutcome:
    """What one round of training gave.

    Parameters
    ----------
    train_loss
        Mean loss of the round's samples before the update, clients weighted by their share lambda_i of the data.
    uplink_bits, downlink_bits
        Size of all tensors sent in the round, over all clients; a broadcast counts once. Labels do not count.
    """

    train_loss: float
    uplink_bits: int
    downlink_bits: int


@dataclass(frozen=True)
class Scores:
    """Quality on the test samples, the mean over the clients' models (as fractions)."""

    accuracy: float
    macro_f1: float


class DivergenceError(EpslOptError):
    """Training left the finite numbers.

    Parameters
    ----------
    stage
        The first stage of the round with a value that is not finite, e.g. `server forward`.
    """

    def __init__(self, stage: str) -> None:
        self.stage = stage
        super().__init__(f"training diverged: {stage} gave a value that is not finite")


class TrainingSession(ABC):
    """A training under way: models, optimisers, data; begins before round 1."""

    @abstractmethod
    def train_round(self) -> RoundOutcome:
        """Train one round.

        Raises
        ------
        DivergenceError
            If a value is not finite; the session is then of no more use.
        """

    @abstractmethod
    def evaluate(self) -> Scores:
        """Score the models on the test samples; changes nothing.

        Raises
        ------
        DivergenceError
            If a value is not finite.
        """

    @abstractmethod
    def save(self, metadata: str) -> bytes:
        """Return everything that decides how training goes on, and `metadata`, in a format that runs no code."""

    @abstractmethod
    def restore(self, checkpoint: bytes) -> str:
        """Go back to what `save` returned, and return its metadata.

        Raises
        ------
        InputError
            If it is damaged or of another training.
        """

    @abstractmethod
    def describe(self) -> Mapping[str, object]:
        """Return what a summary should say of data and network, ready for JSON, as one flat mapping.

        `majority_rate` must be among it: the accuracy of always answering with the most frequent test label.
        """


@dataclass(frozen=True)
class LayerTime:
    """How long a layer takes on this machine, in seconds for one batch."""

    name: str
    forward_s: float
    backward_s: float
    forward_flops: float
    backward_flops: float


@dataclass(frozen=True)
class Measurement:
    """A network timed layer by layer; FLOPs are for one batch."""

    layers: tuple[LayerTime, ...]
    batch_size: int
    peak_memory_bytes: int


TrainingOptions = Options
"""Another name of `Options`."""

TrainingOptionsT = TypeVar("TrainingOptionsT", bound=Options)


class TrainingBackend(ABC, Generic[TrainingOptionsT]):
    """A training backend: a name to be found by, one line about it, its options, and what it can do.

    Register a subclass under the entry-point group `epsl_opt.backends`.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    checkpoint_suffix: ClassVar[str]
    options_type: ClassVar[type[Options]] = Options
    averages: ClassVar[bool] = False
    """Whether its sessions heed `TrainingPlan.average_every`."""

    @abstractmethod
    def missing(self) -> str | None:
        """Return what to install before this backend can train, or None; quick, without importing it."""

    @abstractmethod
    def tasks(self) -> dict[str, str]:
        """Return the tasks by name, with one line about each."""

    def bundled_tasks(self) -> tuple[str, ...]:
        """Return the tasks that can be trained as they are, to choose from where a schedule's network says which."""
        return ()

    @abstractmethod
    def fit(self, instance: Instance, task: str, options: TrainingOptionsT, seed: int = 0) -> Instance:
        """Return the instance with the profile of the network that is going to be trained.

        The instance comes back as it is if its cut layers are cut points of that network, tensor for tensor. The seed
        is that of the training, whose data can be loaded here once and for all.

        Raises
        ------
        InputError
            If there is no such task or network, or they do not go together.
        """

    @abstractmethod
    def start(self, plan: TrainingPlan, options: TrainingOptionsT) -> TrainingSession:
        """Load the data and set the models up; equal plans and options begin equally.

        Raises
        ------
        InputError
            If anything in the plan or the options does not work.
        """

    def clock(self, framework: Framework, options: TrainingOptionsT) -> Framework:
        """Return the framework whose round latency applies; another one if an option undoes a saving."""
        return framework

    @abstractmethod
    def profile(self, network: str, input_shape: tuple[int, ...], classes: int) -> ModelProfile:
        """Count a network's costs per sample at each possible cut.

        Raises
        ------
        InputError
            If there is no such network, or it does not take such an input.
        """

    @abstractmethod
    def measure(self, network: str, input_shape: tuple[int, ...], classes: int, batch_size: int) -> Measurement:
        """Time a network on this machine.

        Raises
        ------
        InputError
            As for `profile`.
        """


AnyBackend: TypeAlias = TrainingBackend[Any]
"""A backend with whatever options it has."""

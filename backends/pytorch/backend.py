"""The `torch` backend: what the core asks of it, and PyTorch only when it is needed."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar

from pydantic import ValidationError

from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.datasets.fingerprint import Fingerprint
from epsl_opt.backends.pytorch.options import Aggregation, Linearisation, TorchOptions
from epsl_opt.core.arrays import IntArray
from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.core.instance import CutLayer, Instance, ModelProfile
from epsl_opt.plugins.backend import Measurement, TrainingBackend, TrainingPlan, TrainingSession

if TYPE_CHECKING:
    from epsl_opt.backends.pytorch.chain import Chain

REQUIRED = ("torch", "safetensors", "sklearn", "PIL")


class TorchBackend(TrainingBackend[TorchOptions]):
    """Trains with PyTorch, on the processor or a CUDA device."""

    name: ClassVar[str] = "torch"
    summary: ClassVar[str] = "real training with PyTorch, in one process"
    checkpoint_suffix: ClassVar[str] = ".safetensors"
    options_type: ClassVar[type[TorchOptions]] = TorchOptions
    averages: ClassVar[bool] = True

    def missing(self) -> str | None:
        """Say which extra to install if a package is not there."""
        absent = [package for package in REQUIRED if find_spec(package) is None]
        if not absent:
            return None
        return f'{", ".join(absent)} not installed; pip install "epsl-opt[torch]"'

    def tasks(self) -> dict[str, str]:
        """Return the data sets."""
        from epsl_opt.backends.datasets.tasks import task_names

        return task_names()

    def bundled_tasks(self) -> tuple[str, ...]:
        """Return the data sets that need no files."""
        from epsl_opt.backends.datasets.tasks import bundled_tasks

        return bundled_tasks()

    def fit(self, instance: Instance, task: str, options: TorchOptions, seed: int = 0) -> Instance:
        """Count the network's costs, unless the instance's model is that network already."""
        from epsl_opt.backends.pytorch.profiling import profile_chain

        data = _dataset(task, seed)
        counted = profile_chain(_chain(data, task, options, seed=0), data.input_shape)
        if is_cut_of(instance.model, counted):
            return instance
        try:
            return instance.replace(model=counted)
        except ValidationError as error:
            raise InputError.from_validation(f"instance {instance.name} with network {counted.name}", error) from error

    def start(self, plan: TrainingPlan, options: TorchOptions) -> TrainingSession:
        """Load the data, deal them out, and set the models up."""
        from epsl_opt.backends.pytorch.session import TorchSession

        return TorchSession(plan, options, *materials(plan, options))

    def clock(self, framework: Framework, options: TorchOptions) -> Framework:
        """EPSL that pulls gradients back at every client's own activations costs what PSL does."""
        per_client = options.linearization is Linearisation.PER_CLIENT and options.aggregation is Aggregation.MEAN
        return Framework.PSL if framework is Framework.EPSL and per_client else framework

    def profile(self, network: str, input_shape: tuple[int, ...], classes: int) -> ModelProfile:
        """Count a network's costs."""
        from epsl_opt.backends.pytorch.networks import build_chain
        from epsl_opt.backends.pytorch.profiling import profile_chain

        return profile_chain(build_chain(network, input_shape, classes, seed=0), input_shape)

    def measure(self, network: str, input_shape: tuple[int, ...], classes: int, batch_size: int) -> Measurement:
        """Time a network."""
        from epsl_opt.backends.pytorch.measuring import measure_chain
        from epsl_opt.backends.pytorch.networks import build_chain

        return measure_chain(build_chain(network, input_shape, classes, seed=0), input_shape, batch_size)


def is_cut_of(model: ModelProfile, network: ModelProfile) -> bool:
    """Return whether every cut layer of `model` is one of `network`, with the same tensors and parameters."""
    sizes = {cut.name: _sizes(cut) for cut in network.cut_layers}
    whole = model.total_parameter_bits == network.total_parameter_bits
    return whole and all(sizes.get(cut.name) == _sizes(cut) for cut in model.cut_layers)


def _sizes(cut: CutLayer) -> tuple[float, ...]:
    return cut.activation_bits, cut.gradient_bits, cut.client_parameter_bits


def materials(plan: TrainingPlan, options: TorchOptions) -> tuple[Dataset, list[IntArray], Chain]:
    """Return what a plan is trained with: data, each client's samples as indices into them, and the network.

    Raises
    ------
    InputError
        If anything in the plan or the options does not work.
    """
    from epsl_opt.backends.datasets.partition import partition

    data = _dataset(plan.task, plan.seed)
    parts = partition(
        data.train_y,
        options.partition,
        weights=plan.instance.data_share,
        seed=plan.seed,
        alpha=options.alpha,
        shards_per_client=options.shards,
    )
    return data, list(parts), _chain(data, plan.task, options, plan.seed)


def _dataset(task: str, seed: int) -> Dataset:
    """Load a data set; the last one is kept while its files stay, since a training asks for it more than once."""
    from epsl_opt.backends.datasets.tasks import task_fingerprint

    return _loaded(task, seed, task_fingerprint(task))


@lru_cache(maxsize=1)
def _loaded(task: str, seed: int, files: Fingerprint) -> Dataset:
    from epsl_opt.backends.datasets.tasks import load_task

    return load_task(task, seed)


def _chain(data: Dataset, task: str, options: TorchOptions, seed: int) -> Chain:
    from epsl_opt.backends.datasets.tasks import task_network
    from epsl_opt.backends.pytorch.networks import build_chain

    network = options.network or task_network(task) or default_network(data.input_shape)
    return build_chain(network, data.input_shape, len(data.classes), seed)


def default_network(input_shape: tuple[int, ...]) -> str:
    """Return the network for samples of a shape: LeNet-5 for what it was made for, else something small."""
    if len(input_shape) != 3:
        return "mlp"
    return "lenet5" if input_shape == (1, 28, 28) else "cnn"

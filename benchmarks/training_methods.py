"""What `training_results.py` compares: frameworks and variants, each with the cut layer and schedule it is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from epsl_opt import Instance, Limits, ScheduleDocument, load_instance
from epsl_opt.backends.pytorch import TorchBackend
from epsl_opt.backends.pytorch.options import TorchOptions
from epsl_opt.core.framework import Framework
from epsl_opt.solving.quickest_cut import solve_at_quickest_cut
from epsl_opt.training.goal import TrainingGoal
from epsl_opt.training.request import FittedInstance, TrainingRequest
from epsl_opt.training.setup import TrainingSetup

BACKEND = TorchBackend()
EVALUATE_EVERY = 10


@dataclass(frozen=True)
class Method:
    """A framework, EPSL's aggregation ratio, and options that make it a variant."""

    label: str
    framework: Framework
    phi: float = 0.0
    options: dict[str, str] = field(default_factory=dict, hash=False)

    @property
    def splits(self) -> bool:
        """Whether the network is cut at all."""
        return self.framework not in (Framework.FL, Framework.CENTRALISED)


REPRESENTATIVE = {"aggregation": "representative"}
METHODS = (
    Method("PSL", Framework.PSL),
    Method("EPSL(0.5)", Framework.EPSL, 0.5),
    Method("EPSL(1)", Framework.EPSL, 1.0),
    Method("EPSL(0.5), representative", Framework.EPSL, 0.5, REPRESENTATIVE),
    Method("EPSL(1), representative", Framework.EPSL, 1.0, REPRESENTATIVE),
    Method("SFL", Framework.SFL),
    Method("SFL-v2", Framework.SFL_V2),
    Method("SL", Framework.SL),
    Method("FL", Framework.FL),
    Method("centralised", Framework.CENTRALISED),
)


@dataclass(frozen=True)
class Setting:
    """A task with a network, on the paper's scenario.

    Parameters
    ----------
    cut_layer
        Where all methods cut; each has its own best cut layer if None.
    batch_size
        Samples a client and round; the scenario's if None.
    rates, tuning_seeds
        The learning rates tried for each method, each on every one of these splits.
    """

    name: str
    task: str
    network: str
    rounds: int
    target_accuracy: float
    cut_layer: str | None = None
    batch_size: int | None = None
    rates: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4, 0.8)
    tuning_seeds: tuple[int, ...] = (100, 101)


def make_setup(setting: Setting, method: Method, lr: float, seed: int) -> TrainingSetup:
    """Return one training, of all rounds; the target is looked up afterwards."""
    shared = {"network": setting.network, "lr": lr, "lr_schedule": "cosine", "lr_rounds": setting.rounds}
    options = TorchOptions.model_validate(shared | method.options)
    instance, document = schedule_for(setting, method.framework, method.phi)
    if document.schedule() is None:
        raise RuntimeError(f"no schedule for {setting.name}, {method.label}: {document.stop_reason}")
    request = TrainingRequest(
        backend=BACKEND,
        options=options,
        task=setting.task,
        framework=method.framework,
        seed=seed,
        goal=TrainingGoal(setting.rounds, None, EVALUATE_EVERY),
    )
    return TrainingSetup(FittedInstance(request, instance, instance), document)


@cache
def schedule_for(setting: Setting, framework: Framework, phi: float) -> tuple[Instance, ScheduleDocument]:
    """Return the paper's scenario cut where the framework's own round is quickest, and its certified schedule there.

    At each cut layer, subchannels and powers are those that make the round of (E)PSL quickest.
    """
    fitted = BACKEND.fit(load_instance("paper"), setting.task, TorchOptions(network=setting.network))
    base = fitted.with_training(aggregation_ratio=phi, batch_size=setting.batch_size)
    cut_layers = None if setting.cut_layer is None else [setting.cut_layer]
    return solve_at_quickest_cut(base, framework, Limits(time_s=30.0), cut_layers)

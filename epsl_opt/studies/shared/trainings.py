"""Trainings of the studies: each method tuned with the same budget, then measured on the same seeds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from statistics import fmean

import torch

from epsl_opt.backends.pytorch import TorchBackend
from epsl_opt.backends.pytorch.options import TorchOptions
from epsl_opt.backends.pytorch.session import TorchSession
from epsl_opt.core.instance import Instance, ModelProfile
from epsl_opt.core.results import Limits
from epsl_opt.files.documents import ScheduleDocument
from epsl_opt.files.training_document import TrainingStop
from epsl_opt.files.training_records import first_reaching
from epsl_opt.plugins.study import Cell
from epsl_opt.problems.sources import load_instance
from epsl_opt.solving.quickest_cut import solve_at_quickest_cut
from epsl_opt.studies.shared.laboratory import StudyBackend
from epsl_opt.studies.shared.scenario import paper
from epsl_opt.studies.shared.settings import SUBSAMPLE, Budget, Cutting, Method, Setting
from epsl_opt.studies.shared.subsampling import subsample
from epsl_opt.training.goal import TrainingGoal
from epsl_opt.training.request import FittedInstance, TrainingRequest
from epsl_opt.training.run import TrainingRun, train
from epsl_opt.training.setup import TrainingSetup

EVALUATE_EVERY = 5
LAST = 3
"""Evaluations at the end whose mean is called the final accuracy."""

FIRST_TUNING_SEED = 100
LIMITS = Limits(time_s=60.0, rel_gap=1e-3)
RULES = {SUBSAMPLE: subsample}


@dataclass(frozen=True)
class Training:
    """A training that ended.

    Parameters
    ----------
    run
        With its records and stage times.
    seed, lr
        It was made with.
    diverged
        Whether it left the finite numbers.
    """

    run: TrainingRun
    seed: int
    lr: float
    diverged: bool

    @property
    def session(self) -> TorchSession:
        """The training itself, at its end."""
        return _opened(self.run)

    @property
    def accuracies(self) -> list[tuple[int, float]]:
        """Round and test accuracy of every evaluation."""
        return [(r.round, r.test_accuracy) for r in self.run.records if r.test_accuracy is not None]

    @property
    def final_accuracy(self) -> float:
        """Mean of the last evaluations; that of constant answers if the training diverged."""
        if self.diverged:
            return self.session.data.majority_rate
        return fmean(accuracy for _, accuracy in self.accuracies[-LAST:])

    def row(self, target_accuracy: float) -> dict[str, Cell]:
        """Return it as a row of a table."""
        latency_s, plan = self.run.stages.round_latency_s, self.run.plan
        reached = first_reaching(self.run.records, target_accuracy)
        return {
            "seed": self.seed,
            "lr": self.lr,
            "cut_layer": plan.instance.model.cut_layers[plan.schedule.cut_layer].name,
            "round_latency_s": latency_s,
            "final_accuracy": self.final_accuracy,
            "target_accuracy": target_accuracy,
            "rounds_to_target": None if reached is None else reached.round,
            "time_to_target_s": None if reached is None else reached.round * latency_s,
            "total_time_s": latency_s * len(self.run.records),
            "diverged": int(self.diverged),
        }


def tuned(setting: Setting, method: Method, budget: Budget) -> Iterator[Training]:
    """Choose the learning rate, then yield one training per seed with it."""
    lr = choose_rate(setting, method, budget)
    for seed in range(budget.seeds):
        yield learn(setting, method, lr, budget, seed)


def choose_rate(setting: Setting, method: Method, budget: Budget) -> float:
    """Return the rate with the best mean final accuracy on the tuning seeds, the smallest of equals."""
    seeds = range(FIRST_TUNING_SEED, FIRST_TUNING_SEED + budget.tuning_seeds)

    def quality(lr: float) -> float:
        return fmean(learn(setting, method, lr, budget, seed).final_accuracy for seed in seeds)

    return budget.rates[0] if len(budget.rates) == 1 else max(budget.rates, key=quality)


def learn(setting: Setting, method: Method, lr: float, budget: Budget, seed: int) -> Training:
    """Train once; the seed decides the scenario, too."""
    run = begin(setting, method, lr, budget, seed)
    stop = train(run)
    if stop is TrainingStop.INTERRUPTED:
        raise KeyboardInterrupt
    return Training(run, seed, lr, stop is TrainingStop.DIVERGED)


def open_session(setting: Setting, method: Method, lr: float, budget: Budget, seed: int) -> TorchSession:
    """Return a session before its first round, to be trained and looked into."""
    return _opened(begin(setting, method, lr, budget, seed))


def _opened(run: TrainingRun) -> TorchSession:
    if not isinstance(run.session, TorchSession):
        raise TypeError("the training is not of the studies")
    return run.session


def begin(setting: Setting, method: Method, lr: float, budget: Budget, seed: int) -> TrainingRun:
    """Return a training before its first round, on one thread."""
    torch.set_num_threads(1)
    schedule = {"optimizer": budget.optimizer, "lr": lr, "lr_schedule": "cosine", "lr_rounds": budget.rounds}
    given = {"network": setting.network, **dict(setting.options), **dict(method.options), **schedule}
    instance, document = schedule_for(setting, method, seed)
    if document.schedule() is None:
        raise RuntimeError(f"no schedule for {setting.name}, {method.label}, seed {seed}: {document.stop_reason}")
    request = TrainingRequest(
        backend=StudyBackend(None if method.rule is None else RULES[method.rule]),
        options=TorchOptions.model_validate(given),
        task=setting.task,
        framework=method.framework,
        seed=seed,
        goal=TrainingGoal(budget.rounds, None, EVALUATE_EVERY),
    )
    return TrainingRun(TrainingSetup(FittedInstance(request, instance, instance), document))


@cache
def schedule_for(setting: Setting, method: Method, seed: int) -> tuple[Instance, ScheduleDocument]:
    """Return a draw of the paper's scenario with the setting's network, and a schedule certified for (E)PSL there.

    The cut layer is the setting's, or that at which the method's own round is quickest.
    """
    base = fitted(setting.task, setting.network, seed)
    base = base.with_training(aggregation_ratio=method.phi, batch_size=method.batch_size)
    cut_layers = None if setting.cut_layer == Cutting.QUICKEST else [setting.cut_layer]
    clock = TorchBackend().clock(method.framework, TorchOptions.model_validate(dict(method.options)))
    return solve_at_quickest_cut(base, clock, LIMITS, cut_layers)


def fitted(task: str, network: str, seed: int) -> Instance:
    """Return a draw of the paper's scenario with the profile of a network."""
    return load_instance(paper(seed=seed)).replace(model=_profile(task, network))


@cache
def _profile(task: str, network: str) -> ModelProfile:
    return TorchBackend().fit(load_instance("paper"), task, TorchOptions(network=network)).model

"""Activation functions and what is averaged: the error of the aggregated gradient, and what it does to learning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import ClassVar

from epsl_opt.plugins.study import Finding, Picture, Point, Row, Section, StudySize
from epsl_opt.studies.activation.convergence import (
    Compared,
    activation_findings,
    averaging_findings,
    convergence_table,
    loss_picture,
)
from epsl_opt.studies.activation.gradients import (
    RELU,
    activation_picture,
    gradient_findings,
    gradient_table,
    ways_picture,
)
from epsl_opt.studies.activation.methods import EVERY_ACTIVATION, METHODS, RATIOS, averaging, cost_table, equal_batch
from epsl_opt.studies.shared.rows import select, whole
from epsl_opt.studies.shared.settings import FULL, PSL, QUICK, Budget, Setting, epsl
from epsl_opt.studies.shared.training_study import TrainingStudy

ACTIVATIONS = ("relu", "leaky-relu", "gelu", "silu", "tanh", "sigmoid", "identity")
NETWORKS = {"mlp": ("mlp:depth=3,activation={}", "fc1"), "cnn": ("cnn:activation={}", "pool1")}
TARGET = 0.90


@dataclass(frozen=True)
class _Effort:
    """What is run at a size; gradients are compared on so many batches, before training and after `PSL_ROUNDS`."""

    networks: tuple[str, ...]
    ratios: tuple[float, ...]
    budget: Budget
    batches: int


EFFORTS = {
    StudySize.QUICK: _Effort(("mlp",), (1.0,), QUICK, 16),
    StudySize.FULL: _Effort(tuple(NETWORKS), RATIOS, replace(FULL, rates=(0.005, 0.01, 0.03)), 16),
}
PSL_ROUNDS, PSL_RATE = 40, 0.01


class ActivationStudy(TrainingStudy):
    """Gradients and trainings with seven activation functions, and with everything that could be averaged."""

    name: ClassVar[str] = "activation"
    title: ClassVar[str] = "Activation functions, and what is averaged"
    question: ClassVar[str] = (
        "How near is the aggregated gradient to the exact one, depending on the activation function; does that "
        "decide how well EPSL learns; and is the paper's averaging worth it over plain subsampling at the same cost?"
    )

    def points(self, size: StudySize) -> Sequence[Point]:
        """Return gradients per network, activation and seed, and trainings per network, activation and method."""
        return [*_gradient_points(EFFORTS[size]), *_training_points(EFFORTS[size])]

    def run(self, point: Point) -> Sequence[Row]:
        """Return the errors of a session's gradients, or one row per trained seed."""
        from epsl_opt.studies.shared.trainings import tuned

        setting = _setting(str(point["network"]), str(point["activation"]))
        if point["part"] == "gradient":
            return list(_gradient_rows(setting, whole(point, "batches"), whole(point, "seed")))
        method = METHODS[str(point["method"])]
        return [found.row(TARGET) for found in tuned(setting, method, Budget.of_point(point))]

    def conclude(self, rows: Sequence[Row], size: StudySize) -> Section:
        """Judge gradients and trainings apart, then whether one explains the other."""
        effort = EFFORTS[size]
        gradients, trained = (select(rows, part=part) for part in ("gradient", "training"))
        tables = (gradient_table(gradients), convergence_table(trained), cost_table(effort.ratios))
        return Section(
            setting=_telling(effort),
            findings=list(_findings(rows, gradients, effort)),
            pictures=list(_pictures(gradients, trained, effort)),
            tables=[table for table in tables if table.rows],
            limits=[
                self.chance_limit,
                "One task, small networks; at phi = 1 everything is aggregated, which the paper does not recommend.",
                "An activation function changes what PSL itself reaches, too; losses are to PSL with the same "
                "activation.",
                "The learning rate makes up for a gradient that is merely too short or too long, but Adam, used here, "
                "hides that from all methods alike.",
                "Subsampling at equal server cost would let clients send less, too, if they knew beforehand which rows "
                "are used; PSL on smaller batches does.",
            ],
        )


def _gradient_points(effort: _Effort) -> Iterator[Point]:
    for network, activation, seed in product(effort.networks, ACTIVATIONS, range(effort.budget.seeds)):
        which = {"part": "gradient", "network": network, "activation": activation}
        yield {**which, "batches": effort.batches, "seed": seed}


def _training_points(effort: _Effort) -> Iterator[Point]:
    averaged = [method.label for phi in effort.ratios for method in averaging(phi).values()]
    for network, activation in product(effort.networks, ACTIVATIONS):
        for method in dict.fromkeys([*EVERY_ACTIVATION, *(averaged if activation == RELU else [])]):
            which = {"part": "training", "network": network, "activation": activation, "method": method}
            yield {**which, **effort.budget.to_point()}


def _setting(network: str, activation: str) -> Setting:
    spec, cut = NETWORKS[network]
    return Setting(f"{network}, {activation}", "digits", spec.format(activation), TARGET, cut)


def _gradient_rows(setting: Setting, batches: int, seed: int) -> Iterator[Row]:
    from epsl_opt.studies.activation.gradient_error import compare_ways
    from epsl_opt.studies.shared.trainings import open_session

    session = open_session(setting, PSL, PSL_RATE, Budget(2 * PSL_ROUNDS, 1, 0, (PSL_RATE,)), seed)
    for stage, rounds in (("at initialisation", 0), ("after training", PSL_ROUNDS)):
        for _ in range(rounds):
            session.train_round()
        accuracy = session.evaluate().accuracy
        for row in compare_ways(session, rounds, batches, seed):
            yield {"stage": stage, "accuracy": accuracy, **row}


def _findings(rows: Sequence[Row], gradients: Sequence[Row], effort: _Effort) -> Iterator[Finding]:
    for network in effort.networks:
        if gradients:
            yield from gradient_findings(gradients, network)
        yield from activation_findings(rows, network, ACTIVATIONS)
        for phi in effort.ratios:
            yield from averaging_findings(rows, network, phi, equal_batch(phi))


def _pictures(gradients: Sequence[Row], trained: Sequence[Row], effort: _Effort) -> Iterator[Picture]:
    seeds = effort.budget.seeds
    if gradients:
        yield activation_picture(gradients, seeds)
        yield ways_picture(gradients, seeds)
    if trained:
        shared = f"on the same {seeds} seeds: means and 95 % confidence intervals. Left of 0 is better than PSL."
        by_activation = [Compared(phi, name, name, epsl(phi).label) for phi in RATIOS for name in ACTIVATIONS]
        yield loss_picture(trained, "loss-activation", by_activation, f"Accuracy lost by EPSL against PSL {shared}")
        by_way = [Compared(p, what, RELU, method.label) for p in RATIOS for what, method in averaging(p).items()]
        caption = f"Accuracy lost by each thing to average (ReLU) {shared}"
        yield loss_picture(trained, "loss-averaging", by_way, caption)


def _telling(effort: _Effort) -> list[str]:
    return [
        "Digits, 5 clients with 64 samples each a round, IID. mlp: three hidden layers, the client holds the first; "
        "cnn: two convolutions, the client holds the first with its pool. The activation function is the same "
        "everywhere.",
        f"Gradients: all positions aggregated (phi = 1), against PSL's gradient of the same {effort.batches} batches "
        f"and weights; at initialisation and after {PSL_ROUNDS} rounds of PSL (Adam, {PSL_RATE:g}); "
        f"{effort.budget.seeds} seeds.",
        f"Trainings: {effort.budget.text()}",
        "Subsampling: at each aggregated position the row of one client, drawn by its share, is backpropagated, and "
        "the others get nothing. PSL on smaller batches backpropagates as many rows at the server, too. The table "
        "of costs has the rows of each stage.",
    ]

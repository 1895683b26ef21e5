"""Accuracy and latency against the aggregation ratio phi."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from epsl_opt.core.results import Limits
from epsl_opt.plugins.study import Point, Row, Section, StudySize
from epsl_opt.problems.sources import load_instance
from epsl_opt.solving.solve import solve
from epsl_opt.studies.phi.effects import LATENCY_ONLY, draw, effects_of, findings
from epsl_opt.studies.shared.rows import number, whole
from epsl_opt.studies.shared.scenario import paper
from epsl_opt.studies.shared.settings import FULL, FULL_SGD, QUICK, SYNTHETIC, Budget, Cutting, Setting, by_name, epsl
from epsl_opt.studies.shared.training_study import TrainingStudy

SGD = "digits, cnn, SGD"
SETTINGS = by_name(
    (
        Setting("digits, cnn", "digits", "cnn", 0.90, "pool1"),
        Setting("digits, mlp", "digits", "mlp", 0.90, "fc1"),
        Setting("synthetic, cnn", SYNTHETIC, "cnn", 0.80, "pool1"),
        Setting("synthetic, mlp", SYNTHETIC, "mlp", 0.75, "fc1"),
        Setting("digits, cnn, quickest cut", "digits", "cnn", 0.90, Cutting.QUICKEST),
        Setting(SGD, "digits", "cnn", 0.90, "pool1"),
    )
)
BUDGETS = {
    StudySize.QUICK: dict.fromkeys(tuple(SETTINGS)[:4], QUICK),
    StudySize.FULL: dict.fromkeys(SETTINGS, FULL) | {SGD: FULL_SGD},
}
RATIOS = {
    StudySize.QUICK: (0.0, 0.5, 1.0),
    StudySize.FULL: tuple(tenth / 10 for tenth in range(11)),
}
SEEDS = {StudySize.QUICK: QUICK.seeds, StudySize.FULL: FULL.seeds}
DRAWS = {StudySize.QUICK: 6, StudySize.FULL: 12}
"""Of the scenario with the paper's own network, which is not trained."""
LIMITS = Limits(time_s=60.0, rel_gap=1e-3)


class PhiStudy(TrainingStudy):
    """EPSL for every tenth of phi, on two tasks and two networks."""

    name: ClassVar[str] = "phi"
    title: ClassVar[str] = "The aggregation ratio: accuracy and latency against phi"
    question: ClassVar[str] = (
        "What does aggregating a larger part phi of the last layer's gradients cost in accuracy, what does it save in "
        "each round, and is the model good sooner?"
    )

    def points(self, size: StudySize) -> Sequence[Point]:
        """Return one point per setting and ratio; the last are the latencies of the paper's own network."""
        budgets, ratios = BUDGETS[size], RATIOS[size]
        trained: list[Point] = [
            {"setting": name, "phi": phi, **budget.to_point()} for name, budget in budgets.items() for phi in ratios
        ]
        timed: list[Point] = [{"setting": LATENCY_ONLY, "phi": phi, "seeds": DRAWS[size]} for phi in ratios]
        return [*trained, *timed]

    def run(self, point: Point) -> Sequence[Row]:
        """Return one row per seed."""
        from epsl_opt.studies.shared.trainings import tuned

        name, phi = str(point["setting"]), number(point, "phi")
        if name == LATENCY_ONLY:
            return [_latency(phi, seed) for seed in range(whole(point, "seeds"))]
        setting = SETTINGS[name]
        return [found.row(setting.target_accuracy) for found in tuned(setting, epsl(phi), Budget.of_point(point))]

    def conclude(self, rows: Sequence[Row], size: StudySize) -> Section:
        """Compare every ratio with phi = 0 on the same seeds."""
        effects, budgets = effects_of(rows), BUDGETS[size]
        targets = ", ".join(f"{name} {100 * SETTINGS[name].target_accuracy:g} %" for name in budgets)
        return Section(
            setting=[
                "The paper's scenario (5 clients, 20 subchannels, 64 samples a client and round, IID), its network "
                "replaced by the one that is trained; schedules are certified optimal within 0.1 % for each phi.",
                "The cut layer is pool1 of the small convolutional network (cnn) and fc1 of the perceptron (mlp, two "
                "hidden layers), unless it says that of the quickest round.",
                *dict.fromkeys(f"{_users(budgets, budget)}: {budget.text()}" for budget in budgets.values()),
                "Accuracy at the end is the mean of the last three evaluations (every 5 rounds), and always the mean "
                f"over the clients' models. Times to the target are simulated. Targets: {targets}.",
                "Differences and ratios are to phi = 0, which is PSL, on the same seeds, with 95 % confidence "
                f"intervals. Latencies of the paper's own network, ResNet-18, are of {DRAWS[size]} draws.",
            ],
            findings=list(findings(effects)),
            pictures=[draw(effects, SEEDS[size], DRAWS[size])] if effects else [],
            limits=[
                self.rates_limit,
                "Small networks on two small tasks: whether large ones behave alike can't be concluded.",
                "A training that never reached its target counts with the time of all its rounds, which makes the "
                "ratio a bound; no verdict rests on a bound that flatters it.",
                "Each finding has its own 95 % interval; with this many findings one or two may be wrong by chance.",
            ],
        )


def _latency(phi: float, seed: int) -> Row:
    instance = load_instance(paper(seed=seed, aggregation_ratio=f"{phi:g}"))
    return {"seed": seed, "round_latency_s": solve(instance, "exact", LIMITS).latency_s}


def _users(budgets: Mapping[str, Budget], budget: Budget) -> str:
    """Say which settings have a budget."""
    users = [name for name, used in budgets.items() if used == budget]
    return "All trainings" if len(users) == len(budgets) else "; ".join(users)

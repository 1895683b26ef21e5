"""EPSL against parallel, SplitFed and vanilla split learning and federated averaging."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from epsl_opt.plugins.study import Picture, Point, Row, Section, StudySize
from epsl_opt.studies.frameworks.curves import curve_rows, draw_curves
from epsl_opt.studies.frameworks.findings import METHODS, findings, method_table, pair_table, pairs_of
from epsl_opt.studies.shared.settings import FULL, PSL, QUICK, SYNTHETIC, Budget, Cutting, Setting, by_name
from epsl_opt.studies.shared.training_study import TrainingStudy

NON_IID = (("partition", "dirichlet"), ("alpha", "0.3"))
QUICKEST = "own quickest cut"
SETTINGS = by_name(
    (
        Setting("digits, IID", "digits", "cnn", 0.90, "pool1"),
        Setting("digits, non-IID", "digits", "cnn", 0.60, "pool1", NON_IID),
        Setting("synthetic, IID", SYNTHETIC, "cnn", 0.80, "pool1"),
        Setting("synthetic, non-IID", SYNTHETIC, "cnn", 0.50, "pool1", NON_IID),
        Setting(f"digits, IID, {QUICKEST}", "digits", "cnn", 0.90, Cutting.QUICKEST),
        Setting(f"digits, non-IID, {QUICKEST}", "digits", "cnn", 0.60, Cutting.QUICKEST, NON_IID),
    )
)
SHOWN = {StudySize.QUICK: tuple(SETTINGS)[:2], StudySize.FULL: tuple(SETTINGS)}
BUDGETS = {StudySize.QUICK: QUICK, StudySize.FULL: FULL}


class FrameworksStudy(TrainingStudy):
    """Each framework with its own tuned learning rate, on clients with equal and with different classes."""

    name: ClassVar[str] = "frameworks"
    title: ClassVar[str] = "Frameworks: accuracy over rounds and over simulated time"
    question: ClassVar[str] = (
        "Does EPSL reach the accuracy of PSL, SplitFed (SFL), vanilla split learning (SL) and federated averaging (FL) "
        "in less simulated time, with IID and with non-IID data?"
    )

    def points(self, size: StudySize) -> Sequence[Point]:
        """Return one point per setting and framework."""
        budget = BUDGETS[size].to_point()
        return [{"setting": name, "method": label, **budget} for name in SHOWN[size] for label in METHODS]

    def run(self, point: Point) -> Sequence[Row]:
        """Return a row per training, and one per evaluation."""
        from epsl_opt.studies.shared.trainings import tuned

        setting, method = SETTINGS[str(point["setting"])], METHODS[str(point["method"])]
        rows: list[Row] = []
        for found in tuned(setting, method, Budget.of_point(point)):
            rows.append({"kind": "training", **found.row(setting.target_accuracy)})
            seed = found.seed
            rows += [{"kind": "evaluation", "seed": seed, "round": r, "accuracy": a} for r, a in found.accuracies]
        return rows

    def conclude(self, rows: Sequence[Row], size: StudySize) -> Section:
        """Compare EPSL with the others on the same seeds."""
        budget, names = BUDGETS[size], SHOWN[size]
        pairs = pairs_of(rows, names)
        targets = ", ".join(f"{name} {100 * SETTINGS[name].target_accuracy:g} %" for name in names)
        curves = curve_rows(rows, names, list(METHODS), PSL.label)
        return Section(
            setting=[
                "The paper's scenario (5 clients, 20 subchannels, 64 samples a client and round), its network "
                "replaced by a small convolutional one. IID: every client has samples of all classes; non-IID: each "
                "class is dealt out by a Dirichlet distribution with alpha = 0.3, so that clients differ in classes "
                "and in size.",
                "All cut after pool1, or, where it says so, where the framework's own round is quickest on the "
                "draw. Schedules are certified within 0.1 % for (E)PSL at that cut layer; SL and FL use what they "
                "can of them.",
                budget.text(),
                "Accuracy at the end is the mean of the last three evaluations (every 5 rounds), over the clients' "
                f"models. Targets: {targets}.",
            ],
            findings=list(findings(pairs)),
            pictures=list(_pictures(curves, budget.seeds)),
            tables=[table for table in (pair_table(pairs), method_table(rows, names)) if table.rows],
            limits=[
                "A round of SL updates the server-side model five times, once a client; a round of the others once. So "
                "rounds are not equal work, and simulated time is the fairer axis.",
                self.rates_limit,
                "FL here averages after every batch, as the paper's comparison does; with more local steps a round it "
                "would send its models less often.",
                "Small networks on two small tasks; whether large ones behave alike can't be concluded. In a small "
                "network the client-side model weighs little, which favours SFL.",
                self.chance_limit,
                "A ratio of times in which a training never reached the target is a bound; no verdict rests on a bound "
                "that flatters it.",
            ],
        )


def _pictures(curves: Sequence[Row], seeds: int) -> Iterator[Picture]:
    """Yield a picture a task, and one for the cuts of each framework's own."""
    parts: dict[str, list[Row]] = {}
    for row in curves:
        setting = str(row["setting"])
        part = "quickest-cut" if setting.endswith(QUICKEST) else setting.split(",", maxsplit=1)[0]
        parts.setdefault(part, []).append(row)
    for part, of_part in parts.items():
        yield draw_curves(of_part, list(METHODS), seeds, f"curves-{part}")

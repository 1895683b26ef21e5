"""EPSL against parallel, SplitFed and vanilla split learning and federated averaging."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from epsl_opt.core.framework import Framework
from epsl_opt.plugins.study import Cell, Finding, Picture, Point, Row, Section, StudySize, Table, Verdict
from epsl_opt.report.intervals import judge_at_least
from epsl_opt.report.study_files import columns_of
from epsl_opt.studies.frameworks.curves import curve_rows, draw_curves
from epsl_opt.studies.shared.judging import points
from epsl_opt.studies.shared.rows import NOTHING, columns
from epsl_opt.studies.shared.settings import (
    FULL,
    PSL,
    QUICK,
    SYNTHETIC,
    Budget,
    Cutting,
    Method,
    Setting,
    by_name,
    epsl,
)  # fmt: skip
from epsl_opt.studies.shared.trained import Versus, summary, trained
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

HALF, WHOLE = epsl(0.5), epsl(1.0)
SPLIT = (PSL, Method("SFL", Framework.SFL), Method("SL", Framework.SL))
FL = Method("FL", Framework.FL)
METHODS = {method.label: method for method in (HALF, WHOLE, *SPLIT, FL)}


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
        pairs, methods = _pairs(rows, names), list(_method_rows(rows, names))
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
            findings=list(_findings(pairs)),
            pictures=list(_pictures(curves, budget.seeds)),
            tables=[
                *([_pair_table(pairs)] if pairs else []),
                Table("methods", "Each framework's own numbers.", METHOD_COLUMNS, methods),
            ],
            limits=[
                "A round of SL updates the server-side model five times, once a client; a round of the others once. So "
                "rounds are not equal work, and simulated time is the fairer axis.",
                "Learning rates are tuned for the accuracy at the end, not for the time to the target; one that is the "
                "largest or the smallest of those tried may not be the best. Tables have them.",
                "FL here averages after every batch, as the paper's comparison does; with more local steps a round it "
                "would send its models less often.",
                "Small networks on two small tasks; whether large ones behave alike can't be concluded. In a small "
                "network the client-side model weighs little, which favours SFL.",
                "Each finding has its own 95 % interval; with this many findings some may be wrong by chance.",
                "A ratio of times in which a training never reached the target is a bound; no verdict rests on a bound "
                "that flatters it.",
            ],
        )


@dataclass(frozen=True)
class Pair:
    """EPSL against another framework in a setting, on the same seeds."""

    setting: str
    method: str
    other: str
    found: Versus

    def row(self) -> dict[str, Cell]:
        """Return it as a row."""
        latency, away = self.found.latency, self.found.speed_up
        return {
            "setting": self.setting,
            "method": self.method,
            "other": self.other,
            "seeds": latency.n,
            **columns(latency, "latency_ratio", "latency"),
            **columns(self.found.difference, "accuracy_difference", "difference"),
            "similar_accuracy": self.found.similar.value,
            **columns(away.ratio or NOTHING, "time_ratio", "time"),
            "not_reached": away.mine_missing + away.neither,
            "other_not_reached": away.theirs_missing + away.neither,
            "sooner": away.verdict().value,
        }


def _pairs(rows: Sequence[Row], settings: Sequence[str]) -> list[Pair]:
    """Return EPSL against every other framework, where they ran on the same seeds."""
    found = []
    for setting in settings:
        of = {label: trained(rows, kind="training", setting=setting, method=label) for label in METHODS}
        for mine in (HALF.label, WHOLE.label):
            others = (method.label for method in (*SPLIT, FL))
            found += [Pair(setting, mine, other, Versus.on_common_seeds(of[mine], of[other])) for other in others]
    return [pair for pair in found if pair.found.mine]


def _pair_table(pairs: Sequence[Pair]) -> Table:
    caption = (
        "EPSL against the others on the same seeds. Ratios are the other's over EPSL's: above 1, EPSL's round is "
        "shorter, or it reaches the target sooner. A ratio with trainings that did not reach it is a bound."
    )
    rows = [pair.row() for pair in pairs]
    return Table("pairs", caption, columns_of(rows), rows)


METHOD_COLUMNS = (
    *("setting", "method", "seeds", "accuracy", "accuracy_low", "accuracy_high", "rounds_to_target", "reached"),
    *("round_latency_s", "cut_layers", "learning_rate", "diverged"),
)


def _method_rows(rows: Sequence[Row], settings: Sequence[str]) -> Iterator[Row]:
    for setting in settings:
        for method in METHODS:
            if found := trained(rows, kind="training", setting=setting, method=method):
                cells = {"setting": setting, "method": method} | summary(found)
                yield {column: cells[column] for column in METHOD_COLUMNS}


def _findings(pairs: Sequence[Pair]) -> Iterator[Finding]:
    """Judge EPSL(0.5), the paper's choice, against all split frameworks at once, and against FL."""
    for setting in dict.fromkeys(pair.setting for pair in pairs):
        mine = [pair for pair in pairs if (pair.setting, pair.method) == (setting, HALF.label)]
        split = {pair.other: pair.found for pair in mine if pair.other != FL.label}
        who = f"{HALF.label} {{}} PSL, SFL and SL ({setting})"
        latency = {other: found.latency for other, found in split.items()}
        shorter = {other: (judge_at_least(ratio, 1.0), ratio.text()) for other, ratio in latency.items()}
        similar = {other: (found.similar, points(found.difference)) for other, found in split.items()}
        yield _joint(who.format("has a shorter round than"), shorter)
        yield _joint(who.format("gets within a point of the accuracy of"), similar)
        yield _joint(who.format("reaches the target sooner than"), _sooner(split))
        federated = {pair.other: pair.found for pair in mine if pair.other == FL.label}
        yield _joint(f"{HALF.label} reaches the target sooner than FL ({setting})", _sooner(federated))


def _sooner(against: Mapping[str, Versus]) -> dict[str, tuple[Verdict, str]]:
    return {
        other: (found.speed_up.verdict(), f"its time over EPSL's {found.speed_up.text()}")
        for other, found in against.items()
    }


def _joint(claim: str, judged: Mapping[str, tuple[Verdict, str]]) -> Finding:
    """Return a claim about several frameworks: it holds if it holds against each, and fails if it fails against one."""
    verdicts = {verdict for verdict, _ in judged.values()}
    joint = Verdict.FAILS if Verdict.FAILS in verdicts else Verdict.OPEN
    joint = Verdict.HOLDS if verdicts == {Verdict.HOLDS} else joint
    return Finding(claim, joint, "; ".join(f"{other}: {told}" for other, (_, told) in judged.items()) or "no runs")


def _pictures(curves: Sequence[Row], seeds: int) -> Iterator[Picture]:
    """Yield a picture a task, and one for the cuts of each framework's own."""
    parts: dict[str, list[Row]] = {}
    for row in curves:
        setting = str(row["setting"])
        part = "quickest-cut" if setting.endswith(QUICKEST) else setting.split(",", maxsplit=1)[0]
        parts.setdefault(part, []).append(row)
    for part, of_part in parts.items():
        yield draw_curves(of_part, list(METHODS), seeds, f"curves-{part}")

"""EPSL against parallel, SplitFed and vanilla split learning and federated averaging."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from epsl_opt.core.framework import Framework
from epsl_opt.plugins.study import Finding, Picture, Point, Row, Section, StudySize, Table, Verdict
from epsl_opt.studies.frameworks.curves import Curve, curves, draw_curves
from epsl_opt.studies.frameworks.pairs import METHOD_COLUMNS, Pair, compare, method_rows, pair_table
from epsl_opt.studies.shared.judging import points
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
)
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

    def run(self, point: Point) -> Sequence[dict[str, Any]]:
        """Return a row per training, and one per evaluation."""
        from epsl_opt.studies.shared.trainings import tuned

        setting, method = SETTINGS[str(point["setting"])], METHODS[str(point["method"])]
        rows: list[dict[str, Any]] = []
        for found in tuned(setting, method, Budget.of_point(point)):
            rows.append({"kind": "training", **found.row(setting.target_accuracy)})
            seed = found.seed
            rows += [{"kind": "evaluation", "seed": seed, "round": r, "accuracy": a} for r, a in found.accuracies]
        return rows

    def conclude(self, rows: Sequence[Row], size: StudySize) -> Section:
        """Compare EPSL with the others on the same seeds."""
        budget, names = BUDGETS[size], SHOWN[size]
        pairs = [pair for name in names for mine in (HALF, WHOLE) for pair in _pairs(rows, name, mine)]
        targets = ", ".join(f"{name} {100 * SETTINGS[name].target_accuracy:g} %" for name in names)
        drawn = curves(rows, names, list(METHODS), PSL.label)
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
            pictures=[_picture(drawn, part, budget.seeds) for part in _parts(drawn)],
            tables=[
                *([pair_table(pairs)] if pairs else []),
                Table(
                    "methods",
                    "Each framework's own numbers.",
                    METHOD_COLUMNS,
                    list(method_rows(rows, names, list(METHODS))),
                ),
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


def _pairs(rows: Sequence[Row], setting: str, mine: Method) -> Iterator[Pair]:
    for other in (*SPLIT, FL):
        pair = compare(rows, setting, mine.label, other.label)
        if pair is not None:
            yield pair


def _findings(pairs: Sequence[Pair]) -> Iterator[Finding]:
    """Judge EPSL(0.5), the paper's choice, against all split frameworks at once, and against FL."""
    for setting in dict.fromkeys(pair.setting for pair in pairs):
        of_setting = [pair for pair in pairs if (pair.setting, pair.method) == (setting, HALF.label)]
        split = [pair for pair in of_setting if pair.other != FL.label]
        who = f"{HALF.label} {{}} PSL, SFL and SL ({setting})"
        yield _joint(
            who.format("has a shorter round than"), split, lambda pair: pair.shorter, lambda pair: pair.latency.text()
        )
        yield _joint(
            who.format("gets within a point of the accuracy of"),
            split,
            lambda pair: pair.similar,
            lambda pair: points(pair.difference),
        )
        yield _joint(who.format("reaches the target sooner than"), split, lambda pair: pair.sooner, _times)
        federated = [pair for pair in of_setting if pair.other == FL.label]
        yield _joint(
            f"{HALF.label} reaches the target sooner than FL ({setting})", federated, lambda pair: pair.sooner, _times
        )


def _joint(
    claim: str, pairs: Sequence[Pair], verdict: Callable[[Pair], Verdict], evidence: Callable[[Pair], str]
) -> Finding:
    """Return a claim about several frameworks: it holds if it holds against each, and fails if it fails against one."""
    verdicts = {verdict(pair) for pair in pairs}
    joint = Verdict.FAILS if Verdict.FAILS in verdicts else Verdict.OPEN
    joint = Verdict.HOLDS if verdicts == {Verdict.HOLDS} else joint
    return Finding(claim, joint, "; ".join(f"{pair.other}: {evidence(pair)}" for pair in pairs) or "no runs")


def _times(pair: Pair) -> str:
    return f"its time over EPSL's {pair.speed_up.text()}"


def _parts(drawn: Sequence[Curve]) -> list[str]:
    """Return the names of the pictures: one a task, and one for the cuts of each framework's own."""
    return list(dict.fromkeys(_part(curve.setting) for curve in drawn))


def _part(setting: str) -> str:
    return "quickest-cut" if setting.endswith(QUICKEST) else setting.split(",", maxsplit=1)[0]


def _picture(drawn: Sequence[Curve], part: str, seeds: int) -> Picture:
    return draw_curves(
        [curve for curve in drawn if _part(curve.setting) == part], list(METHODS), seeds, f"curves-{part}"
    )

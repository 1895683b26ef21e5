"""EPSL against each other framework on the same seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from epsl_opt.core.framework import Framework
from epsl_opt.plugins.study import Cell, Finding, Row, Table, Verdict
from epsl_opt.report.intervals import judge_at_least
from epsl_opt.studies.shared.rows import NOTHING, columns
from epsl_opt.studies.shared.settings import PSL, Method, epsl
from epsl_opt.studies.shared.trained import Versus, summary, trained

HALF, WHOLE = epsl(0.5), epsl(1.0)
SPLIT = (PSL, Method("SFL", Framework.SFL), Method("SL", Framework.SL))
FL = Method("FL", Framework.FL)
METHODS = {method.label: method for method in (HALF, WHOLE, *SPLIT, FL)}


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


def pairs_of(rows: Sequence[Row], settings: Sequence[str]) -> list[Pair]:
    """Return EPSL against every other framework, where they ran on the same seeds."""
    found = []
    for setting in settings:
        of = {label: trained(rows, kind="training", setting=setting, method=label) for label in METHODS}
        for mine in (HALF.label, WHOLE.label):
            others = (method.label for method in (*SPLIT, FL))
            found += [Pair(setting, mine, other, Versus.on_common_seeds(of[mine], of[other])) for other in others]
    return [pair for pair in found if pair.found.mine]


def pair_table(pairs: Sequence[Pair]) -> Table:
    """Return all pairs as a table."""
    caption = (
        "EPSL against the others on the same seeds. Ratios are the other's over EPSL's: above 1, EPSL's round is "
        "shorter, or it reaches the target sooner. A ratio with trainings that did not reach it is a bound."
    )
    rows = [pair.row() for pair in pairs]
    return Table.of("pairs", caption, rows)


METHOD_COLUMNS = (
    *("setting", "method", "seeds", "accuracy", "accuracy_low", "accuracy_high", "rounds_to_target", "reached"),
    *("round_latency_s", "cut_layers", "learning_rate", "diverged"),
)


def method_table(rows: Sequence[Row], settings: Sequence[str]) -> Table:
    """Return each framework's own numbers."""
    cells = [
        {"setting": setting, "method": method, **summary(found)}
        for setting in settings
        for method in METHODS
        if (found := trained(rows, kind="training", setting=setting, method=method))
    ]
    shown = [{column: row[column] for column in METHOD_COLUMNS} for row in cells]
    return Table("methods", "Each framework's own numbers.", METHOD_COLUMNS, shown)


def findings(pairs: Sequence[Pair]) -> Iterator[Finding]:
    """Judge EPSL(0.5), the paper's choice, against all split frameworks at once, and against FL."""
    for setting in dict.fromkeys(pair.setting for pair in pairs):
        mine = [pair for pair in pairs if (pair.setting, pair.method) == (setting, HALF.label)]
        split = {pair.other: pair.found for pair in mine if pair.other != FL.label}
        who = f"{HALF.label} {{}} PSL, SFL and SL ({setting})"
        latency = {other: found.latency for other, found in split.items()}
        shorter = {other: (judge_at_least(ratio, 1.0), ratio.text()) for other, ratio in latency.items()}
        similar = {other: (found.similar, found.difference.points()) for other, found in split.items()}
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

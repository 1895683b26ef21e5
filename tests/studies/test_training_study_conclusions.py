"""What the studies that train conclude from made-up rows."""

from __future__ import annotations

from typing import Any

from epsl_opt.plugins.study import Row, Section, StudySize, Verdict
from epsl_opt.studies.activation import study as activation
from epsl_opt.studies.activation.study import METHODS, ActivationStudy
from epsl_opt.studies.cut_layer.study import CutLayerStudy
from epsl_opt.studies.frameworks.study import FrameworksStudy
from epsl_opt.studies.phi.study import PhiStudy


def trained(accuracy: float, rounds: int | None, seed: int, latency_s: float = 1.0) -> dict[str, Any]:
    """Return a made-up row of a training, a little different for each seed."""
    jitter = 1 + 0.001 * seed
    return {
        "seed": seed,
        "lr": 0.01,
        "cut_layer": "pool1",
        "round_latency_s": latency_s * (1 + seed),
        "final_accuracy": accuracy * jitter,
        "target_accuracy": 0.9,
        "rounds_to_target": rounds,
        "time_to_target_s": None if rounds is None else rounds * latency_s * (1 + seed) * jitter,
        "total_time_s": 100 * latency_s * (1 + seed),
        "diverged": 0,
    }


def verdicts(section: Section, fragment: str) -> list[Verdict]:
    """Return the verdicts of the findings whose claims hold a text; there must be some."""
    found = [finding.verdict for finding in section.findings if fragment in finding.claim]
    assert found, fragment
    return found


def complete(section: Section) -> None:
    """Every row of every table has its columns, no more, no less."""
    for table in [*section.tables, *(picture.numbers for picture in section.pictures)]:
        assert table.rows
        assert all(set(row) == set(table.columns) for row in table.rows), table.name


def phi_rows(accuracy: float, rounds: int | None, latency_s: float) -> list[Row]:
    """Return phi = 0, and 0.5 and 1 that come to this."""
    of = {0.0: (0.9, 40, 1.0), 0.5: (accuracy, rounds, latency_s), 1.0: (accuracy, rounds, latency_s)}
    return [{"setting": "digits, cnn", "phi": p, **trained(*of[p][:2], s, of[p][2])} for p in of for s in range(4)]


def test_phi_is_judged_both_ways() -> None:
    """Similar accuracy, sooner and shorter rounds hold where rows say so, and fail where they say the opposite."""
    good = PhiStudy().conclude(phi_rows(0.91, 30, 0.8), StudySize.QUICK)
    bad = PhiStudy().conclude(phi_rows(0.5, 60, 1.2), StudySize.QUICK)
    for claim in ("within a point of PSL's accuracy", "reaches the target in less", "shortens the round"):
        assert set(verdicts(good, claim)) == {Verdict.HOLDS}
        assert set(verdicts(bad, claim)) == {Verdict.FAILS}
    assert verdicts(good, "which phi reaches") == [Verdict.OBSERVED]
    complete(good)


def test_phi_that_never_gets_there_is_no_winner() -> None:
    """A ratio that never reached the target is not called quicker, however short its rounds."""
    section = PhiStudy().conclude(phi_rows(0.91, None, 0.01), StudySize.QUICK)
    assert Verdict.HOLDS not in verdicts(section, "reaches the target in less")
    (soonest,) = [found for found in section.findings if found.claim.startswith("which phi")]
    assert soonest.evidence.startswith("phi = 0;")


def framework_rows(accuracy: float, rounds: int, latency_s: float) -> list[Row]:
    """Return EPSL that comes to this, and all others with 0.9 after 40 rounds."""
    rows: list[Row] = []
    for method in ("EPSL(0.5)", "EPSL(1)", "PSL", "SFL", "SL", "FL"):
        of = (accuracy, rounds, latency_s) if method.startswith("EPSL") else (0.9, 40, 1.0)
        key = {"setting": "digits, IID", "method": method}
        for seed in range(3):
            rows.append({"kind": "training", **key, **trained(*of[:2], seed, of[2])})
            rows += [
                {"kind": "evaluation", **key, "seed": seed, "round": r, "accuracy": of[0] - 0.1 / r} for r in (5, 10)
            ]
    return rows


def test_frameworks_are_judged_both_ways() -> None:
    """EPSL wins or loses against all split frameworks and FL as the rows say; one loss is enough to fail."""
    good = FrameworksStudy().conclude(framework_rows(0.91, 20, 0.9), StudySize.QUICK)
    bad = FrameworksStudy().conclude(framework_rows(0.8, 90, 1.1), StudySize.QUICK)
    for claim in ("has a shorter round", "within a point", "reaches the target sooner"):
        assert set(verdicts(good, claim)) == {Verdict.HOLDS}
        assert set(verdicts(bad, claim)) == {Verdict.FAILS}
    complete(good)
    rows = framework_rows(0.91, 20, 0.9)
    lost = [
        row | {"final_accuracy": 0.99} if (row["method"], row["kind"]) == ("SL", "training") else row for row in rows
    ]
    mixed = FrameworksStudy().conclude(lost, StudySize.QUICK)
    assert verdicts(mixed, "within a point") == [Verdict.FAILS]


def activation_rows(mean: float, other: float) -> list[Row]:
    """Return trainings in which the paper's mean reaches one accuracy, and everything else another."""
    rows: list[Row] = []
    for name in activation.ACTIVATIONS:
        labels = METHODS if name == "relu" else activation.EVERY_ACTIVATION
        for label in labels:
            key = {"part": "training", "network": "mlp", "activation": name, "method": label}
            accuracy = (
                0.95 if label == "PSL" else mean if label in ("EPSL(0.5)", "EPSL(1)") and name == "relu" else other
            )
            rows += [{**key, **trained(accuracy, 10, seed)} for seed in range(3)]
    return rows


def gradient_rows(cosines: dict[tuple[str, str], float]) -> list[Row]:
    """Return gradients with the cosines of (activation, way); 0.5 for all others."""
    rows: list[Row] = []
    for name in activation.ACTIVATIONS:
        for stage in ("at initialisation", "after training"):
            for way in ("mean", "mean, layer-wise", "mean, per-client", "mean, label", "representative", "subsampling"):
                for place in ("fc2", "server-side model", "gradient at the cut", "client-side models"):
                    key = {"part": "gradient", "network": "mlp", "activation": name, "stage": stage, "way": way}
                    for seed in range(3):
                        cosine = cosines.get((name, way), 0.5) + 1e-5 * seed * (1 + seed * len(name))
                        numbers = {"cosine": cosine, "cosine_of_means": cosine, "norm_ratio": 1, "relative_error": 0.1}
                        rows.append({**key, "place": place, "seed": seed, **numbers})
    return rows


def test_averaging_is_judged_both_ways() -> None:
    """Averaging is worth it, and activations are better than ReLU, where rows say so, and not where they do not."""
    study = ActivationStudy()
    good = study.conclude(activation_rows(0.94, 0.8) + gradient_rows({("relu", "mean"): 0.9}), StudySize.QUICK)
    poor_mean = gradient_rows({("relu", "mean"): 0.1, ("identity", "mean"): 0.995})
    bad = study.conclude(activation_rows(0.7, 0.9) + poor_mean, StudySize.QUICK)
    for claim in (
        "learns better than plain subsampling",
        "learns better than PSL on batches",
        "better than that of subs",
    ):
        assert set(verdicts(good, claim)) == {Verdict.HOLDS}
        assert set(verdicts(bad, claim)) == {Verdict.FAILS}
    for claim in ("representative aggregation learns better", "with tanh than with ReLU", "identity gives a better"):
        assert set(verdicts(good, claim)) == {Verdict.FAILS}
        assert set(verdicts(bad, claim)) == {Verdict.HOLDS}
    assert set(verdicts(good, "in a linear network")) == {Verdict.FAILS}
    assert set(verdicts(bad, "in a linear network")) == {Verdict.HOLDS}
    complete(good)


def test_costs_are_those_of_the_rounds() -> None:
    """The table of costs has m + C (b - m) rows for what aggregates, and all of them for PSL and per-client."""
    (table,) = [t for t in ActivationStudy().conclude([], StudySize.FULL).tables if t.name == "costs"]
    backward = {str(row["method"]): row["server_backward"] for row in table.rows}
    assert backward["PSL"] == backward["EPSL(0.5), per-client"] == 5 * 64
    assert backward["EPSL(0.5)"] == backward["subsampling(0.5)"] == 32 + 5 * 32
    assert backward["EPSL(1), representative"] == 64
    assert backward["PSL, b = 12"] == 60


def cut_rows(best: int, *, kept: bool, leak_falls: bool, learns_early: bool) -> list[Row]:
    """Return latencies that are least at `best` with little bandwidth, and at the first cut with much, and so on."""
    names, rows = ("a", "b", "c"), list[Row]()
    for seed in range(3):
        for bandwidth, server in ((1e6, 5e9), (10e6, 5e9), (100e6, 5e9), (10e6, 1e9), (10e6, 25e9)):
            quickest = best if (bandwidth, server) in ((1e6, 5e9), (10e6, 1e9)) else 0
            where = {
                "part": "latency",
                "channel": "auto",
                "bandwidth_hz": bandwidth,
                "server_cycles_per_s": server,
                "seed": seed,
            }
            rows += [
                {**where, "cut": j, "cut_layer": name, "latency_s": (1 + seed) * (1.0 if j == quickest else 2.0 + j)}
                for j, name in enumerate(names)
            ]
        for j, name in enumerate(names):
            chosen = j if kept else 0
            limit = {
                "part": "min-cut",
                "channel": "auto",
                "seed": seed,
                "min_cut": j,
                "min_cut_layer": name,
                "cut": chosen,
            }
            rows.append({**limit, "chosen": names[chosen], "latency_s": 1.0 + j + 0.1 * seed})
            leak = 0.9 - 0.3 * j if leak_falls else 0.2 + 0.3 * j
            accuracy = 0.9 - 0.1 * j if learns_early else 0.6 + 0.1 * j
            key = {"part": "learning", "setting": "digits, cnn", "method": "PSL"}
            found = {"leakage": leak + 0.01 * seed, "initial_leakage": leak + 0.02 * seed}
            rows.append({**key, **trained(accuracy, 10, seed), **found, "cut_layer": name})
    return rows


def test_cut_layers_are_judged_both_ways() -> None:
    """It is said where the optimum moves, limits are kept, later cuts leak less, early ones learn better; else not."""
    study = CutLayerStudy()
    good = study.conclude(cut_rows(2, kept=True, leak_falls=True, learns_early=True), StudySize.QUICK)
    bad = study.conclude(cut_rows(0, kept=False, leak_falls=False, learns_early=False), StudySize.QUICK)
    for claim in ("more bandwidth", "faster server", "is kept by", "gives less away", "learns better"):
        assert set(verdicts(good, claim)) == {Verdict.HOLDS}
        assert set(verdicts(bad, claim)) == {Verdict.FAILS}
    assert verdicts(good, "what has to be weighed") == [Verdict.OBSERVED]
    complete(good)

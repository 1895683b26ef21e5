"""Rows of trainings: what a way to train came to, and one way against another."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epsl_opt.plugins.study import Table, Verdict
from epsl_opt.studies.shared.trained import Versus, summary, trained

ACCURACIES = st.dictionaries(st.integers(0, 9), st.floats(0.1, 0.9), min_size=1, max_size=6)


def rows_of(accuracies: dict[int, float], method: str, latency_s: float = 1.0) -> list[dict[str, Any]]:
    """Return a row per seed; seeds of odd number never reach the target."""
    return [
        {"method": method, "seed": seed, "final_accuracy": accuracy, "round_latency_s": latency_s * (1 + seed),
         "rounds_to_target": rounds, "time_to_target_s": rounds and rounds * latency_s, "total_time_s": 100 * latency_s,
         "lr": 0.01, "cut_layer": "fc1", "diverged": seed % 2}
        for seed, accuracy in accuracies.items()
        for rounds in [None if seed % 2 else 10 + seed]
    ]  # fmt: skip


@given(mine=ACCURACIES, theirs=ACCURACIES)
def test_ways_to_train_are_compared_on_the_seeds_of_both(mine: dict[int, float], theirs: dict[int, float]) -> None:
    """Differences, ratios and speed-ups are those of the seeds that ran both ways, and swapping turns them round."""
    table = rows_of(mine, "a", 2.0) + rows_of(theirs, "b", 3.0)
    a, b = (trained(table, method=method) for method in "ab")
    found, swapped = Versus.on_common_seeds(a, b), Versus.on_common_seeds(b, a)
    common = sorted(mine.keys() & theirs.keys())
    assert list(found.mine) == list(found.theirs) == common
    assert found.difference.n == found.latency.n == len(common)
    if not common:
        assert found.similar is Verdict.OPEN
        return
    assert found.difference.mean == pytest.approx(sum(mine[s] - theirs[s] for s in common) / len(common), abs=1e-9)
    assert found.difference.mean == pytest.approx(-swapped.difference.mean)
    assert found.latency.mean == pytest.approx(1.5)
    assert swapped.latency.mean == pytest.approx(1 / 1.5)
    there = [seed for seed in common if seed % 2 == 0]
    assert found.speed_up.neither == len(common) - len(there)
    assert (found.speed_up.ratio is None) is (not there)


@given(accuracies=ACCURACIES)
def test_a_summary_counts_every_seed_once(accuracies: dict[int, float]) -> None:
    """Accuracy and latency are means over all seeds, rounds over those that reached the target."""
    found = summary(trained(rows_of(accuracies, "a"), method="a"))
    there = [10 + seed for seed in accuracies if seed % 2 == 0]
    assert found["seeds"] == len(accuracies)
    assert found["accuracy"] == pytest.approx(sum(accuracies.values()) / len(accuracies))
    assert (found["reached"], found["diverged"]) == (len(there), len(accuracies) - len(there))
    assert found["rounds_to_target"] == (pytest.approx(sum(there) / len(there)) if there else None)


def test_a_table_has_all_columns_of_its_rows() -> None:
    """Columns come in the order in which the rows first have them, whatever a row lacks."""
    assert Table.of("x", "", [{"a": 1}, {"b": 2, "a": 3}, {}]).columns == ("a", "b")

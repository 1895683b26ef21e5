"""The phases of a round are the round, whatever the framework."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import ROUNDS, instances, instances_of_any_round

from epsl_opt import ScheduleDocument
from epsl_opt.core.framework import Framework
from epsl_opt.core.framework_choice import choose_framework
from epsl_opt.core.frameworks import instance_round
from epsl_opt.files.breakdown import Breakdown
from epsl_opt.problems.sources import load_instance
from epsl_opt.report.plots.gantt import plot_gantt
from epsl_opt.solving.solve import solve


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_phases_follow_each_other_and_add_up_to_the_latency(data: st.DataObject) -> None:
    """Every phase begins where the one before ends, and the last ends when the round does."""
    instance = data.draw(instances_of_any_round())
    document = ScheduleDocument.from_result(instance, solve(instance, "greedy"))
    if document.schedule() is None:
        return
    breakdown = Breakdown(document)
    ends = [0.0, *(phase.end_s for phase in breakdown.phases)]
    assert [phase.start_s for phase in breakdown.phases] == pytest.approx(ends[:-1])
    assert ends[-1] == pytest.approx(document.latency_s)
    assert len(breakdown.clients) == instance.n_clients


@settings(max_examples=6, deadline=None)
@given(instances(max_clients=3, max_subchannels=5, max_cut_layers=2), st.sampled_from(ROUNDS), st.sampled_from(ROUNDS))
def test_no_schedule_for_another_framework_is_better(drawn, own, other) -> None:  # type: ignore[no-untyped-def]
    """What `exact` proves for a framework's own round is at most that round's latency under any other's schedule."""
    mine, theirs = drawn.with_training(**own), drawn.with_training(**other)
    best, foreign = solve(mine, "exact"), solve(theirs, "exact")
    if best.latency_s is None or foreign.schedule is None:
        return
    there = instance_round(mine, foreign.schedule).round_latency_s
    assert best.bound_s is not None
    assert best.bound_s <= there * (1 + 1e-9)
    assert best.latency_s <= there * (1 + 1.01e-4)


@pytest.mark.parametrize("framework", list(Framework))
def test_every_round_can_be_drawn(framework: Framework) -> None:
    """The Gantt chart of any framework's round ends with the round."""
    instance = choose_framework(load_instance("paper:clients=3,subchannels=5"), framework)
    document = ScheduleDocument.from_result(instance, solve(instance, "greedy"))
    axes = plot_gantt(Breakdown(document)).axes[0]
    assert axes.get_xlim()[1] == pytest.approx(document.latency_s)

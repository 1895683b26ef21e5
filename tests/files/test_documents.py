"""Schedule files hold the schedule, and every claim they make is checked."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from strategies import instances_with_schedules, schedule_document, small_instance

from epsl_opt import InputError, Instance, Schedule, ScheduleDocument, check
from epsl_opt.core.json_record import parse_record
from epsl_opt.core.json_text import format_json
from epsl_opt.files.documents import check_document


@given(instances_with_schedules())
def test_a_schedule_file_holds_the_schedule(case: tuple[Instance, Schedule]) -> None:
    """The decision read from a schedule file is the one written, feasible, and all its claims check out."""
    instance, schedule = case
    document = schedule_document(instance, schedule)
    again = document.schedule()
    assert again is not None
    assert again.cut_layer == schedule.cut_layer
    assert again.subchannel_client.tolist() == schedule.subchannel_client.tolist()
    assert again.subchannel_power_w.tolist() == schedule.subchannel_power_w.tolist()
    assert check(instance, again) == []
    assert check_document(instance, document) == []


CLAIMS = ["latency_s", "batch_size", "aggregation_ratio", "stages.uplink_s", "stages.broadcast_s", "rates.downlink_bps"]


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_false_claim_of_a_schedule_file_is_named(claim: str) -> None:
    """A number that does not follow from the schedule is reported under its own name."""
    instance = small_instance()
    document = json.loads(format_json(schedule_document(instance, Schedule(0, [0, 1, 0], [1, 1, 0.2])).to_document()))
    node, _, field = claim.rpartition(".")
    owner = document[node] if node else document
    value = owner[field]
    owner[field] = (
        [entry * 1.01 for entry in value] if isinstance(value, list) else value + 1 if value >= 1 else value / 2
    )
    found = check_document(instance, parse_record(ScheduleDocument, document, "memory"))
    assert found
    assert all(violation.entity.startswith(claim) for violation in found)


@given(instances_with_schedules())
def test_false_bounds_and_gaps_of_a_schedule_file_are_named(case: tuple[Instance, Schedule]) -> None:
    """A bound above the latency, or a gap that does not follow from the bound, is reported."""
    document = schedule_document(*case)
    latency = document.latency_s
    assert latency is not None
    honest = document.model_copy(update={"bound_s": latency / 2, "gap": 0.5})
    assert check_document(case[0], honest) == []
    flattered = document.model_copy(update={"bound_s": latency / 2, "gap": 0.4})
    assert [v.entity for v in check_document(case[0], flattered)] == ["gap"]
    missing = document.model_copy(update={"bound_s": latency / 2})
    assert [v.entity for v in check_document(case[0], missing)] == ["gap"]
    impossible = document.model_copy(update={"bound_s": latency * 2, "gap": 0.0})
    assert [v.entity for v in check_document(case[0], impossible)] == ["bound_s"]


@given(instances_with_schedules())
def test_false_names_of_a_schedule_file_are_named(case: tuple[Instance, Schedule]) -> None:
    """A name that is not the one that digest or index stand for is reported, although no number depends on it."""
    instance, document = case[0], schedule_document(*case)
    assert document.cut_layer is not None
    for part in ("instance", "cut_layer"):
        renamed = getattr(document, part).model_copy(update={"name": "another"})
        found = check_document(instance, document.model_copy(update={part: renamed}))
        assert [violation.entity.partition(" ")[0] for violation in found] == [f"{part}.name"]


@given(instances_with_schedules())
def test_a_proof_in_a_schedule_file_needs_its_gap(case: tuple[Instance, Schedule]) -> None:
    """Optimality claimed in a file is reported unless the file's own gap proves it; a gap asked for likewise."""
    instance, document = case[0], schedule_document(*case)
    assert document.latency_s is not None
    half = {"bound_s": document.latency_s / 2, "gap": 0.5}
    whole = {"bound_s": document.latency_s, "gap": 0.0}
    asked = {"provenance": document.provenance | {"rel_gap": 0.01}}
    for stop_reason in ("optimal_proved", "gap_reached"):
        claim = {"stop_reason": stop_reason} | asked
        assert check_document(instance, document.model_copy(update=claim | whole)) == []
        for numbers in ({}, half):
            found = check_document(instance, document.model_copy(update=claim | numbers))
            assert [violation.entity for violation in found] == [stop_reason]


def test_impossible_pairs_are_no_schedule_file() -> None:
    """A file whose stop reason contradicts its status is refused when it is read, by both words."""
    instance = small_instance()
    document = json.loads(format_json(schedule_document(instance, Schedule(0, [0, 1, 0], [1, 1, 0.2])).to_document()))
    for stop_reason in ("infeasible_proved", "unsupported"):
        with pytest.raises(InputError, match=f"{stop_reason} with status verified"):
            parse_record(ScheduleDocument, document | {"stop_reason": stop_reason}, "memory")

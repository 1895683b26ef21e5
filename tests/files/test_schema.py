"""The published JSON Schemas are current, and agree with what is read."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from draws import examples
from hypothesis import event, given
from hypothesis import strategies as st
from strategies import instances, instances_with_schedules, schedule_document
from training_toys import toy_setup

from epsl_opt import InputError, Instance, Schedule, ScheduleDocument
from epsl_opt.core.framework import Framework
from epsl_opt.core.json_record import parse_record
from epsl_opt.core.json_text import format_json
from epsl_opt.core.record import Record
from epsl_opt.core.round_timing import RoundTiming
from epsl_opt.core.stage_times import StageTimes
from epsl_opt.files.plan_document import PlanDocument
from epsl_opt.files.schema import KINDS, SchemaKind, json_schema, schema_path
from epsl_opt.files.training_document import TrainingDocument
from epsl_opt.planning.drafting import Asked, draft_plan
from epsl_opt.planning.latency import PointLatency
from epsl_opt.planning.point import Point
from epsl_opt.planning.spread import RoundsInterval, Spread
from epsl_opt.planning.standing import Pilot, Standing
from epsl_opt.planning.verdict import Verdict
from epsl_opt.plugins.backend import TrainingPlan
from epsl_opt.training.goal import TrainingGoal
from epsl_opt.training.run import TrainingRun, train
from epsl_opt.training.summary import summarise_training

RECORDS: dict[SchemaKind, type[Any]] = {
    "instance": Instance,
    "schedule": ScheduleDocument,
    "training": TrainingDocument,
    "plan": PlanDocument,
}
VALIDATORS = {kind: jsonschema.Draft202012Validator(json_schema(kind)) for kind in KINDS}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just("x" * 201),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


def record_of(kind: SchemaKind, instance: Instance, schedule: Schedule) -> Record:
    """Return a record of a format about an instance and a schedule."""
    document = schedule_document(instance, schedule)
    if kind == "training":
        plan = TrainingPlan(instance, schedule, Framework.EPSL, "plane")
        training = TrainingRun(toy_setup(plan, document, goal=TrainingGoal(3, 0.5, 2)))
        return summarise_training(training, train(training))
    if kind == "plan":
        return plan_of(instance, document)
    return instance if kind == "instance" else document


def plan_of(instance: Instance, document: ScheduleDocument) -> PlanDocument:
    """Return a plan whose rounds to target are given, on an instance."""
    point = Point(Framework.PSL, 0.0, instance.model.cut_layers[0].name, 2, 3, 0.1)
    latency = PointLatency(instance, document, RoundTiming(StageTimes(uplink_s=1.5), 3, 0.5), 1.0, 1.2)
    standing = Standing(point, latency, {0: Pilot(5, 5, best_accuracy=0.9)}, RoundsInterval(3.0, 9.0, 5.0))
    return draft_plan(Verdict.of([standing], Spread()), Asked(instance, None, (0,), None))


@st.composite
def tampered(draw: st.DrawFn) -> tuple[SchemaKind, dict[str, Any]]:
    """A valid document of any kind with one part of it replaced, removed or added."""
    instance, schedule = draw(instances_with_schedules())
    kind: SchemaKind = draw(st.sampled_from(KINDS))
    record = record_of(kind, instance, schedule)
    document: dict[str, Any] = json.loads(format_json(record.to_document()))
    node: Any = document
    while True:
        keys = list(node) if isinstance(node, dict) else range(len(node))
        key = draw(st.sampled_from(keys))
        if not (isinstance(node[key], dict | list) and node[key]) or draw(st.booleans()):
            break
        node = node[key]
    if draw(st.integers(0, 4)) == 0:
        del node[key]
    elif isinstance(node, dict) and draw(st.integers(0, 4)) == 0:
        node[draw(st.text(max_size=3))] = draw(json_values)
    else:
        node[key] = draw(json_values | st.integers(1, 3) | st.floats(0, 1))
    return kind, document


@pytest.mark.parametrize("kind", KINDS)
def test_committed_schemas_are_current(kind: SchemaKind) -> None:
    """The schema files in the package are what `python -m epsl_opt.files.schema` would write."""
    assert schema_path(kind).read_text(encoding="utf-8") == format_json(json_schema(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_schemas_are_schemas(kind: SchemaKind) -> None:
    """Each is a valid schema of the dialect it names, has an id and a title, and demands format and version."""
    schema = json_schema(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$schema"]
    assert schema["$id"] == f"urn:epsl-opt:{kind}:1"
    assert schema["title"] == f"epsl-opt {kind}, version 1"
    assert {"format", "version"} <= set(schema["required"])


@given(instances_with_schedules())
def test_what_is_written_is_valid(case: tuple[Instance, Schedule]) -> None:
    """Files of every format validate under their schemas."""
    instance, schedule = case
    for kind in KINDS:
        VALIDATORS[kind].validate(json.loads(format_json(record_of(kind, instance, schedule).to_document())))


@given(tampered())
def test_what_is_read_is_valid(case: tuple[SchemaKind, dict[str, Any]]) -> None:
    """A tampered document is refused with an InputError, or it is valid under the schema and can be written again."""
    kind, document = case
    try:
        record = parse_record(RECORDS[kind], document, "tampered.json")
    except InputError as refusal:
        message = str(refusal)
        event("refused")
    else:
        event("read")
        VALIDATORS[kind].validate(document)
        message = "tampered.json: "
        again = json.loads(format_json(record.to_document()).encode())
        assert parse_record(RECORDS[kind], again, "again.json") == record
    assert message.startswith("tampered.json: ")
    assert len(message.splitlines()) == 1


BROKEN: list[tuple[str, Any]] = [
    ("clients", []),
    ("version", 2),
    ("format", "epsl-opt/schedule"),
    ("name", ""),
    ("surprise", 1),
    ("training", {"batch_size": 0, "aggregation_ratio": 0.5}),
    ("training", {"batch_size": 8, "aggregation_ratio": 1.5}),
    ("subchannels", {"bandwidth_hz": [0], "center_frequency_hz": [1]}),
    ("channel", {"uplink_gain": [[-1]], "downlink_gain": [[1]], "noise_psd_w_per_hz": 1}),
]


@pytest.mark.parametrize(("field", "value"), BROKEN, ids=str)
@examples(5)
@given(instance=instances())
def test_broken_instances_are_invalid(instance: Instance, field: str, value: Any) -> None:
    """What is wrong in one place only is invalid under the schema, and refused by the reader."""
    document = instance.to_document() | {field: value}
    assert not VALIDATORS["instance"].is_valid(document)
    with pytest.raises(InputError):
        parse_record(Instance, document, "broken.json")


@pytest.mark.parametrize("kind", KINDS)
@examples(8)
@given(case=instances_with_schedules())
def test_every_required_field_is_required(kind: SchemaKind, case: tuple[Instance, Schedule]) -> None:
    """Leaving out any field that the schema requires is refused by schema and reader, which names the field."""
    document = record_of(kind, *case).to_document()
    for field in json_schema(kind)["required"]:
        rest = {key: value for key, value in document.items() if key != field}
        assert not VALIDATORS[kind].is_valid(rest)
        with pytest.raises(InputError, match=f"x.json: {field}: missing field"):
            parse_record(RECORDS[kind], rest, "x.json")

"""A training in a few numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from epsl_opt.core.frameworks import instance_round
from epsl_opt.files.documents import InstanceReference, cut_reference
from epsl_opt.files.training_document import ScheduleReference, TrainingDocument, TrainingStop
from epsl_opt.files.training_records import RoundRecord, first_reaching
from epsl_opt.solving.provenance import versions
from epsl_opt.training.run import TrainingRun


@dataclass(frozen=True)
class LearningScore:
    """What records say of a training, whatever the clock; None where no round was evaluated."""

    rounds_to_target: int | None
    final_accuracy: float | None
    best_accuracy: float | None
    final_macro_f1: float | None
    best_macro_f1: float | None
    uplink_bits: int
    downlink_bits: int


def score(records: Sequence[RoundRecord], target_accuracy: float | None) -> LearningScore:
    """Return what these rounds came to."""
    reached = None if target_accuracy is None else first_reaching(records, target_accuracy)
    accuracy = [record.test_accuracy for record in records if record.test_accuracy is not None]
    macro_f1 = [record.macro_f1 for record in records if record.macro_f1 is not None]
    return LearningScore(
        rounds_to_target=None if reached is None else reached.round,
        final_accuracy=accuracy[-1] if accuracy else None,
        best_accuracy=max(accuracy, default=None),
        final_macro_f1=macro_f1[-1] if macro_f1 else None,
        best_macro_f1=max(macro_f1, default=None),
        uplink_bits=sum(record.uplink_bits for record in records),
        downlink_bits=sum(record.downlink_bits for record in records),
    )


def summarise_training(run: TrainingRun, stop: TrainingStop) -> TrainingDocument:
    """Return the summary document of a run that stopped for this reason."""
    plan, goal, asked = run.plan, run.setup.request.goal, run.setup.reference
    found = score(run.records, goal.target_accuracy)
    reached = found.rounds_to_target
    return TrainingDocument(
        instance=InstanceReference(name=plan.instance.name, sha256=plan.instance.sha256),
        batch_size=asked.batch_size,
        aggregation_ratio=asked.aggregation_ratio,
        schedule=_schedule_reference(run),
        framework=asked.framework,
        clock=run.setup.clock,
        round_latency_s=run.stages.round_latency_s,
        task=asked.task,
        seed=asked.seed,
        backend=asked.backend,
        options=asked.options,
        description=dict(run.session.describe()),
        evaluate_every=goal.evaluate_every,
        rounds=len(run.records),
        stop_reason=stop,
        divergence=run.divergence,
        target_accuracy=goal.target_accuracy,
        time_to_target_s=None if reached is None else run.timing.simulated_time_s(reached),
        simulated_time_s=run.simulated_time_s,
        real_time_s=run.real_time_s,
        versions=dict(versions()),
        average_every=asked.average_every,
        model_exchange_s=None if asked.average_every is None else run.stages.model_exchange_s,
        **asdict(found),
    )


def _schedule_reference(run: TrainingRun) -> ScheduleReference:
    schedule = run.plan.schedule
    return ScheduleReference(
        sha256=run.setup.reference.schedule_sha256,
        solver=run.setup.document.solver,
        cut_layer=cut_reference(run.plan.instance, schedule.cut_layer),
        latency_s=instance_round(run.plan.instance, schedule).round_latency_s,
    )

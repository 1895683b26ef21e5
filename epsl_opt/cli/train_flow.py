"""The way of `epsl-opt train`: instance, schedule, training, and what to say at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epsl_opt.cli.exits import ExitCode, exit_code
from epsl_opt.cli.progress import live, live_progress
from epsl_opt.cli.redirect import stdout_to_stderr
from epsl_opt.cli.talk import complain, note, warn
from epsl_opt.cli.training_progress import TrainingLine
from epsl_opt.core.cut_limits import limit_cuts
from epsl_opt.core.defaults import DEFAULT_SOLVER
from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.core.instance import Instance
from epsl_opt.core.outcome import SolutionStatus, StopReason
from epsl_opt.core.results import Limits
from epsl_opt.core.stop_request import deferred_interrupt
from epsl_opt.files.documents import ScheduleDocument, check_document
from epsl_opt.files.folder_lock import locked
from epsl_opt.files.json_files import read_schedule, source_name
from epsl_opt.files.training_document import TrainingDocument, TrainingStop
from epsl_opt.plugins.backend import TrainingBackend, TrainingOptions, TrainingPlan
from epsl_opt.problems.sources import load_instance
from epsl_opt.solving.solve import solve
from epsl_opt.training.files import open_training, run_training
from epsl_opt.training.folder import FolderState, TrainingFolder
from epsl_opt.training.run import TrainingGoal, TrainingRun
from epsl_opt.training.setup import (
    instance_for,
    parse_training_options,
    ready_backend,
    refuse_foreign_schedule,
    training_plan,
)

Printer = Callable[[TrainingRun, TrainingDocument], None]


@dataclass(frozen=True)
class Wish:
    """What the user asked for; a solver of None is the default, or the one that the folder to resume names."""

    instance: str
    solver: str | None
    schedule: str | None
    cut_layers: tuple[str, ...] | None
    min_cut: str | None
    limits: Limits
    framework: Framework
    aggregation_ratio: float | None
    batch_size: int | None
    task: str
    backend: str
    options: dict[str, str]
    seed: int
    goal: TrainingGoal
    checkpoint_every: int
    folder: Path | None
    resume: bool


def train_as(wish: Wish, show: Printer) -> int:
    """Do as the user wishes and return the exit code; `show` writes what came of it.

    Raises
    ------
    InputError
        If anything the user gave is wrong; before anything is trained.
    """
    backend = ready_backend(wish.backend)
    options = parse_training_options(backend, wish.options)
    folder = None if wish.folder is None else TrainingFolder(wish.folder, backend.checkpoint_suffix)
    if folder is not None and not wish.resume:
        folder.refuse_occupied()
    asked = instance_for(load_instance(wish.instance), wish.framework, wish.aggregation_ratio, wish.batch_size)
    fitted = fit_network(backend, options, asked, wish.task)
    instance = limit_cuts(fitted, wish.cut_layers, wish.min_cut)
    with locked(wish.folder):
        return _train_alone(wish, backend, options, folder, instance, show, replaced=fitted is not asked)


def _train_alone(
    wish: Wish,
    backend: TrainingBackend[Any],
    options: TrainingOptions,
    folder: TrainingFolder | None,
    instance: Instance,
    show: Printer,
    *,
    replaced: bool,
) -> int:
    """Find the schedule and train, while nobody else writes into the folder; the rest is as of `train_as`."""
    if folder is not None and not wish.resume:
        folder.refuse_occupied()
    source, document, solved = _schedule(wish, instance, folder)
    if document.status is not SolutionStatus.VERIFIED or (solved and document.stop_reason is StopReason.INTERRUPTED):
        return _give_up(document)
    plan = training_plan(instance, document, source, wish.framework, wish.task, wish.seed)
    if folder is not None and wish.resume:
        folder.refuse_other(plan, backend, options)
    refuse_foreign_schedule(instance, document, source, replaced=replaced)
    if violations := check_document(instance, document):
        complain(f"{source}: {violations[0]}")
        return ExitCode.REJECTED
    return _train(wish, backend, options, folder, plan, document, show)


def fit_network(backend: TrainingBackend[Any], options: TrainingOptions, instance: Instance, task: str) -> Instance:
    """Return the instance with the profile of the network to train, and say so if that replaced another."""
    with stdout_to_stderr():
        found = backend.fit(instance, task, options)
    if found.sha256 == instance.sha256:
        return instance
    new, old = found.model.name, instance.model.name
    note(f"{instance.name}: the profile of the network that is trained, {new!r}, replaces that of {old!r}")
    return found


def _schedule(wish: Wish, instance: Instance, folder: TrainingFolder | None) -> tuple[str, ScheduleDocument, bool]:
    """Return where the schedule to train under is from, it or what there is instead, and whether it was solved now.

    Ctrl-C during the solve ends the command, even if the solver had a schedule by then.
    """
    if wish.schedule is not None:
        document = read_schedule(wish.schedule)
        if folder is not None and folder.state is not FolderState.HELD:
            folder.refuse_other_schedule(instance, document)
        return source_name(wish.schedule), document, False
    begun = None if folder is None else _begun_schedule(folder, instance)
    if folder is None or begun is None:
        return "schedule", _solve(wish, instance, folder), True
    if wish.solver not in (None, begun.solver):
        problem = f"is of another training: solver ({begun.solver}, not {wish.solver})"
        raise InputError(str(folder.path), problem)
    return str(folder.schedule), begun, False


def _begun_schedule(folder: TrainingFolder, instance: Instance) -> ScheduleDocument | None:
    """Return the schedule in a folder, so that nothing is solved twice."""
    return folder.read_schedule() if folder.state is FolderState.HELD else folder.begun_schedule(instance)


def _solve(wish: Wish, instance: Instance, folder: TrainingFolder | None) -> ScheduleDocument:
    if folder is not None:
        folder.claim()
    solver = wish.solver or DEFAULT_SOLVER
    with live_progress() as line, stdout_to_stderr():
        line.start(solver)
        result = solve(instance, solver, wish.limits, {}, line.listen)
    if result.stop_reason is StopReason.ERROR and result.schedule is not None:
        warn(f"the solver failed, this is what it had found: {result.message}")
    return ScheduleDocument.from_result(instance, result)


def _give_up(document: ScheduleDocument) -> int:
    if document.status is SolutionStatus.VERIFIED:
        complain("interrupted while solving; nothing was trained")
        return ExitCode.INTERRUPTED
    message = document.provenance.get("message")
    complain(f"no schedule ({document.status}, {document.stop_reason}){': ' + message if message else ''}")
    return exit_code(document.status, document.stop_reason)


def _train(
    wish: Wish,
    backend: TrainingBackend[Any],
    options: TrainingOptions,
    folder: TrainingFolder | None,
    plan: TrainingPlan,
    document: ScheduleDocument,
    show: Printer,
) -> int:
    with stdout_to_stderr():
        run = open_training(backend, options, plan, document, wish.goal, folder, resume=wish.resume)
    if run.records:
        note(f"{wish.folder}: going on after round {len(run.records)}")
    elif wish.resume:
        note(f"{wish.folder}: no round is kept there; beginning with the first")
    with live(TrainingLine()) as line, stdout_to_stderr(), deferred_interrupt() as request:
        line.start(str(wish.framework), wish.goal.rounds, request)
        summary = run_training(
            run,
            wish.goal,
            folder,
            checkpoint_every=wish.checkpoint_every,
            listener=line.listen,
            request=request,
        )
    show(run, summary)
    return training_exit(summary, folder)


def training_exit(summary: TrainingDocument, folder: TrainingFolder | None) -> ExitCode:
    """Say what the user should know of how a training ended, and return the exit code for it."""
    if summary.divergence is not None:
        where = f"round {summary.divergence.round}, {summary.divergence.stage}"
        complain(f"training diverged in {where}: a value is not finite{_last_good(folder)}")
        return ExitCode.ERROR
    if summary.stop_reason is TrainingStop.INTERRUPTED:
        how = "with --output DIR it could go on" if folder is None else "the same command with --resume goes on"
        complain(f"interrupted after {summary.rounds} rounds; {how}")
        return ExitCode.INTERRUPTED
    if folder is not None:
        note(f"wrote {folder.path}")
    return ExitCode.OK


def _last_good(folder: TrainingFolder | None) -> str:
    if folder is None or not folder.checkpoint.exists():
        return ""
    return f"; the last good checkpoint is {folder.checkpoint}"

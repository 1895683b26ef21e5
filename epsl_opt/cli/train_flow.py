"""The way of `epsl-opt train`: instance, schedule, training, and what to say at its end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from epsl_opt.cli.exits import ExitCode, exit_code
from epsl_opt.cli.instance_params import tell_replaced
from epsl_opt.cli.messages import complain, note, warn
from epsl_opt.cli.output import emit_csv, emit_json, emit_tables
from epsl_opt.cli.params import make_limits
from epsl_opt.cli.progress import live, live_progress
from epsl_opt.cli.redirect import stdout_to_stderr
from epsl_opt.cli.train_arguments import TrainArguments
from epsl_opt.cli.train_remedy import solve_command
from epsl_opt.cli.training_progress import TrainingLine
from epsl_opt.cli.training_view import training_facts
from epsl_opt.core.defaults import DEFAULT_SOLVER, DEFAULT_TASK
from epsl_opt.core.errors import InputError
from epsl_opt.core.instance import Instance
from epsl_opt.core.outcome import SolutionStatus, StopReason
from epsl_opt.core.reading import source_name
from epsl_opt.core.results import Limits
from epsl_opt.core.stop_request import deferred_interrupt
from epsl_opt.files.documents import ScheduleDocument, check_document, refuse_foreign, training_words
from epsl_opt.files.folder_lock import locked
from epsl_opt.files.json_files import read_schedule
from epsl_opt.files.retiming import retimed
from epsl_opt.files.training_document import TrainingDocument, TrainingStop
from epsl_opt.files.training_records import COLUMNS
from epsl_opt.plugins.backend import AnyBackend
from epsl_opt.problems.sources import load_instance
from epsl_opt.solving.solve import solve
from epsl_opt.training.files import open_training, run_training
from epsl_opt.training.fitting import fit_for_schedule
from epsl_opt.training.folder import TrainingFolder
from epsl_opt.training.occupied import kept_schedule, refuse_occupied, refuse_other_start
from epsl_opt.training.request import FittedInstance, TrainingRequest
from epsl_opt.training.run import TrainingRun
from epsl_opt.training.setup import TrainingSetup


def train(arguments: TrainArguments, backend: AnyBackend | None = None) -> int:
    """Train as the command line says, by the backend it names if none is given; return the exit code.

    Raises
    ------
    click.UsageError, InputError
        If anything the user gave is wrong; before anything is trained.
    """
    arguments.refuse_contradictions()
    limits = make_limits(arguments.time_limit, arguments.gap, 0, None)
    request = arguments.training_request(backend)
    suffix = request.backend.checkpoint_suffix
    folder = None if arguments.output is None else TrainingFolder(Path(arguments.output), suffix)
    return _TrainFlow(arguments, request, limits, folder).train()


@dataclass(frozen=True)
class _TrainFlow:
    arguments: TrainArguments
    request: TrainingRequest
    limits: Limits
    folder: TrainingFolder | None

    def train(self) -> int:
        """Fit the instance and train, while nobody else writes into the folder."""
        self._refuse_occupied()
        source = load_instance(self.arguments.instance or "")
        if self.arguments.framework is None:
            return replace(self, request=self.request.about(source))._train(source)
        return self._train(source)

    def _train(self, source: Instance) -> int:
        given = None if self.arguments.schedule is None else read_schedule(self.arguments.schedule)
        fitted = self._fitted(source, given)
        with locked(None if self.folder is None else self.folder.path):
            self._refuse_occupied()
            return self._train_alone(fitted, given)

    def _fitted(self, source: Instance, given: ScheduleDocument | None) -> FittedInstance:
        """Fit the instance for the task asked for, or for the one that the schedule is for."""
        with stdout_to_stderr():
            if given is None or self.arguments.task is not None:
                fitted = self.request.fit(source)
            else:
                fitted = fit_for_schedule(self.request, source, given)
        if fitted.request.task != self.request.task:
            name, task = source_name(self.arguments.schedule or ""), fitted.request.task
            note(
                f"{name}: is for the network {fitted.instance.model.name!r}, so the task is {task}, not {DEFAULT_TASK}"
            )
        tell_replaced(fitted)
        return fitted

    def _refuse_occupied(self) -> None:
        if self.folder is not None and not self.arguments.resume:
            refuse_occupied(self.folder)

    def _train_alone(self, fitted: FittedInstance, given: ScheduleDocument | None) -> int:
        document, source, solved = self._schedule(fitted.instance, given)
        if document.status is not SolutionStatus.VERIFIED or (
            solved and document.stop_reason is StopReason.INTERRUPTED
        ):
            return _give_up(document)
        setup = TrainingSetup(fitted, document, source)
        if self.folder is not None and self.arguments.resume:
            self.folder.refuse_other(setup)
        remedy = f"this makes one that fits: {solve_command(self.arguments, fitted.request)}"
        refuse_foreign(document, fitted.instance, source, remedy)
        if violations := check_document(fitted.instance, document):
            complain(f"{source}: {violations[0]}")
            return ExitCode.REJECTED
        return self._run(setup)

    def _schedule(self, instance: Instance, asked: ScheduleDocument | None) -> tuple[ScheduleDocument, str, bool]:
        """Return the schedule to train under or what there is instead, where it is from, and if it was solved now.

        Ctrl-C during the solve ends the command, even if the solver had a schedule by then.
        """
        given, folder = self.arguments, self.folder
        if asked is not None:
            source = source_name(given.schedule or "")
            document = _timed(asked, instance, source)
            if folder is not None:
                refuse_other_start(folder, instance, document)
            return document, source, False
        begun = None if folder is None else kept_schedule(folder, instance)
        if folder is None or begun is None:
            return self._solve(instance), "schedule", True
        if given.solver not in (None, begun.solver):
            problem = f"is of another training: solver ({begun.solver}, not {given.solver})"
            raise InputError(str(folder.path), problem)
        return begun, str(folder.schedule), False

    def _solve(self, instance: Instance) -> ScheduleDocument:
        if self.folder is not None:
            self.folder.claim()
        solver = self.arguments.solver or DEFAULT_SOLVER
        with live_progress() as line, stdout_to_stderr():
            line.start(solver)
            result = solve(instance, solver, self.limits, {}, line.listen)
        if result.stop_reason is StopReason.ERROR and result.schedule is not None:
            warn(f"the solver failed, this is what it had found: {result.message}")
        return ScheduleDocument.from_result(instance, result)

    def _run(self, setup: TrainingSetup) -> int:
        folder, resume = self.folder, self.arguments.resume
        with stdout_to_stderr():
            run = open_training(setup, folder, resume=resume)
        if folder is not None and run.records:
            note(f"{folder.path}: going on after round {len(run.records)}")
        elif folder is not None and resume:
            note(f"{folder.path}: no round is kept there; beginning with the first")
        with live(TrainingLine()) as line, stdout_to_stderr(), deferred_interrupt() as stop_request:
            line.start(str(self.request.framework), self.request.goal.rounds, stop_request)
            summary = run_training(run, folder, listener=line.listen, stop_request=stop_request)
        _print(run, summary, self.arguments.form)
        return _training_exit(summary, folder)


def _timed(document: ScheduleDocument, instance: Instance, source: str) -> ScheduleDocument:
    """Return a schedule for the instance: the given one, or its decisions for these training parameters."""
    anew = None if document.is_for(instance) else retimed(document, instance)
    if anew is None:
        return document
    if anew.status is SolutionStatus.VERIFIED:
        there, here = training_words(document), training_words(anew)
        whose = "(E)PSL" if anew.framework is None else anew.framework.upper()
        times = f"{anew.latency_s:.6g} s, not {document.latency_s:.6g} s"
        note(f"{source}: is for {there}; its decisions, timed for {here}: a round of {whose} takes {times}")
    return anew


def _give_up(document: ScheduleDocument) -> int:
    if document.status is SolutionStatus.VERIFIED:
        complain("interrupted while solving; nothing was trained")
        return ExitCode.INTERRUPTED
    message = document.provenance.get("message")
    complain(f"no schedule ({document.status}, {document.stop_reason}){': ' + message if message else ''}")
    return exit_code(document.status, document.stop_reason)


def _print(run: TrainingRun, document: TrainingDocument, form: str) -> None:
    if form == "json":
        emit_json(document.to_document())
    elif form == "csv":
        emit_csv(COLUMNS, [record.to_row(run.timing) for record in run.records])
    else:
        emit_tables(training_facts(document))


def _training_exit(summary: TrainingDocument, folder: TrainingFolder | None) -> ExitCode:
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

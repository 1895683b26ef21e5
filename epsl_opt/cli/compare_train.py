"""`epsl-opt compare --train`: frameworks under every solver's schedules, trained for real."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from epsl_opt.campaigns.compare import Comparison, compare
from epsl_opt.campaigns.engines import Engine
from epsl_opt.campaigns.trainings import TrainingCampaign, train_cases, training_columns
from epsl_opt.cli.engine_params import heard_interrupts
from epsl_opt.cli.exits import ExitCode, exit_code, worst
from epsl_opt.cli.messages import complain, going_on, note
from epsl_opt.cli.output import emit_csv, emit_json, emit_tables
from epsl_opt.cli.progress import live, live_progress
from epsl_opt.cli.redirect import stdout_to_stderr
from epsl_opt.cli.training_params import CompareTrainArguments, is_training
from epsl_opt.cli.training_progress import TrainingLine
from epsl_opt.cli.training_view import campaign_tables
from epsl_opt.core.defaults import DEFAULT_FRAMEWORKS, DEFAULT_SOLVER
from epsl_opt.core.framework import Framework
from epsl_opt.core.instance import Instance
from epsl_opt.core.outcome import SolutionStatus
from epsl_opt.core.results import Limits
from epsl_opt.report.training_files import TRAININGS, write_campaign
from epsl_opt.training.request import FittedInstance
from epsl_opt.training.setup import TrainingSetup
from epsl_opt.training.variants import FOR_ALL, make_setups, variants

OptionsByOwner = Mapping[str, Mapping[str, str]]


def compare_trainings(
    problems: Sequence[Instance],
    solvers: Sequence[str] | None,
    limits: Limits,
    options: OptionsByOwner,
    arguments: CompareTrainArguments,
    folder: Path | None,
    form: str,
    engine: Engine,
) -> int:
    """Solve every instance for every framework, train under the schedules, print the table; return the exit code.

    Raises
    ------
    InputError
        If anything the user gave is wrong.
    """
    fitted = _fitted(problems, options, arguments)
    own = {owner: values for owner, values in options.items() if not is_training(owner)}
    comparison = _solve([each.instance for each in fitted], solvers or (DEFAULT_SOLVER,), limits, own, folder, engine)
    if comparison.interrupted:
        complain(f"interrupted while solving; {going_on(folder)}")
        return ExitCode.INTERRUPTED
    setups = list(make_setups(fitted, comparison.documents, arguments.train_seeds or (0,)))
    campaign = _train(setups, folder, engine)
    _print(campaign, form)
    if folder is not None and campaign.cases:
        write_campaign(folder, campaign)
        note(f"wrote {folder}")
    return _finish(comparison, campaign, folder)


def _fitted(
    problems: Sequence[Instance], options: OptionsByOwner, arguments: CompareTrainArguments
) -> list[FittedInstance]:
    """Make every instance fit for every way to train."""
    training = {owner: dict(values) for owner, values in options.items() if is_training(owner)}
    if arguments.network is not None:
        training.setdefault(FOR_ALL, {})["network"] = arguments.network
    frameworks = [Framework(name) for name in arguments.frameworks or DEFAULT_FRAMEWORKS]
    base = replace(arguments.shared_request({}), own_schedule=not arguments.same_schedule)
    requests = variants(base, frameworks, arguments.phi, training)
    with stdout_to_stderr():
        return [request.fit(problem) for problem in problems for request in requests]


def _solve(
    instances: Sequence[Instance],
    solvers: Sequence[str],
    limits: Limits,
    options: OptionsByOwner,
    folder: Path | None,
    engine: Engine,
) -> Comparison:
    runs = None if folder is None else folder / "runs"
    with live_progress() as line, stdout_to_stderr():
        return compare(instances, solvers, limits=limits, options=options, folder=runs, observer=line, engine=engine)


def _train(setups: Sequence[TrainingSetup], folder: Path | None, engine: Engine) -> TrainingCampaign:
    place = None if folder is None else folder / TRAININGS
    with live(TrainingLine()) as line, stdout_to_stderr(), heard_interrupts(engine) as stop_request:
        return train_cases(setups, folder=place, observer=line, stop_request=stop_request, engine=engine)


def _print(campaign: TrainingCampaign, form: str) -> None:
    rows = [trained.row for trained in campaign.cases]
    if form == "json":
        emit_json([row.to_dict() for row in rows])
    elif form == "csv":
        emit_csv(training_columns(rows), [row.to_dict() for row in rows])
    else:
        emit_tables(*campaign_tables(rows))


def _finish(comparison: Comparison, campaign: TrainingCampaign, folder: Path | None) -> int:
    """Say what was shared, reused or is missing, and return the exit code."""
    note(f"{len(campaign.cases)} of {campaign.planned} rows, {campaign.trainings} different trainings")
    if campaign.reused:
        note(f"{campaign.reused} of {campaign.trainings} trainings were there already")
    if campaign.interrupted:
        complain(f"interrupted after {len(campaign.cases)} of {campaign.planned} rows; {going_on(folder)}")
        return ExitCode.INTERRUPTED
    codes = []
    for document in comparison.documents:
        if document.status is not SolutionStatus.VERIFIED:
            reason = document.provenance.get("message") or document.stop_reason
            complain(f"{document.solver} on {document.instance.name}: no schedule ({document.status}): {reason}")
            codes.append(exit_code(document.status, document.stop_reason))
    for failure in campaign.failures:
        complain(failure)
        codes.append(ExitCode.ERROR)
    for trained in campaign.cases:
        if trained.row.message:
            complain(
                f"{trained.setup.method} on {trained.row.instance}, seed {trained.row.seed}: {trained.row.message}"
            )
            codes.append(ExitCode.ERROR)
    return worst(codes)

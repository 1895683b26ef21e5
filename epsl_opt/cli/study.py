"""`epsl-opt study`: a question, its runs, and what they say."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from epsl_opt.cli.engine_params import chosen_engine, engine_options
from epsl_opt.cli.exits import ExitCode
from epsl_opt.cli.messages import complain, note, warn
from epsl_opt.cli.output import emit_json, emit_tables, table
from epsl_opt.cli.params import format_option, quiet_option
from epsl_opt.cli.progress import LiveLine, live
from epsl_opt.cli.redirect import stdout_to_stderr
from epsl_opt.core.errors import EpslOptError

if TYPE_CHECKING:
    from rich.table import Table

    from epsl_opt.campaigns.engines import Engine
    from epsl_opt.campaigns.study_runs import StudyRuns
    from epsl_opt.plugins.study import Study, StudySize
    from epsl_opt.report.study_files import SectionDocument

log = logging.getLogger(__name__)


class _StudyLine(LiveLine):
    """How many points are done."""

    def __init__(self, name: str) -> None:
        self._name, self._text = name, f"{name}: planning"

    def listen(self, done: int, planned: int, failure: str) -> None:
        """Take over what is done."""
        self._text = f"{self._name}: {done} of {planned} points"

    def text(self) -> str:
        """Return the line."""
        return self._text


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from epsl_opt.plugins import registry

    return [CompletionItem(name) for name in registry.names(registry.STUDIES) if name.startswith(incomplete)]


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=_complete)
@click.option("--all", "every", is_flag=True, help="Every study.")
@click.option("--quick", is_flag=True, help="A small version, in minutes: to see, not to conclude from.")
@click.option("-o", "--output", type=click.Path(), default="studies", show_default=True, metavar="DIR", help="Folder.")
@engine_options("Runs at a time [default: one per processor, or per worker of the cluster].")
@format_option("table", "json")
@quiet_option
def command(
    *,
    names: tuple[str, ...],
    every: bool,
    quick: bool,
    output: str,
    jobs: int | None,
    engine: str,
    scheduler: str | None,
    form: str,
    quiet: bool,
) -> int:
    """Run studies: questions about EPSL, answered with pictures and numbers.

    Without a NAME, lists the studies. A study writes DIR/NAME: all rows as CSV, figures as PNG and SVG with their
    numbers as CSV beside them, and a section for `epsl-opt report DIR`. Finished runs are kept in DIR/NAME/points and
    not run again: stop a study with Ctrl-C, start it again, and it does the rest. Every run computes on one thread, in
    a process of its own or on a worker of a Dask cluster; one whose process ends is tried once more.

    \b
    Examples:
      epsl-opt study
      epsl-opt study resource-management --quick
      epsl-opt study --all --output studies
      epsl-opt study scale --engine dask --scheduler tcp://10.0.0.1:8786
      epsl-opt report studies

    The exit code is 1 if a run failed (what the others say is written all the same), 130 if the study was interrupted.
    With --all, a study that can't run here is told and left out.
    """
    from epsl_opt.plugins import registry

    known = registry.names(registry.STUDIES)
    if every and names:
        raise click.UsageError("--all or names, not both")
    if not names and not every:
        return _list(known, form)
    loaded = {name: registry.load_study(name) for name in names} if names else _loaded(known)
    lacking = {name: lacks for name, study in loaded.items() if (lacks := _lacks(study))}
    for name, lacks in lacking.items():
        complain(f"study {name}: {lacks}")
    if lacking and not every:
        return ExitCode.BAD_INPUT
    studies = [study for study in loaded.values() if not isinstance(study, str) and study.name not in lacking]
    with chosen_engine(engine, jobs, scheduler) as where:
        return _run(studies, quick, Path(output), where, form)


def _loaded(names: list[str]) -> dict[str, Study | str]:
    """Return each study, or why it does not load here."""
    from epsl_opt.plugins import registry

    found: dict[str, Study | str] = {}
    for name in names:
        try:
            found[name] = registry.load_study(name)
        except EpslOptError as error:
            found[name] = str(error)
    return found


def _lacks(study: Study | str) -> str | None:
    return study if isinstance(study, str) else study.missing()


def _list(known: list[str], form: str) -> int:
    loaded = _loaded(known)
    rows = [
        {
            "name": name,
            "title": None if isinstance(study, str) else study.title,
            "question": None if isinstance(study, str) else study.question,
            "missing": _lacks(study),
        }
        for name, study in loaded.items()
    ]
    if form == "json":
        emit_json(rows)
    else:
        cells = [(str(row["name"]), row["question"] or "", row["missing"] or "") for row in rows]
        emit_tables(table("Studies", ("study", "question", "missing here"), cells, 3))
    return ExitCode.OK


def _run(studies: list[Study], quick: bool, folder: Path, engine: Engine, form: str) -> int:
    from epsl_opt.plugins.study import StudySize

    size = StudySize.QUICK if quick else StudySize.FULL
    code, sections = ExitCode.OK, []
    for study in studies:
        runs, section = _study(study, size, folder / study.name, engine)
        sections += [section] if section is not None else []
        for failure in runs.failures:
            warn(f"study {study.name}: {failure}")
        if runs.interrupted:
            complain(f"interrupted after {runs.finished} of {runs.planned} points; the same command goes on from here")
            code = ExitCode.INTERRUPTED
            break
        code = ExitCode.ERROR if runs.failures or section is None else code
    if form == "json":
        emit_json([section.to_document() for section in sections])
    else:
        emit_tables(*(_findings(section) for section in sections))
    return code


def _study(study: Study, size: StudySize, folder: Path, engine: Engine) -> tuple[StudyRuns, SectionDocument | None]:
    """Run a study and write its section, None if there is nothing to conclude from."""
    from epsl_opt.campaigns.study_runs import run_points
    from epsl_opt.files.folder_lock import locked
    from epsl_opt.files.json_files import prepare_folder
    from epsl_opt.report.study_files import POINTS

    line = _StudyLine(study.name)
    points = folder / POINTS
    with locked(folder):
        prepare_folder(points)
        with stdout_to_stderr(), live(line):
            runs = run_points(study, size, points, listener=line.listen, engine=engine)
        if runs.reused:
            note(f"{study.name}: {runs.reused} of {runs.planned} points were there already")
        return runs, None if runs.interrupted or not runs.rows else _conclude(study, size, folder, runs)


def _conclude(study: Study, size: StudySize, folder: Path, runs: StudyRuns) -> SectionDocument | None:
    from epsl_opt.report.study_files import write_study

    try:
        section = write_study(folder, study, size, runs)
    except EpslOptError:
        raise
    except Exception as error:  # the other studies are run all the same
        log.debug("study %s", study.name, exc_info=True)
        complain(f"study {study.name} can't conclude: {type(error).__name__}: {error}; its rows are in {folder}")
        return None
    note(f"wrote {folder}")
    return section


def _findings(section: SectionDocument) -> Table:
    rows = [(found.claim, found.verdict, found.evidence) for found in section.findings]
    return table(f"{section.title} ({section.size})", ("claim", "verdict", "evidence"), rows, 3)

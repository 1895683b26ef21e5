"""What a study writes into its folder: rows, tables and figures with their numbers, and the section of the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from epsl_opt.campaigns.study_runs import StudyRuns
from epsl_opt.core.json_record import parse_record
from epsl_opt.core.json_text import read_json
from epsl_opt.core.record import AsTuple, JsonObject, Name, PositiveInt, Record
from epsl_opt.files.csv_text import format_csv
from epsl_opt.files.json_files import write_record
from epsl_opt.files.writing import write_bytes
from epsl_opt.plugins.study import Row, Section, Study, StudySize, Verdict
from epsl_opt.solving.provenance import cpu, versions

SECTION = "section.json"
ROWS = "rows"
"""Name of the table of all rows."""
POINTS = "points"

FileName = Annotated[str, Field(pattern=r"^[\w-]+$")]
Count = Annotated[int, Field(ge=0)]
Texts = Annotated[tuple[str, ...], AsTuple]


class FindingRecord(Record):
    """A finding as it stands in the file."""

    claim: str
    verdict: Annotated[str, Field(pattern=f"^({'|'.join(Verdict)})$")]
    evidence: str


class TableRecord(Record):
    """A table as it stands in the file; its rows are in a CSV file of that name."""

    name: FileName
    caption: str


class PictureRecord(Record):
    """A picture as it stands in the file; PNG, SVG and CSV files of that name are beside it."""

    name: FileName
    caption: str
    alt: str


class SectionDocument(Record):
    """The section of the report that a study makes, as a file beside its tables and pictures."""

    format: Literal["epsl-opt/study"] = "epsl-opt/study"
    version: Literal[1] = 1
    study: Name
    title: str
    question: str
    size: Annotated[str, Field(pattern=f"^({'|'.join(StudySize)})$")]
    measures_time: bool
    planned: PositiveInt
    finished: Count
    failures: Texts
    setting: Texts
    findings: Annotated[tuple[FindingRecord, ...], AsTuple]
    pictures: Annotated[tuple[PictureRecord, ...], AsTuple]
    tables: Annotated[tuple[TableRecord, ...], AsTuple]
    limits: Texts
    made_with: JsonObject

    def to_document(self) -> dict[str, Any]:
        """Return the record as JSON-ready dictionaries and lists; null where there is nothing."""
        return self.model_dump(mode="json")


def write_study(folder: Path, study: Study, size: StudySize, runs: StudyRuns) -> SectionDocument:
    """Conclude from the runs and write everything; the section comes last, so that it never speaks of missing files.

    Raises
    ------
    InputError
        If the folder can't be written to.
    ValueError
        If what the study concludes does not fit together: a name twice, a row without one of its table's columns.
    """
    from epsl_opt.report.plots.save import save_picture

    _write_table(folder / f"{ROWS}.csv", columns_of(runs.rows), runs.rows)
    section = study.conclude(runs.rows, size)
    _check(section)
    document = _document(study, size, runs, section)
    for table in section.tables:
        _write_table(folder / f"{table.name}.csv", table.columns, table.rows)
    for picture in section.pictures:
        save_picture(picture.figure, folder / picture.name)
        _write_table(folder / f"{picture.name}.csv", picture.numbers.columns, picture.numbers.rows)
    write_record(folder / SECTION, document)
    return document


def read_section(folder: Path) -> SectionDocument:
    """Read a study's section back.

    Raises
    ------
    InputError
        Naming the file and the field, if anything is wrong.
    """
    path = folder / SECTION
    return parse_record(SectionDocument, read_json(path), str(path))


def columns_of(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return all columns of rows that may lack some, in the order they first come."""
    return tuple(dict.fromkeys(column for row in rows for column in row))


def _write_table(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    write_bytes(path, format_csv(columns, rows).encode())


def _document(study: Study, size: StudySize, runs: StudyRuns, section: Section) -> SectionDocument:
    return SectionDocument(
        study=study.name,
        title=study.title,
        question=study.question,
        size=size.value,
        measures_time=study.measures_time,
        planned=runs.planned,
        finished=runs.finished,
        failures=runs.failures,
        setting=tuple(section.setting),
        findings=tuple(
            FindingRecord(claim=found.claim, verdict=found.verdict.value, evidence=found.evidence)
            for found in section.findings
        ),
        pictures=tuple(PictureRecord(name=p.name, caption=p.caption, alt=p.alt) for p in section.pictures),
        tables=tuple(TableRecord(name=table.name, caption=table.caption) for table in section.tables),
        limits=tuple(section.limits),
        made_with={"versions": dict(versions()), "cpu": cpu()},
    )


def _check(section: Section) -> None:
    """Refuse two files of one name, and columns that a row does not have."""
    tables = [(table.name, table) for table in section.tables]
    tables += [(picture.name, picture.numbers) for picture in section.pictures]
    names = [ROWS, *(name for name, _ in tables)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two of its tables and pictures are called {', '.join(twice)}")
    for name, table in tables:
        for row in table.rows:
            if missing := [column for column in table.columns if column not in row]:
                raise ValueError(f"a row of {name} lacks {', '.join(missing)}")

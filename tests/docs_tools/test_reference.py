"""The generated tables of the documentation are current and complete."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from docs_tools.marked_text import write_marked
from docs_tools.reference import TABLES, fields_table, own_solvers
from epsl_opt import InputError, Instance, ScheduleDocument, SolutionStatus, StopReason, load_instance, solve
from epsl_opt.files.exports import CLIENT_COLUMNS, SUBCHANNEL_COLUMNS
from epsl_opt.files.training_document import TrainingDocument, TrainingStop

ROOT = Path(__file__).parents[2]
DOCUMENTS = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
PYTHON_BLOCKS = [
    (path.name, block)
    for path, text in DOCUMENTS.items()
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)
]
LINKS = [(path, link) for path, text in DOCUMENTS.items() for link in re.findall(r"\]\((?!https?://)([^)#]+)", text)]


@pytest.mark.parametrize("document", TABLES, ids=str)
def test_the_documentation_is_current(document: Path, tmp_path: Path) -> None:
    """Writing the tables anew (`python -m docs_tools.reference`) changes no byte."""
    copy = Path(shutil.copy(ROOT / document, tmp_path))
    write_marked(copy, TABLES[document])
    assert copy.read_bytes() == (ROOT / document).read_bytes()


@pytest.mark.parametrize(
    ("kind", "record"), [("instance", Instance), ("schedule", ScheduleDocument), ("training", TrainingDocument)]
)
def test_every_field_has_a_meaning(kind: str, record: type) -> None:
    """Each top-level field of a format is listed, and each field but `format` and `version` is explained."""
    rows = re.findall(r"^\| `(.*?)` \|.*\| (.*?) ?\|$", fields_table(kind), re.MULTILINE)
    assert {name.partition(".")[0].removesuffix("[]") for name, _ in rows} == set(record.model_fields)
    assert {name for name, meaning in rows if not meaning} == {"format", "version"}


@pytest.mark.parametrize("word", [*StopReason, *SolutionStatus, *(solver.name for solver in own_solvers())])
def test_every_word_of_a_result_is_explained(word: str) -> None:
    """Each stop reason, status and solver of the project has a place in `docs/solvers.md`."""
    assert f"`{word}`" in (ROOT / "docs" / "solvers.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("stop", TrainingStop)
def test_every_end_of_a_training_is_explained(stop: TrainingStop) -> None:
    """Each reason why a training stopped has a place in `docs/training.md`."""
    assert f"`{stop}`" in (ROOT / "docs" / "training.md").read_text(encoding="utf-8")


def test_a_document_that_lacks_a_marker_stays_as_it_is(tmp_path: Path) -> None:
    """Nothing is written unless every part has its place."""
    document = tmp_path / "doc.md"
    document.write_text("<!-- table: one -->\n<!-- end of one -->\n", encoding="utf-8")
    before = document.read_bytes()
    with pytest.raises(InputError, match=r"doc\.md: lacks the marker lines"):
        write_marked(document, {"one": lambda: "new", "two": lambda: "new"})
    assert document.read_bytes() == before


@pytest.mark.parametrize(("name", "block"), PYTHON_BLOCKS)
def test_python_in_the_documentation_runs(
    name: str, block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each Python block of `docs/` runs as it stands in an empty folder."""
    monkeypatch.chdir(tmp_path)
    exec(compile(block, name, "exec"), {})


@pytest.mark.parametrize(("document", "link"), LINKS, ids=lambda value: getattr(value, "name", value))
def test_links_lead_somewhere(document: Path, link: str) -> None:
    """Each relative link of the documentation is a file or folder of the project."""
    assert (document.parent / link).exists()


def _table_after(heading: str) -> list[str]:
    """Return the names in the first column of a table of `docs/schedules.md`, by the start of its head."""
    text = (ROOT / "docs" / "schedules.md").read_text(encoding="utf-8")
    table = text.partition(f"\n| {heading}")[2].partition("\n\n")[0]
    cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


@pytest.mark.parametrize(
    ("heading", "columns"),
    [("column of `clients-csv`", CLIENT_COLUMNS), ("column of `csv`", SUBCHANNEL_COLUMNS)],
)
def test_every_exported_column_is_explained(heading: str, columns: tuple[str, ...]) -> None:
    """The columns that `epsl-opt export` writes are those in `docs/schedules.md`, in their order."""
    assert _table_after(heading) == list(columns)


@pytest.mark.parametrize("solver", ["exact", "greedy", "pyomo"])
def test_every_field_of_the_provenance_is_explained(solver: str) -> None:
    """What a solver leaves in a schedule's provenance has a row in `docs/schedules.md`."""
    instance = load_instance("paper:clients=2,subchannels=3")
    document = ScheduleDocument.from_result(instance, solve(instance, solver))
    assert set(document.provenance) <= set(_table_after("field of `provenance`"))

"""The tables in `docs/problems.md` are current, and written without touching the text around them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from docs_tools import problems as tables
from epsl_opt import InputError
from epsl_opt.problems.paper_options import PaperOptions

DOCUMENT = Path(__file__).parents[2] / "docs" / "problems.md"


def test_the_documentation_is_current(tmp_path: Path) -> None:
    """Writing the tables anew changes no byte of the document."""
    copy = Path(shutil.copy(DOCUMENT, tmp_path))
    tables.write_tables(copy)
    assert copy.read_bytes() == DOCUMENT.read_bytes()


def test_documented_defaults_are_the_defaults() -> None:
    """Reading the table of options back, every default is the one the scenario has."""
    rows = re.findall(r"^\| `(\w+)` \| (?:`(.*)`)? \|", tables.options_table(), re.MULTILINE)
    documented = {name: value for name, value in rows if value}
    assert [name for name, _ in rows] == list(PaperOptions.model_fields)
    assert PaperOptions.model_validate(documented) == PaperOptions()


def test_text_around_the_tables_stays(tmp_path: Path) -> None:
    """Only what is between marker lines is replaced."""
    document = tmp_path / "doc.md"
    marks = [f"{name} before\n<!-- table: {name} -->\nold\n<!-- end of {name} -->\n" for name in tables.TABLES]
    document.write_text("".join(marks) + "end", encoding="utf-8")
    tables.write_tables(document)
    text = document.read_text(encoding="utf-8")
    assert re.findall(r"^\w+ before$|^end$", text, re.MULTILINE) == [
        *(f"{name} before" for name in tables.TABLES),
        "end",
    ]
    assert "old" not in text.split()


@pytest.mark.parametrize("content", [None, "", "<!-- table: options -->\n"])
def test_a_document_without_markers_is_left_alone(tmp_path: Path, content: str | None) -> None:
    """A missing document or marker line is one line that names the file, and nothing is written."""
    document = tmp_path / "doc.md"
    if content is not None:
        document.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"doc\.md: (lacks the marker lines|No such file)"):
        tables.write_tables(document)
    assert document.exists() == (content is not None)
    assert content is None or document.read_text(encoding="utf-8") == content

"""The report is one page that needs nothing else, holds everything, and is not fooled by what it is given."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from study_toys import Squares, register_studies

from epsl_opt import InputError
from epsl_opt.campaigns.study_points import run_point
from epsl_opt.campaigns.study_runs import StudyRuns
from epsl_opt.cli.app import run
from epsl_opt.cli.exits import ExitCode
from epsl_opt.files.csv_text import format_csv
from epsl_opt.plugins.study import StudySize
from epsl_opt.report.page import write_report
from epsl_opt.report.study_files import write_study
from epsl_opt.report.tables import MAX_ROWS, csv_table

VOID = {"meta", "br", "img", "link", "input", "hr"}
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>&amp;'


class Page(HTMLParser):
    """What is on a page; closing tags must fit."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "script" not in self._open and "style" not in self._open:
            self.texts.append(data)

    def values(self, attribute: str) -> list[str]:
        """Return every value of an attribute."""
        return [str(attrs[attribute]) for _, attrs in self.tags if attribute in attrs]

    @property
    def text(self) -> str:
        """What a reader sees."""
        return " ".join(" ".join(self.texts).split())


def make_study(folder: Path, size: StudySize = StudySize.QUICK, failures: tuple[str, ...] = ()) -> Path:
    """Write the toy study into a folder."""
    folder.mkdir(parents=True)
    study = Squares()
    rows = [row for point in study.points(size) for row in run_point(study, "0" * 64, point).rows]
    write_study(folder, study, size, StudyRuns(tuple(rows), 3 + len(failures), 3, 0, failures))
    return folder


def report(folder: Path) -> Page:
    """Write the report and read it."""
    write_report(folder, folder / "report.html")
    return Page((folder / "report.html").read_text(encoding="utf-8"))


@pytest.fixture
def page(tmp_path: Path) -> Page:
    """The report of two studies that are the same but for their folders."""
    make_study(tmp_path / "a")
    make_study(tmp_path / "b", StudySize.FULL)
    return report(tmp_path)


def test_it_opens_offline(page: Page) -> None:
    """Nothing is loaded from anywhere: sources are data, links stay on the page, and a policy forbids the rest."""
    assert all(source.startswith("data:image/png;base64,") for source in page.values("src"))
    assert all(link.startswith("#") for link in page.values("href"))
    assert not {"link", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in page.tags}
    assert any("default-src 'none'" in content for content in page.values("content"))


def test_it_loads_nothing_by_style_or_script(tmp_path: Path) -> None:
    """Neither style nor script names an address."""
    make_study(tmp_path / "a")
    write_report(tmp_path, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    for part in re.findall(r"<(?:style|script)>(.*?)</(?:style|script)>", text, re.DOTALL):
        assert not re.search(r"//\w|url\(|@import|fetch|XMLHttp|import\(", part)


def test_every_picture_is_embedded_and_described(tmp_path: Path) -> None:
    """Each picture's bytes are in the page, with its alternative text and its caption."""
    place = make_study(tmp_path / "a")
    found = report(tmp_path)
    images = [attrs for tag, attrs in found.tags if tag == "img"]
    assert [image["alt"] for image in images] == ['It rises & "rises"']
    embedded = base64.b64decode(str(images[0]["src"]).partition(",")[2])
    assert embedded == (place / "squares.png").read_bytes()
    assert 'The <i>"curve"</i>' in found.text


def test_every_link_of_the_contents_leads_to_a_section(page: Page) -> None:
    """Each entry's anchor is on the page exactly once, and no anchor is there twice."""
    anchors = page.values("id")
    assert len(set(anchors)) == len(anchors)
    links = [link.removeprefix("#") for link in page.values("href")]
    assert links == ["a", "b"]
    assert set(links) <= set(anchors)
    assert set(page.values("aria-labelledby")) <= set(anchors)


def test_folders_whose_names_look_alike_have_links_of_their_own(tmp_path: Path) -> None:
    """Names that no link can hold are changed without falling together."""
    for name in ("a b", "a&b", 'a"b'):
        make_study(tmp_path / name)
    links = report(tmp_path).values("href")
    assert len(set(links)) == 3
    assert all(re.fullmatch(r"#[\w-]+", link) for link in links)


def test_every_cell_is_there(tmp_path: Path) -> None:
    """Each row of a table is on the page, its numbers whole for sorting and rounded for reading."""
    make_study(tmp_path / "a", StudySize.FULL)
    found = report(tmp_path)
    values = [float(value) for value in found.values("data-value")]
    assert values == [number for x in range(5) for number in ([x, x**2, x / 3, x, -x] if x else [0, 0, 0, 0, 0])]
    assert "minus" in found.text
    assert "0.3333" in found.text
    assert "0.33333" not in found.text


def test_what_was_found_is_told_with_its_limits(page: Page) -> None:
    """Question, setting, claims, verdicts, evidence, limits, command and versions are on the page."""
    for part in ('What is a "square"?', "Numbers & their squares.", "squares grow", "holds here", "5 of them"):
        assert part in page.text
    assert "Only whole numbers." in page.text
    assert "epsl-opt study squares --quick" in page.text
    assert "numpy" in page.text
    assert "1 hold" in page.text


def test_a_quick_study_and_missing_runs_are_pointed_out(tmp_path: Path) -> None:
    """Somebody who reads the page learns that it is the quick version, and which runs are missing and why."""
    make_study(tmp_path / "a", failures=("{'x': 9}: OSError: <disk>",))
    text = report(tmp_path).text
    assert "not to conclude from" in text
    assert "1 of 4 runs are missing: {'x': 9}: OSError: <disk>" in text
    make_study(tmp_path / "full" / "a", StudySize.FULL)
    assert "not to conclude from" not in report(tmp_path / "full").text


def test_hostile_texts_are_shown_as_they_are(tmp_path: Path) -> None:
    """Markup in any text of a section or a table is text on the page."""
    place = make_study(tmp_path / "a")
    harmless = {(tag, frozenset(attrs)) for tag, attrs in report(tmp_path).tags}
    path = place / "section.json"
    section = json.loads(path.read_text())
    for field in ("title", "question", "study"):
        section[field] = EVIL
    section["limits"] = section["setting"] = section["failures"] = [EVIL]
    section["planned"] = 9
    section["findings"] = [{"claim": EVIL, "verdict": "observed", "evidence": EVIL}]
    section["made_with"] = {"versions": {EVIL: EVIL}, "cpu": EVIL}
    for kind in ("pictures", "tables"):
        section[kind][0] |= {"caption": EVIL} | ({"alt": EVIL} if kind == "pictures" else {})
    path.write_text(json.dumps(section))
    (place / "both.csv").write_text('<script>,"<b>"\n<i>x</i>,"""quoted"" & <u>"\n')
    found = report(tmp_path)
    assert {(tag, frozenset(attrs)) for tag, attrs in found.tags} <= harmless
    assert found.text.count(EVIL) == 15
    assert EVIL in found.values("alt")
    assert '"quoted" & <u>' in found.text


def test_a_long_table_says_how_much_of_it_is_shown() -> None:
    """The first rows are shown and counted, and the caption tells how many there are."""
    text = "x\n" + "".join(f"{n}\n" for n in range(MAX_ROWS + 5))
    found = Page(csv_table(text, "Many."))
    assert len(found.values("data-value")) == MAX_ROWS
    assert f"Many. The first {MAX_ROWS} of {MAX_ROWS + 5} rows." in found.text


@pytest.mark.parametrize("missing", ["squares.png", "both.csv"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    """A picture or table that is gone is one line with its name, and no page is written."""
    place = make_study(tmp_path / "a")
    (place / missing).unlink()
    with pytest.raises(InputError, match=re.escape(f"{place / missing}: No such file")):
        write_report(tmp_path, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


DAMAGED = (b"\xff\xfe", b"a\n" + b"x" * 200_000, b'a\n"', b"a\nb\rc", b"", b"a\n1e999999,2")


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_table_is_one_line_or_shown(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table that is no CSV is told by its file, and no report is written."""
    place = make_study(tmp_path / "a")
    table = next(path for path in place.glob("*.csv") if path.name not in ("rows.csv", "squares.csv"))
    table.write_bytes(content)
    code = run(["report", str(tmp_path)])
    assert code in (ExitCode.OK, ExitCode.BAD_INPUT)
    if code == ExitCode.BAD_INPUT:
        assert str(table) in capsys.readouterr().err
        assert not (tmp_path / "report.html").exists()


def test_a_report_shows_text_as_it_was(tmp_path: Path) -> None:
    """The apostrophe that keeps a spreadsheet from running a cell is not in the report."""
    text = csv_table(format_csv(["a"], [{"a": "=1+1"}]), "")
    assert "<td>=1+1</td>" in text


@pytest.mark.parametrize("folder", ["empty", "absent"])
def test_a_folder_without_studies_is_one_line(tmp_path: Path, folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is no finished study, the command says so in one line and how to make one."""
    (tmp_path / "empty").mkdir()
    target = tmp_path / "page.html"
    assert run(["report", str(tmp_path / folder), "-o", str(target)]) == ExitCode.BAD_INPUT
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "holds no finished study" in err
    assert not target.exists()


def test_studies_that_are_not_there_are_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command names the registered studies that the folder lacks, and writes the page of the others."""
    register_studies(monkeypatch, Squares, type("Roots", (Squares,), {"name": "roots"}))
    make_study(tmp_path / "squares")
    assert run(["report", str(tmp_path)]) == ExitCode.OK
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2
    assert told[0].endswith("report.html (1 study)")
    assert f"not in {tmp_path}: roots;" in told[1]
    assert (tmp_path / "report.html").exists()

"""One HTML page of all studies in a folder: it opens offline, and holds its pictures."""

from __future__ import annotations

import base64
import csv
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

from epsl_opt.core.errors import InputError
from epsl_opt.core.reading import read_text
from epsl_opt.files.writing import write_bytes
from epsl_opt.plugins.study import Verdict
from epsl_opt.report.study_files import SECTION, PictureRecord, SectionDocument, TableRecord, read_section
from epsl_opt.report.tables import csv_table, findings_table

ASSETS = Path(__file__).parent / "assets"

COUNTED = {Verdict.HOLDS: "hold", Verdict.FAILS: "do not hold", Verdict.OPEN: "left open", Verdict.OBSERVED: "observed"}


def write_report(folder: Path, target: Path) -> tuple[str, ...]:
    """Write the report of every study in `folder`; return the names of the studies.

    Raises
    ------
    InputError
        If there is none, or a file is missing or wrong.
    """
    places = sorted(path.parent for path in folder.glob(f"*/{SECTION}"))
    if not places:
        raise InputError(str(folder), "holds no finished study; `epsl-opt study NAME --output DIR` makes one")
    sections = [(place, read_section(place)) for place in places]
    write_bytes(target, page(sections).encode())
    return tuple(section.study for _, section in sections)


def page(sections: Sequence[tuple[Path, SectionDocument]]) -> str:
    """Return the page; a browser that opens it is forbidden to load anything from elsewhere."""
    names = _anchors([place.name for place, _ in sections])
    numbered = list(zip(names, sections, strict=True))
    contents = "\n".join(_entry(name, section) for name, (_, section) in numbered)
    bodies = "\n".join(_section(n, name, *found) for n, (name, found) in enumerate(numbered, 1))
    style, script = ((ASSETS / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>epsl-opt: studies</title>
<style>
{style}</style>
</head>
<body>
<header><h1>Studies of efficient parallel split learning</h1>
<p>Made by <code>epsl-opt study</code> and <code>epsl-opt report</code>. Every claim comes with what the runs say
about it and with the numbers behind that; intervals are 95 % confidence intervals over seeds. Tables sort by a click
on their heads.</p>
</header>
<nav aria-label="Contents"><h2>Contents</h2>
<ol>
{contents}
</ol></nav>
<main>
{bodies}
</main>
<script>
{script}</script>
</body>
</html>
"""


def _anchors(names: Sequence[str]) -> list[str]:
    """Return what links to each study: its folder's name where that can stand in a link, and no two the same."""
    found: list[str] = []
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name)
        found.append(plain if plain not in found else f"{plain}-{len(found) + 1}")
    return found


def _entry(name: str, section: SectionDocument) -> str:
    verdicts = [found.verdict for found in section.findings]
    counts = ", ".join(f"{n} {word}" for verdict, word in COUNTED.items() if (n := verdicts.count(verdict)))
    size = "quick; " if section.size == "quick" else ""
    return (
        f'<li><a href="#{name}">{escape(section.title)}</a> <small>({escape(size + (counts or "no findings"))})</small>'
        f"<br><small>{escape(section.question)}</small></li>"
    )


def _section(number: int, name: str, place: Path, section: SectionDocument) -> str:
    return f"""<section id="{name}" aria-labelledby="{name}.title">
<h2 id="{name}.title">{number}. {escape(section.title)}</h2>
<p class="question">{escape(section.question)}</p>
{_warnings(section)}<h3>{number}.1 What was found</h3>
{findings_table(section.findings)}
{"".join(_picture(place, picture) for picture in section.pictures)}
{"".join(_table(place, table) for table in section.tables)}
<h3>{number}.2 How it was made</h3>
{_list(section.setting)}
<h3>{number}.3 What can't be concluded</h3>
{_list(section.limits)}
<p class="made"><code>epsl-opt study {escape(section.study)}{" --quick" if section.size == "quick" else ""}</code>,
{section.finished} runs{_times(section)}; {escape(_made_with(section))}.</p>
</section>"""


def _warnings(section: SectionDocument) -> str:
    lines = []
    if section.size == "quick":
        lines.append("The quick version: to see what the study is about, not to conclude from.")
    if section.finished < section.planned:
        missing = section.planned - section.finished
        lines.append(f"{missing} of {section.planned} runs are missing: {'; '.join(section.failures)}")
    return "".join(f'<p class="warning">{escape(line)}</p>\n' for line in lines)


def _picture(place: Path, picture: PictureRecord) -> str:
    image = base64.b64encode(_read(place / f"{picture.name}.png")).decode()
    return (
        f'<figure><img src="data:image/png;base64,{image}" alt="{escape(picture.alt)}">\n'
        f"<figcaption>{escape(picture.caption)} Numbers: {_file(place, picture.name)}.</figcaption></figure>\n"
    )


def _table(place: Path, table: TableRecord) -> str:
    path = place / f"{table.name}.csv"
    try:
        return csv_table(read_text(path), f"{escape(table.caption)} File: {_file(place, table.name)}.")
    except csv.Error as error:
        raise InputError(str(path), f"is not CSV: {error}") from error


def _file(place: Path, name: str) -> str:
    return f"<code>{escape(f'{place.name}/{name}.csv')}</code>"


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>" if lines else "<p>Nothing.</p>"


def _times(section: SectionDocument) -> str:
    return ", with measured times, which differ from run to run" if section.measures_time else ""


def _made_with(section: SectionDocument) -> str:
    found, cpu = (section.made_with.get(key) for key in ("versions", "cpu"))
    versions = [f"{name} {version}" for name, version in found.items()] if isinstance(found, dict) else []
    return ", ".join([*versions, str(cpu)] if cpu else versions)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError.from_os(str(path), error) from error

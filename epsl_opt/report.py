"""One HTML page of all studies in a folder: it opens offline, and holds its pictures."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from epsl_opt.errors import InputError
from epsl_opt.files import write_bytes
from epsl_opt.study_files import SECTION, PictureRecord, SectionDocument, TableRecord, read_section

MAX_ROWS = 400
"""Of a table in the report; its CSV file has all."""

ASSETS = Path(__file__).parent / "report_assets"


def write_report(folder: Path, target: Path) -> int:
    """Write the report of every study in `folder`; return how many there are.

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
    return len(sections)


def page(sections: Sequence[tuple[Path, SectionDocument]]) -> str:
    """Return the page."""
    contents = "\n".join(_entry(section) for _, section in sections)
    bodies = "\n".join(_section(place, section) for place, section in sections)
    style, script = ((ASSETS / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
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


def _entry(section: SectionDocument) -> str:
    return (
        f'<li><a href="#{_id(section)}">{escape(section.title)}</a><br><small>{escape(section.question)}</small></li>'
    )


def _section(place: Path, section: SectionDocument) -> str:
    return f"""<section id="{_id(section)}" aria-labelledby="{_id(section)}-title">
<h2 id="{_id(section)}-title">{escape(section.title)}</h2>
<p class="question">{escape(section.question)}</p>
{"".join(_warnings(section))}<h3>What was found</h3>
{_findings(section)}
{"".join(_picture(place, picture) for picture in section.pictures)}
{"".join(_table(place, table) for table in section.tables)}
<h3>How it was made</h3>
{_list(section.setting)}
<h3>What can't be concluded</h3>
{_list(section.limits)}
<p class="made"><code>epsl-opt study {escape(section.study)}{" --quick" if section.size == "quick" else ""}</code>;
{escape(_made_with(section))}.</p>
</section>"""


def _warnings(section: SectionDocument) -> Iterator[str]:
    if section.size == "quick":
        yield '<p class="warning">The quick version: to see what the study is about, not to conclude from.</p>\n'
    if section.finished < section.planned:
        missing = section.planned - section.finished
        why = escape("; ".join(section.failures))
        yield f'<p class="warning">{missing} of {section.planned} runs are missing: {why}</p>\n'


def _findings(section: SectionDocument) -> str:
    rows = "\n".join(
        f'<tr><td>{escape(found.claim)}</td><td class="verdict {found.verdict.split()[0]}">{escape(found.verdict)}</td>'
        f"<td>{escape(found.evidence)}</td></tr>"
        for found in section.findings
    )
    return (
        f"<table><thead><tr><th>claim</th><th>verdict</th><th>evidence</th></tr></thead>\n<tbody>{rows}</tbody></table>"
    )


def _picture(place: Path, picture: PictureRecord) -> str:
    image = base64.b64encode(_read(place / f"{picture.name}.png")).decode()
    return (
        f'<figure><img src="data:image/png;base64,{image}" alt="{escape(picture.alt)}">\n'
        f"<figcaption>{escape(picture.caption)} Numbers: <code>{escape(picture.name)}.csv</code></figcaption>"
        "</figure>\n"
    )


def _table(place: Path, table: TableRecord) -> str:
    text = _read(place / f"{table.name}.csv").decode("utf-8")
    head, *rows = list(csv.reader(io.StringIO(text))) or [[]]
    cells = "\n".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows[:MAX_ROWS])
    heads = "".join(f'<th><button type="button">{escape(name.replace("_", " "))}</button></th>' for name in head)
    more = f" The first {MAX_ROWS} of {len(rows)} rows." if len(rows) > MAX_ROWS else ""
    return (
        f'<div class="wide"><table class="sortable"><caption>{escape(table.caption)}{more} '
        f"(<code>{escape(table.name)}.csv</code>)</caption>\n"
        f"<thead><tr>{heads}</tr></thead>\n<tbody>{cells}</tbody></table></div>\n"
    )


def _cell(value: str) -> str:
    """Return a cell; of numbers, four digits are shown, and the whole is there to sort by."""
    try:
        number = float(value)
    except ValueError:
        return f"<td>{escape(value)}</td>"
    shown = value if value.lstrip("-").isdigit() else f"{number:.4g}"
    return f'<td class="number" data-value="{number!r}">{escape(shown)}</td>'


def _list(lines: Sequence[str]) -> str:
    return (
        "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>" if lines else "<p>Nothing to say.</p>"
    )


def _id(section: SectionDocument) -> str:
    return escape(section.study, quote=True)


def _made_with(section: SectionDocument) -> str:
    found = section.made_with.get("versions")
    return ", ".join(f"{name} {version}" for name, version in found.items()) if isinstance(found, dict) else ""


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(str(path), error.strerror or str(error)) from error

"""Tables of the report as HTML."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from html import escape

from epsl_opt.files.csv_text import original
from epsl_opt.plugins.study import Verdict
from epsl_opt.report.study_files import FindingRecord

MAX_ROWS = 400
"""Of a table in the report; its CSV file has all."""

CLASSES = {Verdict.HOLDS: "holds", Verdict.FAILS: "fails", Verdict.OPEN: "open", Verdict.OBSERVED: "observed"}


def findings_table(findings: Sequence[FindingRecord]) -> str:
    """Return claims, verdicts and evidence."""
    rows = (
        f'<td>{escape(found.claim)}</td><td class="verdict {CLASSES[Verdict(found.verdict)]}">{escape(found.verdict)}'
        f"</td><td>{escape(found.evidence)}</td>"
        for found in findings
    )
    return _table(("claim", "verdict", "evidence"), rows, "")


def csv_table(text: str, caption_html: str) -> str:
    """Return a CSV text with a header; what `caption_html` has been given is not escaped."""
    head, *rows = list(csv.reader(io.StringIO(text))) or [[]]
    more = f" The first {MAX_ROWS} of {len(rows)} rows." if len(rows) > MAX_ROWS else ""
    cells = ("".join(map(_cell, row)) for row in rows[:MAX_ROWS])
    return _table(
        [original(name).replace("_", " ") for name in head], cells, f"<caption>{caption_html}{more}</caption>\n"
    )


def _table(columns: Sequence[str], rows: Iterable[str], caption: str) -> str:
    heads = "".join(f'<th scope="col"><button type="button">{escape(name)}</button></th>' for name in columns)
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f'<div class="wide" tabindex="0"><table class="sortable">{caption}'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>{body}</tbody></table></div>\n"
    )


def _cell(value: str) -> str:
    """Return a cell; of numbers, four digits are shown, and the whole is there to sort by."""
    try:
        number = float(value)
    except ValueError:
        return f"<td>{escape(original(value))}</td>"
    shown = value if value.lstrip("-").isdigit() else f"{number:.4g}"
    return f'<td class="number" data-value="{number!r}">{escape(shown)}</td>'

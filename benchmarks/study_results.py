"""Write the headline figure and the findings of every full study into `docs/results.md`.

    epsl-opt study --all --output DIR
    python -m benchmarks.study_results DIR

The figures, with their numbers as CSV, are copied to `docs/pictures`. Nothing is run: what DIR holds is told.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from docs_tools.marked_text import markdown_table, write_marked
from epsl_opt.campaigns.study_points import PointDocument
from epsl_opt.core.errors import EpslOptError, InputError
from epsl_opt.core.json_record import parse_record
from epsl_opt.core.json_text import read_json
from epsl_opt.files.writing import write_bytes
from epsl_opt.plugins.study import StudySize, Verdict
from epsl_opt.report.study_files import POINTS, SectionDocument, read_section

PAGE = Path(__file__).parents[1] / "docs" / "results.md"

HEADLINES = {
    "resource-management": "gap-rayleigh",
    "ablation": "effects",
    "heterogeneity": "lead",
    "scale": "solvers-rayleigh",
    "dynamics": "worth",
    "phi": "phi",
    "frameworks": "curves-digits",
    "activation": "cosine-ways",
    "cut-layer": "trade-off",
}
"""Study -> the figure that is shown on the page, in the page's order."""

OVERVIEW = "studies"


def markers() -> list[str]:
    """Return the names of the page's generated parts, in its order."""
    return [OVERVIEW, *(f"study-{name}" for name in HEADLINES)]


def parts(sections: Mapping[str, SectionDocument], folder: Path) -> dict[str, Callable[[], str]]:
    """Return the generated parts by the name of their markers."""
    found: dict[str, Callable[[], str]] = {OVERVIEW: partial(overview, sections, folder)}
    return found | {f"study-{name}": partial(study_part, section) for name, section in sections.items()}


def overview(sections: Mapping[str, SectionDocument], folder: Path) -> str:
    """Return one line a study: how much was run, and how its claims fared."""
    head = "| study | runs | processor time (min) | " + " | ".join(Verdict) + " |"
    rows = []
    for name, section in sections.items():
        verdicts = [finding.verdict for finding in section.findings]
        counts = [verdicts.count(verdict.value) for verdict in Verdict]
        rows.append((f"[{name}](#{anchor(section.title)})", section.finished, f"{minutes(folder / name):.1f}", *counts))
    return markdown_table(head, "|---" + "|--:" * (2 + len(Verdict)) + "|", rows)


def minutes(study: Path) -> float:
    """Return the time that the kept points of a study took, in minutes of one processor."""
    kept = [parse_record(PointDocument, read_json(path), str(path)) for path in (study / POINTS).glob("*.json")]
    return sum(point.elapsed_s for point in kept) / 60


def anchor(title: str) -> str:
    """Return what a heading's link is called."""
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c == "-")


def study_part(section: SectionDocument) -> str:
    """Return the question, the headline figure, and all findings behind a fold."""
    picture = next(found for found in section.pictures if found.name == HEADLINES[section.study])
    name = f"pictures/{picture_name(section.study)}"
    rows = ((finding.claim, f"**{finding.verdict}**", finding.evidence) for finding in section.findings)
    table = markdown_table("| claim | verdict | evidence |", "|---|---|---|", ([*map(_cell, row)] for row in rows))
    return (
        f"*{section.question}*\n\n![{picture.alt}]({name}.png)\n\n{picture.caption} Numbers:"
        f" [{name}.csv]({name}.csv). Made by `epsl-opt study {section.study}`.\n\n<details>\n"
        f"<summary>All {len(section.findings)} findings</summary>\n\n{table}\n\n</details>"
    )


def picture_name(study: str) -> str:
    """Return the name of the files of a study's headline figure."""
    return f"study-{study}"


def copy_pictures(folder: Path) -> None:
    """Copy every headline figure and its numbers beside the page."""
    for study, picture in HEADLINES.items():
        for ending in ("png", "csv"):
            try:
                content = (folder / study / f"{picture}.{ending}").read_bytes()
            except OSError as error:
                raise InputError.from_os(str(error.filename), error) from error
            write_bytes(PAGE.parent / "pictures" / f"{picture_name(study)}.{ending}", content)


def full_sections(folder: Path) -> dict[str, SectionDocument]:
    """Return every study's section, refusing those of which conclusions can't be drawn."""
    found = {name: read_section(folder / name) for name in HEADLINES}
    for name, section in found.items():
        if section.size != StudySize.FULL or section.finished < section.planned:
            raise InputError(str(folder / name), "is no finished full study")
    return found


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    """Return 0; 2 if a study is missing or unfinished."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR", help="what `epsl-opt study --all --output DIR` made")
    folder = parser.parse_args().folder
    try:
        sections = full_sections(folder)
        copy_pictures(folder)
        write_marked(PAGE, parts(sections, folder))
    except EpslOptError as error:
        print(f"study_results.py: {error}", file=sys.stderr)
        return 2
    print(f"wrote {PAGE}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

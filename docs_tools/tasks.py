"""The tables of `docs/tasks.md`; `python -m docs_tools.tasks` writes them anew."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path

from docs_tools.marked_text import markdown_table, write_marked
from epsl_opt.backends.datasets.tasks import TASKS, task_names
from epsl_opt.core.errors import InputError
from epsl_opt.plugins.option_rows import option_rows

DOCUMENT = Path("docs/tasks.md")


def tasks_table() -> str:
    """List the tasks."""
    rows = ((f"`{name}`", summary) for name, summary in task_names().items())
    return markdown_table("| task | what it is |", "|---|---|", rows)


def options_table() -> str:
    """List the options of every task."""
    rows = (
        (f"`{task.name}`", f"`{row['option']}`", _default(row["default"]), row["description"])
        for task in TASKS.values()
        for row in option_rows(task.options_type)
    )
    return markdown_table("| task | option | default | meaning |", "|---|---|---|---|", rows)


TABLES: Mapping[str, Callable[[], str]] = {"tasks": tasks_table, "options": options_table}
"""Name of a marked part -> the table that belongs there."""


def _default(value: object) -> str:
    if value is None:
        return ""
    text = value.value if isinstance(value, StrEnum) else str(value)
    return f"`{text.lower() if isinstance(value, bool) else text}`"


if __name__ == "__main__":
    try:
        write_marked(DOCUMENT, TABLES)
    except InputError as error:
        sys.exit(f"reference: {error}")

"""Markdown tables of options, profiles and library; `python -m docs_tools.problems DOCUMENT` writes them anew.

A document says where a table belongs by two marker lines, `<!-- table: NAME -->` and `<!-- end of NAME -->`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path

from docs_tools.marked_text import markdown_table, write_marked
from epsl_opt.core.errors import InputError
from epsl_opt.core.instance import ModelProfile
from epsl_opt.problems import library, model_profiles
from epsl_opt.problems.library import Library, LibraryEntry
from epsl_opt.problems.network_costs import BITS_PER_NUMBER, FLOPS_PER_MULTIPLY_ADD
from epsl_opt.problems.paper_options import PaperOptions


def options_table() -> str:
    """List the options of the paper's scenario with their defaults."""
    rows = ((f"`{n}`", _value(f.default), f.description or "") for n, f in PaperOptions.model_fields.items())
    return markdown_table("| option | default | meaning |", "|---|---|---|", rows)


def profiles_table() -> str:
    """List the shipped profiles with their totals for one sample."""
    head = "| name | cut layers | GMAC forward | GFLOP forward | GFLOP backward | parameters |"
    return markdown_table(
        head, "|---|--:|--:|--:|--:|--:|", map(_profile_row, map(model_profiles.load, model_profiles.names()))
    )


def library_table(kept: Library) -> str:
    """List the library's instances with the best results known."""
    head = "| name | C | M | what it is | best latency (s) | found by | bound (s) | proved by | gap |"
    return markdown_table(head, "|---|--:|--:|---|--:|---|--:|---|--:|", map(_library_row, kept.entries))


def seconds(value: float | None) -> str:
    """Write a latency with six decimals, or nothing."""
    return "" if value is None else f"{value:.6f}"


TABLES: dict[str, Callable[[], str]] = {
    "options": options_table,
    "profiles": profiles_table,
    "library": lambda: library_table(library.read(library.PATH)),
}


def write_tables(path: Path) -> None:
    """Write every table that a document has marker lines for anew.

    Raises
    ------
    InputError
        If the document can't be read or written, or lacks a marker line.
    """
    write_marked(path, TABLES)


def _value(default: object) -> str:
    if default is None:
        return ""
    text = default.value if isinstance(default, StrEnum) else f"{default:g}" if isinstance(default, float) else default
    return f"`{str(text).lower() if isinstance(default, bool) else text}`"


def _profile_row(profile: ModelProfile) -> Iterable[object]:
    forward, backward = profile.total_forward_flops, profile.total_backward_flops
    figures = (forward / FLOPS_PER_MULTIPLY_ADD, forward, backward)
    parameters = f"{profile.total_parameter_bits / BITS_PER_NUMBER:,.0f}"
    return (f"`{profile.name}`", len(profile.cut_layers), *(f"{x / 1e9:.4g}" for x in figures), parameters)


def _library_row(entry: LibraryEntry) -> Iterable[object]:
    instance, known = entry.generate(), entry.best_known
    return (
        f"`{entry.name}`",
        instance.n_clients,
        instance.n_subchannels,
        entry.description,
        seconds(known.latency_s),
        known.latency_solver or "",
        seconds(known.bound_s),
        known.bound_solver or "",
        "" if known.gap is None else f"{100 * known.gap:.4f} %",
    )


if __name__ == "__main__":
    try:
        for document in sys.argv[1:]:
            write_tables(Path(document))
    except InputError as error:
        sys.exit(f"tables: {error}")

"""Pictures as files: whole or not at all, and the same bytes for the same picture."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

from matplotlib.figure import Figure

from epsl_opt.files.writing import write_bytes
from epsl_opt.report.plots.style import styled

_NO_DATE: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}


def save_picture(figure: Figure, stem: Path) -> list[Path]:
    """Write `stem`.png and `stem`.svg and return their paths.

    Raises
    ------
    InputError
        If the folder does not exist or can't be written to.
    """
    paths = [stem.with_name(f"{stem.name}.{form}") for form in ("png", "svg")]
    for path in paths:
        save_figure(figure, path)
    return paths


def save_figure(figure: Figure, path: Path) -> None:
    """Write one file, PNG, SVG or PDF by its suffix.

    Raises
    ------
    InputError
        If the folder does not exist or can't be written to.
    KeyError
        If the suffix is another.
    """
    form = path.suffix.lower().lstrip(".")
    content = io.BytesIO()
    with styled(), warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes; that is no reason to talk.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(content, format=form, metadata=_NO_DATE[form])
    write_bytes(path, content.getvalue())

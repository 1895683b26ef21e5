"""What the site shows beside the pages of `docs/`: a hook of MkDocs, named in `mkdocs.yml`.

README.md and its like become pages, notebooks are run and become pages, and links that lead out of `docs/` (which the
repository's own pages have, so that they can be read there) lead to pages with the file's text.
"""

from __future__ import annotations

import posixpath
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "RELEASING.md": "releasing.md",
    "SECURITY.md": "security.md",
}
"""File beside `docs/` -> page of the site."""

LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)\s#]+)")

LANGUAGES = {".py": "python", ".json": "json", ".toml": "toml", ".cff": "yaml"}

CELL_TIMEOUT_S = 120


def on_files(files: Any, config: Any) -> Any:
    """Add all pages that are made here."""
    from mkdocs.structure.files import File

    texts = {f"docs/{file.src_uri}": file.content_string for file in files.documentation_pages()}
    for name in PAGES:
        texts[name] = (ROOT / name).read_text(encoding="utf-8")
    for path in sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")):
        texts[f"docs/notebooks/{path.name}"], pictures = run_notebook(path)
        for name, content in pictures.items():
            files.append(File.generated(config, f"notebooks/{name}", content=content))
    texts |= sources(texts)
    for place, text in texts.items():
        page = page_of(place)
        if file := files.get_file_from_path(page):
            files.remove(file)
        files.append(File.generated(config, page, content=relinked(text, place)))
    return files


def sources(texts: dict[str, str]) -> dict[str, str]:
    """Return the pages, by place, of all files and folders that texts link to, directly or over one another."""
    found: dict[str, str] = {}
    waiting = [link for place, text in texts.items() for link in links(text, place)]
    while waiting:
        place = waiting.pop()
        if place not in {*texts, *found} and page_of(place).startswith("source/") and (ROOT / place).exists():
            found[place] = source(place)
            waiting += links(found[place], place)
    return found


def source(place: str) -> str:
    """Return a page with a file's text, or with links to a folder's files."""
    path = ROOT / place
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    head = f"---\nsearch:\n  exclude: true\n---\n\n# `{path.name}`\n\n`{place}`\n\n"
    if path.is_dir():
        inside = sorted(file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
        names = [file.relative_to(path).as_posix() for file in inside]
        return head + "".join(f"- [`{name}`]({path.name}/{name})\n" for name in names)
    return f"{head}````{LANGUAGES.get(path.suffix, 'text')}\n{path.read_text(encoding='utf-8')}\n````\n"


def links(text: str, place: str) -> Iterator[str]:
    """Give the places in the repository that a text links to."""
    yield from (resolved(link, place) for link in LINK.findall(text))


def resolved(link: str, place: str) -> str:
    """Return the place in the repository that a relative link leads to."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(place), link))


def page_of(place: str) -> str:
    """Return which file of the site shows a place in the repository."""
    if place in PAGES:
        return PAGES[place]
    if place.startswith("docs/"):
        return re.sub(r"\.ipynb$", ".md", place.removeprefix("docs/"))
    return f"source/{place}" if place.endswith(".md") else f"source/{place}.md"


def relinked(text: str, place: str) -> str:
    """Return a text of the repository with its links leading to the pages of the site."""
    folder = posixpath.dirname(page_of(place)) or "."
    return LINK.sub(lambda found: posixpath.relpath(page_of(resolved(found[1], place)), folder), text)


def run_notebook(path: Path) -> tuple[str, dict[str, bytes]]:
    """Run a notebook in an empty folder; return it as Markdown, and its pictures by name.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails.
    """
    import nbformat
    from nbconvert import MarkdownExporter
    from nbconvert.preprocessors import ExecutePreprocessor

    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        run = ExecutePreprocessor(timeout=CELL_TIMEOUT_S, coalesce_streams=True)
        run.preprocess(notebook, {"metadata": {"path": folder}})
    resources = {"unique_key": path.stem, "output_files_dir": f"{path.stem}_files"}
    text, resources = MarkdownExporter().from_notebook_node(notebook, resources)
    return text, resources["outputs"]

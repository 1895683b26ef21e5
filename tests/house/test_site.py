"""What `make site` relies on, as far as it can be seen without building the site."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import epsl_opt
import epsl_opt.testing
from docs_tools.site_pages import LINK, PAGES, page_of, relinked, sources

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "docs").rglob("*.ipynb"))
GROUPS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]


def cells(notebook: Path, kind: str) -> Iterator[str]:
    """Give the texts of a notebook's cells of a kind."""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == kind:
            yield "".join(cell["source"])


TEXTS = {
    **{path: path.read_text(encoding="utf-8") for path in [*map(ROOT.joinpath, PAGES), *(ROOT / "docs").rglob("*.md")]},
    **{path: "\n".join(cells(path, "markdown")) for path in NOTEBOOKS},
}
LINKS = [(path, link) for path, text in TEXTS.items() for link in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)", text)]


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", TEXTS[path], flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def documented() -> set[str]:
    """Return what the documentation imports or names in running text, but for what `epsl_opt` itself exports."""
    found: set[str] = set()
    for path, text in TEXTS.items():
        if path.name == "api.md" or (path.parent == ROOT and path.name != "README.md"):
            continue
        found |= set(re.findall(r"`(epsl_opt\.\w+\.[\w.]*\w)", text))
        code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        for block in [*code, *(cells(path, "code") if path in NOTEBOOKS else ())]:
            for node in ast.walk(ast.parse(block)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("epsl_opt."):
                    found |= {f"{node.module}.{name.name}" for name in node.names}
    found = {name for name in found if not name.startswith("epsl_opt.testing")} - set(GROUPS)
    return {name for name in found if name.rpartition(".")[0] not in found}


def test_every_page_is_in_the_navigation_once() -> None:
    """The navigation has each document, each notebook and each page made from a file of the root, and nothing else."""
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2].partition("\n\n")[0]
    listed = re.findall(r"^ +- [^:]+: (\S+)$", navigation, re.MULTILINE)
    assert sorted(listed) == sorted(page_of(path.relative_to(ROOT).as_posix()) for path in TEXTS)


@pytest.mark.parametrize(("document", "link"), LINKS, ids=lambda value: getattr(value, "name", value))
def test_links_lead_to_files_and_headings(document: Path, link: str) -> None:
    """Each relative link leads to a file or folder of the project, and its anchor to a heading."""
    name, _, anchor = link.partition("#")
    target = (document.parent / name).resolve() if name else document
    assert target.exists()
    assert not anchor or anchor in anchors(target)


def test_the_reference_has_what_is_exported_and_documented() -> None:
    """The reference lists, once, what `epsl_opt` and `epsl_opt.testing` export, and what pages take from elsewhere."""
    listed = re.findall(r"^::: (\S+)$", TEXTS[ROOT / "docs" / "api.md"], re.MULTILINE)
    exported = {f"{module.__name__}.{name}" for module in (epsl_opt, epsl_opt.testing) for name in module.__all__}
    assert sorted(listed) == sorted(exported | documented())


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_kept_without_outputs(notebook: Path) -> None:
    """No notebook has outputs or counts of runs: the site has those of its build."""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        assert cell["cell_type"] == "markdown" or (cell["outputs"], cell["execution_count"]) == ([], None)


def test_links_out_of_the_documentation_lead_to_pages_of_the_site() -> None:
    """Links between documents, to notebooks and to files of the source are rewritten to pages, anchors kept."""
    text = "[a](../README.md#more) [b](model.md) [c](notebooks/x.ipynb) [d](../solvers/exact) [e](https://x.org/y.md)"
    assert relinked(text, "docs/cli.md") == (
        "[a](index.md#more) [b](model.md) [c](notebooks/x.md) [d](source/solvers/exact.md) [e](https://x.org/y.md)"
    )
    assert relinked("[a](docs/model.md#b)", "README.md") == "[a](model.md#b)"


def test_every_link_to_the_source_has_a_page() -> None:
    """Whatever pages link to outside `docs/` is made a page, and so is what those link to."""
    texts = {path.relative_to(ROOT).as_posix(): text for path, text in TEXTS.items()}
    pages = {page_of(place) for place in {**texts, **sources(texts)}}
    for place, text in {**texts, **sources(texts)}.items():
        folder = (ROOT / page_of(place)).parent
        for link in LINK.findall(relinked(text, place)):
            target = (folder / link).resolve().relative_to(ROOT).as_posix()
            assert target in pages or (ROOT / "docs" / target).exists(), (place, link)


def test_the_workflow_calls_targets_that_exist() -> None:
    """Each target that the workflow runs is in the Makefile."""
    workflow = (ROOT / ".github" / "workflows" / "checks.yml").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = re.findall(r"target: [\[\"]?([a-z ]+)", workflow)
    for target in {word for words in named for word in words.split()}:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    assert set(re.findall(r"- run: (\w+)", workflow)) == {"make"}

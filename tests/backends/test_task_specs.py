"""Tasks are found by name, take options, and are reproducible."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs_tools.marked_text import write_marked
from docs_tools.tasks import DOCUMENT, TABLES, options_table
from epsl_opt import InputError
from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.datasets.streams import Concern, stream
from epsl_opt.backends.datasets.task import require
from epsl_opt.backends.datasets.tasks import TASKS, load_task, task_names, task_options

ROOT = Path(__file__).parents[2]


def nearest_pattern_accuracy(data: Dataset) -> float:
    """Accuracy of the class whose mean training sample is nearest."""
    train, test = data.train_x.reshape(len(data.train_y), -1), data.test_x.reshape(len(data.test_y), -1)
    means = np.array([train[data.train_y == label].mean(axis=0) for label in range(len(data.classes))])
    distances = np.square(test[:, np.newaxis] - means).sum(axis=2)
    return float((distances.argmin(axis=1) == data.test_y).mean())


def test_digits_are_whole_and_learnable() -> None:
    """All 1797 images are there once, a fifth of each digit held out, and the nearest mean image tells most apart."""
    pytest.importorskip("sklearn")
    data = load_task("digits", 0)
    labels = np.concatenate([data.train_y, data.test_y])
    assert (len(data.train_x), len(data.test_x)) == (1438, 359)
    assert data.input_shape == (1, 8, 8)
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (abs(np.bincount(data.test_y) - 0.2 * np.bincount(labels)) < 1).all()
    assert nearest_pattern_accuracy(data) > 0.85


@pytest.mark.parametrize("spec", ["digits", "synthetic:samples=60,patterns=2", "synthetic:samples=60,features=5"])
def test_the_seed_decides_everything(spec: str) -> None:
    """Equal seeds give equal arrays, another seed others, and a seed among the options wins."""
    if spec == "digits":
        pytest.importorskip("sklearn")
    first, again, other = load_task(spec, 1), load_task(spec, 1), load_task(spec, 2)
    fixed = load_task(f"{spec}{',' if ':' in spec else ':'}seed=1", 2)
    for same in (again, fixed):
        assert np.array_equal(first.train_x, same.train_x)
        assert np.array_equal(first.test_y, same.test_y)
    assert not np.array_equal(first.train_x, other.train_x)


@given(st.integers(2, 6), st.integers(12, 40), st.integers(1, 6), st.integers(1, 3), st.sampled_from([0, 2, 7]))
def test_synthetic_data_are_as_asked_for(classes: int, samples: int, size: int, channels: int, features: int) -> None:
    """Shapes, counts and classes are those of the options, and classes are equally frequent."""
    options = f"classes={classes},samples={samples},size={size},channels={channels},features={features}"
    if not features and size * size * channels < 2:
        with pytest.raises(InputError, match=r"^task synthetic: size: must leave a sample at least 2 numbers$"):
            load_task(f"synthetic:{options}", 0)
        return
    data = load_task(f"synthetic:{options}", 0)
    assert data.input_shape == ((features,) if features else (channels, size, size))
    counts = np.bincount(np.concatenate([data.train_y, data.test_y]), minlength=classes)
    assert counts.sum() == samples
    assert np.ptp(counts) <= 1
    assert len(data.classes) == classes
    assert set(data.train_y) == set(range(classes))


@pytest.mark.parametrize("kind", ["size=8", "features=64"])
def test_difficulty_makes_synthetic_data_harder(kind: str) -> None:
    """Without noise the nearest mean is always right; with more noise it is right less often."""
    scores = [nearest_pattern_accuracy(load_task(f"synthetic:{kind},difficulty={d}", 0)) for d in (0, 0.5, 1, 3)]
    assert scores[0] == 1
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] < 0.5


def test_several_patterns_are_harder_than_one() -> None:
    """A class of several patterns has no single mean that tells it apart."""
    one, five = (nearest_pattern_accuracy(load_task(f"synthetic:difficulty=0,patterns={n}", 0)) for n in (1, 5))
    assert one == 1
    assert five < 0.8


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("digit", r"^task: unknown name 'digit'; did you mean digits\?$"),
        ("", r"^task: unknown name ''; there are: digits, "),
        ("synthetic:clases=3", r"^task synthetic: option: unknown name 'clases'; did you mean classes\?$"),
        ("synthetic:classes", r"^task synthetic: option: must be KEY=VALUE, got 'classes'$"),
        ("synthetic:size=2,size=3", r"^task synthetic: option: 'size' is given twice$"),
        ("synthetic:classes=two", r"^task synthetic: classes: input should be a valid integer, .* got 'two'$"),
        ("synthetic:samples=5", r"^task synthetic: samples: must be at least 2 a class, got 5 for 10 classes$"),
        ("synthetic:samples=10000000,size=1024", r"^task synthetic: samples: would take 10485760000000 numbers"),
        ("synthetic:difficulty=nan", r"^task synthetic: difficulty: "),
        ("digits:test-fraction=0.9", r"^task digits: test_fraction: .* got '0.9'$"),
        ("digits:seed=-1", r"^task digits: seed: "),
        ("images:root=nowhere", r"^task images: root: nowhere is not a folder; say where .* with root=FOLDER$"),
        ("ham10000:root=nowhere", r"^task ham10000: root: nowhere is not a folder"),
        (
            "cifar10:root=no,where",
            r"^task cifar10: root: no test_batch.bin in no,where or no,where/cifar-10-batches-bin",
        ),
    ],
)
def test_a_wrong_task_is_one_line(spec: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong with a name, an option or a folder is said with task and field, near matches included."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        load_task(spec, 0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", TASKS)
def test_every_option_has_a_default_and_a_meaning(name: str) -> None:
    """A task works from its name alone, and each option is explained."""
    kind = task_options(name)
    assert kind() == kind.model_validate({})
    assert all(field.description for field in kind.model_fields.values())
    assert task_names()[name]


def test_no_task_imports_what_it_does_not_need() -> None:
    """Listing tasks and drawing synthetic data takes neither PyTorch nor scikit-learn nor Pillow."""
    code = (
        "import sys; from epsl_opt.backends.datasets.tasks import load_task; load_task('synthetic', 0);"
        "print(sorted({'torch', 'torchvision', 'sklearn', 'PIL'} & sys.modules.keys()))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("task", "module"), [("digits", "sklearn.datasets"), ("mnist:download=true", "torchvision.datasets")]
)
def test_a_missing_package_is_named(task: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package that a task needs, the error says what to install."""
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r": needs [\w-]+: pip install (scikit-learn|torchvision) \("):
        load_task(task, 0)


def test_a_package_that_breaks_on_import_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A torchvision that does not fit the installed torch fails with a RuntimeError; that is one line too."""
    (tmp_path / "broken_vision.py").write_text("raise RuntimeError('operator does not exist')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=r"^task x: needs vision: pip install vision \(operator does not exist\)$"):
        require("broken_vision", "vision", "x")


def test_streams_of_a_seed_are_apart() -> None:
    """What is drawn for the split says nothing of the partition or of synthetic samples."""
    assert len({stream(0, concern).random() for concern in Concern}) == len(Concern)


def test_the_documentation_is_current(tmp_path: Path) -> None:
    """Writing the tables anew (`python -m docs_tools.tasks`) changes no byte."""
    copy = Path(shutil.copy(ROOT / DOCUMENT, tmp_path))
    write_marked(copy, TABLES)
    assert copy.read_bytes() == (ROOT / DOCUMENT).read_bytes()


def test_documented_defaults_are_the_defaults() -> None:
    """Reading the table of options back, every default is the one the task has."""
    rows = re.findall(r"^\| `([\w-]+)` \| `([\w-]+)` \| (?:`(.*?)`)? \|", options_table(), re.MULTILINE)
    for name in TASKS:
        documented = {option.replace("-", "_"): value for task, option, value in rows if task == name}
        kind = task_options(name)
        assert list(documented) == list(kind.model_fields)
        assert kind.model_validate({option: value for option, value in documented.items() if value}) == kind()

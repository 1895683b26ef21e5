"""Every task by name."""

from __future__ import annotations

import re
from pathlib import Path

from epsl_opt.backends.datasets.cifar10 import CIFAR10
from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.datasets.digits import DIGITS
from epsl_opt.backends.datasets.fingerprint import Fingerprint, fingerprint
from epsl_opt.backends.datasets.ham10000 import HAM10000
from epsl_opt.backends.datasets.image_folder import IMAGES
from epsl_opt.backends.datasets.mnist import FASHION_MNIST, MNIST
from epsl_opt.backends.datasets.paper import PAPER
from epsl_opt.backends.datasets.synthetic import SYNTHETIC
from epsl_opt.backends.datasets.task import Task
from epsl_opt.core.errors import InputError
from epsl_opt.core.options import Options, parse_options, split_pairs, unknown

TASKS = {task.name: task for task in (DIGITS, PAPER, MNIST, FASHION_MNIST, CIFAR10, HAM10000, IMAGES, SYNTHETIC)}
BETWEEN_OPTIONS = re.compile(r",(?=\s*[A-Za-z][\w-]*=)")


def load_task(spec: str, seed: int) -> Dataset:
    """Load the data of a task.

    Parameters
    ----------
    spec
        A name with options, `synthetic:classes=10,size=8`. A value may hold commas where no `KEY=` follows.
    seed
        Of the split into training and test samples, and of whatever else is drawn; not negative.

    Raises
    ------
    InputError
        If a task or option is unknown, or files are missing or damaged.
    """
    task, options = _parsed(spec)
    try:
        return task.load(options, seed)
    except OSError as error:
        raise InputError.from_os(str(error.filename or f"task {task.name}"), error) from error


def task_fingerprint(spec: str) -> Fingerprint:
    """Return what changes if the files of a task change; nothing for a task without files, or with none to be found.

    Raises
    ------
    InputError
        If a task or option is unknown.
    """
    root = getattr(_parsed(spec)[1], "root", None)
    try:
        return fingerprint(root) if isinstance(root, Path) else ()
    except OSError:  # loading says what is wrong
        return ()


def task_names() -> dict[str, str]:
    """Return the tasks by name, with one line about each."""
    return {name: task.summary for name, task in TASKS.items()}


def bundled_tasks() -> tuple[str, ...]:
    """Return the names of the tasks that need no files."""
    return tuple(name for name, task in TASKS.items() if not task.needs_files)


def task_network(spec: str) -> str | None:
    """Return the network that a task is made for, None if it is any that takes its samples.

    Raises
    ------
    InputError
        If there is no such task.
    """
    return _find(spec.partition(":")[0]).network


def task_options(name: str) -> type[Options]:
    """Return the options of a task as a pydantic model.

    Raises
    ------
    InputError
        If there is no such task.
    """
    return _find(name).options_type


def _parsed(spec: str) -> tuple[Task, Options]:
    name, _, pairs = spec.partition(":")
    task = _find(name)
    owner = f"task {task.name}"
    given = split_pairs(BETWEEN_OPTIONS.split(pairs) if pairs else (), owner)
    return task, parse_options(task.options_type, given, owner)


def _find(name: str) -> Task:
    if name not in TASKS:
        raise InputError("task", unknown(name, list(TASKS)))
    return TASKS[name]

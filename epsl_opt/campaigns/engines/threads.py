"""How many threads a run computes on: its time should not depend on what is run beside it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
"""What numerical libraries ask for when they are loaded."""


def thread_environment(threads: int) -> dict[str, str]:
    """Return the variables that have a process compute on so many threads, if they are set before it starts."""
    return dict.fromkeys(THREAD_VARIABLES, str(threads))


@contextlib.contextmanager
def pinned_threads(threads: int) -> Iterator[None]:
    """Have a process that runs already compute on so many threads in the block, with the libraries it has or loads."""
    from threadpoolctl import threadpool_limits

    with _environment(thread_environment(threads)), threadpool_limits(threads), _torch_threads(threads):
        yield


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@contextlib.contextmanager
def _torch_threads(threads: int) -> Iterator[None]:
    """Limit PyTorch's own pool, if PyTorch is loaded; if it is loaded later, it asks the environment."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)

"""Threads for linear algebra: systems of some hundred unknowns get slower with more than one, up to a hundred times."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache

import scipy.linalg  # noqa: F401 -- so that its library is among those found
from threadpoolctl import ThreadpoolController

SMALL = 1_000_000
"""With more (client, subchannel) pairs products of large matrices take most of the time, which threads share well."""

_lock = threading.Lock()
_limited: list[object] = []
_depth = 0


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let NumPy's and SciPy's BLAS use one thread; what it was is restored when the last of all callers leaves."""
    global _depth  # noqa: PLW0603
    with _lock:
        if _depth == 0:
            _limited.append(_controller().limit(limits=1, user_api="blas"))
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                _limited.pop().restore_original_limits()  # type: ignore[attr-defined]


def fitting_blas_threads(n_pairs: int) -> AbstractContextManager[None]:
    """One thread for instances of up to `SMALL` (client, subchannel) pairs, as many as there are for larger ones."""
    return one_blas_thread() if n_pairs <= SMALL else nullcontext()

"""One thread for linear algebra: systems of some hundred unknowns get slower with more, by up to a hundred times."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import scipy.linalg  # noqa: F401 -- so that its library is among those found
from threadpoolctl import ThreadpoolController

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

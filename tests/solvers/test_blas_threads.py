"""Linear algebra on one thread while a proof runs, and as before after it."""

from __future__ import annotations

import threading

from threadpoolctl import threadpool_info

from epsl_opt.solvers.blas_threads import one_blas_thread


def _threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_one_thread_inside_and_as_before_outside() -> None:
    """Inside the block BLAS has one thread, also while and after others enter and leave it; outside what it had."""
    before, entered, leave = _threads(), threading.Event(), threading.Event()

    def beside() -> None:
        with one_blas_thread():
            entered.set()
            leave.wait(10)

    other = threading.Thread(target=beside)
    with one_blas_thread():
        other.start()
        entered.wait(10)
        assert _threads() == {1}
    assert _threads() == {1}
    leave.set()
    other.join()
    assert _threads() == before

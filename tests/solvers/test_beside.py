"""Searches on a thread beside the proof of `exact`: the same promises, and no thread is left behind."""

from __future__ import annotations

import math
import threading

import pytest

from epsl_opt import Limits, SolutionStatus, StopReason, load_instance, solve
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.solvers.exact import beside, incumbents
from epsl_opt.solvers.exact.beside import Beside, n_threads

FADING = "paper:clients=5,subchannels=14,fading=rayleigh,bandwidth_spread=0.5,seed=1"


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches begin with the first step of the proof."""
    monkeypatch.setattr(incumbents, "HEAD_START", 0.0)


def _searchers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == beside.THREAD_NAME]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("seed", range(3))
def test_with_two_threads_the_gap_is_proved_as_with_one(seed: int) -> None:
    """Bounds and latencies of either run fit the other's, and the thread has ended."""
    instance = load_instance(FADING.replace("seed=1", f"seed={seed}"))
    one, two = (solve(instance, "exact", Limits(time_s=60, threads=threads)) for threads in (1, 2))
    assert one.stop_reason is two.stop_reason is StopReason.GAP_REACHED
    assert one.bound_s is not None
    assert two.bound_s is not None
    assert one.latency_s is not None
    assert two.latency_s is not None
    assert max(one.bound_s, two.bound_s) <= min(one.latency_s, two.latency_s) * (1 + 1e-9)
    assert not _searchers()


@pytest.mark.usefixtures("at_once")
def test_a_time_limit_ends_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run ends with what was found until then, and no thread goes on."""
    result = solve(load_instance("wide-c20-m80-rayleigh"), "exact", Limits(time_s=1.0, rel_gap=0.0, threads=2))
    assert result.stop_reason is StopReason.TIME_LIMIT
    assert result.status is SolutionStatus.VERIFIED
    assert not _searchers()


@pytest.mark.usefixtures("at_once")
def test_what_goes_wrong_on_the_thread_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of a search is an error of the run, which keeps its schedule, and no thread goes on."""
    monkeypatch.setattr(incumbents.Search, "step", _fail)
    result = solve(load_instance("wide-c20-m80-rayleigh"), "exact", Limits(time_s=20.0, rel_gap=0.0, threads=2))
    assert result.stop_reason is StopReason.ERROR
    assert "out of luck" in result.message
    assert result.schedule is not None
    assert not _searchers()


def _fail(search: object) -> bool:
    raise RuntimeError("out of luck")


@pytest.mark.usefixtures("at_once")
def test_an_interrupt_ends_the_thread() -> None:
    """Whatever leaves the proof, the thread ends with it."""
    instance = load_instance(FADING)
    monitor = SolveMonitor(instance, Limits(time_s=math.inf))
    with pytest.raises(KeyboardInterrupt):
        _interrupted(Beside(instance, monitor))
    assert not _searchers()


def _interrupted(proof: Beside) -> None:
    with proof as searches:
        searches.count_nodes(200000)
        searches.catch_up()
        assert _searchers()
        raise KeyboardInterrupt


def test_a_proof_that_is_done_soon_starts_no_thread() -> None:
    """Before the head start is over there is no thread."""
    instance = load_instance(FADING)
    with Beside(instance, SolveMonitor(instance, Limits())) as searches:
        searches.count_root_step()
        searches.catch_up()
        assert not _searchers()


def test_no_more_threads_than_allowed() -> None:
    """One where one is asked for, never more than two."""
    assert n_threads(Limits(threads=1)) == 1
    assert n_threads(Limits(threads=8)) == 2
    assert 1 <= n_threads(Limits()) <= 2

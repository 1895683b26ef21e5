"""Engines: every task has one outcome, a process that dies costs its own task one try, and nothing is run in vain."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from engine_toys import act, command_line, wait_for
from hypothesis import given
from hypothesis import strategies as st

from epsl_opt import InputError
from epsl_opt.campaigns.engines import (
    DASK,
    LOCAL,
    Done,
    Engine,
    Failed,
    Outcome,
    Task,
    ThisProcess,
    open_engine,
    run_tasks,
)
from epsl_opt.campaigns.engines.dispatch import RETIREMENTS
from epsl_opt.campaigns.engines.engine import Died, Place
from epsl_opt.core.errors import EngineError


def outcomes(orders: Sequence[str], engine: Engine) -> dict[str, Outcome]:
    """Return what became of each order."""
    with engine:
        return {task.key: outcome for task, outcome in run_tasks(act, [Task(o, o, o) for o in orders], engine)}


def local(jobs: int) -> Engine:
    """Return processes of this machine."""
    return open_engine(LOCAL, jobs)


def gone(pid: int) -> bool:
    """Return whether a process ends before long."""
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_values_and_errors_are_the_same_in_this_process_and_in_others() -> None:
    """Values come back, and what a task raises is one line, the same wherever the task is run."""
    orders = ["square 3", "fail no such\tthing", "square 4", "refuse it"]
    here = outcomes(orders, ThisProcess())
    assert [here[order] for order in ("square 3", "square 4")] == [Done(9), Done(16)]
    found = outcomes(orders, local(2))
    for order, message in (("fail no such\tthing", "RuntimeError: no such\tthing"), ("refuse it", "InputError: ")):
        mine, theirs = here[order], found[order]
        assert isinstance(mine, Failed)
        assert isinstance(theirs, Failed)
        assert mine.message == theirs.message
        assert mine.message.startswith(message)
        assert "in act" in theirs.trace
    assert {order: found[order] for order in orders[::2]} == {order: here[order] for order in orders[::2]}


def test_what_can_not_be_sent_back_fails_its_task_only() -> None:
    """A value that is not picklable is a failure that says so, and the process goes on."""
    found = outcomes(["keep it", "square 5"], local(1))
    assert isinstance(found["keep it"], Failed)
    assert found["square 5"] == Done(25)


def test_what_a_task_prints_and_reads_stays_out_of_the_campaign(capfd: pytest.CaptureFixture[str]) -> None:
    """A function without a name prints to standard error, finds nothing to read, and may try to end its process."""

    def task(n: int) -> str:
        print("chatter")
        return sys.exit("enough") if n == 2 else sys.stdin.read() + "end"

    with local(1) as engine:
        found = [outcome for _, outcome in run_tasks(task, [Task(str(n), str(n), n) for n in range(4)], engine)]
    assert found[0] == found[1] == found[3] == Done("end")
    assert isinstance(found[2], Failed)
    assert found[2].message == "SystemExit: enough"
    assert capfd.readouterr().out == ""


def test_a_process_that_leaves_a_child_behind_has_died_all_the_same() -> None:
    """Its end is noticed although the child holds its pipes open."""

    def task(code: int) -> None:
        if os.fork() == 0:
            time.sleep(5)
        os._exit(code)

    with local(1) as engine:
        ((_, outcome),) = run_tasks(task, [Task("7", "7", 7)], engine)
    assert outcome == Failed("its process ended with exit code 7, 2 times")


def test_a_process_that_dies_costs_its_own_task_one_try(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A task whose process is killed is run again, once, in another process; no other task is run twice."""
    once, always = tmp_path / "log.1", tmp_path / "log.9"
    orders = [f"die {once}", f"die {always}", *(f"square {n}" for n in range(4))]
    with caplog.at_level(logging.WARNING):
        found = outcomes(orders, local(2))
    assert found[f"die {once}"] == Done("alive")
    assert found[f"die {always}"] == Failed("its process ended with SIGKILL (out of memory?), 2 times")
    assert [found[f"square {n}"] for n in range(4)] == [Done(n**2) for n in range(4)]
    assert [len(set(log.read_text().split())) for log in (once, always)] == [2, 2]
    assert Counter(record.message.split(": ")[0] for record in caplog.records) == {orders[0]: 1, orders[1]: 1}


def test_a_process_that_dies_between_two_tasks_costs_nothing() -> None:
    """The next task is run in another process, and its try does not count."""
    with local(1) as engine:
        tasks = [Task(str(n), str(n), "pid") for n in range(3)]
        pids: list[int] = []
        for _, outcome in run_tasks(act, tasks, engine):
            assert isinstance(outcome, Done)
            pids.append(outcome.value)
            os.kill(outcome.value, signal.SIGKILL)
            assert gone(outcome.value)
    assert len(set(pids)) == 3


def test_closing_ends_what_is_running(tmp_path: Path) -> None:
    """When the caller turns away, running processes are killed and waiting tasks are never begun."""
    orders = [f"hang {tmp_path / 'one'}", "square 2", f"hang {tmp_path / 'two'}", f"hang {tmp_path / 'three'}"]
    with local(2) as engine:
        runs = run_tasks(act, [Task(order, order, order) for order in orders], engine)
        assert next(runs)[1] == Done(4)
        pid = int(wait_for(tmp_path / "one"))
        runs.close()
        assert gone(pid)
    assert not (tmp_path / "three").exists()


CAMPAIGN = """
import sys
from pathlib import Path
from engine_toys import act, publish
from epsl_opt.campaigns.engines import LOCAL, Task, open_engine, run_tasks

place = Path(sys.argv[1])
orders = ["pid", f"hang {place / 'busy'}"]
with open_engine(LOCAL, 2) as engine:
    for task, outcome in run_tasks(act, [Task(order, order, order) for order in orders], engine):
        publish(place / "idle", str(outcome.value))
"""


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="what has ended is told by /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_campaign_leaves_no_processes(tmp_path: Path, how: signal.Signals) -> None:
    """When the campaign itself is killed, its processes end, whether they compute or wait."""
    toys = Path(__file__).parents[1]
    campaign = subprocess.Popen([sys.executable, "-c", CAMPAIGN, str(tmp_path)], env=os.environ | {"PYTHONPATH": toys})
    pids = [int(wait_for(tmp_path / name)) for name in ("busy", "idle")]
    campaign.send_signal(how)
    campaign.wait()
    deadline_s = time.monotonic() + 60
    while any(commands := [command_line(pid) for pid in pids]):
        assert time.monotonic() < deadline_s, commands
        time.sleep(0.02)


def test_processes_do_not_hear_ctrl_c() -> None:
    """SIGINT, which a terminal sends to all, leaves the tasks in other processes alone."""
    assert outcomes(["interrupt"], local(1)) == {"interrupt": Done("still there")}


@pytest.mark.parametrize("threads", [1, 2])
def test_processes_compute_on_the_threads_they_are_given(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries see the engine's number of threads whatever the caller's environment says, which stays as it was."""
    monkeypatch.setenv("OMP_NUM_THREADS", "9")
    found = outcomes(["threads"], open_engine(LOCAL, 1, threads=threads))["threads"]
    assert isinstance(found, Done)
    assert found.value == (str(threads), {min(threads, os.cpu_count() or 1)})
    assert os.environ["OMP_NUM_THREADS"] == "9"


class Scripted(Engine):
    """Places whose tasks end, die or go on as a script says."""

    def __init__(self, n_places: int, fates: list[str]) -> None:
        self.fates = iter(fates)
        self.starts: Counter[str] = Counter()
        self.deaths: Counter[str] = Counter()
        self.retirements: Counter[str] = Counter()
        self.ended = False
        self._places = [ScriptedPlace(self) for _ in range(n_places)]

    def places(self, wanted: int) -> Sequence[Place]:
        """Return all."""
        return self._places

    def end(self) -> None:
        """Note it."""
        self.ended = True


class ScriptedPlace(Place):
    """Asks the script whenever it is looked at."""

    def __init__(self, engine: Scripted) -> None:
        self.engine, self.busy = engine, False

    def start(self, function: Any, argument: Any) -> Future[Outcome]:
        """Refuse to do two things at a time."""
        assert not self.busy
        self.busy, self.argument = True, argument
        self.engine.starts[argument] += 1
        future: Future[Outcome] = Future()
        return future

    def outcome(self, future: Future[Outcome]) -> Outcome | Died | None:
        """Return what is next in the script; all ends well after it."""
        fate = next(self.engine.fates, "end")
        if fate == "go on":
            return None
        self.busy = False
        if fate == "die":
            self.engine.deaths[self.argument] += 1
            return Died("dead")
        if fate == "retire":
            self.engine.retirements[self.argument] += 1
            return Died("retired", retired=True)
        return Done(self.argument) if fate == "end" else Failed("no")


@given(
    n_tasks=st.integers(0, 6),
    n_places=st.integers(1, 4),
    fates=st.lists(st.sampled_from(["end", "fail", "die", "retire", "go on"]), max_size=30),
)
def test_every_task_comes_to_one_end_whatever_happens(n_tasks: int, n_places: int, fates: list[str]) -> None:
    """Each task has one outcome, fails at its second death, and is begun once more for its first and retirements."""
    engine = Scripted(n_places, fates)
    tasks = [Task(str(n), str(n), str(n)) for n in range(n_tasks)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("epsl_opt.campaigns.engines.dispatch.LOOK_EVERY_S", 0.0)
        patch.setattr("epsl_opt.campaigns.engines.dispatch.log.warning", lambda *told: None)
        found = list(run_tasks(act, tasks, engine))
    assert sorted(task.key for task, _ in found) == [task.key for task in tasks]
    assert engine.ended
    for task, outcome in found:
        deaths, retirements = engine.deaths[task.key], engine.retirements[task.key]
        assert engine.starts[task.key] == min(deaths, 1) + min(retirements, RETIREMENTS - 1) + 1
        assert (outcome == Failed(f"retired, {RETIREMENTS} times")) == (retirements == RETIREMENTS)
        assert (outcome == Failed("dead, 2 times")) == (deaths == 2)


def test_an_engine_that_has_gone_ends_the_campaign() -> None:
    """What was yielded before stays with the caller, and the error goes through."""

    class Gone(ThisProcess):
        looks = 0

        def look(self) -> None:
            self.looks += 1
            if self.looks == 2:
                raise EngineError("gone")

    def drain() -> Iterator[str]:
        for task, _ in run_tasks(act, [Task(str(n), str(n), f"square {n}") for n in range(3)], Gone()):
            yield task.key

    keys = drain()
    assert next(keys) == "0"
    with pytest.raises(EngineError, match=r"^gone$"):
        next(keys)


@pytest.mark.parametrize(
    ("name", "scheduler", "message"),
    [
        ("cloud", None, "--engine: must be one of local, dask, got 'cloud'"),
        (DASK, None, "--scheduler: is the address of a Dask scheduler, to be given with --engine dask"),
        (LOCAL, "tcp://127.0.0.1:1", "--scheduler: is the address of a Dask scheduler, to be given with --engine dask"),
    ],
)
def test_an_engine_that_can_not_be_is_refused(name: str, scheduler: str | None, message: str) -> None:
    """A wrong name, or an address without Dask or Dask without one, is one line."""
    with pytest.raises(InputError) as caught:
        open_engine(name, 1, scheduler)
    assert str(caught.value) == message

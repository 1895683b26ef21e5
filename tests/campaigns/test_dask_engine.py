"""Campaigns on a Dask cluster: the same results file as on this machine, whatever happens to the workers."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_toys import Steady, register_toys
from dask_toys import Cluster, running_cluster
from engine_toys import Hostage, act, publish, wait_for
from study_toys import Squares
from training_toys import register_training_toys

from epsl_opt.campaigns.engines import DASK, Done, Failed, Task, open_engine, run_tasks
from epsl_opt.campaigns.study_runs import run_points
from epsl_opt.cli.app import run
from epsl_opt.cli.exits import ExitCode
from epsl_opt.core.errors import InputError
from epsl_opt.plugins.study import StudySize

distributed = pytest.importorskip("distributed", reason='needs pip install "epsl-opt[dask]"')
dask_cluster = pytest.importorskip("epsl_opt.campaigns.engines.dask_cluster")

TIMES = ("build_s", "solve_s", "overrun_s")


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler for all tests that leave it running."""
    with running_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def cluster(scheduler: Cluster) -> Iterator[Cluster]:
    """A scheduler without workers."""
    yield scheduler
    scheduler.dismiss_workers()


def results(folder: Path) -> list[dict[str, Any]]:
    """Return what a campaign's results file holds, measured times apart."""
    rows = json.loads((folder / "comparison.json").read_text())
    return [{name: value for name, value in row.items() if name not in TIMES} for row in rows]


def kill_the_hostage_taker(place: Path) -> int:
    """Kill the process that tells its number, let its run go on elsewhere, and return the number."""
    pid = int(wait_for(place / "pid"))
    os.kill(pid, signal.SIGKILL)
    publish(place / "released", "")
    return pid


def test_a_killed_worker_does_not_show_in_the_results_file(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With one of two workers killed in the middle, a campaign's file equals those of one and of two local processes.

    The run that the worker was making is made once more, no other is made twice, and a resumed campaign makes none.
    """
    from epsl_opt.solvers.paper.baselines import BaselineA
    from epsl_opt.solvers.paper.bcd import BlockCoordinateDescent

    register_toys(monkeypatch, BlockCoordinateDescent, BaselineA, Hostage)
    monkeypatch.setattr("epsl_opt.report.comparison_files._write_pictures", lambda *what: None)
    place = tmp_path / "place"
    place.mkdir()
    workers = [cluster.add_worker(), cluster.add_worker()]
    dask = ["--engine", "dask", "--scheduler", cluster.address]

    def campaign(name: str, *how: str) -> str:
        taken = ["--option", f"hostage.place={place}", "--option", "hostage.on=paper:seed=1"]
        folder = tmp_path / name
        assert run(["compare", "paper", "--seeds", "0..2", *taken, "--output", str(folder), *how]) == ExitCode.OK
        return capsys.readouterr().err

    killer = threading.Thread(target=kill_the_hostage_taker, args=(place,))
    killer.start()
    told = campaign("disturbed", *dask)
    killer.join()
    assert [worker.poll() for worker in workers].count(None) == 1
    assert "hostage on paper:seed=1: its worker tcp://" in told
    assert "it is tried once more" in told
    calls = (place / "calls").read_text().split()
    assert sorted(calls) == ["paper", "paper:seed=1", "paper:seed=1", "paper:seed=2"]
    for name, how in (("one", ["--jobs", "1"]), ("two", ["--jobs", "2"])):
        campaign(name, *how)
        assert results(tmp_path / name) == results(tmp_path / "disturbed")
    told = campaign("disturbed", "--jobs", "2")
    assert "9 of 9 runs were there already" in told
    assert len((place / "calls").read_text().split()) == 4 + 2 * 3


def test_workers_that_die_and_come_back(tmp_path: Path, cluster: Cluster) -> None:
    """A task that takes its worker down twice has failed; with all workers gone, the campaign waits for another."""
    cluster.add_worker("--nanny")
    once, always = tmp_path / "log.1", tmp_path / "log.9"
    orders = [f"die {once}", f"die {always}", "square 3", "fail thing", "refuse it"]
    with open_engine(DASK, None, cluster.address) as engine:
        found = {task.key: outcome for task, outcome in run_tasks(act, [Task(o, o, o) for o in orders], engine)}
    assert found[orders[0]] == Done("alive")
    assert found["square 3"] == Done(9)
    messages = {order: outcome.message for order, outcome in found.items() if isinstance(outcome, Failed)}
    assert set(messages) == {orders[1], "fail thing", "refuse it"}
    assert messages[orders[1]].startswith("its worker tcp://127.0.0.1:")
    assert messages[orders[1]].endswith(" has gone, 2 times")
    assert messages["fail thing"] == "RuntimeError: thing"
    assert messages["refuse it"] == "InputError: file: field: is wrong"
    assert [len(log.read_text().split()) for log in (once, always)] == [2, 2]


def test_runs_of_workers_that_retire_are_run_again(
    tmp_path: Path, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    """Workers that go as they were to, as by `--lifetime`, cost a run none of its tries, however many they are."""
    log, retirements = tmp_path / "log.3", 3

    def retire_and_replace() -> None:
        with distributed.Client(cluster.address, set_as_default=False) as client:
            for number in range(1, 1 + retirements):
                while not log.exists() or len(log.read_text().split()) < number:
                    time.sleep(0.05)
                client.retire_workers(list(client.nthreads()), close_workers=True)
                cluster.add_worker()

    cluster.add_worker()
    helper = threading.Thread(target=retire_and_replace)
    helper.start()
    with open_engine(DASK, None, cluster.address) as engine:
        found = [outcome for _, outcome in run_tasks(act, [Task("a", "a", f"stay {log}")], engine)]
    helper.join()
    assert found == [Done("done")]
    assert len(log.read_text().split()) == 1 + retirements
    assert caplog.text.count("has retired; it is run again") == retirements


def test_tasks_compute_on_one_thread_and_studies_give_the_same_rows(tmp_path: Path, cluster: Cluster) -> None:
    """A worker that was started with three threads computes on as many as are asked for; rows are those of here."""
    cluster.add_worker(OMP_NUM_THREADS="3", OPENBLAS_NUM_THREADS="3")
    with open_engine(DASK, None, cluster.address) as engine:
        (_, outcome), (_, later) = run_tasks(act, [Task(n, n, "threads") for n in "ab"], engine)
        rows = []
        for where in (engine, None):
            folder = tmp_path / f"points-{where is None}"
            folder.mkdir()
            rows.append(run_points(Squares(), StudySize.QUICK, folder, 1, engine=where).rows)
    assert outcome == later == Done(("1", {1}))
    assert rows[0] == rows[1]


def test_trainings_come_back_as_files(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Trainings on a cluster or side by side leave the same tables and files as here, and are not made again."""
    register_training_toys(monkeypatch, Steady)
    monkeypatch.setattr("epsl_opt.report.training_files._write_picture", lambda *what: None)
    cluster.add_worker()
    shared = ["--train", "--backend", "toy", "--solvers", "steady", "--task", "plane", "--rounds", "30"]
    wanted = [*shared, "--frameworks", "epsl,psl", "--train-seeds", "0..1"]
    dask = ["--engine", "dask", "--scheduler", cluster.address]
    for name, how in (("here", []), ("there", dask), ("beside", ["--jobs", "2"])):
        assert run(["compare", "paper", *wanted, *how, "--output", str(tmp_path / name)]) == ExitCode.OK
    here, there = tmp_path / "here", tmp_path / "there"
    kept = {str(path.relative_to(here)) for path in (here / "trainings").rglob("*")}
    assert len(kept) == 4 * (1 + 5)
    for other in (there, tmp_path / "beside"):
        assert (here / "training.json").read_bytes() == (other / "training.json").read_bytes()
        assert kept == {str(path.relative_to(other)) for path in (other / "trainings").rglob("*")}
    capsys.readouterr()
    assert run(["compare", "paper", *wanted, *dask, "--output", str(there)]) == ExitCode.OK
    assert "4 of 4 trainings were there already" in capsys.readouterr().err


SCHEDULER_GOES = """
import os, signal, sys
from epsl_opt.campaigns.engines import DASK, Task, dask_cluster, open_engine, run_tasks
from epsl_opt.core.errors import EngineError

dask_cluster.CONNECT_TIMEOUT_S = 3.0
with open_engine(DASK, None, sys.argv[1]) as engine:
    engine.places(1)
    runs = run_tasks(abs, [Task(n, n, -int(n)) for n in "345"], engine)
    print(next(runs)[1].value)
    os.kill(int(sys.argv[2]), signal.SIGKILL)
    try:
        list(runs)
    except EngineError as error:
        print(error)
"""
"""In a process of its own: a client whose scheduler was killed leaves Dask's event loop in disorder."""


def test_a_scheduler_that_goes_ends_the_campaign_with_one_line(tmp_path: Path) -> None:
    """What was done before is there, and the error says who has gone."""
    with running_cluster(tmp_path) as cluster:
        cluster.add_worker()
        address = cluster.address
        program = [sys.executable, "-c", SCHEDULER_GOES, address, str(cluster.scheduler.pid)]
        done = subprocess.run(program, capture_output=True, text=True, timeout=100, check=True)
    value, error = done.stdout.splitlines()
    assert value == "3"
    assert error.startswith(f"the Dask scheduler at {address} has gone: ")


def refused(capsys: pytest.CaptureFixture[str], *how: str, code: ExitCode = ExitCode.BAD_INPUT) -> str:
    """Return the one line that a campaign ends with."""
    assert run(["compare", "paper", "--solvers", "greedy", *how]) == code
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    return err


def test_an_address_without_a_scheduler_leaves_no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused address leaves no half-made client to a later collection: closed in another's start, it never ends."""
    monkeypatch.setattr(dask_cluster, "CONNECT_TIMEOUT_S", 0.2)
    for address in ("tcp://127.0.0.1:1", "nonsense"):
        gc.collect()
        gc.disable()
        try:
            with pytest.raises(InputError, match="no Dask scheduler at"):
                open_engine(DASK, None, address)
            assert [thing for thing in gc.get_objects() if type(thing) is distributed.Client] == []
        finally:
            gc.enable()


def test_a_cluster_that_can_not_be_used_is_one_line(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No scheduler, no workers, and workers with another version are one clear line each; nothing is run."""
    monkeypatch.setattr(dask_cluster, "CONNECT_TIMEOUT_S", 0.2)
    monkeypatch.setattr(dask_cluster, "WORKER_TIMEOUT_S", 0.0)
    dask = ("--engine", "dask", "--scheduler")
    nobody = refused(capsys, *dask, "tcp://127.0.0.1:1")
    assert nobody.startswith("epsl-opt: error: --scheduler: no Dask scheduler at tcp://127.0.0.1:1: ")
    assert "no Dask scheduler at nonsense" in refused(capsys, *dask, "nonsense")
    monkeypatch.setattr(dask_cluster, "CONNECT_TIMEOUT_S", 60.0)
    idle = refused(capsys, *dask, cluster.address, code=ExitCode.ERROR)
    assert idle == f"epsl-opt: error: the Dask scheduler at {cluster.address} has no workers to go on with\n"
    cluster.add_worker()
    monkeypatch.setattr(dask_cluster, "WORKER_TIMEOUT_S", 60.0)
    with open_engine(DASK, None, cluster.address) as engine:
        assert len(engine.places(1)) == 1
    monkeypatch.setattr(dask_cluster, "version", lambda package: "999")
    strange = refused(capsys, *dask, cluster.address)
    assert "has Python" in strange
    assert strange.endswith("with epsl-opt 999\n")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (["--engine", "dask"], "--engine dask needs --scheduler ADDRESS"),
        (["--scheduler", "tcp://127.0.0.1:1"], "--scheduler is for --engine dask"),
        (["--engine", "cloud"], "'cloud' is not one of 'local', 'dask'"),
    ],
)
def test_options_that_do_not_fit_are_refused(how: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Dask without an address, an address without Dask, and an unknown engine are bad usage."""
    assert message in refused(capsys, *how)


def test_without_dask_the_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the package is missing, the extra is named."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "epsl_opt.campaigns.engines.dask_cluster", raising=False)
    told = refused(capsys, "--engine", "dask", "--scheduler", "tcp://127.0.0.1:1")
    assert told.endswith('pip install "epsl-opt[dask]"\n')

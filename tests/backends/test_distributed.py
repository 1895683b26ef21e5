"""Training on several ranks: the same as in one process, and what happens when a rank fails."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
from distributed_jobs import TRAIN, Job, module_job, rows_done, run_several

from epsl_opt.backends.distributed.clock import ClientStamps
from epsl_opt.backends.distributed.round_times import RoundTimes
from epsl_opt.campaigns.engines.threads import pinned_threads
from epsl_opt.cli.app import run
from epsl_opt.core.stage_times import StageTimes

NETWORK = """
from torch import nn


def make(classes):
    head = [nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Dropout(0.3)]
    return nn.Sequential(*head, nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, classes))
"""
"""Random numbers on both sides of any cut, and running statistics."""

CASES = {
    "epsl": ["--phi", "0.5", "--option", "partition=dirichlet"],
    "epsl-per-client": ["--phi", "0.5", "--option", "linearization=per-client"],
    "epsl-all": ["--phi", "1", "--option", "aggregation=representative", "--option", "pairing=label"],
    "psl": ["--framework", "psl", "--option", "optimizer=adam", "--option", "lr=0.01"],
    "epsl-averaged": ["--phi", "0.5", "--average-every", "2"],
    "psl-averaged": ["--framework", "psl", "--average-every", "3", "--option", "optimizer=adam", "--option", "lr=0.01"],
    "sfl": ["--framework", "sfl", "--option", "lr_schedule=cosine"],
    "sfl-v2": ["--framework", "sfl-v2"],
    "sl": ["--framework", "sl", "--option", "optimizer=adam", "--option", "lr=0.01"],
    "fl": ["--framework", "fl"],
}
ROUNDS = ["--rounds", "5", "-q"]
LONG = [*TRAIN, "--network", "mlp", "--rounds", "4000", "--checkpoint-every", "3", "--evaluate-every", "4000"]


Start = Callable[..., Job]


@pytest.fixture
def start() -> Iterator[Start]:
    """Return what starts a job; whatever is left of it ends with the test."""
    with contextlib.ExitStack() as jobs:
        yield lambda *arguments, **options: jobs.enter_context(module_job(*arguments, **options))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train every case on three ranks, and go on with the first from a checkpoint of one process."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch, pinned_threads(1):
        (folder / "noisy_network.py").write_text(NETWORK)
        patch.setenv("PYTHONPATH", str(folder))
        lines = [
            [*TRAIN, "--network", "noisy_network:make", *ROUNDS, *case, "-o", str(folder / f"{name}-ranks")]
            for name, case in CASES.items()
        ]
        resumed = ["--rounds", "9", "--resume", "-q", "-o", str(folder / "epsl-back-and-forth")]
        patch.syspath_prepend(folder)
        begin = [*TRAIN, "--network", "noisy_network:make", *CASES["epsl"]]
        assert run(["train", *begin, "--rounds", "2", "-q", "-o", resumed[-1]]) == 0
        lines.append([*begin, *resumed])
        for name, case in CASES.items():
            here = ["train", *TRAIN, "--network", "noisy_network:make", *ROUNDS, *case]
            assert run([*here, "-o", str(folder / f"{name}-here")]) == 0
        assert run(["train", *begin, "--rounds", "9", "-q", "-o", str(folder / "epsl-long")]) == 0
        for code, _, err in run_several(3, lines):
            assert (code, err.count("error")) == (0, 0), err
    return folder


def losses(folder: Path) -> list[float]:
    """Return the training losses of a folder."""
    with (folder / "records.csv").open(encoding="utf-8", newline="") as file:
        return [float(row["train_loss"]) for row in csv.DictReader(file)]


def assert_same_state(one: Path, other: Path) -> None:
    """Compare the weights and the optimisers' states of two trainings."""
    found, expected = (
        safetensors.torch.load((folder / "checkpoint.safetensors").read_bytes()) for folder in (one, other)
    )
    assert found.keys() == expected.keys()
    for key, value in found.items():
        assert float((value.double() - expected[key].double()).abs().max()) <= 1e-6, key


@pytest.mark.parametrize("name", CASES)
def test_ranks_train_as_one_process_does(name: str, trained: Path) -> None:
    """Each framework ends with the same losses, scores, bits and state as in one process, dropout included."""
    ranks, here = trained / f"{name}-ranks", trained / f"{name}-here"
    assert losses(ranks) == pytest.approx(losses(here), abs=1e-6)
    assert_same_state(ranks, here)
    there, own = (json.loads((folder / "summary.json").read_text()) for folder in (ranks, here))
    for key in ("final_accuracy", "final_macro_f1", "uplink_bits", "downlink_bits", "round_latency_s", "options"):
        assert there[key] == pytest.approx(own[key]), key


def test_ranks_go_on_with_a_training_of_one_process(trained: Path) -> None:
    """A checkpoint of one process is one for ranks: resumed, they end as a training in one process does."""
    assert losses(trained / "epsl-back-and-forth") == pytest.approx(losses(trained / "epsl-long"), abs=1e-6)
    assert_same_state(trained / "epsl-back-and-forth", trained / "epsl-long")


@pytest.mark.parametrize("name", [name for name in CASES if name.endswith("averaged")])
def test_ranks_that_average_leave_the_records_of_one_process(name: str, trained: Path) -> None:
    """Where models are averaged every so many rounds, records.csv is that of one process, byte for byte."""
    ranks, here = ((trained / f"{name}-{where}" / "records.csv").read_bytes() for where in ("ranks", "here"))
    assert ranks == here


@pytest.mark.parametrize("name", CASES)
def test_measured_times_cover_what_the_framework_does(name: str, trained: Path) -> None:
    """In every round, what the clock of simulated time counts was measured, and nothing else was.

    Models that are averaged every so many rounds are exchanged in these.
    """
    measured = json.loads((trained / f"{name}-ranks" / "measured.json").read_text())
    assert measured["rounds"] == [1, 2, 3, 4, 5]
    for stage, found in measured["stages"].items():
        values, on_one_clock = found["measured_s"], stage not in ("uplink_s", "broadcast_s", "downlink_s")
        assert len(values) == 5
        if stage == "model_exchange_s" and "--average-every" in CASES[name]:
            every = int(CASES[name][CASES[name].index("--average-every") + 1])
            assert [value > 0 for value in values] == [number % every == 0 for number in measured["rounds"]]
            values = [value for value in values if value > 0]
            assert found["simulated_s"] > 0
            assert found["measured_median_s"] == np.median(values)
        if found["simulated_s"] == 0:
            assert values == [0.0] * 5, stage
        elif on_one_clock:
            assert min(values) > 0, stage


def test_round_times_are_those_of_the_slowest_whatever_the_clocks() -> None:
    """Stages come out right from clocks that differ by days: of the client waited for, or summed over turns."""
    times = RoundTimes(2)
    times.ahead_s = [1e5, -3e4]
    for number, ahead_s in enumerate(times.ahead_s):
        slow = 1.0 + number
        noted = (10.0, 10.0 + slow, 20.0 + slow, 22.0 + 2 * slow, 22.0 + 5 * slow)
        times.stamps[number] = ClientStamps(*(value + ahead_s for value in noted))
        times.arrival_s[number] = 10.0 + 2.5 * slow
        times.own_begin_s[number] = 22.0
    times.broadcast_begin_s = 19.0
    times.server_forward_s, times.server_backward_s, times.model_exchange_s = 0.25, 0.5, 0.75
    expected = StageTimes(2.0, 3.0, 0.25, 0.5, 3.0, 4.0, 6.0, 0.75)
    np.testing.assert_allclose(astuple(times.stages(in_turn=False)), astuple(expected), atol=1e-9)
    summed = StageTimes(3.0, 4.5, 0.25, 0.5, 3.0, 6.0, 9.0, 0.75)
    np.testing.assert_allclose(astuple(times.stages(in_turn=True)), astuple(summed), atol=1e-9)


def test_a_killed_client_is_named(start: Start, tmp_path: Path) -> None:
    """Killed in the middle, a client's rank is named in the one line of the job."""
    command = [*LONG, "-o", str(tmp_path / "run"), "-q"]
    job = start(3, command)
    job.await_(lambda: rows_done(tmp_path / "run") >= 3)
    job.processes[1].kill()
    (code, out, err), *others = job.finish()
    line = "epsl-opt: error: rank 1 (client-0) died; the same command with --resume goes on"
    assert (code, out) == (1, "")
    assert err.startswith(line)
    assert err.count("\n") == 1
    assert all(out == err == "" for _, out, err in others)


def assert_goes_on(start: Start, tmp_path: Path, command: Sequence[str]) -> None:
    """Resume for a few rounds, and compare with a training in one process that was never disturbed."""
    rounds = str(rows_done(tmp_path / "run") + 4)
    short = [rounds if word == "4000" else word for word in command]
    assert [code for code, _, _ in start(3, [*short, "--resume"]).finish()] == [0, 0, 0]
    with pinned_threads(1):
        assert run(["train", *[str(tmp_path / "whole") if word.endswith("run") else word for word in short]]) == 0
    assert losses(tmp_path / "run") == pytest.approx(losses(tmp_path / "whole"), abs=1e-6)
    assert_same_state(tmp_path / "run", tmp_path / "whole")


def test_a_killed_server_is_named_once(start: Start, tmp_path: Path) -> None:
    """When the server is killed, all clients end, and one of them says so."""
    job = start(3, [*LONG, "-o", str(tmp_path / "run"), "-q"])
    job.await_(lambda: rows_done(tmp_path / "run") >= 3)
    job.processes[0].kill()
    _, *clients = job.finish()
    assert [code for code, _, _ in clients] == [1, 1]
    assert "".join(err for _, _, err in clients).count("epsl-opt: error: rank 0 (the server) died") == 1


def test_a_silent_client_is_named(start: Start, tmp_path: Path) -> None:
    """A client that is there but does nothing ends the job when the time is out."""
    job = start(3, [*LONG, "-o", str(tmp_path / "run"), "-q", "--timeout-s", "12"])
    job.await_(lambda: rows_done(tmp_path / "run") >= 3)
    job.processes[2].send_signal(signal.SIGSTOP)
    err = job.processes[0].communicate(timeout=60)[1]
    assert job.processes[0].returncode == 1
    assert err.startswith("epsl-opt: error: rank 2 (client-1) gave no sign within 12 s; the same command")
    assert err.count("\n") == 1


def test_an_absent_rank_is_named(start: Start) -> None:
    """When a rank does not come, the others give up and name it."""
    (code, _, err), *_ = start(3, [*LONG, "--timeout-s", "12"], absent=[1]).finish()
    assert code == 1
    assert err == "epsl-opt: error: rank 1 did not join within 12 s\n"


def test_bad_input_is_one_line_of_the_server(tmp_path: Path) -> None:
    """A wrong number of ranks, schedule or option, or a framework without clients, ends with one line of the server."""
    broken, foreign = tmp_path / "broken.json", tmp_path / "foreign.json"
    broken.write_text('{"format": "epsl-opt/schedule"')
    assert run(["solve", "paper:clients=2,subchannels=4,seed=3", "--solver", "greedy", "-o", str(foreign), "-q"]) == 0
    task = TRAIN[TRAIN.index("--task") : TRAIN.index("--solver")]
    lines = {
        "instance paper: 6 ranks are needed, the server and 5 clients; there are 3": [
            "paper:clients=5",
            *task,
        ],
        f"{broken}: is not JSON": [TRAIN[0], *task, "--schedule", str(broken)],
        f"{foreign}: instance.sha256: is for": [TRAIN[0], *task, "--schedule", str(foreign)],
        "--framework: centralised has no clients": [*TRAIN, "--framework", "centralised"],
        "'--rounds': 'x' is not": [*TRAIN, "--rounds", "x"],
        "no such option": [*TRAIN, "--backend", "torch"],
    }
    (code, out, err), *clients = run_several(3, [[*line, "-q"] for line in lines.values()])
    assert (code, out) == (2, "")
    for expected, found in zip(lines, err.splitlines(), strict=True):
        assert expected.lower() in found.lower()
    assert all(client == (0, "", "") for client in clients)


def stopped_under_torchrun(folder: Path, command: Sequence[str], stop: Callable[[int], object]) -> str:
    """Train under torchrun, stop it after some rounds given torchrun's process, and return standard error."""
    launcher = [shutil.which("torchrun") or str(Path(sys.executable).with_name("torchrun"))]
    launch = [*launcher, "--standalone", "--nproc-per-node", "3", "-m", "epsl_opt.backends.distributed"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [*launch, *command], env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        while rows_done(folder) < 3:
            assert process.poll() is None
        stop(process.pid)
        err = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    return err


def test_torchrun_trains_and_resumes_after_a_client_died(start: Start, tmp_path: Path) -> None:
    """Under torchrun, too, the dead rank is named, and --resume ends as if nothing had happened."""
    command = [*LONG, "-o", str(tmp_path / "run"), "-q"]
    err = stopped_under_torchrun(tmp_path / "run", command, lambda pid: os.kill(client_of(pid), signal.SIGKILL))
    assert err.count("epsl-opt: error: rank 2 (client-1) died; the same command with --resume goes on") == 1
    assert rows_done(tmp_path / "run") % 3 == 0
    assert_goes_on(start, tmp_path, command)


def test_torchrun_stops_after_the_round_on_ctrl_c(start: Start, tmp_path: Path) -> None:
    """Ctrl-C, heard by torchrun and all ranks, ends the round and saves, is no error, and --resume goes on."""
    command = [*LONG, "-o", str(tmp_path / "run"), "-q"]
    err = stopped_under_torchrun(tmp_path / "run", command, lambda pid: os.killpg(pid, signal.SIGINT))
    done = rows_done(tmp_path / "run")
    assert f"epsl-opt: interrupted after {done} rounds; the same command with --resume goes on" in err
    assert "epsl-opt: error" not in err
    assert_goes_on(start, tmp_path, command)


def client_of(launcher: int) -> int:
    """Return the process of rank 2 among a launcher's children."""
    children = Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()
    return next(int(child) for child in children if b"\0RANK=2\0" in Path(f"/proc/{child}/environ").read_bytes())

"""The Flower example: its rounds are the backend's, its deadlines the schedule's, and `flwr run` runs it."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from epsl_opt import InputError, Instance, ScheduleDocument, load_instance, read_schedule, solve, write_record
from epsl_opt.cli.app import run
from epsl_opt.core.framework import Framework
from epsl_opt.plugins.backend import TrainingPlan

EXAMPLE = Path(__file__).parents[2] / "examples" / "flower"
SEED, NETWORK, LR = 3, "mlp:width=16", 0.3

pytest.importorskip("torch", reason="torch is not installed: the extra `train`")
pytestmark = pytest.mark.filterwarnings("ignore:'click:DeprecationWarning")  # from typer, which Flower imports
needs_flower = pytest.mark.skipif(
    not (Path(sys.executable).parent / "flwr").exists(), reason="flwr is not installed: the extra `flower`"
)


class Files:
    """An instance with the profile of the network that is trained, and a schedule for it."""

    def __init__(self, folder: Path, phi: float, clients: int = 3) -> None:
        from epsl_opt.backends.pytorch import TorchBackend
        from epsl_opt.backends.pytorch.options import TorchOptions

        asked = load_instance(f"paper:clients={clients},subchannels=6,seed=2,batch_size=16,aggregation_ratio={phi}")
        self.backend, self.options = TorchBackend(), TorchOptions(network=NETWORK, lr=LR)
        self.instance: Instance = self.backend.fit(asked, "digits", self.options)
        self.result = solve(self.instance, "greedy")
        self.instance_file, self.schedule_file = folder / "instance.json", folder / "schedule.json"
        write_record(self.instance_file, self.instance)
        write_record(self.schedule_file, ScheduleDocument.from_result(self.instance, self.result))

    def losses(self, rounds: int) -> list[float]:
        """Train in this process."""
        assert self.result.schedule is not None
        plan = TrainingPlan(self.instance, self.result.schedule, Framework.EPSL, "digits", SEED)
        session = self.backend.start(plan, self.options)
        return [session.train_round().train_loss for _ in range(rounds)]

    def config(self, **changes: Any) -> dict[str, Any]:
        """Return the run's configuration."""
        files = {"schedule": str(self.schedule_file), "instance": str(self.instance_file)}
        rest = {
            "task": "digits",
            "network": NETWORK,
            "seed": SEED,
            "lr": LR,
            "rounds": 3,
            "grace-s": 5.0,
            "metrics": "",
        }
        return files | rest | changes


class Nodes:
    """Stands for Flower's grid: calls the client app at once, and remembers the messages."""

    def __init__(self, clients: int, config: dict[str, Any], late: Callable[[int, Any], bool]) -> None:
        from flwr.app import Context, RecordDict

        self.client_app = import_module("epsl_flower.client_app").app
        # Node numbers say nothing about which client a node is.
        self.contexts = {
            100 - i: Context(1, 100 - i, {"partition-id": i, "num-partitions": clients}, RecordDict(), config)
            for i in range(clients)
        }
        self.late, self.sent = late, list[Any]()

    def get_node_ids(self) -> Iterable[int]:
        return list(self.contexts)

    def send_and_receive(self, messages: Iterable[Any]) -> list[Any]:
        return [self.answer(message) for message in messages]

    def answer(self, message: Any) -> Any:
        from flwr.app import Error, Message
        from flwr.common.constant import ErrorCode

        self.sent.append(message.metadata)
        context = self.contexts[message.metadata.dst_node_id]
        if self.late(int(context.node_config["partition-id"]), message.metadata):
            return Message(Error(ErrorCode.MESSAGE_UNAVAILABLE), reply_to=message)
        try:
            return self.client_app(message, context)
        except ZeroDivisionError as error:
            return Message(Error(ErrorCode.CLIENT_APP_RAISED_EXCEPTION, str(error)), reply_to=message)


def never(client: int, metadata: Any) -> bool:
    """Nobody is late."""
    return False


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., tuple[list[dict[str, float]], Nodes]]:
    """Run the server app over `Nodes`; return the rows it wrote, and the nodes."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    from flwr.app import Context, RecordDict
    from flwr.supercore.task_identity import TaskIdentity

    for name in ("_task_id", "_run_id", "_node_id"):
        monkeypatch.setattr(TaskIdentity, name, 1)

    def call(
        config: dict[str, Any], clients: int = 3, late: Callable[[int, Any], bool] = never
    ) -> tuple[list[dict[str, float]], Nodes]:
        metrics = tmp_path / "metrics.csv"
        nodes = Nodes(clients, config, late)
        context = Context(1, 0, {}, RecordDict(), config | {"metrics": str(metrics)})
        import_module("epsl_flower.server_app").app(nodes, context)
        return rows_of(metrics), nodes

    return call


def rows_of(path: Path) -> list[dict[str, float]]:
    """Read the rows that the server wrote."""
    return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(path.read_text().splitlines())]


@needs_flower
@pytest.mark.parametrize("phi", [0.0, 0.3, 1.0])
def test_its_rounds_are_the_backends(phi: float, serve: Any, tmp_path: Path) -> None:
    """Losses over messages equal those of one process, and each round takes what the schedule says."""
    files = Files(tmp_path, phi)
    rows, _ = serve(files.config())
    assert [row["train_loss"] for row in rows] == pytest.approx(files.losses(3), rel=1e-6)
    assert [row["round_latency_s"] for row in rows] == pytest.approx([files.result.latency_s] * 3, rel=1e-12)
    assert {int(row["clients"]) for row in rows} == {3}


@needs_flower
def test_deadlines_are_the_messages_time_to_live(serve: Any, tmp_path: Path) -> None:
    """A query lives until T1, gradients for the rest of the round without the server's work, both with the grace."""
    files = Files(tmp_path, 0.3)
    _, nodes = serve(files.config(rounds=1))
    latency = files.result.latency
    assert latency is not None
    expected = {
        "query.forward": latency.uplink_phase_s + 5.0,
        "train.backward": latency.broadcast_s + latency.downlink_phase_s + 5.0,
    }
    assert [sent.ttl for sent in nodes.sent] == pytest.approx([expected[sent.message_type] for sent in nodes.sent])
    assert {sent.message_type for sent in nodes.sent} == set(expected)


@needs_flower
def test_a_late_client_is_left_out_of_the_round(serve: Any, tmp_path: Path) -> None:
    """The others go on without it, their shares adding up to one; in the next round it is there again."""
    files = Files(tmp_path, 0.3)
    rows, nodes = serve(files.config(rounds=2), late=lambda client, sent: client == 1 and sent.group_id == "1")
    assert [row["clients"] for row in rows] == [2, 3]
    assert sum(sent.message_type == "train.backward" for sent in nodes.sent) == 5
    assert rows[0]["train_loss"] == pytest.approx(files.losses(1)[0], abs=0.5)
    with pytest.raises(TimeoutError, match="round 1: no client met the deadline; raise grace-s"):
        serve(files.config(), late=lambda client, sent: True)


@needs_flower
def test_a_client_that_fails_ends_the_run(serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What went wrong on a client is told with the round, and is not taken for being late."""
    files = Files(tmp_path, 0.3)
    client = import_module("epsl_flower.client_app")
    monkeypatch.setattr(client, "_keep", lambda *arguments: 1 // 0)
    with pytest.raises(RuntimeError, match=r"round 1: train\.backward: .*division"):
        serve(files.config())


@needs_flower
def test_files_that_do_not_fit_are_one_line(serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another instance's schedule, another network, another number of SuperNodes: one clear line."""
    files = Files(tmp_path, 0.3)
    other = tmp_path / "other.json"
    write_record(other, load_instance("paper:clients=3,subchannels=6"))
    with pytest.raises(InputError, match=r"schedule\.json: instance\.sha256: is for another instance"):
        serve(files.config(instance=str(other)))
    with pytest.raises(InputError, match=r"instance\.json: model: is not of the network that is trained"):
        serve(files.config(network="cnn"))
    monkeypatch.setattr(import_module("epsl_flower.server_app"), "JOIN_TIMEOUT_S", 0.0)
    with pytest.raises(InputError, match="schedule: is for 3 clients, but Flower has 2 SuperNodes"):
        serve(files.config(), clients=2)


@pytest.mark.parametrize("wrong", ["schedule", "instance"])
def test_the_launcher_refuses_before_it_starts(wrong: str, tmp_path: Path) -> None:
    """A malformed schedule, or one for another instance, is one line and exit code 2."""
    files = Files(tmp_path, 0.3)
    if wrong == "schedule":
        files.schedule_file.write_text("{}")
    else:
        write_record(files.instance_file, load_instance("paper:clients=3,subchannels=6"))
    done = simulate(files)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"simulate.py: error: {files.schedule_file}: " in done.stderr


@pytest.mark.skipif((Path(sys.executable).parent / "flwr").exists(), reason="Flower is installed")
def test_the_launcher_says_what_is_missing(tmp_path: Path) -> None:
    """Where Flower is not installed, one line says what to install, and the exit code is 2."""
    done = simulate(Files(tmp_path, 0.3))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert 'pip install "epsl-opt[flower]"' in done.stderr


def simulate(files: Files, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the example as a user would."""
    command = [sys.executable, str(EXAMPLE / "simulate.py"), str(files.schedule_file), str(files.instance_file)]
    settings = [part for pair in options for part in ("--set", pair)]
    return subprocess.run([*command, *settings], capture_output=True, text=True, check=False)


@needs_flower
def test_flwr_run_trains_as_epsl_opt_train_does(tmp_path: Path) -> None:
    """In Flower's simulation engine, losses and simulated time are those of `epsl-opt train` by the same files."""
    folder, metrics, rounds = tmp_path / "run", tmp_path / "metrics.csv", 6
    files = Files(tmp_path, 0.25)
    training = ["train", str(files.instance_file), "--schedule", str(files.schedule_file), "--task", "digits", "-q"]
    training += ["--network", NETWORK, "--option", f"lr={LR}", "--seed", str(SEED), "--rounds", str(rounds)]
    assert run([*training, "-o", str(folder)]) == 0
    expected = list(csv.DictReader((folder / "records.csv").read_text().splitlines()))
    # Starting the engine takes long on a busy machine, and the first round's time to live includes it.
    config = {"network": f"'{NETWORK}'", "seed": SEED, "lr": LR, "rounds": rounds, "grace-s": 600.0}
    config |= {"metrics": f"'{metrics}'"}
    done = simulate(files, *(f"{key}={value}" for key, value in config.items()))
    assert done.returncode == 0, done.stdout + done.stderr
    rows = rows_of(metrics)
    for column in ("train_loss", "simulated_time_s"):
        assert [row[column] for row in rows] == pytest.approx([float(row[column]) for row in expected], rel=1e-6)
    latency_s = read_schedule(files.schedule_file).latency_s
    assert [row["round_latency_s"] for row in rows] == pytest.approx([latency_s] * rounds, rel=1e-12)
    assert rows[-1]["train_loss"] < rows[0]["train_loss"] - 0.05

"""Run the example in Flower's simulation engine: `python simulate.py SCHEDULE INSTANCE`.

It does what `flwr run` needs done around it: a SuperLink, a configuration that leads to it, as many SuperNodes as the
schedule has clients. Flower's files are in a folder that is removed in the end, so that nothing is mixed with others.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from epsl_opt import InputError, client_rows, read_instance, read_schedule

APP = Path(__file__).resolve().parent
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
START_TIMEOUT_S = 60.0
SILENT = {"FLWR_TELEMETRY_ENABLED": "0", "FLWR_DISABLE_UPDATE_CHECK": "1", "RAY_USAGE_STATS_ENABLED": "0"}


def main() -> int:
    """Check the files, then run; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("schedule")
    parser.add_argument("instance")
    parser.add_argument("--set", action="append", default=[], metavar="K=V", help="one of [tool.flwr.app.config]")
    asked = parser.parse_args()
    try:
        clients = len(client_rows(read_schedule(asked.schedule, instance=read_instance(asked.instance))))
    except InputError as error:
        parser.exit(2, f"{parser.prog}: error: {error}\n")
    if shutil.which("flower-superlink", path=PATH) is None:
        parser.exit(2, f'{parser.prog}: error: Flower is not installed; pip install "epsl-opt[flower]"\n')
    files = {"schedule": asked.schedule, "instance": asked.instance}
    config = [f"{key}={json.dumps(str(Path(path).resolve()))}" for key, path in files.items()]
    with TemporaryDirectory(prefix="epsl-flower-") as home:
        return run(clients, [*config, *asked.set], home)


def run(clients: int, config: list[str], home: str) -> int:
    """Start a SuperLink, let `flwr run` show its run, and stop it; return 0 if the run finished well, else 1."""
    address = f"127.0.0.1:{_free_port()}"
    environment = os.environ | SILENT | {"FLWR_HOME": home, "PATH": PATH}
    Path(home, "config.toml").write_text(
        f'[superlink]\ndefault = "here"\n[superlink.here]\naddress = "{address}"\ninsecure = true\n', encoding="utf-8"
    )
    command = ["flower-superlink", "--simulation", "--insecure", "--disable-runtime-dependency-installation"]
    command += ["--port", address.rpartition(":")[2], "--log-file", str(Path(home, "superlink.log"))]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    with subprocess.Popen(command, **silent) as superlink:
        try:
            _wait_until_listening(address, superlink)
            federation = f"num-supernodes={clients} client-resources-num-cpus=1"
            options = [part for pair in config for part in ("--run-config", pair)]
            flwr = ["flwr", "run", str(APP), "here", "--stream", "--federation-config", federation, *options]
            if subprocess.run(flwr, env=environment, check=False).returncode != 0:
                return 1
            listing = ["flwr", "ls", "here", "--format", "json"]
            found = subprocess.run(listing, env=environment, check=True, capture_output=True, text=True)
            return 0 if json.loads(found.stdout)["runs"][0]["status"] == "finished:completed" else 1
        finally:
            superlink.terminate()


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def _wait_until_listening(address: str, superlink: subprocess.Popen[bytes]) -> None:
    host, _, port = address.partition(":")
    end_s = time.monotonic() + START_TIMEOUT_S
    while superlink.poll() is None and time.monotonic() < end_s:
        try:
            socket.create_connection((host, int(port)), timeout=1.0).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("Flower's SuperLink did not start")


if __name__ == "__main__":
    sys.exit(main())

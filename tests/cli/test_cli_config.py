"""Options from a TOML file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_toys import register_toys, write_instance

from epsl_opt.cli.app import run
from epsl_opt.cli.exits import ExitCode


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only toy solvers are registered."""
    register_toys(monkeypatch)


def provenance(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, object]:
    """Solve with a configuration file and return what the run says about itself."""
    path = tmp_path / "epsl.toml"
    path.write_text(config)
    arguments = ["--config", str(path), "solve", write_instance(tmp_path), "-s", "steady", "-f", "json", *options]
    assert run(arguments) == ExitCode.OK
    found: dict[str, object] = json.loads(capsys.readouterr().out)["provenance"]
    return found


def test_command_line_wins_over_table_over_plain_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A plain key holds for every command, a command's table beats it, the command line beats both."""
    plain = "time-limit = 11\nseed = 3\n"
    assert provenance(plain, tmp_path, capsys)["time_limit_s"] == 11
    table = plain + "[solve]\ntime_limit = 22.5\n"
    found = provenance(table, tmp_path, capsys)
    assert (found["time_limit_s"], found["seed"]) == (22.5, 3)
    assert provenance(table, tmp_path, capsys, "--time-limit", "33")["time_limit_s"] == 33


def test_solver_options_may_be_a_table_or_a_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`[solve.option]` and a list of pairs say the same."""
    for config in ("[solve.option]\nscale = 0.5\n", "[solve]\noption = ['scale=0.5']\n"):
        assert provenance(config, tmp_path, capsys)["options"] == {"scale": 0.5}


def test_lists_serve_solvers_and_seeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`compare` takes TOML lists where the command line takes commas."""
    path = tmp_path / "epsl.toml"
    path.write_text("[compare]\nsolvers = ['steady', 'weak']\nseeds = [4, 5]\nformat = 'json'\n")
    assert run(["--config", str(path), "compare", "paper:clients=2,subchannels=3"]) == ExitCode.OK
    assert len(json.loads(capsys.readouterr().out)) == 4


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("time-limt = 1\n", ["time-limt", "time-limit"]),
        ("[solv]\n", ["solv", "solve"]),
        ("[solve]\nsolvr = 'x'\n", ["solve.solvr", "solver"]),
        ("[solve]\ntime-limit = 'soon'\n", ["solve.time-limit", "soon"]),
        ("[solve]\nquiet = 1\n", ["solve.quiet", "true or false"]),
        ("[solve]\nseed = true\n", ["solve.seed", "True"]),
        ("[solve]\nformat = 'yaml'\n", ["solve.format", "yaml"]),
        ("[compare]\nseeds = ['x']\n", ["compare.seeds", "x"]),
        ("solve = 1\n", ["solve", "table"]),
        ("[solve\n", ["TOML"]),
    ],
)
def test_wrong_configuration_names_file_and_key(
    config: str, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unknown key, a wrong type or broken TOML is one line with file and key, and code 2."""
    path = tmp_path / "epsl.toml"
    path.write_text(config)
    assert run(["--config", str(path), "info"]) == ExitCode.BAD_INPUT
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert all(word in err for word in [str(path), *words])


def test_options_of_another_solver_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a file sets for the solver it names is not for the one that the command line names instead."""
    path, instance = tmp_path / "epsl.toml", write_instance(tmp_path)
    path.write_text("[solve]\nsolver = 'empty'\n[solve.option]\nno-such = 1\n[compare.option]\nsteady.scale = 0.5\n")
    config = ["--config", str(path)]
    assert run([*config, "solve", instance, "-s", "steady", "-f", "json"]) == ExitCode.OK
    out, err = capsys.readouterr()
    assert json.loads(out)["provenance"]["options"] == {"scale": 1.0}
    assert "options of solver empty" in err
    assert run([*config, "compare", instance, "--solvers", "weak"]) == ExitCode.OK


@pytest.mark.parametrize(
    ("config", "arguments", "key"),
    [
        ("[solve.option]\nno-such = 1", ["solve", "-s", "steady"], "solve.option"),
        ("[solve]\nsolver = 'stedy'", ["solve"], "solve.solver"),
        ("time-limit = -1", ["solve", "-s", "steady"], "solve.time-limit"),
        ("[compare.option]\nsteady.no-such = 1", ["compare"], "compare.option"),
        ("[generate]\noutput = 'none/x.json'", ["generate"], "generate.output"),
    ],
)
def test_a_value_that_a_command_refuses_is_told_with_file_and_key(
    config: str, arguments: list[str], key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What only the command can judge is still named with the file that set it."""
    path = tmp_path / "epsl.toml"
    path.write_text(config)
    assert run(["--config", str(path), *arguments, "paper:clients=2,subchannels=3"]) == ExitCode.BAD_INPUT
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert f"{path} sets {key}" in err


def test_missing_configuration_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there is one line and code 2."""
    assert run(["--config", "no-such.toml", "info"]) == ExitCode.BAD_INPUT
    assert "no-such.toml: No such file or directory" in capsys.readouterr().err


def test_a_gap_in_percent_is_told_with_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A gap of 5 in a configuration file is answered with the fraction and the file, once."""
    config = tmp_path / "run.toml"
    config.write_text("[solve]\ngap = 5\n")
    assert run(["--config", str(config), "solve", "paper"]) == ExitCode.BAD_INPUT
    err = capsys.readouterr().err
    assert "0.05 is 5 %" in err
    assert err.count("run.toml sets solve.gap") == 1

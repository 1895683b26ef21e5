"""`epsl-opt export` of models: what is written is the model, and other programs find its optimum."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import highspy
import numpy as np
import pytest

from epsl_opt import Instance, Limits, solve, write_record
from epsl_opt.cli.app import run
from epsl_opt.cli.exits import ExitCode
from epsl_opt.core.framework import Framework
from epsl_opt.solvers.pyomo_model.running import RunLimits
from epsl_opt.solvers.pyomo_model.running import run as run_subsolver
from epsl_opt.solvers.pyomo_model.scaled import scaled_cut
from epsl_opt.solvers.pyomo_model.subsolvers import SUBSOLVERS
from epsl_opt.solvers.pyomo_model.tangents import OuterApproximation
from epsl_opt.testing import draw_instance

INSTANCE = draw_instance("exported", 5, n_clients=2, n_subchannels=4)
EXCHANGING = INSTANCE.with_training(framework=Framework.SFL)


@pytest.fixture
def instance_file(tmp_path: Path) -> str:
    """An instance on disk."""
    path = tmp_path / "instance.json"
    write_record(path, INSTANCE)
    return str(path)


@pytest.fixture
def exchanging_file(tmp_path: Path) -> str:
    """The same, about SplitFed, on disk."""
    path = tmp_path / "exchanging.json"
    write_record(path, EXCHANGING)
    return str(path)


def only_cut(instance: Instance, cut: int) -> Instance:
    """The instance with a single cut layer."""
    layers = (instance.model.cut_layers[cut],)
    return instance.replace(model=instance.model.model_copy(update={"cut_layers": layers}))


def read_optimum_s(path: Path) -> float:
    """The optimum HiGHS finds in a file."""
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("mip_rel_gap", 0.0)
    assert highs.readModel(str(path)) == highspy.HighsStatus.kOk
    highs.run()
    assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(highs.getInfo().objective_function_value)


def model_optimum_s(cut: int, tangents: int) -> float:
    """The optimum of the same MILP solved through Pyomo."""
    model = OuterApproximation(scaled_cut(INSTANCE, cut), tangents, unit_s=1.0).model
    outcome = run_subsolver(SUBSOLVERS["highs"], "milp", model, RunLimits(60, 0.0, 1, 0))
    assert outcome.finished
    return float(model.latency())


@pytest.mark.parametrize("cut", [0, 1])
@pytest.mark.parametrize("form", ["lp", "mps"])
def test_linear_files_hold_the_milp(form: str, cut: int, instance_file: str, tmp_path: Path) -> None:
    """HiGHS finds in lp and mps files the optimum that it finds in the model itself, just below the true one."""
    path = tmp_path / f"model.{form}"
    tangents = ["--option", "tangents=16"]
    assert run(["export", instance_file, "--to", form, "--cut", str(cut), *tangents, "-o", str(path)]) == ExitCode.OK
    found_s = read_optimum_s(path)
    assert found_s == pytest.approx(model_optimum_s(cut, 16), rel=1e-6)
    true_s = solve(only_cut(INSTANCE, cut), "brute-force", Limits()).latency_s
    assert true_s is not None
    assert 0.99 * true_s < found_s <= true_s * (1 + 1e-6)


def test_the_nl_file_holds_the_minlp(instance_file: str, tmp_path: Path) -> None:
    """SCIP finds in the nl file the optimum of the cut layer, in seconds."""
    scip = pytest.importorskip("pyscipopt")
    path = tmp_path / "model.nl"
    assert run(["export", instance_file, "--to", "nl", "--cut", "1", "-o", str(path)]) == ExitCode.OK
    model = scip.Model()
    model.hideOutput()
    model.readProblem(str(path))
    model.optimize()
    true_s = solve(only_cut(INSTANCE, 1), "brute-force", Limits()).latency_s
    assert model.getObjVal() == pytest.approx(true_s, rel=1e-5)


def test_the_nl_file_holds_the_exchange(exchanging_file: str, tmp_path: Path) -> None:
    """SCIP finds in the nl file of an instance whose models are exchanged its optimum, third phase included."""
    scip = pytest.importorskip("pyscipopt")
    path = tmp_path / "model.nl"
    assert run(["export", exchanging_file, "--to", "nl", "--cut", "1", "-o", str(path)]) == ExitCode.OK
    model = scip.Model()
    model.hideOutput()
    model.readProblem(str(path))
    model.optimize()
    true_s = solve(only_cut(EXCHANGING, 1), "brute-force", Limits()).latency_s
    assert model.getObjVal() == pytest.approx(true_s, rel=1e-5)


@pytest.mark.parametrize("form", ["lp", "mps"])
def test_linear_files_hold_the_exchange(form: str, exchanging_file: str, tmp_path: Path) -> None:
    """HiGHS finds in lp and mps files of an instance whose models are exchanged an optimum just below the true one."""
    path = tmp_path / f"model.{form}"
    tangents = ["--option", "tangents=16"]
    assert run(["export", exchanging_file, "--to", form, "--cut", "1", *tangents, "-o", str(path)]) == ExitCode.OK
    true_s = solve(only_cut(EXCHANGING, 1), "brute-force", Limits()).latency_s
    assert true_s is not None
    assert 0.99 * true_s < read_optimum_s(path) <= true_s * (1 + 1e-6)


def test_only_an_exchange_brings_a_third_phase(instance_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Without exchange of models the exported file knows no T3, and saying that it is EPSL's round changes no byte."""
    assert run(["export", instance_file, "--to", "gms", "-q"]) == ExitCode.OK
    plain = capsys.readouterr().out
    write_record(Path(instance_file), INSTANCE.with_training(framework=Framework.EPSL))
    assert run(["export", instance_file, "--to", "gms", "-q"]) == ExitCode.OK
    assert capsys.readouterr().out == plain
    assert "T3" not in plain


def test_the_gams_program_is_complete(instance_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The gms form, on standard output, declares every kind of variable and the curves, and ends in a solve."""
    assert run(["export", instance_file, "--to", "gms", "-q"]) == ExitCode.OK
    out = capsys.readouterr().out
    for word in ("BINARY VARIABLES", "INTEGER VARIABLES", "log(", "SOLVE GAMS_MODEL USING minlp"):
        assert word.lower() in out.lower()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--to", "lp", "--form", "minlp"], "export --to lp: form: cannot hold the nonlinear minlp; use nl or gms"),
        (["--to", "lp", "--form", "qp"], "form: input should be 'milp' or 'minlp'"),
        (["--to", "mps", "--cut", "2"], "export: cut: must be one of 0, 1, got 2"),
        (["--to", "nl", "--option", "tangent=3"], "did you mean tangents"),
        (["--to", "pls"], "--to: unknown name 'pls'; did you mean"),
        (["--to", "csv", "--cut", "2"], "are not for csv"),
        (["--to", "lp", "--instance", "paper"], "--instance goes with a schedule's formats"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_written_is_one_line(
    arguments: list[str], problem: str, instance_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A format, form, cut layer or option that does not fit is refused in one line that names it."""
    assert run(["export", instance_file, *arguments]) == ExitCode.BAD_INPUT
    captured = capsys.readouterr()
    assert captured.out == ""
    assert problem in captured.err
    assert len(captured.err.splitlines()) == 1


@pytest.mark.parametrize("name", ["lp", "mps", "nl", "gms"])
def test_a_number_that_no_file_can_hold_is_one_line(
    name: str, instance_file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A coefficient that is no number ends with one line about the export and code 2, and writes nothing."""
    broken = replace(scaled_cut(INSTANCE, 0), full_power=np.full((2, 4), np.nan))
    monkeypatch.setattr("epsl_opt.solvers.pyomo_model.export.scaled_cut", lambda *_: broken)
    assert run(["export", instance_file, "--to", name, "--option", "form=milp"]) == ExitCode.BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert "cannot be written" in err

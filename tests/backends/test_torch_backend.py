"""The `torch` backend as the core sees it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from epsl_opt import InputError, load_instance, round_latency, solve
from epsl_opt.backends.pytorch import TorchBackend
from epsl_opt.backends.pytorch.backend import default_network
from epsl_opt.backends.pytorch.options import TorchOptions
from epsl_opt.core.framework import Framework
from epsl_opt.core.frameworks import framework_round
from epsl_opt.plugins.backend import TrainingPlan
from epsl_opt.plugins.registry import load_backend

TASK = "synthetic:samples=300,size=8,classes=4"


def test_is_registered() -> None:
    """The registry finds the backend by its name, and what it needs is installed here."""
    backend = load_backend("torch")
    assert isinstance(backend, TorchBackend)
    assert backend.missing() is None


def test_asking_for_it_does_not_import_torch() -> None:
    """Loading the backend, its options and what is missing costs no import of PyTorch."""
    code = (
        "import sys; from epsl_opt.plugins.registry import load_backend; b = load_backend('torch'); b.missing(); "
        "b.tasks(); b.options_type(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_missing_packages_are_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its packages, the backend says which extra installs them."""
    monkeypatch.setattr("epsl_opt.backends.pytorch.backend.REQUIRED", ("json", "no_such_package"))
    assert TorchBackend().missing() == 'no_such_package not installed; pip install "epsl-opt[torch]"'


def test_instance_of_that_network_stays() -> None:
    """The shipped profile of LeNet-5 is that of the network, so such an instance comes back as it is."""
    backend = TorchBackend()
    lenet = load_instance("paper:model=lenet5-28")
    options = TorchOptions(network="lenet5")
    task = "synthetic:samples=40,size=28,channels=1,classes=10"
    assert backend.fit(lenet, task, options) is lenet
    fewer = lenet.replace(model=lenet.model.model_copy(update={"cut_layers": lenet.model.cut_layers[1:3]}))
    assert backend.fit(fewer, task, options) is fewer


def test_other_profiles_are_replaced() -> None:
    """An instance of another network gets the profile of the one that is trained, and nothing else changes."""
    backend, paper = TorchBackend(), load_instance("paper")
    fitted = backend.fit(paper, TASK, TorchOptions(network="mlp"))
    assert [cut.name for cut in fitted.model.cut_layers] == ["fc1", "fc2"]
    assert fitted.replace(model=paper.model) == paper
    assert backend.fit(fitted, TASK, TorchOptions(network="mlp")) is fitted


@pytest.mark.parametrize("framework", [Framework.EPSL, Framework.PSL, Framework.FL])
def test_trains_where_the_schedule_cuts(framework: Framework) -> None:
    """Solve, train: the client-side model has as many parameters as the profile says for the schedule's cut layer."""
    backend, options = TorchBackend(), TorchOptions()
    instance = backend.fit(load_instance("paper:batch_size=4"), TASK, options)
    schedule = solve(instance, "greedy").schedule
    assert schedule is not None
    session = backend.start(TrainingPlan(instance, schedule, framework, TASK), options)
    outcome, found = session.train_round(), session.describe()
    cut = instance.model.cut_layers[schedule.cut_layer]
    bits = instance.model.total_parameter_bits if framework is Framework.FL else cut.client_parameter_bits
    assert 32 * found["client_side_parameters"] == bits
    if framework is not Framework.FL:
        assert outcome.uplink_bits == 5 * 4 * cut.activation_bits
    assert sum(found["client_samples"]) == found["train_samples"]


def test_a_cut_that_the_network_lacks_is_refused() -> None:
    """An instance of another network can't be trained by mistake."""
    paper = load_instance("paper")
    schedule = solve(paper, "greedy").schedule
    assert schedule is not None
    with pytest.raises(InputError, match="no cut point of cnn"):
        TorchBackend().start(TrainingPlan(paper, schedule, Framework.EPSL, TASK), TorchOptions())


def test_per_client_linearisation_has_the_clock_of_psl() -> None:
    """What saves no work and no traffic saves no simulated time."""
    backend = TorchBackend()
    per_client = TorchOptions(linearization="per-client")
    assert backend.clock(Framework.EPSL, per_client) is Framework.PSL
    assert backend.clock(Framework.SFL, per_client) is Framework.SFL
    assert backend.clock(Framework.EPSL, TorchOptions()) is Framework.EPSL


def test_clock_of_epsl_is_the_round_latency() -> None:
    """A round of EPSL takes what the objective says."""
    paper = load_instance("paper")
    schedule = solve(paper, "greedy").schedule
    assert schedule is not None
    stages = framework_round(paper, schedule, Framework.EPSL).stage_times
    assert stages.round_latency_s == pytest.approx(round_latency(paper, schedule).round_latency_s, rel=1e-12)


@pytest.mark.parametrize(("shape", "network"), [((64,), "mlp"), ((1, 28, 28), "lenet5"), ((3, 32, 32), "cnn")])
def test_default_networks_fit_the_samples(shape: tuple[int, ...], network: str) -> None:
    """Every shape of sample has a network that takes it."""
    assert default_network(shape) == network
    assert TorchBackend().profile(network, shape, 10).cut_layers


@pytest.mark.parametrize(
    "options",
    [{"momentum": 0.5, "optimizer": "adam"}, {"aggregation": "representative", "linearization": "layer-wise"}],
)
def test_options_without_effect_are_refused(options: dict[str, object]) -> None:
    """Options that could not do anything are mistakes."""
    with pytest.raises(ValueError, match="has no effect"):
        TorchOptions.model_validate(options)

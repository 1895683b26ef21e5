"""Networks by name: built-in ones, torchvision's, and your own as `module:factory`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

from epsl_opt.backends.pytorch.chain import Chain, chain_of
from epsl_opt.backends.pytorch.dry_run import output_shape
from epsl_opt.backends.pytorch.randomness import generators_restored, seed_generators
from epsl_opt.backends.pytorch.resnet import resnet18
from epsl_opt.backends.pytorch.row_independence import refuse_rows_that_mix
from epsl_opt.backends.pytorch.small_networks import CnnOptions, MlpOptions, Shape, cnn, lenet5, mlp
from epsl_opt.core.errors import InputError
from epsl_opt.core.options import Options, parse_options, split_pairs, unknown


@dataclass(frozen=True)
class _Builtin:
    summary: str
    options_type: type[Options]
    make: Callable[[Shape, int, Any], nn.Module]


_BUILTIN = {
    "mlp": _Builtin("multilayer perceptron; options width=64, depth=2, activation=relu", MlpOptions, mlp),
    "cnn": _Builtin("small convolutional network for 8x8 to 32x32; options width=16, activation=relu", CnnOptions, cnn),
    "lenet5": _Builtin("LeNet-5 with tanh, for 28x28", Options, lambda shape, n, _: lenet5(shape, n)),
    "resnet18": _Builtin("ResNet-18, from 32x32 on", Options, lambda shape, n, _: resnet18(shape[0], n)),
}

_NO_AUXILIARY_OUTPUTS: dict[str, bool] = {"aux_logits": False, "init_weights": True}
_TORCHVISION_OPTIONS = {"googlenet": _NO_AUXILIARY_OUTPUTS, "inception_v3": _NO_AUXILIARY_OUTPUTS}


def network_names() -> dict[str, str]:
    """Return the built-in networks by name, with one line about each."""
    return {name: network.summary for name, network in _BUILTIN.items()}


def build_chain(spec: str, input_shape: tuple[int, ...], classes: int, seed: int) -> Chain:
    """Return a network with initial weights that depend on the seed alone, cut wherever it can be.

    Parameters
    ----------
    spec
        `cnn`, `mlp:width=128,activation=tanh`, a classification model of torchvision, or `module:factory`. The factory
        is called with `classes=` or `num_classes=` if it takes that; the current folder is importable.
    input_shape
        Of one sample, without the batch.
    classes
        Number of logits.
    seed
        Of the initial weights; PyTorch's own random numbers go on as if nothing had been drawn.

    Raises
    ------
    InputError
        If there is no such network, or input, classes and network do not go together.
    """
    example = torch.zeros(2, *input_shape)
    # Tests compare the built-in ones.
    proven = spec.partition(":")[0] in _BUILTIN
    with generators_restored():
        seed_generators(seed)
        network = _build(spec, input_shape, classes)
        chain = chain_of(spec, network, example, proven=proven)
    logits = output_shape(spec, chain.client_side(len(chain.segments)), example)
    if logits != (2, classes):
        problem = (
            f"returns {'x'.join(map(str, logits[1:]))} numbers for a sample, not one for each of {classes} classes"
        )
        raise InputError(f"network {spec}", problem)
    if not proven:
        refuse_rows_that_mix(spec, chain.client_side(len(chain.segments)), example)
    return chain


def _build(spec: str, input_shape: Shape, classes: int) -> nn.Module:
    name, colon, rest = spec.partition(":")
    if name in _BUILTIN:
        builtin = _BUILTIN[name]
        pairs = split_pairs(rest.split(",") if colon else (), f"network {name}")
        return builtin.make(input_shape, classes, parse_options(builtin.options_type, pairs, f"network {name}"))
    if colon:
        return _own(spec, name, rest, classes)
    return _torchvision(name, classes)


def _own(spec: str, module: str, factory: str, classes: int) -> nn.Module:
    """Call somebody's factory; whatever it raises is told in one line."""
    try:
        with _current_folder_importable():
            make = getattr(import_module(module), factory)
            parameters = inspect.signature(make).parameters
            takes = [p for p in ("classes", "num_classes") if p in parameters]
            network = make(**{takes[0]: classes}) if takes else make()
    except Exception as error:
        raise InputError(f"network {spec}", f"{type(error).__name__}: {error}") from error
    if not isinstance(network, nn.Module):
        raise InputError(f"network {spec}", f"must give a torch.nn.Module, gave {type(network).__name__}")
    return network


@contextmanager
def _current_folder_importable() -> Iterator[None]:
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _torchvision(name: str, classes: int) -> nn.Module:
    try:
        from torchvision import models
    except (ImportError, OSError, RuntimeError) as error:
        problem = f"{unknown(name, list(_BUILTIN))} (torchvision, whose networks go by name too: {error})"
        raise InputError("network", problem) from error
    known = models.list_models(module=models)
    if name not in known:
        raise InputError("network", unknown(name, [*_BUILTIN, *known]))
    network: nn.Module = models.get_model(name, weights=None, num_classes=classes, **_TORCHVISION_OPTIONS.get(name, {}))
    return network

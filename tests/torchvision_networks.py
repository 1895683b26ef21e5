"""torchvision's networks for tests, even where its compiled operators do not load beside the installed torch."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import torch

_DIFFERENTIABLE = ("roi_align", "ps_roi_align", "roi_pool", "ps_roi_pool", "deform_conv2d")
_OPERATORS = ("nms", "qnms", *_DIFFERENTIABLE, *(f"_{name}_backward" for name in _DIFFERENTIABLE))
_declared: list[torch.library.Library] = []


def torchvision_models() -> ModuleType:
    """Return `torchvision.models`, or skip where torchvision is not installed.

    Its wheel's operators are for detection, and need a torch with CUDA; beside a build for the CPU alone the package
    does not import without them. No network that is classified with uses one, so there they are declared, not loaded.
    """
    found = importlib.util.find_spec("torchvision")
    if found is None or found.origin is None:
        pytest.skip("torchvision is not installed")
    if not _declared and not _loads(Path(found.origin).parent):
        _declared.append(torch.library.Library("torchvision", "DEF"))
        for name in _OPERATORS:
            _declared[0].define(f"{name}(Tensor x) -> Tensor")
    return importlib.import_module("torchvision.models")


def _loads(package: Path) -> bool:
    try:
        for library in package.glob("_C*.*"):
            torch.ops.load_library(library)
    except OSError:
        return False
    return True

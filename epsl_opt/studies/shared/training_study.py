"""The base of studies that train."""

from __future__ import annotations

from epsl_opt.backends.pytorch import TorchBackend
from epsl_opt.plugins.study import Study


class TrainingStudy(Study):
    """A study that needs what training with PyTorch needs."""

    def missing(self) -> str | None:
        """Return what the torch backend lacks."""
        return TorchBackend().missing()

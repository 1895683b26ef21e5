"""The base of studies that train."""

from __future__ import annotations

from typing import ClassVar

from epsl_opt.backends.pytorch import TorchBackend
from epsl_opt.plugins.study import Study


class TrainingStudy(Study):
    """A study that needs what training with PyTorch needs."""

    rates_limit: ClassVar[str] = (
        "Learning rates are tuned for the accuracy at the end, not for the time to the target; one that is the largest "
        "or the smallest of those tried may not be the best. Tables have them."
    )
    chance_limit: ClassVar[str] = (
        "Each finding has its own 95 % interval; with this many findings some may be wrong by chance."
    )

    def missing(self) -> str | None:
        """Return what the torch backend lacks."""
        return TorchBackend().missing()

"""A part of the campaign: one kind of input, and what is tried with it."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from campaign.faults import Fault


@dataclass(frozen=True)
class Trial:
    """One input to be made and tried.

    Parameters
    ----------
    rng
        Source of everything random in it.
    folder
        Its own empty folder, which is the working directory, too.
    workshop
        What `Part.prepare` made, to be read only.
    """

    rng: np.random.Generator
    folder: Path
    workshop: Path


class Part(ABC):
    """One kind of input."""

    name: str
    """On the command line."""
    title: str
    """What is tried, in a few words."""
    share: float
    """Of all inputs of a campaign."""
    limit_s: float = 120.0
    """An input that takes longer is ended, and a fault."""

    def missing(self) -> str | None:
        """Return what this part lacks here, None if it can run."""
        return None

    def prepare(self, workshop: Path) -> None:  # noqa: B027
        """Make in a folder what every trial reads; called once, in a process of its own."""

    @abstractmethod
    def attempt(self, trial: Trial) -> Sequence[Fault]:
        """Make one input, try it and return the faults."""


def generator(part: str, seed: int, number: int) -> np.random.Generator:
    """Return the random generator of one input, which depends on nothing else."""
    return np.random.default_rng([seed, zlib.crc32(part.encode()), number])

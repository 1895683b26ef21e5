"""The interface of a scenario: a generator of instances, ours or a stranger's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

from epsl_opt.core.instance import Instance
from epsl_opt.core.options import Options

ScenarioOptions = Options
"""Another name of `Options`."""

ScenarioOptionsT = TypeVar("ScenarioOptionsT", bound=Options)


class Scenario(ABC, Generic[ScenarioOptionsT]):
    """A scenario: a name to be found by, one line about it, its options, and `generate`.

    Register a subclass under the entry-point group `epsl_opt.scenarios`.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    options_type: ClassVar[type[Options]] = Options

    @abstractmethod
    def generate(self, options: ScenarioOptionsT) -> Instance:
        """Draw the instance that these options, the seed among them, describe."""

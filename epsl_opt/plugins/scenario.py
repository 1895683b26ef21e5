"""The interface of a scenario: a generator of instances, ours or a stranger's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import ConfigDict

from epsl_opt.core.instance import Instance
from epsl_opt.core.options import Options


class ScenarioOptions(Options):
    """Base of a scenario's options: every field has a default and a description; unknown keys are errors."""

    model_config = ConfigDict(arbitrary_types_allowed=True)


ScenarioOptionsT = TypeVar("ScenarioOptionsT", bound=ScenarioOptions)


class Scenario(ABC, Generic[ScenarioOptionsT]):
    """A scenario: a name to be found by, one line about it, its options, and `generate`.

    Register a subclass under the entry-point group `epsl_opt.scenarios`.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    options_type: ClassVar[type[Any]] = ScenarioOptions

    @abstractmethod
    def generate(self, options: ScenarioOptionsT) -> Instance:
        """Draw the instance that these options, the seed among them, describe."""

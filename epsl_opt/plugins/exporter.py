"""The interface of what writes an instance for other programs, as an optimisation model, say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

from epsl_opt.core.instance import Instance
from epsl_opt.core.options import Options


class ExporterOptions(Options):
    """Base of an exporter's options: every field has a default and a description; unknown keys are errors."""


OptionsT = TypeVar("OptionsT", bound=ExporterOptions)


class Exporter(ABC, Generic[OptionsT]):
    """One format. Register a subclass under the entry-point group `epsl_opt.exporters`, by the format's name."""

    options_type: ClassVar[type[ExporterOptions]] = ExporterOptions

    @abstractmethod
    def export(self, instance: Instance, options: OptionsT) -> bytes:
        """Return the content of the file.

        Raises
        ------
        InputError
            If the format can't hold what the options ask for.
        """

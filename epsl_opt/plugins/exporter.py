"""The interface of what writes an instance for other programs, as an optimisation model, say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

from epsl_opt.core.instance import Instance
from epsl_opt.core.options import Options

ExporterOptions = Options
"""Another name of `Options`."""

OptionsT = TypeVar("OptionsT", bound=Options)


class Exporter(ABC, Generic[OptionsT]):
    """One format. Register a subclass under the entry-point group `epsl_opt.exporters`, by the format's name."""

    options_type: ClassVar[type[Options]] = Options

    @abstractmethod
    def export(self, instance: Instance, options: OptionsT) -> bytes:
        """Return the content of the file.

        Raises
        ------
        InputError
            If the format can't hold what the options ask for.
        """

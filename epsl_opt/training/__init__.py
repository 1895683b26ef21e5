"""One training, from request to records."""

from typing import TYPE_CHECKING

from epsl_opt.core.moved import handed_on

if not TYPE_CHECKING:  # what the module of this name held before there was a room
    __getattr__ = handed_on("epsl_opt.training", "epsl_opt.plugins.backend")

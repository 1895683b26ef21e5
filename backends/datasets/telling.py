"""What a user should know of data that were loaded, said once."""

from __future__ import annotations

import logging
from functools import cache

from epsl_opt.core.plain_text import one_line

log = logging.getLogger(__name__)


@cache
def tell_once(message: str) -> None:
    """Log a warning in one line; a process that loads the same data again says nothing again."""
    log.warning("%s", one_line(message))

"""How clients and server may train together; this module imports nothing."""

from __future__ import annotations

from enum import StrEnum


class Framework(StrEnum):
    """How clients and server train together; see `stage_times` for what a round of each takes."""

    EPSL = "epsl"
    """Efficient parallel split learning: the first m = ceil(phi b) last-layer gradients are aggregated."""
    PSL = "psl"
    """Parallel split learning: EPSL that aggregates nothing."""
    SFL = "sfl"
    """SplitFed, version 1: PSL, then the client-side models are averaged."""
    SFL_V2 = "sfl-v2"
    """SplitFed, version 2: the server-side model learns from one client after another."""
    SL = "sl"
    """Vanilla split learning: one client after another, handing on a single client-side model."""
    FL = "fl"
    """Federated averaging: every client trains the whole network on its batch, then all are averaged."""
    CENTRALISED = "centralised"
    """The server has all data and trains alone: the reference curve."""

    @property
    def averages_on_request(self) -> bool:
        """Whether client-side models are averaged every so many rounds if one asks for it, and otherwise never."""
        return self in (Framework.EPSL, Framework.PSL)

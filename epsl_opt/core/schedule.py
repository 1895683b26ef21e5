"""What is decided: who holds which subchannel, with what power, and where the network is cut."""

from __future__ import annotations

import operator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from epsl_opt.core.arrays import FloatArray, IntArray, frozen

FREE = -1


@dataclass(frozen=True, eq=False)
class Schedule:
    """One decision; it says nothing about whether the constraints hold (see `checker.check`).

    Parameters
    ----------
    cut_layer
        0-based index into the model's cut layers, one for all clients.
    subchannel_client
        Client index that holds each subchannel, or `FREE`, shape (subchannels,).
    subchannel_power_w
        Uplink power on each subchannel, shape (subchannels,).

    Raises
    ------
    ValueError
        If an array is not one-dimensional, or client indices are not whole numbers.
    TypeError
        If the cut layer is no whole number.
    """

    cut_layer: int
    subchannel_client: IntArray
    subchannel_power_w: FloatArray

    def __init__(self, cut_layer: int, subchannel_client: ArrayLike, subchannel_power_w: ArrayLike) -> None:
        owner = np.array(subchannel_client)
        power = np.array(subchannel_power_w, dtype=np.float64)
        if owner.ndim != 1 or power.ndim != 1:
            raise ValueError("subchannel_client and subchannel_power_w must be one-dimensional")
        if owner.size and owner.dtype.kind not in "iu":
            raise ValueError("subchannel_client must hold whole numbers")
        object.__setattr__(self, "cut_layer", operator.index(cut_layer))
        object.__setattr__(self, "subchannel_client", frozen(owner.astype(np.intp)))
        object.__setattr__(self, "subchannel_power_w", frozen(power))

    def copy(self) -> Schedule:
        """Return an equal schedule that shares nothing with this one."""
        return Schedule(self.cut_layer, self.subchannel_client, self.subchannel_power_w)

"""Which clients could hold which subchannels so that each can do its traffic, powers and times aside.

A client that must send and receive is served by one subchannel with gains both ways, or by two with one each. If one
of these choices is all there is (nothing to send, nothing to receive, or gains that are zero both ways or not at all),
that is a bipartite matching. In general it is NP-complete: three-dimensional matching reduces to it, a triple being a
client that takes either a subchannel shared by the triples of one element, or one to send and one to receive. Hence:
matchings first, which settle nearly all instances; then, up to `LARGEST_SEARCH` pairs of client and subchannel, branch
and bound, exact unless `MOST_NODES` are not enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, vstack

from epsl_opt.core.arrays import BoolArray, IntArray
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import CutCosts
from epsl_opt.core.schedule import FREE

LARGEST_SEARCH = 20_000
MOST_NODES = 10_000
LONGEST_SEARCH_S = 10.0


@dataclass(frozen=True, eq=False)
class Serving:
    """An allocation, and what is known of its kind.

    Parameters
    ----------
    owner
        Client index of each subchannel, or FREE, shape (subchannels,); at most two a client, as many served as found.
    complete
        Whether it serves every client.
    impossible
        Whether it is proved that no allocation does.
    """

    owner: IntArray
    complete: bool
    impossible: bool


def serving_allocation(instance: Instance, costs: CutCosts) -> Serving:
    """Find an allocation that serves every client at the cut layer with these costs."""
    uplink, downlink = served_on(instance, costs)
    owner = matched(uplink & downlink)
    if costs.idle or _serves(owner, uplink, downlink):
        return Serving(owner, complete=True, impossible=False)
    if (uplink == downlink).all() or uplink.all() or downlink.all():
        return Serving(owner, complete=False, impossible=True)
    pairs = _with_pairs(owner, uplink, downlink)
    if _serves(pairs, uplink, downlink):
        return Serving(pairs, complete=True, impossible=False)
    found, impossible = _searched(uplink, downlink) if uplink.size <= LARGEST_SEARCH else (None, False)
    return Serving(pairs if found is None else found, complete=found is not None, impossible=impossible)


def served_on(instance: Instance, costs: CutCosts) -> tuple[BoolArray, BoolArray]:
    """Say where a client could send what it must, and where receive it, both shape (clients, subchannels)."""
    uplink = np.isfinite(instance.uplink_noise_w_per_hz) | (not costs.sends)
    downlink = (instance.downlink_rate_bps > 0) | (costs.downlink_bits == 0)
    return uplink, downlink


def matched(usable: BoolArray) -> IntArray:
    """Give as many clients as can be a subchannel each that they can use; FREE elsewhere, shape (subchannels,)."""
    from scipy.optimize import linear_sum_assignment

    owner = np.full(usable.shape[1], FREE)
    clients, subchannels = linear_sum_assignment(usable.astype(np.intp), maximize=True)
    owner[subchannels] = clients
    return owner


def _serves(owner: IntArray, *directions: BoolArray) -> bool:
    """Whether every client holds a subchannel for each direction."""
    held = owner == np.arange(len(directions[0]))[:, None]
    return all(bool((held & usable).any(axis=1).all()) for usable in directions)


def _with_pairs(owner: IntArray, uplink: BoolArray, downlink: BoolArray) -> IntArray:
    """Serve the clients that `owner` does not by two subchannels each, so far as what is left allows."""
    held = owner == np.arange(len(uplink))[:, None]
    alone = (held & uplink & downlink).any(axis=1)
    kept = np.where(alone[owner] & (owner != FREE), owner, FREE)
    rest, free = np.flatnonzero(~alone), np.flatnonzero(kept == FREE)
    pair = matched(np.vstack([uplink[np.ix_(rest, free)], downlink[np.ix_(rest, free)]]))
    kept[free] = np.where(pair == FREE, FREE, rest[pair % len(rest)])
    return kept


def _searched(uplink: BoolArray, downlink: BoolArray) -> tuple[IntArray | None, bool]:
    """Search by HiGHS for an allocation that serves all: it, or None and whether there is none."""
    from scipy.optimize import LinearConstraint, milp

    client, subchannel = np.nonzero(uplink | downlink)
    C, M, n = *uplink.shape, len(client)
    column = np.arange(n)
    rows = [
        csr_array((usable[client, subchannel].astype(float), (client, column)), (C, n)) for usable in (uplink, downlink)
    ]
    rows.append(csr_array((-np.ones(n), (subchannel, column)), (M, n)))
    enough = LinearConstraint(vstack(rows), np.r_[np.ones(2 * C), -np.ones(M)], np.inf)
    options = {"node_limit": MOST_NODES, "time_limit": LONGEST_SEARCH_S, "mip_rel_gap": 1.0}
    result = milp(np.ones(n), integrality=np.ones(n), bounds=(0, 1), constraints=enough, options=options)
    if result.x is None:
        return None, result.status == 2
    owner = np.full(M, FREE)
    owner[subchannel[result.x > 0.5]] = client[result.x > 0.5]
    return (owner if _serves(owner, uplink, downlink) else None), False

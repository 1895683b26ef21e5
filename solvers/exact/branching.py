"""Splitting a region in two: on the count of a client first, on a single subchannel where the counts are whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.solvers.exact.node import Node

WHOLE = 0.02
"""A fractional count or allocation nearer than this to a whole one counts as whole."""


def branch(node: Node, fraction: FloatArray) -> list[Node]:
    """Split `node`, whose relaxation has the fractional allocation `fraction`, shape (clients, subchannels).

    Branching on counts never has to tell near-identical subchannels apart. The children cover the region, up to
    exchanges between copies; those that are seen to be empty are left out.
    """
    fraction = np.where(node.allowed, fraction, 0.0)
    counts = np.clip(fraction.sum(axis=1), node.least, node.most)
    distance = np.abs(counts - np.round(counts))
    client = int(distance.argmax())
    loose = node.least < node.most
    if distance[client] > WHOLE:
        children = _on_count(node, client, int(np.floor(counts[client])))
    elif loose.any():
        client = int(np.where(loose, distance, -1.0).argmax())
        children = _around_count(node, client, round(counts[client]))
    elif (unsure := _most_divided(node, fraction)) is not None:
        children = _on_subchannel(node, *unsure)
    else:
        children = _on_anything(node, fraction)
    return [child for made in children if (child := made.tightened()) is not None]


def _on_count(node: Node, client: int, count: int) -> list[Node]:
    """At most `count` subchannels for the client, or more."""
    fewer = replace(node, most=_with(node.most, client, count))
    return [fewer, replace(node, least=_with(node.least, client, count + 1))]


def _around_count(node: Node, client: int, count: int) -> list[Node]:
    """Exactly `count` subchannels for the client, or fewer, or more."""
    exact = replace(node, least=_with(node.least, client, count), most=_with(node.most, client, count))
    fewer = replace(node, most=_with(node.most, client, count - 1))
    more = replace(node, least=_with(node.least, client, count + 1))
    return [exact, fewer, more]


def _with(values: IntArray, index: int, value: int) -> IntArray:
    changed = values.copy()
    changed[index] = value
    return changed


def _on_subchannel(node: Node, client: int, subchannel: int) -> list[Node]:
    """The subchannel is the client's, or it is not, nor one of its twins', who would do as well."""
    its, others = node.allowed.copy(), node.allowed.copy()
    its[:, subchannel] = False
    its[client, subchannel] = True
    others[node.twins(client), subchannel] = False
    return [replace(node, allowed=its), replace(node, allowed=others)]


def _most_divided(node: Node, fraction: FloatArray) -> tuple[int, int] | None:
    """The (client, subchannel) with the least decided fraction, if any is undecided."""
    divided = np.where(node.allowed.sum(axis=0) > 1, fraction.max(axis=0), 1.0)
    subchannel = int(divided.argmin())
    if divided[subchannel] > 1 - WHOLE:
        return None
    return _favourite(node, fraction, subchannel), subchannel


def _on_anything(node: Node, fraction: FloatArray) -> list[Node]:
    """The relaxation looks whole but is not good enough: split what is still open, or nothing in a leaf."""
    open_ = np.flatnonzero(node.allowed.sum(axis=0) > 1)
    if open_.size == 0:
        return []
    subchannel = int(open_[fraction[:, open_].max(axis=0).argmin()])
    return _on_subchannel(node, _favourite(node, fraction, subchannel), subchannel)


def _favourite(node: Node, fraction: FloatArray, subchannel: int) -> int:
    """The allowed client with the largest fraction of a subchannel."""
    return int(np.where(node.allowed[:, subchannel], fraction[:, subchannel], -1.0).argmax())

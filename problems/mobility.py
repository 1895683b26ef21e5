"""Clients that move between rounds: Gauss-Markov mobility in the disc, shadowing and sight that change along the path.

Velocity: B. Liang, Z. Haas, "Predictive distance-based mobility management for PCS networks", INFOCOM 1999. Shadowing:
M. Gudmundson, "Correlation model for shadow fading in mobile radio systems", Electronics Letters, 1991: its correlation
falls exponentially with the distance gone. All of it is a reconstruction: in the paper, clients stand still.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from epsl_opt.core.arrays import FloatArray
from epsl_opt.problems.streams import Concern, stream

SHADOWING_DISTANCE_M = 13.0
SIGHT_DISTANCE_M = 50.0
"""Distances after which correlations are 1/e (3GPP TR 38.901, urban micro cells)."""

DIRECTION_MEMORY_S = 20.0
"""Time after which the correlation of a client's velocity is 1/e."""

MAX_BOUNCES = 50


@dataclass(frozen=True, eq=False)
class Surroundings:
    """How clients stand to the server, each of shape (clients,).

    Parameters
    ----------
    distance_m
        Distance to the server.
    sight
        In [0, 1): a client sees the server if this is below the probability of that at its distance.
    shadowing
        Standard normal, to be multiplied by the shadowing's deviation.
    """

    distance_m: FloatArray
    sight: FloatArray
    shadowing: FloatArray


def moved(
    start: Surroundings, seed: int, rounds: int, speed_m_per_s: float, interval_s: float, radius_m: float
) -> Surroundings:
    """Return how clients stand after so many rounds; what each draw is made of does not depend on later rounds.

    Parameters
    ----------
    start
        In round 0.
    seed
        Of angles, velocities and changes of shadowing and sight.
    rounds
        Rounds gone by since.
    speed_m_per_s
        Mean speed.
    interval_s
        From one round to the next.
    radius_m
        Of the disc, whose edge throws clients back as a mirror does light.
    """
    clients = [_client(start, seed, i, rounds) for i in range(len(start.distance_m))]
    place, velocity = (np.array([getattr(client, part) for client in clients]) for part in ("place_m", "direction"))
    steps, shadowing_steps, sight_steps = (
        np.array([getattr(client, part) for client in clients]) for part in ("turns", "shadowing", "sight")
    )
    memory = math.exp(-interval_s / DIRECTION_MEMORY_S)
    scale_m = speed_m_per_s * math.sqrt(2 / math.pi) * interval_s
    shadowing, sight = start.shadowing, ndtri(np.maximum(start.sight, np.finfo(float).tiny))
    for n in range(rounds):
        velocity = memory * velocity + math.sqrt(1 - memory**2) * steps[:, n]
        gone_m = scale_m * np.hypot(*velocity.T)
        place, velocity = bounced(place, velocity, scale_m, radius_m)
        shadowing = _changed(shadowing, shadowing_steps[:, n], gone_m / SHADOWING_DISTANCE_M)
        sight = _changed(sight, sight_steps[:, n], gone_m / SIGHT_DISTANCE_M)
    return Surroundings(np.hypot(*place.T), ndtr(sight), shadowing)


def bounced(
    place_m: FloatArray, velocity: FloatArray, scale_m: float, radius_m: float
) -> tuple[FloatArray, FloatArray]:
    """Go `scale_m * velocity` straight on, thrown back by the edge of the disc; return places and velocities.

    Parameters
    ----------
    place_m, velocity
        Shape (clients, 2); places within the disc.
    """
    place, way, velocity = place_m.copy(), scale_m * velocity, velocity.copy()
    for _ in range(MAX_BOUNCES):
        out = np.flatnonzero(np.hypot(*(place + way).T) > radius_m)
        if len(out) == 0:
            break
        p, w = place[out], way[out]
        along, length = (p * w).sum(axis=1), (w * w).sum(axis=1)
        inside = np.maximum(radius_m**2 - (p * p).sum(axis=1), 0.0)
        share = (np.sqrt(along**2 + length * inside) - along) / length
        edge = p + share[:, np.newaxis] * w
        normal = edge / np.hypot(*edge.T)[:, np.newaxis]
        place[out] = edge
        way[out] = _mirrored((1 - share)[:, np.newaxis] * w, normal)
        velocity[out] = _mirrored(velocity[out], normal)
    place += way
    distance = np.hypot(*place.T)
    return place * np.minimum(1.0, radius_m / np.maximum(distance, 1e-300))[:, np.newaxis], velocity


@dataclass(frozen=True, eq=False)
class _Client:
    """What is drawn for one client: place and direction in round 0, then a row a round."""

    place_m: FloatArray
    direction: FloatArray
    turns: FloatArray
    shadowing: FloatArray
    sight: FloatArray


def _client(start: Surroundings, seed: int, i: int, rounds: int) -> _Client:
    motion = stream(seed, Concern.MOTION, i)
    angle = 2 * math.pi * motion.random()
    return _Client(
        place_m=start.distance_m[i] * np.array([math.cos(angle), math.sin(angle)]),
        direction=motion.standard_normal(2),
        turns=motion.standard_normal((rounds, 2)),
        shadowing=stream(seed, Concern.SHADOWING_CHANGE, i).standard_normal(rounds),
        sight=stream(seed, Concern.SIGHT_CHANGE, i).standard_normal(rounds),
    )


def _changed(value: FloatArray, step: FloatArray, exponent: FloatArray) -> FloatArray:
    """Keep exp(-exponent) of a standard normal value and make up for the rest, so that it stays standard normal."""
    kept = np.exp(-exponent)
    changed: FloatArray = kept * value + np.sqrt(1 - kept**2) * step
    return changed


def _mirrored(vector: FloatArray, normal: FloatArray) -> FloatArray:
    turned: FloatArray = vector - 2 * (vector * normal).sum(axis=1)[:, np.newaxis] * normal
    return turned

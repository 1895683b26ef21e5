"""The radio channel of a scenario: gains from the channel model, or from measurements."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from epsl_opt.core.arrays import BoolArray, FloatArray
from epsl_opt.problems import path_loss
from epsl_opt.problems.fading import power_gains
from epsl_opt.problems.mobility import Surroundings, moved
from epsl_opt.problems.paper_options import ROUND_INTERVAL_S, LineOfSight, PaperOptions
from epsl_opt.problems.streams import Concern, normals, uniforms
from epsl_opt.problems.units import dbs_to_linear


@dataclass(frozen=True, eq=False)
class Radio:
    """Gains of shape (clients, subchannels); where clients are, shape (clients,), if the channel model placed them."""

    uplink_gain: FloatArray
    downlink_gain: FloatArray
    distance_m: FloatArray | None = None
    line_of_sight: BoolArray | None = None


def modelled(options: PaperOptions, frequency_hz: FloatArray) -> Radio:
    """Draw the clients' places and the channel between them and the server.

    Path loss and shadowing are the same in both directions (time division), and so is fading unless
    `options.reciprocal` is false.
    """
    around = surroundings(options)
    sight = lines_of_sight(options, around.distance_m, around.sight)
    shadowing_db = shadowings_db(options, sight, around.shadowing)
    loss_db = path_loss.mean_path_loss_db(around.distance_m, sight, frequency_hz) + shadowing_db[:, np.newaxis]
    large_scale = options.antenna_gain * dbs_to_linear(-loss_db)
    uplink = _fading(options, large_scale.shape, Concern.UPLINK_FADING)
    downlink = uplink if options.reciprocal else _fading(options, large_scale.shape, Concern.DOWNLINK_FADING)
    return Radio(large_scale * uplink, large_scale * downlink, around.distance_m, sight)


def surroundings(options: PaperOptions) -> Surroundings:
    """Draw where clients are and what stands between them and the server, in the round of the options."""
    drawn = Surroundings(
        distance_m=distances_m(options),
        sight=uniforms(options.seed, Concern.LINE_OF_SIGHT, options.clients),
        shadowing=normals(options.seed, Concern.SHADOWING, options.clients),
    )
    if options.speed_m_per_s is None or not options.round:
        return drawn
    interval_s = ROUND_INTERVAL_S if options.round_interval_s is None else options.round_interval_s
    after = moved(drawn, options.seed, options.round, options.speed_m_per_s, interval_s, options.radius_m)
    return replace(after, distance_m=np.maximum(after.distance_m, options.min_distance_m))


def distances_m(options: PaperOptions) -> FloatArray:
    """Draw distances to the server, uniform in the ring from `min_distance_m` to `radius_m`, shape (clients,).

    The channel is omnidirectional, so no angle is drawn. `distance_spread` pulls all towards the ring's mean distance.
    """
    inner, outer = options.min_distance_m, options.radius_m
    drawn = np.sqrt(inner**2 + (outer**2 - inner**2) * uniforms(options.seed, Concern.POSITION, options.clients))
    mean = 2 / 3 * (outer**2 + outer * inner + inner**2) / (outer + inner)
    return mean + options.distance_spread * (drawn - mean)


def lines_of_sight(options: PaperOptions, distance_m: FloatArray, drawn: FloatArray) -> BoolArray:
    """Say who sees the server, given a number in [0, 1) for each client, unless the options say it for all."""
    if options.line_of_sight is not LineOfSight.AUTO:
        return np.full(distance_m.shape, options.line_of_sight is LineOfSight.LOS)
    return drawn < path_loss.line_of_sight_probability(distance_m)


def shadowings_db(options: PaperOptions, line_of_sight: BoolArray, drawn: FloatArray) -> FloatArray:
    """Return each client's shadowing, one number for all its subchannels, given a standard normal number for each."""
    return options.shadowing * path_loss.shadowing_deviation_db(line_of_sight) * drawn


def _fading(options: PaperOptions, shape: tuple[int, ...], concern: Concern) -> FloatArray:
    size = (shape[0], shape[1])
    return power_gains(options.fading, options.rician_k_db, size, options.seed, concern, options.round or 0)

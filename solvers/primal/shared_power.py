"""Two phases on one power: how long uplink phase and exchange of models last, so that their sum is least.

A client needs the rate a / (x + h_i) for an uplink phase that ends x after all are ready, h_i being its head start, and
e / y for an exchange of length y. With theta = a y / e - x, the larger of both is a / (x + min(h_i, theta)): for a
given theta the least x is that of an uplink phase whose head starts are cut off at theta. Their sum is convex in theta,
since it is the least of x + y on a line through a convex set, and its slope is e/a - (1 + e/a) S, with S the share of
what a second less of x would cost in power that is due to clients whose head start is cut off. So it is least where S
falls through e / (a + e): at one of the h_i, where S jumps, or between two of them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from epsl_opt.core.arrays import BoolArray, FloatArray, IntArray
from epsl_opt.core.water_filling import WaterFilling
from epsl_opt.solvers.primal.traffic import SHORTEST_S, Traffic, meet_total_power

STEPS = 100
SAME = 1e-13
"""Relative difference of times that is rounding."""

CLOSE = 1e-14
"""Relative to the sum: what may be left to gain when a search ends."""


LOPSIDED = 1e13
"""Beyond this ratio of one traffic to the other, the lesser lengthens the round by nothing that could be told."""


@dataclass(frozen=True, eq=False)
class SharedPower:
    """N allocations, and what their clients can do within their power limits.

    `filling` has a row for every allocation and client. `own_rate` is what a client carries in nat/s with its own
    limit, `even_rate` with all limits scaled down alike until their sum is no more than the total, shapes
    (allocations, clients).
    """

    filling: WaterFilling
    total_w: float
    own_rate: FloatArray
    even_rate: FloatArray

    @classmethod
    def of(cls, filling: WaterFilling, total_w: float, limit_w: FloatArray) -> SharedPower:
        """Find what clients can do within `limit_w`, shape (clients,), and `total_w` together."""
        N = len(filling.best_noise) // len(limit_w)
        even_w = limit_w * min(1.0, 1 / (limit_w / total_w).sum())
        own, even = (filling.max_rate(np.tile(power, N)).reshape(N, -1) for power in (limit_w, even_w))
        return cls(filling, total_w, own, even)

    def best_times_s(self, uplink: Traffic, exchange: Traffic) -> tuple[FloatArray, FloatArray]:
        """Return the lengths of uplink phase and exchange, after all are ready, whose sum is least.

        Shapes (allocations,); 0 for a phase in which nothing is sent.
        """
        N = len(self.own_rate)
        if exchange.nats == 0:
            return self.end_s(uplink), np.zeros(N)
        if uplink.nats == 0:
            return np.zeros(N), self.end_s(exchange)
        if exchange.nats > LOPSIDED * uplink.nats:
            exchange_s = self.end_s(exchange)
            return np.maximum(uplink.nats / exchange.nats * exchange_s, SHORTEST_S), exchange_s
        if uplink.nats > LOPSIDED * exchange.nats:
            uplink_s = self.end_s(uplink)
            longest = uplink_s + uplink.head_start_s.max()
            return uplink_s, np.maximum(exchange.nats / uplink.nats * longest, SHORTEST_S)
        return TwoPhases(self, uplink, exchange.nats).best()

    def end_s(self, traffic: Traffic) -> FloatArray:
        """Return when one phase alone can end at the earliest, shape (allocations,)."""
        earliest, latest = traffic.slack_s(self.own_rate), traffic.slack_s(self.even_rate)
        return meet_total_power(self.filling, self.total_w, traffic, earliest, latest)

    def take(self, index: IntArray) -> SharedPower:
        """Return some of the allocations."""
        C = self.own_rate.shape[1]
        rows = (index[:, None] * C + np.arange(C)).ravel()
        return SharedPower(self.filling.take(rows), self.total_w, self.own_rate[index], self.even_rate[index])


@dataclass(frozen=True, eq=False)
class TwoPhases:
    """Both phases, of traffic that can be compared: `exchange_nats` is what each client sends in the second."""

    power: SharedPower
    uplink: Traffic
    exchange_nats: float

    def best(self) -> tuple[FloatArray, FloatArray]:
        """Return the lengths of both phases, from when all are ready, whose sum is least, shapes (allocations,)."""
        kinks = np.unique(self.uplink.head_start_s)
        N = len(self.power.own_rate)
        right = self._at(np.full(N, kinks[-1]), np.arange(N))
        left = right.take(np.arange(N))
        low, high = np.full(N, -1), np.full(N, len(kinks) - 1)
        while (open_ := np.flatnonzero(high - low > 1)).size:  # for the first where the sum rises from
            middle = (low[open_] + high[open_]) // 2
            found = self._at(kinks[middle], open_)
            rises = found.slope_above >= 0
            high[open_[rises]], low[open_[~rises]] = middle[rises], middle[~rises]
            right.put(open_[rises], found.take(np.flatnonzero(rises)))
            left.put(open_[~rises], found.take(np.flatnonzero(~rises)))
        self._close_in(left, right, np.flatnonzero((right.slope_below > 0) & (high > 0)))
        return right.uplink_s, self._exchange_s(right.uplink_s, right.theta_s)

    @property
    def _ratio(self) -> float:
        return self.exchange_nats / self.uplink.nats

    def _exchange_s(self, uplink_s: FloatArray, theta_s: FloatArray) -> FloatArray:
        return self._ratio * (uplink_s + theta_s)

    def _close_in(self, left: _Point, right: _Point, open_: IntArray) -> None:
        """Leave the least between `left`, where the sum falls, and `right`, from where it rises, in `right`.

        It is next to where the tangents meet, or where the slope would be zero on a line: at a kink (a client comes to
        its own limit) the one is quick, elsewhere the other. Where the tangents meet, the sum can't be less.
        """
        low, high = left.take(open_), right.take(open_)
        for step in range(STEPS):
            fall, rise, width = -low.slope_above, high.slope_below, high.theta_s - low.theta_s
            with np.errstate(divide="ignore", invalid="ignore"):
                meet = (low.sum_s - high.sum_s + rise * width) / (fall + rise)
                part = meet / width if step % 2 == 0 else fall / (fall + rise)
            least = np.minimum(low.sum_s, high.sum_s)
            going = (least - (low.sum_s - fall * meet) > CLOSE * least) & (width > 4e-16 * high.theta_s)
            stopped, kept = np.flatnonzero(~going), np.flatnonzero(going)
            better = low.take(stopped).where(low.sum_s[stopped] < high.sum_s[stopped], high.take(stopped))
            right.put(open_[stopped], better)
            if kept.size == 0:
                return
            open_, low, high, part, width = open_[kept], low.take(kept), high.take(kept), part[kept], width[kept]
            inside = (part > 0) & (part < 1)
            found = self._at(low.theta_s + width * np.where(inside, part, 0.5), open_)
            falls = found.slope_above < 0
            low, high = found.where(falls, low), high.where(falls, found)
        right.put(open_, low.where(low.sum_s < high.sum_s, high))

    def _at(self, theta_s: FloatArray, index: IntArray) -> _Point:
        """The least x of some allocations for their thetas, and what follows."""
        power = self.power.take(index)
        head_start = np.minimum(self.uplink.head_start_s, theta_s[:, None])
        cut_off = Traffic(self.uplink.nats, head_start)
        own = cut_off.own_slack_s(power.own_rate)
        earliest, uplink_s = np.maximum(own.max(axis=1), SHORTEST_S), power.end_s(cut_off)
        rate = cut_off.rate(uplink_s)
        level = power.filling.log_level(rate.ravel())[0].reshape(rate.shape)
        cost = power.filling.best_noise.reshape(rate.shape) * np.exp(level) * rate / (uplink_s[:, None] + head_start)
        bound_by_own = uplink_s <= earliest * (1 + SAME)
        cost = np.where(bound_by_own[:, None], own >= (earliest * (1 - SAME))[:, None], cost)
        with np.errstate(invalid="ignore"):
            share = cost / cost.sum(axis=1, keepdims=True)
        h, ratio = self.uplink.head_start_s, self._ratio
        below = np.where(h >= theta_s[:, None], share, 0.0).sum(axis=1)
        above = np.where(h > theta_s[:, None], share, 0.0).sum(axis=1)
        total_s = uplink_s + self._exchange_s(uplink_s, theta_s)
        return _Point(theta_s, uplink_s, total_s, ratio - (1 + ratio) * below, ratio - (1 + ratio) * above)


@dataclass(frozen=True, eq=False)
class _Point:
    """A theta of each allocation, its x and x + y, and the slopes of that on both sides, shapes (allocations,)."""

    theta_s: FloatArray
    uplink_s: FloatArray
    sum_s: FloatArray
    slope_below: FloatArray
    slope_above: FloatArray

    def take(self, index: IntArray) -> _Point:
        """Return the points of some allocations."""
        return _Point(*(getattr(self, field.name)[index] for field in fields(self)))

    def put(self, index: IntArray, other: _Point) -> None:
        """Take over other points for some allocations."""
        for field in fields(self):
            getattr(self, field.name)[index] = getattr(other, field.name)

    def where(self, condition: BoolArray, other: _Point) -> _Point:
        """Return these where the condition holds, `other` elsewhere."""
        names = [field.name for field in fields(self)]
        return _Point(*(np.where(condition, getattr(self, name), getattr(other, name)) for name in names))

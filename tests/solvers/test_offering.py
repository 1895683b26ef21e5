"""Offering allocations: what is judged is the schedule with the best powers, if there is one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import instances

from epsl_opt import FREE, Instance, Limits, SolveMonitor
from epsl_opt.solvers.primal.cuts import feasible_cuts
from epsl_opt.solvers.primal.evaluation import allocation_latencies_s
from epsl_opt.solvers.primal.offering import offer_allocation


@given(instances(), st.data())
def test_the_latency_is_that_of_the_allocation(instance: Instance, data: st.DataObject) -> None:
    """The latency returned, and the incumbent's, is the allocation's with its best powers, inf where it serves not."""
    cut, costs = data.draw(st.sampled_from(list(feasible_cuts(instance).items())))
    owner = np.array([data.draw(st.integers(FREE, instance.n_clients - 1)) for _ in range(instance.n_subchannels)])
    monitor = SolveMonitor(instance, Limits())
    found_s = offer_allocation(monitor, costs, cut, owner)
    expected_s = float(allocation_latencies_s(instance, costs, owner[None, :])[0])
    assert found_s == pytest.approx(expected_s, rel=1e-9)
    assert monitor.latency_s == found_s
    assert monitor.violations == ()
    assert (monitor.incumbent is None) == math.isinf(expected_s)

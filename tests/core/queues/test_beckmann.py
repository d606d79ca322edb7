"""Own waits and their integrals against closed forms, quadrature and the planner's curves."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.integrate

from corridor.core.queues import BeckmannDelay, QueueDelay
from corridor.errors import InputError


def queues(seed: int = 0) -> QueueDelay:
    """Return 3 pools of 5 stages, the last pool without any."""
    rng = np.random.default_rng(seed)
    n = 5
    return QueueDelay(
        n_pools=3,
        pool=np.array([0, 0, 1, 1, 1]),
        share=rng.uniform(0.2, 1.0, n),
        servers=rng.integers(1, 6, n),
        service_h=rng.uniform(0.1, 1.0, n),
        arrival_scv=np.array([1.0, 1.0, 1.0, 0.5, 1.0]),
        service_scv=np.array([1.0, 0.3, 0.0, 0.7, 1.5]),
        open_h_per_day=rng.uniform(8.0, 24.0, n),
        usd_per_vehicle_h=rng.uniform(5.0, 50.0, n),
        base_load=rng.uniform(0.0, 5.0, n),
    )


@pytest.mark.parametrize("load", [[0.0, 0.0, 0.0], [3.0, 8.0, 1.0], [40.0, 400.0, 9.0]])
def test_value_is_the_integral_of_the_slope(load: list[float]) -> None:
    """Also far above 99 % utilization, where waits go on along their tangents."""
    curve = BeckmannDelay(queues())
    loads = np.array(load)
    for pool in range(3):

        def own(at: float, pool: int = pool) -> float:
            return curve.slope(np.where(np.arange(3) == pool, at, 0.0))[pool]

        edges = np.linspace(0.0, loads[pool], 40)
        area = sum(scipy.integrate.quad(own, a, b, epsabs=1e-10)[0] for a, b in pairwise(edges))
        assert curve.value(loads)[pool] == pytest.approx(area, rel=1e-6, abs=1e-9)


def test_wait_is_that_of_the_stages_and_its_slope_a_difference() -> None:
    curve, step = BeckmannDelay(queues()), 1e-5
    load = np.array([3.0, 8.0, 1.0])
    wait, slope = curve.wait_and_slope(load)
    given = curve.queues
    by_stage = np.bincount(given.pool, given.share * given.wait_h(load), 3)
    assert wait == pytest.approx(by_stage, rel=1e-12)
    change = curve.wait_and_slope(load + step)[0] - curve.wait_and_slope(load - step)[0]
    assert slope == pytest.approx(change / (2 * step), rel=1e-6, abs=1e-12)
    assert wait[2] == slope[2] == 0.0


def test_own_wait_is_less_than_what_a_vehicle_costs_all() -> None:
    given = queues()
    for load in np.linspace(0.5, 30.0, 12):
        loads = np.array([load, load, load])
        own, all_together = BeckmannDelay(given).slope(loads), given.slope(loads)
        assert (own[:2] < all_together[:2]).all()


@pytest.mark.parametrize("load", [[1.0, 1.0], [1.0, -1.0, 1.0], [np.nan, 1.0, 1.0]])
def test_bad_loads_are_refused(load: list[float]) -> None:
    with pytest.raises(InputError, match="load must"):
        BeckmannDelay(queues()).slope(np.array(load))

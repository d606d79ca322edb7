"""Curves against numeric differentiation and integration, and against each other."""

import numpy as np
import pytest
from scipy.integrate import quad

from corridor.core.flows import BPR, Akcelik, Conical, MarginalCost, MixedDelay, StageDelay
from corridor.core.flows._curves import TabledDelay, VolumeDelay, curvature_of
from corridor.core.queues import mean_wait
from corridor.errors import InputError

FLOWS = np.array([0.0, 1e-3, 0.4, 0.9, 0.97, 1.0, 1.02, 1.4, 3.0, 40.0])
N = FLOWS.size


def curves() -> dict[str, VolumeDelay]:
    one, capacity = np.ones(N), np.full(N, 1.3)
    power = np.array([0.0, 0.5, 1.0, 1.7, 2.0, 4.0, 4.0, 5.2, 8.0, 3.0])
    mixed = [Conical(one[:4], capacity[:4], 3 * one[:4]), BPR(one[4:], capacity[4:], one[4:], 4.0)]
    return {
        "bpr": BPR(2 * one, capacity, 0.3 * one, power, 0.7),
        "conical": Conical(2 * one, capacity, np.linspace(1.1, 9, N), 0.7),
        "akcelik": Akcelik(2 * one, capacity, np.geomspace(1e-3, 30, N), 0.8, 0.7),
        "mixed": MixedDelay(tuple(mixed), (np.arange(4), np.arange(4, N))),
        "stages": StageDelay(
            fixed=one, arc=np.r_[np.arange(N), 2, 3], servers=np.r_[np.arange(1, N + 1), 1, 40],
            service_time=np.full(N + 2, 0.8), share=0.9, service_scv=0.4,
        ),
    }  # fmt: skip


CURVES = curves()
MARGINAL = {f"marginal {name}": MarginalCost(curve) for name, curve in CURVES.items()}
ALL = {**CURVES, **MARGINAL}


@pytest.mark.parametrize("name", ALL)
def test_slope_is_the_derivative(name: str) -> None:
    curve, step = ALL[name], 1e-6
    flow = np.maximum(FLOWS, 0.01)
    difference = curve.cost(flow + step) - curve.cost(flow - step)
    np.testing.assert_allclose(curve.slope(flow), difference / (2 * step), rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_integral_is_that_of_the_cost(name: str) -> None:
    curve = ALL[name]
    for arc, flow in enumerate(FLOWS):

        def cost(v: float, arc: int = arc) -> float:
            return float(curve.cost(np.full(N, v))[arc])

        kinks = [v for v in (0.95, 0.99 * 0.8, 1.0, 1.3, 2.0) if v < flow]
        area, _ = quad(cost, 0.0, flow, epsabs=1e-12, epsrel=1e-11, limit=400, points=kinks or None)
        assert curve.integral(FLOWS)[arc] == pytest.approx(area, rel=1e-7, abs=1e-9), arc


@pytest.mark.parametrize("name", ALL)
def test_cost_never_falls(name: str) -> None:
    flow = np.linspace(0, 5, 200)
    costs = np.array([ALL[name].cost(np.full(N, v)) for v in flow])
    assert (np.diff(costs, axis=0) >= -1e-12 * costs[1:]).all()


@pytest.mark.parametrize("name", ["bpr", "conical", "akcelik", "mixed"])
@pytest.mark.parametrize("is_marginal", [False, True])
def test_the_kernels_say_the_same(name: str, *, is_marginal: bool) -> None:
    from corridor.core.flows import _equilibrium_kernels as kernels

    curve = CURVES[name]
    assert isinstance(curve, TabledDelay)
    table = curve.table(marginal=is_marginal)
    assert table is not None
    arc = np.zeros((N, 8))
    arc[:, :5], arc[:, kernels.CODE] = table.parameter, table.code
    arc[:, kernels.FLOW] = np.maximum(FLOWS, 1e-3)
    loads = kernels.Loads(arc, np.full((2, N), [[0.0], [3.0]]), np.zeros((2, N)))
    kernels.update_all(loads)
    shown = MARGINAL[f"marginal {name}"] if is_marginal else curve
    flow = np.maximum(FLOWS, 1e-3)
    np.testing.assert_allclose(loads.cost[0], shown.cost(flow), rtol=1e-12)
    np.testing.assert_allclose(loads.cost[1], shown.cost(flow) + 3.0, rtol=1e-12)
    np.testing.assert_allclose(arc[:, kernels.SLOPE], shown.slope(flow), rtol=1e-9, atol=1e-12)


def test_bpr_at_capacity() -> None:
    curve = BPR([10.0, 0.0, 5.0], [100.0, 1.0, np.inf], [0.15, 0.15, 1.0], [4.0, 4.0, 1.0], 2.0)
    flow = np.array([100.0, 7.0, 1e6])
    np.testing.assert_allclose(curve.cost(flow), [13.5, 2.0, 7.0])
    np.testing.assert_allclose(curve.slope(flow), [0.06, 0.0, 0.0])


def test_conical_passes_through_its_points() -> None:
    curve = Conical(np.ones(3), np.full(3, 50.0), [2.0, 4.0, 8.0])
    np.testing.assert_allclose(curve.cost(np.zeros(3)), 1.0)
    np.testing.assert_allclose(curve.cost(np.full(3, 50.0)), 2.0)
    # Far beyond capacity it rises by 2 alpha for each further capacity.
    far = curve.cost(np.full(3, 50.0 * 1001)) - curve.cost(np.full(3, 50.0 * 1000))
    np.testing.assert_allclose(far, [4.0, 8.0, 16.0], rtol=1e-4)


def test_akcelik_has_the_queue_and_the_overflow_as_limits() -> None:
    long = Akcelik([1.0], [60.0], [1.0], 1e7)
    assert long.cost(np.array([45.0]))[0] == pytest.approx(1.0 + mean_wait(45, 1 / 60, 1), rel=1e-5)
    over = Akcelik([1.0], [60.0], [1.0], 10.0)
    assert over.cost(np.array([60.0 * 50]))[0] == pytest.approx(1.0 + 10 * 49 / 2, rel=1e-3)


def test_conical_integral_without_capacity() -> None:
    curve = Conical([3.0, 3.0], [np.inf, 10.0], [4.0, 4.0], 1.0)
    flow = np.array([1e5, 0.0])
    np.testing.assert_allclose(curve.integral(flow), [4e5, 0.0])
    np.testing.assert_allclose(curve.cost(flow), [4.0, 4.0])


def test_stages_are_sojourns_below_the_limit() -> None:
    stages = StageDelay(
        fixed=[0.25], arc=[0, 0], servers=[2, 1], service_time=[0.5, 0.1], share=[1.0, 0.4],
        service_scv=[0.0, 2.0],
    )  # fmt: skip
    first = 0.5 + mean_wait(3.0, 0.5, 2, 1.0, 0.0)
    second = 0.4 * (0.1 + mean_wait(1.2, 0.1, 1, 1.0, 2.0))
    assert stages.cost(np.array([3.0]))[0] == pytest.approx(0.25 + first + second, rel=1e-12)


def test_stage_integral_for_one_server_is_a_logarithm() -> None:
    stages = StageDelay(fixed=[0.0] * 3, arc=[0, 1, 2], servers=[1, 1, 1], service_time=[1.0] * 3)
    rho = np.array([0.3, 0.9, 0.9899])
    np.testing.assert_allclose(stages.integral(rho), -np.log1p(-rho), rtol=1e-12)


def test_curvature_by_differences() -> None:
    stages = StageDelay(fixed=[0.0], arc=[0], servers=[1], service_time=[1.0])
    assert curvature_of(stages, np.array([0.5]))[0] == pytest.approx(2 / 0.5**3, rel=1e-3)


@pytest.mark.parametrize("name", ["bpr", "conical", "akcelik", "mixed"])
def test_curvature_is_the_second_derivative(name: str) -> None:
    curve, flow = CURVES[name], np.maximum(FLOWS, 0.01)
    slope = curve.slope(flow + 1e-6) - curve.slope(flow - 1e-6)
    np.testing.assert_allclose(curvature_of(curve, flow), slope / 2e-6, rtol=1e-3, atol=1e-5)


BAD = {
    "capacity must be > 0; found 0.0 at position 1": lambda: BPR([1, 1], [1, 0], [1, 1], [4, 4]),
    "free_flow must be >= 0 and finite": lambda: BPR([-1.0], [1.0], [1.0], [4.0]),
    "b must be >= 0": lambda: BPR([1.0], [1.0], [-1.0], [4.0]),
    "power must be a number; found nan": lambda: BPR([1.0], [1.0], [1.0], [np.nan]),
    r"capacity has shape \(1,\), expected \(2,\)": lambda: BPR([1, 1], [1], [1, 1], [4, 4]),
    "alpha must be > 1": lambda: Conical([1.0], [1.0], [1.0]),
    "delay must be > 0": lambda: Akcelik([1.0], [1.0], [0.0], 1.0),
    "capacity must be > 0 and finite": lambda: Akcelik([1.0], [np.inf], [1.0], 1.0),
    "servers must be whole": lambda: StageDelay(
        fixed=[0.0], arc=[0], servers=[1.5], service_time=[1.0]
    ),
    "arc must lie in 0..0": lambda: StageDelay(fixed=[0], arc=[1], servers=[1], service_time=[1.0]),
    "share must be > 0": lambda: StageDelay(
        fixed=[0.0], arc=[0], servers=[1], service_time=[1.0], share=0.0
    ),
    "service_time has shape": lambda: StageDelay(
        fixed=[0.0], arc=[0], servers=[1], service_time=[1.0, 2.0]
    ),
    "arc 0 comes 2 times": lambda: MixedDelay(
        (Conical([1.0], [1.0], [2.0]), Conical([1.0], [1.0], [2.0])), ([0], [0])
    ),
    "as many arcs for each part": lambda: MixedDelay(
        (Conical([1.0], [1.0], [2.0]), Conical([1.0], [1.0], [2.0])), ([0, 1], [])
    ),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_curves_are_refused(message: str) -> None:
    with pytest.raises(InputError, match=message):
        BAD[message]()


@pytest.mark.parametrize("name", CURVES)
def test_bad_flows_are_refused(name: str) -> None:
    bad = (np.ones(3), "shape"), (np.full(N, -1.0), ">= 0"), (np.full(N, np.nan), ">= 0")
    for flow, message in bad:
        with pytest.raises(InputError, match=message):
            CURVES[name].cost(flow)

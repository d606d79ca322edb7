"""Stages in series: closed forms, phase-type distributions, and vehicles one after the other."""

import heapq

import numpy as np
import pytest
from scipy.linalg import expm

from corridor.core.queues import mean_wait, tandem, wait_and_slope
from corridor.core.queues._inputs import FloatArray
from corridor.errors import InputError


def test_flows_waits_and_sojourns_by_hand() -> None:
    post = tandem([2.0, 2.0], [[1.0, 1.0], [0.0, 0.5]], [0.1, 0.5], [1, 1])
    np.testing.assert_allclose(post.stage_rate, [4.0, 1.0])
    np.testing.assert_allclose(post.stage_utilization, [0.4, 0.5])
    np.testing.assert_allclose(post.stage_wait, [0.4 * 0.1 / 0.6, 0.5], rtol=1e-13)
    np.testing.assert_allclose(post.class_sojourn, [1 / 6, 1 / 6 + 0.5], rtol=1e-13)
    np.testing.assert_allclose(post.class_service, [0.1, 0.35], rtol=1e-13)
    np.testing.assert_allclose(post.class_wait + post.class_service, post.class_sojourn)


def test_escalation_multiplies_the_shares() -> None:
    share = np.array([[1.0], [0.4], [0.25]])
    post = tandem([10.0], share, 0.05, 2, escalating=True)
    np.testing.assert_allclose(post.stage_rate, [10.0, 4.0, 1.0])
    same = tandem([10.0], [[1.0], [0.4], [0.1]], 0.05, 2)
    np.testing.assert_allclose(post.class_sojourn, same.class_sojourn, rtol=1e-13)
    # Nested selections vary more: the few that are searched are also scanned.
    assert post.sojourn_quantile(0.99)[0] > same.sojourn_quantile(0.99)[0]


def test_slopes_match_central_differences() -> None:
    rate = np.array([1.0, 2.0, 0.5])
    share = np.array([[1.0, 1.0, 0.2], [0.3, 0.0, 1.0]])
    queue = (share, [0.2, 0.9], [2, 3], 1.0, [0.5, 1.0])
    slope = tandem(rate, *queue).class_sojourn_slope
    for column in range(3):
        step = 1e-6 * np.eye(3)[column]
        above, below = tandem(rate + step, *queue), tandem(rate - step, *queue)
        numeric = (above.class_sojourn - below.class_sojourn) / 2e-6
        np.testing.assert_allclose(slope[:, column], numeric, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(slope, slope.T)


def by_phases(
    visits: list[float], rates: list[float], services: list[float], servers: list[int], t: float
) -> float:
    """P(sojourn > t) of independent M/M/c stages as a phase-type distribution, by expm.

    Phases: the wait (entered with probability C, left at rate c mu - lambda), then the service.
    """
    from corridor.core.queues import erlang_c

    n = 2 * len(visits)
    generator, entry = np.zeros((n, n)), np.zeros((len(visits) + 1, n))
    chance = [float(erlang_c(c, r * s)) for c, r, s in zip(servers, rates, services, strict=True)]
    # entry[s]: probabilities of the next phase of one who has left stage s - 1.
    for s in range(len(visits) - 1, -1, -1):
        entry[s] = (1 - visits[s]) * entry[s + 1]
        entry[s, 2 * s] += visits[s] * chance[s]
        entry[s, 2 * s + 1] += visits[s] * (1 - chance[s])
    for s in range(len(visits)):
        leave_queue = servers[s] / services[s] - rates[s]
        generator[2 * s, 2 * s] = -leave_queue
        generator[2 * s, 2 * s + 1] = leave_queue
        generator[2 * s + 1] += entry[s + 1] / services[s]
        generator[2 * s + 1, 2 * s + 1] -= 1 / services[s]
    return float((entry[0] @ expm(generator * t)).sum())


def test_the_distribution_equals_the_phase_type() -> None:
    visits, services, servers = [1.0, 0.3, 0.8], [0.1, 0.5, 0.1], [2, 1, 1]
    rate = 6.0
    post = tandem([rate], np.array(visits)[:, None], services, servers)
    rates = [rate * visit for visit in visits]
    for t in (0.0, 0.01, 0.2, 1.0, 5.0, 40.0):
        expected = by_phases(visits, rates, services, servers, t)
        assert post.sojourn_tail(t)[0] == pytest.approx(expected, abs=1e-9)
    quantile = post.sojourn_quantile([0.5, 0.9, 0.999])
    for q, t in zip((0.5, 0.1, 0.001), quantile, strict=True):
        assert by_phases(visits, rates, services, servers, t) == pytest.approx(q, rel=1e-5)


def test_a_series_of_equal_single_servers_is_erlang() -> None:
    # Four M/M/1 stages with mu - lambda = 2: the sojourn is Erlang-4.
    post = tandem([3.0], np.ones((4, 1)), 0.2, 1)
    t = np.array([[0.1], [1.0], [3.0]])
    terms = sum((2 * t) ** k / np.prod(np.arange(1, k + 1.0)) for k in range(4))
    np.testing.assert_allclose(post.sojourn_tail(t), np.exp(-2 * t) * terms, atol=1e-9)
    area = np.linspace(0, 20, 4001)
    mean = np.trapezoid(post.sojourn_tail(area[:, None])[:, 0], area)
    assert mean == pytest.approx(float(post.class_sojourn[0]), rel=1e-5)


def drive(
    rate: float, stages: list[tuple[float, float, int, float]], n: int, seed: int
) -> FloatArray:
    """Sojourns of vehicles one after the other; a stage is (share, service, servers, scv)."""
    rng = np.random.default_rng(seed)
    arrival = np.cumsum(rng.exponential(1 / rate, n))
    now = arrival.copy()
    for share, service, servers, scv in stages:
        sent = np.flatnonzero(rng.uniform(size=n) < share)
        sent = sent[np.argsort(now[sent], kind="stable")]
        free = [0.0] * servers
        times = rng.gamma(1 / scv, scv * service, sent.size) if scv else np.full(sent.size, service)
        for vehicle, time in zip(sent.tolist(), times.tolist(), strict=True):
            now[vehicle] = max(now[vehicle], heapq.heappop(free)) + time
            heapq.heappush(free, now[vehicle])
    return (now - arrival)[n // 10 :]


@pytest.mark.parametrize(("scv", "most"), [(0.0, 0.12), (0.5, 0.05), (1.0, 0.03)])
def test_many_servers_and_other_service_are_close_to_driven_vehicles(
    scv: float, most: float
) -> None:
    stages = [(1.0, 0.25, 3, scv), (0.4, 0.5, 3, scv), (1.0, 0.1, 2, scv)]
    sojourn = drive(9.0, stages, 120_000, 5)
    share, service, servers, _ = (np.array(column) for column in zip(*stages, strict=True))
    post = tandem([9.0], share[:, None], service, servers, 1.0, scv)
    assert post.class_sojourn[0] == pytest.approx(sojourn.mean(), rel=0.03)
    for q in (0.5, 0.9, 0.99):
        assert post.sojourn_quantile(q)[0] == pytest.approx(np.quantile(sojourn, q), rel=most)


def test_posts_are_leading_axes() -> None:
    rate = np.array([[1.0, 2.0], [3.0, 0.5], [0.0, 0.0]])
    share = np.array([[1.0, 1.0], [0.5, 0.1]])
    post = tandem(rate, share, [[0.1, 0.2]], [[1, 2], [2, 1], [1, 1]])
    assert post.stage_wait.shape == (3, 2)
    assert post.class_sojourn_slope.shape == (3, 2, 2)
    assert post.sojourn_quantile(0.9).shape == (3, 2)
    one = tandem(rate[1], share, [0.1, 0.2], [2, 1])
    np.testing.assert_allclose(post.class_sojourn[1], one.class_sojourn)
    np.testing.assert_allclose(post.sojourn_quantile(0.9)[1], one.sojourn_quantile(0.9))
    assert post.class_sojourn[2] == pytest.approx([0.2, 0.12])


def test_an_overloaded_stage_holds_only_those_sent_there() -> None:
    post = tandem([1.0, 4.0], [[1.0, 1.0], [0.0, 0.5]], [0.1, 1.0], [1, 1])
    np.testing.assert_allclose(post.class_sojourn, [0.2, np.inf])
    np.testing.assert_array_equal(
        np.isinf(post.class_sojourn_slope), [[False, False], [False, True]]
    )
    assert post.sojourn_tail(1e6)[1] == pytest.approx(0.5, abs=1e-6)
    np.testing.assert_array_equal(np.isinf(post.sojourn_quantile(0.9)), [False, True])
    assert post.sojourn_quantile(0.3)[1] < np.inf


def test_a_stage_alone_is_its_queue() -> None:
    wait, slope = wait_and_slope(3.0, 0.5, 2, 1.0, 0.2)
    post = tandem([3.0], [[1.0]], 0.5, 2, 1.0, 0.2)
    assert post.class_wait[0] == wait
    assert post.class_sojourn_slope[0, 0] == slope
    assert mean_wait(3.0, 0.5, 2, 1.0, 0.2) == wait
    nobody = tandem([3.0], [[0.0]], 0.5, 2)
    assert nobody.class_sojourn[0] == nobody.sojourn_quantile(0.9)[0] == 0.0
    np.testing.assert_array_equal(nobody.sojourn_tail([0.0, 1.0]), [0.0, 0.0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"selection": [[1.2], [0.5]]}, "selection must lie in 0..1; found 1.2 at position"),
        ({"selection": [[-0.1], [0.5]]}, "selection must be finite and >= 0; found -0.1"),
        ({"selection": [1.0, 0.5]}, r"selection must have the axes \(..., n_stages, n_classes\)"),
        ({"arrival_rate": [1.0, 2.0, 3.0], "selection": np.ones((2, 2))}, "the same classes"),
        ({"arrival_rate": [-1.0]}, "arrival_rate must be finite and >= 0"),
        ({"service_time": [0.1, np.nan]}, "service_time must be finite and >= 0; found nan"),
        ({"servers": [1, 0]}, "servers must be finite and > 0; found 0"),
        ({"servers": [1, 2, 3]}, "must broadcast to one shape"),
    ],
)
def test_wrong_input_is_refused(changes: dict[str, object], message: str) -> None:
    values: dict[str, object] = {
        "arrival_rate": [1.0],
        "selection": [[1.0], [0.5]],
        "service_time": 0.1,
        "servers": 1,
    }
    with pytest.raises(InputError, match=message):
        tandem(**{**values, **changes})  # type: ignore[arg-type]


def test_wrong_times_and_probabilities_are_refused() -> None:
    post = tandem([1.0], [[1.0]], 0.1, 1)
    with pytest.raises(InputError, match="time must be finite and >= 0; found -1"):
        post.sojourn_tail(-1.0)
    with pytest.raises(InputError, match="probability must be below 1; found 1"):
        post.sojourn_quantile(1.0)

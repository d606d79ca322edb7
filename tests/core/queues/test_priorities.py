"""Priority lanes against formulas, a two-class Markov chain and the conservation law."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve

from corridor.core.queues import conservation_gap, erlang_c, mean_wait, priority_wait
from corridor.errors import InputError


def test_cobham_by_hand_for_one_server_with_different_service() -> None:
    # Class 1: 0.3/h of 1 h constant; class 2: 0.2/h of 2 h exponential.
    # Work in service met: (0.3 * 1 + 0.2 * 2 * 4) / 2 = 0.95 h.
    found = priority_wait([0.3, 0.2], [1.0, 2.0], 1, [0.0, 1.0])
    expected = [0.95 / (1 - 0.3), 0.95 / ((1 - 0.3) * (1 - 0.7))]
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_kella_and_yechiali_for_many_servers() -> None:
    rate = np.array([1.0, 2.0, 0.9])
    part = np.cumsum(rate) / 5
    first = erlang_c(5, 3.9) / 5
    expected = first / ((1 - np.array([0, *part[:-1]])) * (1 - part))
    np.testing.assert_allclose(priority_wait(rate, 1.0, 5), expected, rtol=1e-13)


def waits_by_chain(rates: tuple[float, float], servers: int, top: int) -> tuple[float, float]:
    """Solve the chain of (busy servers or both queues) for exponential service of mean 1."""
    state = [(n, 0, 0) for n in range(servers)]
    state += [(servers, i, j) for i in range(top) for j in range(top)]
    position = {key: k for k, key in enumerate(state)}
    moves: list[tuple[int, int, float]] = []
    for k, (n, i, j) in enumerate(state):
        if n < servers:
            moves.append((k, position[n + 1, 0, 0], sum(rates)))
        else:
            if i + 1 < top:
                moves.append((k, position[n, i + 1, j], rates[0]))
            if j + 1 < top:
                moves.append((k, position[n, i, j + 1], rates[1]))
        if n:
            after = (n, i - 1, j) if i else (n, i, j - 1) if j else (n - 1, 0, 0)
            moves.append((k, position[after], float(n)))
    source, target, speed = (np.array(column) for column in zip(*moves, strict=True))
    rows, columns = np.concatenate([target, source]), np.concatenate([source, source])
    size = (len(state), len(state))
    balance = coo_array((np.concatenate([speed, -speed]), (rows, columns)), shape=size).tolil()
    balance[0, :] = np.ones(len(state))
    equilibrium = spsolve(balance.tocsc(), np.eye(1, len(state))[0])
    queues = equilibrium @ np.array([(i, j) for _, i, j in state])
    return float(queues[0] / rates[0]), float(queues[1] / rates[1])


@pytest.mark.parametrize(("rates", "servers"), [((0.5, 0.9), 2), ((1.8, 0.6), 4)])
def test_exponential_service_equals_the_chain(rates: tuple[float, float], servers: int) -> None:
    expected = waits_by_chain(rates, servers, 70)
    np.testing.assert_allclose(priority_wait(rates, 1.0, servers), expected, rtol=1e-6)


def test_one_class_is_one_queue() -> None:
    for scv in (0.0, 0.5, 1.0, 2.0):
        found = priority_wait([[2.0], [3.5]], 1.0, 4, scv)
        np.testing.assert_allclose(found[:, 0], mean_wait([2.0, 3.5], 1.0, 4, 1.0, scv), rtol=1e-12)


def test_the_first_class_does_not_see_an_overload_of_the_last() -> None:
    # One server always busy: the first class waits a residual service over 1 - 0.4.
    found = priority_wait([0.4, 5.0], 1.0, 1)
    np.testing.assert_allclose(found, [1 / 0.6, np.inf], rtol=1e-13)
    below = priority_wait([0.4, 0.6 * (1 - 1e-9)], 1.0, 1)
    assert below[0] == pytest.approx(found[0], rel=1e-6)
    with_constant = priority_wait([0.4, 5.0], 1.0, 1, [1.0, 0.0])
    # Work served: 0.4 exponential (residual 1) and 0.6 constant (residual 1/2).
    assert with_constant[0] == pytest.approx((0.4 + 0.3) / 0.6, rel=1e-13)


def test_an_empty_first_lane_changes_nothing() -> None:
    found = priority_wait([0.0, 1.5], 1.0, 2)
    assert found[1] == pytest.approx(mean_wait(1.5, 1.0, 2), rel=1e-13)
    np.testing.assert_array_equal(priority_wait([0.0, 0.0], 1.0, 2), [0.0, 0.0])


classes = st.lists(st.floats(0.01, 1.0), min_size=1, max_size=5)


@settings(deadline=None)
@given(classes, st.integers(1, 12), st.floats(0.05, 0.97), st.floats(0.0, 3.0))
def test_lanes_move_delay_and_save_none(
    weights: list[float], servers: int, rho: float, scv: float
) -> None:
    rate = np.array(weights) / sum(weights) * rho * servers
    wait = priority_wait(rate, 1.0, servers, scv)
    gap = conservation_gap(wait, rate, 1.0, servers, scv)
    assert gap == pytest.approx(0.0, abs=1e-9 * (1 + wait.max()))
    assert (np.diff(wait) >= -1e-12 * wait[1:]).all()
    assert priority_wait(rate, 1.0, servers + 1, scv)[0] <= wait[0] * (1 + 1e-9)
    hours = priority_wait(rate / 60, 60.0, servers, scv)
    np.testing.assert_allclose(hours, 60 * wait, rtol=1e-7, atol=1e-12)


@settings(deadline=None)
@given(classes, st.lists(st.floats(0.1, 3.0), min_size=5, max_size=5), st.floats(0.05, 0.97))
def test_one_server_conserves_work_of_different_lengths(
    weights: list[float], times: list[float], rho: float
) -> None:
    time, scv = np.array(times[: len(weights)]), np.linspace(0.0, 2.0, len(weights))
    rate = np.array(weights) / (np.array(weights) @ time) * rho
    wait = priority_wait(rate, time, 1, scv)
    gap = conservation_gap(wait, rate, time, 1, scv)
    assert gap == pytest.approx(0.0, abs=1e-9 * (1 + wait.max()))


def test_the_gap_of_an_overload_is_unknown() -> None:
    assert np.isnan(conservation_gap([1.0, 1.0], [2.0, 2.0], 1.0, 1))
    assert conservation_gap([0.0, 0.0], [0.0, 0.0], 1.0, 1) == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([-1.0, 1.0], 1.0, 1), "arrival_rate must be finite and >= 0; found -1 at position 0"),
        (([1.0, np.nan], 1.0, 3), "arrival_rate must be finite and >= 0; found nan at position 1"),
        (([0.1], -1.0, 1), "service_time must be finite and >= 0; found -1"),
        (([0.1], 1.0, 0), "servers must be finite and > 0; found 0"),
        (([0.1, 0.1], 1.0, 1, [1.0, -2.0]), "service_scv must be finite and >= 0; found -2"),
        (([0.1, 0.1], [1.0, 2.0, 3.0], 1), "must broadcast to one shape"),
        (([], 1.0, 1), "arrival_rate must hold at least one class"),
        (([0.1, 0.1], 1.0, 1.5, 0.0), "servers must be whole"),
    ],
)
def test_wrong_input_is_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        priority_wait(*arguments)  # type: ignore[arg-type]


def test_wrong_waits_are_refused() -> None:
    for wrong in (np.nan, -1.0):
        with pytest.raises(InputError, match="wait must be >= 0"):
            conservation_gap([wrong, 1.0], [0.1, 0.1], 1.0, 1)

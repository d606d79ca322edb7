import math
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from scipy.integrate import quad

from corridor.core.queues import erlang_b, erlang_c
from corridor.core.queues._dispatch import Engine
from corridor.core.queues._inputs import FloatArray
from corridor.core.queues.erlang import mmc_wait_and_slope
from corridor.errors import InputError


def blocking_by_fractions(servers: int, load: Fraction) -> Fraction:
    """B from its definition, in exact arithmetic."""
    terms = [load**j / math.factorial(j) for j in range(servers + 1)]
    return terms[-1] / sum(terms)


def blocking_by_recursion(servers: int, load: float) -> float:
    """1 / B(c) = 1 + (c / a) / B(c - 1)."""
    inverse = 1.0
    for c in range(1, servers + 1):
        inverse = 1.0 + c / load * inverse
    return 1.0 / inverse


@pytest.mark.parametrize("servers", [1, 2, 3, 7, 20])
@pytest.mark.parametrize("load", [Fraction(1, 100), Fraction(1, 2), Fraction(2), Fraction(30)])
def test_blocking_equals_its_definition(servers: int, load: Fraction) -> None:
    expected = float(blocking_by_fractions(servers, load))
    assert erlang_b(servers, float(load)) == pytest.approx(expected, rel=3e-14)


@pytest.mark.parametrize("servers", [50, 200, 1000, 5000])
@pytest.mark.parametrize("rho", [0.9, 0.99, 0.9999, 1.0, 1.3, 2.0])
def test_blocking_is_stable_for_thousands_of_servers(servers: int, rho: float) -> None:
    expected = blocking_by_recursion(servers, rho * servers)
    assert erlang_b(servers, rho * servers) == pytest.approx(expected, rel=2e-11)


@pytest.mark.parametrize("engine", ["numpy", "kernels"])
@pytest.mark.parametrize("servers", [5, 200, 1000, 5000])
@pytest.mark.parametrize("rho", [0.5, 0.9, 0.99, 0.9999])
def test_waiting_is_stable_for_thousands_of_servers(
    servers: int, rho: float, engine: Engine
) -> None:
    load = rho * servers
    lost = blocking_by_recursion(servers, load)
    expected = servers * lost / (servers - load * (1 - lost))
    assert erlang_c([servers], load, engine=engine)[0] == pytest.approx(expected, rel=2e-11)


@pytest.mark.parametrize("servers", [1, 3, 40, 5000])
@pytest.mark.parametrize("factor", [3.0, 30.0, 1000.0])
def test_blocking_where_the_poisson_tail_underflows(servers: int, factor: float) -> None:
    load = factor * servers + 800.0
    expected = blocking_by_recursion(servers, load)
    assert erlang_b(servers, load) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("servers", [0.3, 1.5, 4.25, 17.9])
@pytest.mark.parametrize("load", [0.2, 1.0, 6.0, 25.0])
def test_split_servers_follow_the_integral_of_jagers_and_van_doorn(
    servers: float, load: float
) -> None:
    inverse, _ = quad(lambda t: load * np.exp(-load * t) * (1 + t) ** servers, 0, np.inf)
    assert erlang_b(servers, load) == pytest.approx(1 / inverse, rel=1e-8)


def test_split_servers_keep_the_recursion_far_above_capacity() -> None:
    lower, upper = erlang_b([10.5, 11.5], 2000.0)
    assert 1 / upper == pytest.approx(1 + 11.5 / 2000.0 / lower, rel=1e-13)


@pytest.mark.parametrize(
    ("servers", "load", "expected"),
    [(1, 0.7, 0.7), (2, 1.0, 1 / 3), (3, 2, 4 / 9), (5, 4, 0.5541125541), (10, 8, 0.4091801508)],
)
def test_probability_of_waiting_known_values(servers: int, load: float, expected: float) -> None:
    assert erlang_c(servers, load) == pytest.approx(expected, rel=1e-9)


def test_overload_waits_surely_and_no_load_never() -> None:
    np.testing.assert_array_equal(erlang_c(4, [0.0, 4.0, 4.1, 1e6]), [0.0, 1.0, 1.0, 1.0])
    np.testing.assert_array_equal(erlang_b([1, 5, 0.5], 0.0), [0.0, 0.0, 0.0])


def test_probability_of_waiting_rises_to_one_at_saturation() -> None:
    assert erlang_c(5000, 5000 * (1 - 1e-9)) == pytest.approx(1.0, abs=1e-6)


def test_arguments_broadcast_and_scalars_give_scalars() -> None:
    assert erlang_c([[1], [2], [3]], [0.5, 0.9]).shape == (3, 2)
    assert isinstance(erlang_c(2, 1), np.float64)
    assert erlang_b(np.ones((0, 3)), 1.0).shape == (0, 3)


@pytest.mark.parametrize(
    ("servers", "load", "message"),
    [
        (0, 1.0, "servers must be finite and > 0; found 0"),
        (-2, 1.0, "servers must be finite and > 0; found -2"),
        ([1, np.nan, -1], 1.0, r"found nan at position 1 \(2 of 3 values\)"),
        (1, -0.5, "offered_load must be finite and >= 0; found -0.5"),
        (1, [[0.1, np.inf]], r"found inf at position \(0, 1\) \(1 of 2 values\)"),
        ("3", 1.0, "servers must be an array of numbers"),
        ([1, 2], [1.0, 2.0, 3.0], r"servers \(2,\), offered_load \(3,\)"),
    ],
)
def test_wrong_input_is_refused(servers: object, load: object, message: str) -> None:
    for function in (erlang_b, erlang_c):
        with pytest.raises(InputError, match=message):
            function(servers, load)  # type: ignore[arg-type]


def test_slope_of_the_exponential_wait_matches_central_differences() -> None:
    servers = np.repeat([0.5, 1.0, 2.5, 5.0, 20.0, 200.0], 5)
    load = servers * np.tile([0.2, 0.5, 0.8, 0.95, 0.999], 6)
    step = 1e-6 * (servers - load) * load / servers
    above, _ = mmc_wait_and_slope(servers, load + step)
    below, _ = mmc_wait_and_slope(servers, load - step)
    _, slope = mmc_wait_and_slope(servers, load)
    meaningful = slope > 1e-12
    np.testing.assert_allclose(
        slope[meaningful], ((above - below) / (2 * step))[meaningful], rtol=1e-7
    )
    assert meaningful.sum() > 25


def many_queues(size: int = 30_000) -> tuple[FloatArray, FloatArray]:
    random = np.random.default_rng(7)
    servers = random.integers(1, 61, size).astype(np.float64)
    load = servers * random.uniform(1e-3, 1.2, size)
    return servers, load


@pytest.mark.parametrize("function", [erlang_b, erlang_c])
def test_kernel_equals_the_closed_form(function: Callable[..., FloatArray]) -> None:
    servers, load = many_queues()
    by_kernel = function(servers, load, engine="kernels")
    np.testing.assert_allclose(by_kernel, function(servers, load, engine="numpy"), rtol=1e-13)
    np.testing.assert_array_equal(by_kernel, function(servers, load, engine="kernels", threads=1))
    whole = function(servers.astype(np.int32), load, engine="kernels")
    np.testing.assert_array_equal(whole, by_kernel)


def test_kernel_leaves_split_and_thousands_of_servers_to_the_closed_form() -> None:
    servers = np.array([2.5, 4.0, 1000.0, 1001.0, 5000.0, 0.3])
    load = servers * np.array([0.8, 0.8, 0.99, 0.99, 0.9999, 0.5])
    for function in (erlang_b, erlang_c):
        np.testing.assert_allclose(
            function(servers, load, engine="kernels"),
            function(servers, load, engine="numpy"),
            rtol=1e-11,
        )


def test_kernel_survives_loads_whose_inverse_overflows() -> None:
    load = np.array([0.0, 5e-324, 1e-310, 1e-300, 1e-20, 1e-8, 1e300])
    for servers in (1, 2, 50):
        waits = erlang_c(servers, load, engine="kernels")
        np.testing.assert_allclose(waits, erlang_c(servers, load, engine="numpy"), atol=1e-300)
        lost = erlang_b(servers, load, engine="kernels")
        np.testing.assert_allclose(lost, erlang_b(servers, load, engine="numpy"), atol=1e-300)


@pytest.mark.parametrize(
    ("servers", "load", "message"),
    [
        ([1, 0], 1.0, "servers must be finite and > 0; found 0 at position 1"),
        ([1, 2], [0.5, np.nan], "offered_load must be finite and >= 0; found nan at position 1"),
        ([1, 2], [1.0, 2.0, 3.0], r"servers \(2,\), offered_load \(3,\)"),
        (["3"], 1.0, "servers must be an array of numbers"),
    ],
)
def test_kernel_refuses_wrong_input_too(servers: object, load: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        erlang_c(servers, load, engine="kernels")  # type: ignore[arg-type]


def test_kernel_keeps_shapes_and_scalars() -> None:
    assert erlang_c([[1], [2], [3]], [0.5, 0.9], engine="kernels").shape == (3, 2)
    assert isinstance(erlang_c(2, 1, engine="kernels"), np.float64)
    assert erlang_b(np.ones((0, 3)), 1.0, engine="kernels").shape == (0, 3)


def test_unknown_engines_and_no_threads_are_refused() -> None:
    with pytest.raises(InputError, match="engine must be 'auto', 'numpy' or 'kernels'"):
        erlang_c(2, 1.0, engine="gpu")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="threads must be a whole number >= 1"):
        erlang_c(2, 1.0, threads=0)


def test_large_work_alone_loads_numba() -> None:
    code = (
        "import sys, numpy as np; from corridor.core.queues import erlang_c\n"
        "erlang_c(np.full(9_999, 3), 2.0); print('numba' in sys.modules)\n"
        "erlang_c(np.full(1_000_000, 3), 2.0); print('numba' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["False", "True"]

"""Erlang's loss and delay formulas, for any positive real number of servers.

`erlang_b` and `erlang_c` check their input and broadcast; `blocking`, `waiting` and
`mmc_wait_and_slope` are the same formulas for callers inside the package that checked already.
Many values at once, with whole numbers of servers, are left to the compiled recursion.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaincc, gammaln, xlogy

from corridor.core.queues._dispatch import Engine, in_blocks, uses_kernels
from corridor.core.queues._inputs import FloatArray, broadcast, finite_array
from corridor.core.threads import as_threads

# Below this, gammaincc has lost digits (or underflowed to 0) and the direct series takes over.
_SMALLEST_TAIL = 1e-280
SMALLEST_LOAD = 1e-300
"""Offered loads below this are no load [erlang]: their reciprocal would overflow."""

COLD_SIZE = 1_000_000
"""Values above which loading numba pays for itself."""
LOADED_SIZE = 2_000
"""The same where numba is loaded already."""
_SIZE_PER_THREAD = 50_000  # fewer values are done before a thread has started


def erlang_b(
    servers: ArrayLike,
    offered_load: ArrayLike,
    *,
    threads: int | None = None,
    engine: Engine = "auto",
) -> FloatArray:
    r"""Return the probability that an arrival is lost in M/M/c/c (Erlang B).

    Formula, with c servers and a offered load::

        B(c, a) = (a^c / c!) / sum_{j=0..c} a^j / j!
        ln B    = c ln a - a - gammaln(c + 1) - ln gammaincc(c + 1, a)

    The second form is the continued Erlang function of Jagers and van Doorn,
    1 / B = a * integral_0^inf exp(-a t) (1 + t)^c dt, so `servers` need not be whole.

    Parameters
    ----------
    servers
        Number of servers c, > 0, whole or not.
    offered_load
        Arrival rate times mean service time a [erlang], >= 0. Broadcasts with `servers`.
    threads
        Threads of the compiled kernel, >= 1; None takes every core. Changes no result.
    engine
        "numpy", "kernels", or "auto": the kernel for 1e6 values or more, or for 2,000 when numba is
        loaded already. It recurs over whole servers up to 1,000 and leaves the others to NumPy;
        both agree within the errors below.

    Returns
    -------
    ndarray of float64
        Probability in 0..1, of the broadcast shape (a NumPy scalar for scalars).
        Relative error about 1e-14 for tens of servers, 1e-11 for 5,000.

    Raises
    ------
    InputError
        If a value is NaN, infinite or negative, `servers` is 0, or the shapes do not broadcast.

    References
    ----------
    A. K. Erlang (1917); A. A. Jagers and E. A. van Doorn, "On the continued Erlang loss
    function", Operations Research Letters 5 (1986) 43-46.

    Examples
    --------
    One server and one erlang: half of the arrivals are lost. Two servers: (1/2) / (1 + 1 + 1/2).

    >>> erlang_b([1, 2], 1.0).round(10)
    array([0.5, 0.2])
    """
    return _answer(servers, offered_load, threads, engine, waits=False)


def erlang_c(
    servers: ArrayLike,
    offered_load: ArrayLike,
    *,
    threads: int | None = None,
    engine: Engine = "auto",
) -> FloatArray:
    r"""Return the probability that an arrival has to wait in M/M/c (Erlang C).

    Formula, with B = `erlang_b`::

        C(c, a) = c B / (c - a (1 - B))    for a < c,    1 otherwise

    Parameters
    ----------
    servers
        Number of servers c, > 0, whole or not.
    offered_load
        Arrival rate times mean service time a [erlang], >= 0. Broadcasts with `servers`.
    threads
        Threads of the compiled kernel, >= 1; None takes every core. Changes no result.
    engine
        "numpy", "kernels", or "auto": the kernel for 1e6 values or more, or for 2,000 when numba is
        loaded already. It recurs over whole servers up to 1,000 and leaves the others to NumPy;
        both agree within the errors below.

    Returns
    -------
    ndarray of float64
        Probability in 0..1, of the broadcast shape (a NumPy scalar for scalars); 1 where the
        queue is overloaded (a >= c), 0 where nothing arrives.

    Raises
    ------
    InputError
        If a value is NaN, infinite or negative, `servers` is 0, or the shapes do not broadcast.

    References
    ----------
    A. K. Erlang (1917); Jagers and van Doorn (1986) for real-valued c.

    Examples
    --------
    Three servers and two erlangs: 4/9 of the arrivals wait.

    >>> float(erlang_c(3, 2).round(10))
    0.4444444444
    >>> erlang_c(5, [0.0, 4.0, 5.0]).round(7)
    array([0.       , 0.5541126, 1.       ])
    """
    return _answer(servers, offered_load, threads, engine, waits=True)


def blocking(servers: FloatArray, load: FloatArray) -> FloatArray:
    """Erlang B of checked arrays of one shape."""
    tail: FloatArray = np.asarray(gammaincc(servers + 1.0, load))
    tiny = tail < _SMALLEST_TAIL
    log_tail = np.log(np.where(tiny, 1.0, tail))
    # xlogy(c, 0) is -inf without a warning, so no load gives exp(-inf) = 0.
    log_b = xlogy(servers, load) - load - gammaln(servers + 1.0) - log_tail
    b: FloatArray = np.asarray(np.exp(np.minimum(log_b, 0.0)))
    if tiny.any():
        b[tiny] = _blocking_in_deep_overload(servers[tiny], load[tiny])
    return b


def waiting(servers: FloatArray, load: FloatArray) -> FloatArray:
    """Erlang C of checked arrays of one shape."""
    stable = load < servers
    a = np.where(stable, load, 0.0)
    b = blocking(servers, a)
    c: FloatArray = np.where(stable, servers * b / (servers - a * (1.0 - b)), 1.0)
    return c


def mmc_wait_and_slope(servers: FloatArray, load: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean wait of M/M/c in mean service times, and its derivative by the offered load.

    Formula: w = C / (c - a); dw/da = w ((c - a)/a + (2 - C)/(c - a)), which follows from
    dC/da = C ((c - a)/a + (1 - C)/(c - a)). Needs 0 <= a < c.
    """
    room = servers - load
    c = waiting(servers, load)
    wait: FloatArray = c / room
    busy = load > SMALLEST_LOAD
    slope: FloatArray = wait * (room / np.where(busy, load, 1.0) + (2.0 - c) / room)
    if not busy.all():
        # C grows as a^c: the slope at no load is 0, 1 or infinite for c above, at or below one.
        at_zero = np.where(servers > 1.0, 0.0, np.where(servers == 1.0, 1.0, np.inf))
        slope = np.where(busy, slope, at_zero)
    return wait, slope


def _answer(
    servers: ArrayLike, offered_load: ArrayLike, threads: int | None, engine: Engine, *, waits: bool
) -> FloatArray:
    """Answer by the kernel where it pays and can, else by NumPy; see `erlang_c`."""
    formula = waiting if waits else blocking
    n_threads = as_threads(threads)
    c, a = np.asarray(servers), np.asarray(offered_load)
    work = max(c.size, a.size)
    if not uses_kernels(engine, work, cold=COLD_SIZE, loaded=LOADED_SIZE) or (
        c.dtype.kind not in "iuf" or a.dtype.kind not in "iuf"
    ):
        return formula(*_checked(c, a))[()]
    c, a = broadcast(("servers", "offered_load"), (c, a))
    result, n_left = _by_kernel(c, a, n_threads, waits=waits)
    if n_left:
        left = np.isnan(result)
        c, a = _checked(c, a)  # refuses what is out of range
        result[left] = formula(c[left], a[left])
    return result[()]


def _by_kernel(
    servers: FloatArray, load: FloatArray, threads: int, *, waits: bool
) -> tuple[FloatArray, int]:
    """Erlang C or B of numbers of one shape, NaN where the kernel does not answer; how many."""
    from corridor.core.queues._erlang_kernels import recur

    flat = [_flat(servers), _flat(load)]
    result = np.empty(flat[0].size)

    def work(block: slice) -> int:
        return recur(flat[0][block], flat[1][block], waits, result[block])

    n_threads = max(1, min(threads, result.size // _SIZE_PER_THREAD))
    n_left = in_blocks(work, result.size, n_threads)
    return result.reshape(load.shape), n_left


def _flat(array: FloatArray) -> FloatArray:
    """Contiguous float64 values, read-only: writable arrays would have the kernel compiled anew."""
    view = np.ascontiguousarray(array, dtype=np.float64).ravel().view()
    view.flags.writeable = False
    return view


def _checked(servers: ArrayLike, offered_load: ArrayLike) -> tuple[FloatArray, ...]:
    c = finite_array("servers", servers, positive=True)
    a = finite_array("offered_load", offered_load)
    return broadcast(("servers", "offered_load"), (c, a))


def _blocking_in_deep_overload(servers: FloatArray, load: FloatArray) -> FloatArray:
    """Erlang B where a is so far above c that the Poisson tail underflows.

    1 / B = sum_k c (c - 1) ... (c - k + 1) / a^k: finite for whole c, and otherwise asymptotic
    with a smallest term far below rounding, because a exceeds several hundred here.
    """
    term = np.ones_like(load)
    total = np.ones_like(load)
    k = 0
    while bool((np.abs(term) > 1e-17 * total).any()):
        term = term * ((servers - k) / load)
        total += term
        k += 1
    return 1.0 / total

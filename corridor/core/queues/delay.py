"""Convex curves of the total delay that traffic meets in shared queues."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from corridor.core.queues._inputs import FloatArray, describe_faults, finite_array, whole_array
from corridor.core.queues.waits import WaitWeights, wait_weights, weighted_wait_and_slope
from corridor.errors import InputError
from corridor.units import HOURS_PER_DAY

_TANGENT_UTILIZATION = 0.99
_LEAST_LOAD = -1e-6  # a solver's zero

_FLOAT_FIELDS = (
    "share",
    "service_h",
    "arrival_scv",
    "service_scv",
    "open_h_per_day",
    "usd_per_vehicle_h",
    "base_load",
)

_DERIVED_FIELDS = (
    "_erlang_per_load",
    "_limit",
    "_queue_at_base",
    "_slope_at_base",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QueueDelay:
    r"""Cost of waiting at the stages of posts, as one convex curve for each pool of traffic.

    A pool is a stream of vehicles counted together; each of its stages is a queue with its own
    servers that a share of the stream joins during the opening hours.

    Formula, with v the load of the pool and b its background, for each stage::

        lam   = share (b + v) / open_h_per_day                          [vehicles per open hour]
        cost  = usd_per_vehicle_h share ((b + v) W(lam) - b W(lam at v = 0))          [USD/day]
              = usd_per_vehicle_h open_h_per_day (Lq(a) - Lq(a at v = 0))

    with W = `mean_wait`, a = lam service_h the offered load and Lq = lam W the mean number waiting.
    All vehicles at the post count, background included, but only the increase over the background
    alone is charged. Lq is convex in a for M/M/c (Grassmann 1983; Lee and Cohen 1983) and for M/D/c
    (by Spitzer's sum), hence so is the cost for service_scv <= 1; above that too, because the
    curvature of M/M/c exceeds that of M/D/c (computed for 1 to 1,000 servers). Above 99 %
    utilization every curve goes on along its tangent, so that it is finite, convex and smooth
    everywhere; a wait reported there is that of the tangent and too small to be a forecast.

    Parameters
    ----------
    n_pools
        Number of pools, >= 0. The cost of a pool without stages is 0.
    pool
        int, (n_stages,): position of the pool that each stage belongs to, 0..n_pools - 1.
    share
        (n_stages,): vehicles that join the stage for each unit of the pool's load, >= 0.
    servers
        int, (n_stages,): servers of the stage, >= 1.
    service_h
        (n_stages,): mean service time [h], >= 0.
    arrival_scv, service_scv
        (n_stages,): squared coefficients of variation, >= 0, as in `mean_wait`.
    open_h_per_day
        (n_stages,): hours a day that the stage works, > 0 and <= 24.
    usd_per_vehicle_h
        (n_stages,): cost of an hour that a vehicle waits, >= 0.
    base_load
        (n_stages,): background in the unit of the pool's load per day, >= 0.

    Raises
    ------
    InputError
        If a shape is not (n_stages,), or a value is NaN or outside its range.

    References
    ----------
    W. Grassmann, "The convexity of the mean queue size of the M/M/c queue with respect to the
    traffic intensity", Journal of Applied Probability 20 (1983) 916-919; H. L. Lee and
    M. A. Cohen, "A note on the convexity of performance measures of M/M/c queueing systems",
    Journal of Applied Probability 20 (1983) 920-923.

    Examples
    --------
    One booth, half an hour a truck, open 24 h. At 24 trucks a day the utilization is 0.5, each
    waits 0.5 * 0.5 h / (1 - 0.5) = 0.5 h, and 24 trucks x 0.5 h x 10 USD/h = 120 USD a day. One
    truck more costs 10 USD/h x 0.5 h x 0.5 (2 - 0.5) / (1 - 0.5)^2 = 15 USD.

    >>> one = np.ones(1)
    >>> booth = QueueDelay(n_pools=1, pool=np.array([0]), share=one, servers=np.array([1]),
    ...     service_h=0.5 * one, arrival_scv=one, service_scv=one, open_h_per_day=24 * one,
    ...     usd_per_vehicle_h=10 * one, base_load=0 * one)
    >>> load = np.array([24.0])
    >>> booth.wait_h(load).round(9), booth.value(load).round(9), booth.slope(load).round(9)
    (array([0.5]), array([120.]), array([15.]))
    """

    n_pools: int
    pool: NDArray[np.integer]
    share: FloatArray
    servers: NDArray[np.integer]
    service_h: FloatArray
    arrival_scv: FloatArray
    service_scv: FloatArray
    open_h_per_day: FloatArray
    usd_per_vehicle_h: FloatArray
    base_load: FloatArray
    _weights: WaitWeights = field(init=False, repr=False)
    _erlang_per_load: FloatArray = field(init=False, repr=False)
    _limit: FloatArray = field(init=False, repr=False)
    _queue_at_base: FloatArray = field(init=False, repr=False)
    _slope_at_base: FloatArray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._check()
        servers = self.servers.astype(np.float64)
        self._store("_weights", wait_weights(self.arrival_scv, self.service_scv))
        self._store("_erlang_per_load", self.share * self.service_h / self.open_h_per_day)
        self._store("_limit", _TANGENT_UTILIZATION * servers)
        at_base = self._queue_at(self.offered_load(np.zeros(self.n_pools)))
        self._store("_queue_at_base", at_base[0])
        self._store("_slope_at_base", at_base[1])

    def value(self, load: FloatArray) -> FloatArray:
        """Return the delay cost of each pool over that of its background alone.

        Parameters
        ----------
        load
            (n_pools,): load of each pool, background excluded [units/day], >= 0 (down to -1e-6
            counts as 0).

        Returns
        -------
        ndarray of float64, (n_pools,)
            Cost [USD/day], convex and nondecreasing in the load, 0 at load 0.

        Raises
        ------
        InputError
            If the shape is not (n_pools,) or a load is NaN, infinite or negative.
        """
        return self.value_and_slope(load)[0]

    def slope(self, load: FloatArray) -> FloatArray:
        """Return the derivative of `value` by the load of each pool [USD per unit], >= 0."""
        return self.value_and_slope(load)[1]

    def value_and_slope(self, load: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return `value` and `slope` for the price of one of them."""
        _, queue, queue_slope = self._queue(load)
        charge = self.usd_per_vehicle_h * self.open_h_per_day
        # No load can gain anything: a difference below 0 is rounding.
        increase = np.maximum(queue - self._queue_at_base, 0.0)
        value = self.sum_by_pool(charge * increase)
        return value, self.sum_by_pool(charge * queue_slope * self._erlang_per_load)

    def take(self, pools: NDArray[np.integer]) -> "QueueDelay":
        """Return the curves of some pools alone, in the order given; a pool may come again.

        Parameters
        ----------
        pools
            int, (n,): positions of pools.

        Examples
        --------
        >>> one = np.ones(1)
        >>> booth = QueueDelay(n_pools=3, pool=np.array([1]), share=one, servers=np.array([1]),
        ...     service_h=0.5 * one, arrival_scv=one, service_scv=one, open_h_per_day=24 * one,
        ...     usd_per_vehicle_h=10 * one, base_load=0 * one)
        >>> booth.take(np.array([1, 0, 1])).value(np.array([24.0, 24.0, 12.0])).round(9)
        array([120.,   0.,  20.])
        """
        by_pool = np.argsort(self.pool, kind="stable")
        count = np.bincount(self.pool, minlength=self.n_pools)
        size = count[pools]
        first = (np.cumsum(count) - count)[pools] - (np.cumsum(size) - size)
        stages = by_pool[np.arange(size.sum()) + np.repeat(first, size)]
        taken = object.__new__(QueueDelay)
        object.__setattr__(taken, "n_pools", int(size.size))
        taken._store("pool", np.repeat(np.arange(size.size), size))
        for name in ("servers", *_FLOAT_FIELDS, *_DERIVED_FIELDS):
            taken._store(name, getattr(self, name)[stages])
        taken._store("_weights", WaitWeights(*(weight[stages] for weight in self._weights)))
        return taken

    def wait_h(self, load: FloatArray) -> FloatArray:
        """Return the mean wait at each stage under the load and its background.

        Parameters
        ----------
        load
            (n_pools,): as in `value`.

        Returns
        -------
        ndarray of float64, (n_stages,)
            Mean wait before service of a vehicle that joins the stage [h], 0 where none does.
        """
        erlangs, queue, _ = self._queue(load)
        busy = erlangs > 0.0
        return np.where(busy, self.service_h * queue / np.where(busy, erlangs, 1.0), 0.0)

    def offered_load(self, load: FloatArray) -> FloatArray:
        """Return the offered load of each stage, background included [erlang], (n_stages,).

        Raises
        ------
        InputError
            As for `value`.
        """
        total = self._checked_load(load)[self.pool] + self.base_load
        return np.asarray(total * self._erlang_per_load)

    def relative_wait(self, erlangs: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the wait in service times, and its slope, at offered loads up to `limit`."""
        return weighted_wait_and_slope(self.servers.astype(np.float64), erlangs, self._weights)

    @property
    def erlang_per_load(self) -> FloatArray:
        """Offered load that a unit of the pool's load brings each stage, (n_stages,)."""
        return self._erlang_per_load

    @property
    def limit(self) -> FloatArray:
        """Offered load above which curves go on along their tangents, (n_stages,)."""
        return self._limit

    def sum_by_pool(self, stage_values: FloatArray) -> FloatArray:
        """Return the sum over the stages of each pool, (n_pools,)."""
        return np.asarray(np.bincount(self.pool, stage_values, self.n_pools), dtype=np.float64)

    def _queue(self, load: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Offered load of each stage [erlang], mean number waiting, and its slope by the former."""
        erlangs = self.offered_load(load)
        if not load.any():  # asked for often, and known
            return erlangs, self._queue_at_base, self._slope_at_base
        return erlangs, *self._queue_at(erlangs)

    def _queue_at(self, erlangs: FloatArray) -> tuple[FloatArray, FloatArray]:
        excess = np.maximum(erlangs - self._limit, 0.0)
        queue, slope = self._queue_below_limit(np.minimum(erlangs, self._limit))
        return queue + slope * excess, slope

    def _queue_below_limit(self, erlangs: FloatArray) -> tuple[FloatArray, FloatArray]:
        wait, slope = self.relative_wait(erlangs)
        return erlangs * wait, wait + erlangs * slope

    def _checked_load(self, load: FloatArray) -> FloatArray:
        if load.shape != (self.n_pools,):
            msg = f"load must have the shape ({self.n_pools},), one a pool; found {load.shape}."
            raise InputError(msg)
        bad = ~(np.isfinite(load) & (load >= _LEAST_LOAD))
        if bad.any():
            msg = f"load must be finite and >= 0; {describe_faults(load, bad)}"
            raise InputError(msg)
        return np.maximum(load, 0.0)

    def _check(self) -> None:
        """Refuse wrong input, then hold read-only float64 and int64 copies."""
        pool = whole_array("pool", self.pool, least=0)
        if pool.ndim != 1:
            msg = f"pool must have one dimension, (n_stages,); found the shape {pool.shape}."
            raise InputError(msg)
        if (pool >= self.n_pools).any():
            faults = describe_faults(pool.astype(np.float64), pool >= self.n_pools)
            msg = f"pool must be a position below n_pools = {self.n_pools}; {faults}"
            raise InputError(msg)
        self._store("pool", pool)
        self._store("servers", whole_array("servers", self.servers, least=1))
        for name in _FLOAT_FIELDS:
            positive = name == "open_h_per_day"
            self._store(name, finite_array(name, getattr(self, name), positive=positive))
        for name in ("servers", *_FLOAT_FIELDS):
            shape = getattr(self, name).shape
            if shape != pool.shape:
                msg = f"{name} must have the shape {pool.shape} of pool; found {shape}."
                raise InputError(msg)
        late = self.open_h_per_day > HOURS_PER_DAY
        if late.any():
            faults = describe_faults(self.open_h_per_day, late)
            msg = f"open_h_per_day must be <= {HOURS_PER_DAY:g}; {faults}"
            raise InputError(msg)

    def _store(self, name: str, value: NDArray[np.generic] | WaitWeights) -> None:
        for array in value if isinstance(value, tuple) else (value,):
            array.flags.writeable = False
        object.__setattr__(self, name, value)

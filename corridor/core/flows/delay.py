"""Delay curves that are not queues, and sums of curves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from corridor.core.flows._arrays import FloatArray, LongArray, as_floats, check_values, wrong_shape
from corridor.core.flows.problem import Delay, value_and_slope
from corridor.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class HingeDelay:
    """A price on each unit of load above a limit: soft quotas.

    Formula: ``value = price * max(0, load - limit)``.

    Parameters
    ----------
    limit : array-like of float64, shape (n_pools,)
        Pool units that are free, >= 0; inf means all.
    price : array-like of float64, shape (n_pools,)
        Cost of each unit above the limit, >= 0 and finite.

    Raises
    ------
    InputError
        If a shape differs, or a value is out of its range.

    Examples
    --------
    >>> hinge = HingeDelay([10.0], [3.0])
    >>> hinge.value(np.array([12.0])), hinge.slope(np.array([12.0]))
    (array([6.]), array([3.]))
    """

    limit: FloatArray
    price: FloatArray

    def __post_init__(self) -> None:
        shape = (int(np.size(self.limit)),)
        limit = as_floats("limit", self.limit, shape)
        check_values("limit", limit, limit >= 0, ">= 0")
        price = as_floats("price", self.price, shape)
        check_values("price", price, (price >= 0) & np.isfinite(price), ">= 0 and finite")
        object.__setattr__(self, "limit", limit)
        object.__setattr__(self, "price", price)

    @property
    def n_pools(self) -> int:
        """Number of pools."""
        return int(self.limit.size)

    def take(self, pools: LongArray) -> "HingeDelay":
        """Return the curves of some pools, in the order given; a pool may come again."""
        return HingeDelay(self.limit[pools], self.price[pools])

    def value(self, load: FloatArray) -> FloatArray:
        """Return ``price * max(0, load - limit)``, shape (n_pools,)."""
        return self.price * np.maximum(_as_load(load, self.n_pools) - self.limit, 0.0)

    def slope(self, load: FloatArray) -> FloatArray:
        """Return the price above the limit and 0 up to it, shape (n_pools,)."""
        return np.where(_as_load(load, self.n_pools) > self.limit, self.price, 0.0)

    def value_and_slope(self, load: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return `value` and `slope`, shape (n_pools,) each."""
        return self.value(load), self.slope(load)


@dataclass(frozen=True, slots=True, eq=False)
class SumDelay:
    """The sum of several curves over the same pools: a queue and a soft quota, say.

    Parameters
    ----------
    parts
        At least one `Delay`, all with the same number of pools.

    Raises
    ------
    InputError
        If there is no part, or the numbers of pools differ.

    Examples
    --------
    >>> both = SumDelay((HingeDelay([1.0], [2.0]), HingeDelay([3.0], [5.0])))
    >>> both.value(np.array([4.0])), both.slope(np.array([4.0]))
    (array([11.]), array([7.]))
    """

    parts: Sequence[Delay]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        sizes = {part.n_pools for part in self.parts}
        if len(sizes) != 1:
            msg = f"parts must be curves over the same pools; found sizes {sorted(sizes)}."
            raise InputError(msg)

    @property
    def n_pools(self) -> int:
        """Number of pools."""
        return self.parts[0].n_pools

    def take(self, pools: LongArray) -> "SumDelay":
        """Return the curves of some pools, in the order given; a pool may come again."""
        return SumDelay(tuple(curves_of(part, pools) for part in self.parts))

    def value(self, load: FloatArray) -> FloatArray:
        """Return the sum of the parts' values, shape (n_pools,)."""
        total: FloatArray = np.sum([part.value(load) for part in self.parts], axis=0)
        return total

    def slope(self, load: FloatArray) -> FloatArray:
        """Return the sum of the parts' slopes, shape (n_pools,)."""
        total: FloatArray = np.sum([part.slope(load) for part in self.parts], axis=0)
        return total

    def value_and_slope(self, load: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return `value` and `slope`, shape (n_pools,) each."""
        pairs = [value_and_slope(part, load) for part in self.parts]
        value: FloatArray = np.sum([pair[0] for pair in pairs], axis=0)
        slope: FloatArray = np.sum([pair[1] for pair in pairs], axis=0)
        return value, slope


@dataclass(frozen=True, slots=True, eq=False)
class _SomeOf:
    """Some pools of a `Delay` that can only be asked for all at once."""

    whole: Delay
    pools: LongArray

    @property
    def n_pools(self) -> int:
        return int(self.pools.size)

    def value(self, load: FloatArray) -> FloatArray:
        return self.value_and_slope(load)[0]

    def slope(self, load: FloatArray) -> FloatArray:
        return self.value_and_slope(load)[1]

    def value_and_slope(self, load: FloatArray) -> tuple[FloatArray, FloatArray]:
        value, slope = np.empty(self.n_pools), np.empty(self.n_pools)
        left = np.arange(self.n_pools)
        while left.size:
            # Each pool can be asked for one load at a time.
            _, first = np.unique(self.pools[left], return_index=True)
            now = left[first]
            loads = np.zeros(self.whole.n_pools)
            loads[self.pools[now]] = load[now]
            values, slopes = value_and_slope(self.whole, loads)
            value[now], slope[now] = values[self.pools[now]], slopes[self.pools[now]]
            left = np.delete(left, first)
        return value, slope


def curves_of(delay: Delay, pools: LongArray) -> Delay:
    """Return the curves of some pools, in the order given; a pool may come again."""
    # Looked up by name: asking a protocol costs more than a small curve.
    take: Callable[[LongArray], Delay] | None = getattr(delay, "take", None)
    return _SomeOf(delay, pools) if take is None else take(pools)


def _as_load(load: FloatArray, n_pools: int) -> FloatArray:
    array = np.asarray(load, dtype=np.float64)
    if array.shape != (n_pools,):
        raise InputError(wrong_shape("load", array.shape, (n_pools,)))
    return array

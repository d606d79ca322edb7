"""Prices at which pools take just what is demanded of them: a semi-smooth Newton's method."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import scipy.sparse as sp

from corridor.core.flows._arrays import FloatArray, LongArray
from corridor.core.flows._choice import Choice, Options, Response, choose, load_slopes, loads
from corridor.core.flows._supply import Supply

MOST_CUTS: Final = 8
"""Lengths of one step that are tried, each half of the one before."""
REACH: Final = 4.0
"""Utility by which a step may change an option, at first."""
FARTHEST: Final = 256.0
"""The same at most, after steps that were too short."""
STILL: Final = 0.02
"""Change of utility with a pool's whole load up to which its price only follows the load."""
PATIENCE: Final = 20
"""Steps after which all prices are solved for."""
SLACK: Final = 0.5
"""Share of the slope along a step that may be left at its end."""
LEAST: Final = 1e-14
"""Share of a pool that counts as no room: keeps the system regular."""


class Reach(NamedTuple):
    """How far a step may go: change of an option's utility, and of utility by a single price."""

    utility: float
    price: float


class Point(NamedTuple):
    """Positions on the supply curves, and all that follows from them."""

    position: FloatArray
    price: FloatArray
    supply: FloatArray
    supply_slope: FloatArray
    price_slope: FloatArray
    choice: Choice
    load: FloatArray

    @property
    def excess(self) -> FloatArray:
        """Supply less demand."""
        return self.supply - self.load


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Balance:
    """The search for prices, at one set of options.

    A pool's supply is a curve of load and price, both rising with a position on it: up to capacity
    the position is the load and the price the wait there; at capacity the load stays and the price
    rises. Newton's method looks for positions at which the load on the curve is that which the
    choices at its price make. With one value of waiting for all this is the gradient of a concave
    dual, and the search along each step watches its slope.

    Parameters
    ----------
    options, response
        Who chooses from what.
    supply
        The curves of the pools that an option uses.
    live : ndarray of int64, shape (n_live,)
        Positions of these pools.
    size : ndarray of float64, shape (n_live,)
        What relative errors of their loads refer to.
    dearest : ndarray of float64, shape (n_live,)
        Most that an option pays for a unit of price.
    """

    options: Options
    response: Response
    supply: Supply
    live: LongArray
    size: FloatArray
    dearest: FloatArray

    @classmethod
    def of(cls, options: Options, response: Response, supply: Supply) -> "Balance":
        """Return the search over the pools that an option uses."""
        used = np.bincount(options.load.indices, minlength=supply.n_pools)
        used += np.bincount(options.charge.indices, minlength=supply.n_pools)
        live = np.flatnonzero(used)
        some = Options(
            start=options.start, group=options.group, column=options.column, cost=options.cost,
            log_size=options.log_size, load=_only(options.load, live),
            charge=_only(options.charge, live),
        )  # fmt: skip
        few = supply.only(live)
        most = _peaks(some.load) * float(response.demand.sum())
        size = np.where(np.isfinite(few.capacity), few.capacity, np.maximum(most, LEAST))
        return cls(
            options=some, response=response, supply=few, live=live, size=size,
            dearest=np.maximum(_peaks(some.charge), LEAST),
        )  # fmt: skip

    def solve(
        self, dispersion: float, position: FloatArray, tolerance: float, most_steps: int
    ) -> tuple[Point, int]:
        """Return balanced prices, and the steps that it took to get there.

        Parameters
        ----------
        dispersion
            Weight of a unit of cost in the utility.
        position : ndarray of float64, shape (n_live,)
            Where to start on the curves.
        tolerance
            Largest excess, relative to the pool, at which prices count as balanced.
        most_steps
            Steps after which the last point is returned.
        """
        at, reach = self.at(dispersion, position), Reach(REACH, REACH)
        for step in range(most_steps):
            if self.error(at) <= tolerance:
                return at, step
            at, reach = self._step(dispersion, at, reach, STILL if step < PATIENCE else 0.0)
        return at, most_steps

    def at(self, dispersion: float, position: FloatArray) -> Point:
        """Return what follows from positions >= 0 on the curves."""
        on = self.supply.at(position)
        choice = choose(self.options, dispersion, on.price, self.response)
        load = loads(self.options, choice)
        stays = self.supply.stays(position, onward=load > on.load)
        return Point(
            position, on.price, on.load, np.where(stays, 0.0, 1.0),
            np.where(stays, self.supply.rise, on.wait_slope), choice, load,
        )  # fmt: skip

    def error(self, at: Point) -> float:
        """Return the largest excess, relative to its pool."""
        return float((np.abs(at.excess) / self.size).max(initial=0.0))

    def _step(
        self, dispersion: float, at: Point, reach: Reach, still: float
    ) -> tuple[Point, Reach]:
        """Go one step of Newton's method, as far as it leads down and utilities change little."""
        change = self._direction(dispersion, at, reach, still)
        falls = abs(float(at.excess @ (at.price_slope * change)))
        part = whole = self._first_part(dispersion, at, change, reach)
        tried: list[Point] = []
        for _ in range(MOST_CUTS):
            new = self.at(dispersion, self.supply.moved(at.position, part * change))
            tried.append(new)
            moved = new.position - at.position
            rises = float(new.excess @ (new.price_slope * moved)) / part
            if rises <= SLACK * falls or self.error(new) < 0.9 * self.error(at):
                break
            part *= 0.5
        else:
            # Values of waiting that differ leave no function to go down: take the best, and go on.
            new = min(tried, key=self.error)
        if whole == 1.0 and self.error(new) > 0.5 * self.error(at):
            # Pools in a row, whose prices can replace each other, have a long way to go.
            return new, Reach(reach.utility, reach.price * 4.0)
        if whole == 1.0:
            return new, Reach(max(reach.utility * 0.5, REACH), max(reach.price * 0.5, REACH))
        # A step that was cut short and still leads down may go farther the next time.
        grown = reach.utility * (2.0 if rises < -SLACK * falls else 1.0)
        return new, Reach(min(grown, FARTHEST), reach.price)

    def _direction(self, dispersion: float, at: Point, reach: Reach, still: float) -> FloatArray:
        """Return Newton's step, held back where nobody reacts to a price.

        A pool whose price hardly moves with its load only follows the demand: the system is that
        of the others.
        """
        from corridor.core.flows import _choice_kernels

        change = -at.excess
        react = dispersion * self.dearest * at.price_slope
        moving = np.flatnonzero(react * self.size > still)
        if not moving.size:
            return change
        matrix = load_slopes(self.options, at.choice, dispersion, moving) * at.price_slope[moving]
        hold = np.abs(at.excess) * (dispersion * self.dearest * self.supply.rise / reach.price)
        diagonal = np.maximum(at.supply_slope + hold, LEAST * self.size)
        matrix[np.diag_indices_from(matrix)] += diagonal[moving]
        right = change[moving]
        if _choice_kernels.solve_dense(matrix, right):
            change[moving] = right
        return change

    def _first_part(self, dispersion: float, at: Point, change: FloatArray, reach: Reach) -> float:
        """Return how much of a step to try first: utilities may change by `reach`."""
        way = self.supply.moved(at.position, change) - at.position
        moved = dispersion * (self.options.charge @ (at.price_slope * way))
        mean = np.add.reduceat(at.choice.share * moved, self.options.start[:-1])
        most = float(np.abs(moved - mean[self.options.group]).max(initial=0.0))
        return min(1.0, reach.utility / most) if most > 0.0 else 1.0


def _only(matrix: sp.csr_matrix, columns: LongArray) -> sp.csr_matrix:
    some = sp.csr_matrix(matrix[:, columns])
    some.eliminate_zeros()
    return some


def _peaks(matrix: sp.csr_matrix) -> FloatArray:
    """Return the largest entry of each column, 0 where there is none."""
    peak = np.zeros(matrix.shape[1])
    np.maximum.at(peak, matrix.indices, matrix.data)
    return peak

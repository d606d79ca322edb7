"""Models of choice: choice sets, what pools charge, and the equilibrium that comes of them."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import scipy.sparse as sp

from corridor.core.flows._arrays import FloatArray, as_csr, check_values
from corridor.core.flows.delay import HingeDelay
from corridor.core.flows.result import FlowResult
from corridor.core.graph import as_count
from corridor.errors import InputError


@runtime_checkable
class Waits(Protocol):
    """The mean wait in each pool: nondecreasing in its load, >= 0."""

    @property
    def n_pools(self) -> int:
        """Number of pools."""
        ...

    def wait_and_slope(self, load: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return wait and slope at loads >= 0, shape (n_pools,) each."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChoiceSet:
    """Which paths a commodity chooses from.

    Through every arc leads one cheapest path on the empty network. Cheapest first, those are taken
    that cost no more than `factor` times the cheapest, visit no node twice, and have no more than a
    share `overlap` of the shorter one's length in common with each taken before; up to `count` of
    them. To these come the paths that
    capacities and queues make cheap: at the equilibrium of the paths there are, the cheapest path
    of each commodity is added, until none is new. At first nobody pays more than one and a half,
    then three times the cheapest cost, and of the paths found so those are dropped that in the end
    cost more than `factor` times the cheapest. Equal input gives equal choice sets.

    Parameters
    ----------
    count
        Alternatives on the empty network, >= 1.
    factor
        Largest cost of an alternative, in costs of the cheapest, >= 1.
    overlap
        Largest share of the length in common, 0 to 1.

    Raises
    ------
    InputError
        If a value is out of its range.

    References
    ----------
    I. Abraham, D. Delling, A. V. Goldberg and R. F. Werneck, "Alternative routes in road
    networks", ACM Journal of Experimental Algorithmics 18 (2013): paths via single nodes.

    Examples
    --------
    >>> ChoiceSet(count=4).overlap
    0.8
    """

    count: int = 8
    factor: float = 1.6
    overlap: float = 0.8

    def __post_init__(self) -> None:
        as_count("count", self.count, least=1)
        if not self.factor >= 1.0:
            msg = f"factor must be >= 1; found {self.factor}. 1.6 lets in paths 60 % dearer."
            raise InputError(msg)
        if not 0.0 <= self.overlap <= 1.0:
            msg = f"overlap must be a share from 0 to 1; found {self.overlap}. 0.8 is usual."
            raise InputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PoolCharges:
    """What users of pools pay: waits valued by each class, and prices.

    A pool has one price. Where it has a queue that is the wait, which rises with the load; where
    the pool is full it rises beyond (vehicles queue outside, or room is sold). A unit of flow pays
    ``charge`` for a unit of the price: the value that its class gives to an hour, say, or what it
    takes of a pool whose price is money.

    Parameters
    ----------
    charge : scipy sparse matrix of float64, shape (n_pools, n_classes * n_arcs), optional
        Cost of a unit of flow for a unit of price, >= 0; column ``class * n_arcs + arc``. None is
        the pools' own matrix: prices are money.
    waits : Waits, optional
        Wait in each pool; none by default.
    overruns : HingeDelay, optional
        Soft limits: from the limit on, a unit of the pool costs so much more.

    Raises
    ------
    InputError
        If a charge is negative or not finite, or `charge` is no sparse matrix.

    Examples
    --------
    >>> PoolCharges(overruns=HingeDelay([10.0], [3.0])).charge is None
    True
    """

    charge: sp.csr_matrix | None = None
    waits: Waits | None = None
    overruns: HingeDelay | None = None

    def __post_init__(self) -> None:
        if self.charge is not None:
            charge = as_csr("charge", self.charge)
            check_values("charge.data", charge.data, charge.data >= 0, ">= 0 and finite")
            object.__setattr__(self, "charge", charge)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChoiceResult:
    """An equilibrium of choices, and how well it holds.

    Parameters
    ----------
    flow : FlowResult
        Path flows and what follows from them. ``objective`` is what the flow costs by the
        problem's own measure (its delay curves, where it has some); nothing is minimized, so
        ``bound`` is -inf. ``relative_gap`` is the share of the demand that would choose otherwise
        at the waits and prices of this flow; for `capacitated_equilibrium` it is what is spent
        above the cheapest paths, over what is spent. ``gap`` is the same in units of flow, or of
        cost. ``pool_price`` and ``capacity_price`` hold what users pay in front of full pools, per
        unit of the pool; ``row_price`` is <= 0, as a cap's is; ``demand_price`` is the expected
        cost. The status is ``optimal`` at the tolerance, ``feasible`` where rounding
        (``precision``) or the number of ``rounds`` ended it before, ``infeasible`` where demand
        cannot reach its destination, ``unknown`` where no prices were found that keep capacities.
    price : ndarray of float64, shape (n_pools,)
        Price of each pool: its wait and what comes beyond it, in units of waiting or of cost.
    beyond : ndarray of float64, shape (n_pools,)
        The part that comes beyond the wait: where a pool is full, or over its soft limit.
    demand, reference_demand : ndarray of float64, shape (n_commodities,)
        Demand at the equilibrium, and that of the problem: the same where it is not elastic.
    expected_cost, free_cost : ndarray of float64, shape (n_commodities,)
        Expected cost (the logsum; the cheapest path's cost in the limit) at the equilibrium, and on
        the empty network, at which the demand is the given one; inf where there is no path, 0
        where there is no demand.
    capacity_violation
        Largest excess of a load over its capacity, relative to it.
    """

    flow: FlowResult
    price: FloatArray
    beyond: FloatArray
    demand: FloatArray
    reference_demand: FloatArray
    expected_cost: FloatArray
    free_cost: FloatArray
    capacity_violation: float

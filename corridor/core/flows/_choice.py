"""Options of all groups of demand, and who takes which at given prices of the pools."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import scipy.sparse as sp

from corridor.core.flows._arrays import FloatArray, LongArray, sum_by
from corridor.core.flows._columns import Columns
from corridor.core.flows._network import Network

if TYPE_CHECKING:
    from corridor.core.flows._choice_kernels import Rows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Options:
    """What each group chooses from: its paths, and staying at home where that has a price.

    The options of a group stand together, paths first in the order in which they were found.

    Parameters
    ----------
    start : ndarray of int64, shape (n_groups + 1,)
        Options of group k are ``start[k] .. start[k + 1] - 1``.
    group : ndarray of int64, shape (n_options,)
        Group of each.
    column : ndarray of int64, shape (n_options,)
        Column of each path; -1 for staying at home.
    cost : ndarray of float64, shape (n_options,)
        Cost of a unit apart from what pools charge.
    log_size : ndarray of float64, shape (n_options,)
        Log of the path size, times its exponent; 0 for staying at home.
    load, charge : CSR of float64, shape (n_options, n_pools)
        What a unit takes of each pool, and what it pays for a unit of the pool's price.
    """

    start: LongArray
    group: LongArray
    column: LongArray
    cost: FloatArray
    log_size: FloatArray
    load: sp.csr_matrix
    charge: sp.csr_matrix

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return int(self.start.size) - 1


class Choice(NamedTuple):
    """Shares of the options, logsums of the groups, and the demand that comes of them."""

    share: FloatArray
    expected_cost: FloatArray
    demand: FloatArray
    demand_slope: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Response:
    """How many of each commodity travel at an expected cost.

    Formula: ``demand exp(elasticity (expected - reference) / scale)``, of each commodity, added up
    over the groups; without elasticity it is the demand.

    Parameters
    ----------
    network
        The network.
    demand : ndarray of float64, shape (n_served,)
        Demand of the served commodities at the reference cost.
    elasticity : ndarray of float64, shape (n_served,), or None
        At the reference cost, <= 0.
    reference, scale : ndarray of float64, shape (n_groups,)
        Expected cost at which the demand is the given one, and the cost that elasticity refers to.
    """

    network: Network
    demand: FloatArray
    elasticity: FloatArray | None
    reference: FloatArray
    scale: FloatArray

    def of_commodities(self, expected: FloatArray) -> FloatArray:
        """Return the demand of each served commodity, shape (n_served,)."""
        if self.elasticity is None:
            return self.demand
        group = self.network.groups.member_of
        change = (expected - self.reference)[group] / self.scale[group]
        demand: FloatArray = self.demand * np.exp(np.minimum(self.elasticity * change, 50.0))
        return demand

    def of_groups(self, expected: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the demand of each group and its derivative by the expected cost."""
        groups = self.network.groups
        if self.elasticity is None:
            return groups.demand, np.zeros(groups.size)
        each = self.of_commodities(expected)
        slope = each * self.elasticity / self.scale[groups.member_of]
        total, slopes = (sum_by(groups.member_of, v, groups.size) for v in (each, slope))
        return total, slopes


def build_options(
    network: Network, charge: sp.csr_matrix, columns: Columns, home_cost: FloatArray
) -> Options:
    """Return the options of all groups from the paths found so far, without path sizes.

    Parameters
    ----------
    network
        The network.
    charge : CSR of float64, shape (n_class_rows * n_arcs, n_resources)
        What a unit of flow pays for a unit of price.
    columns
        The paths.
    home_cost : ndarray of float64, shape (n_groups,)
        Price of staying at home; inf where that is no option.
    """
    groups = network.groups
    home = np.flatnonzero(np.isfinite(home_cost))
    group = np.concatenate([columns.group, home])
    order = np.argsort(group, kind="stable")
    column = np.concatenate([np.arange(len(columns)), np.full(home.size, -1)])[order]
    cost = np.concatenate([columns.cost, home_cost[home]])[order]
    stay = sp.csr_matrix(
        sp.hstack([sp.csr_matrix((home.size, network.first_side_row)), groups.unmet_usage[home]])
    )
    load = sp.csr_matrix(sp.vstack([columns.usage, stay], format="csr")[order])
    paid = sp.csr_matrix(sp.vstack([_incidence(network, columns) @ charge, stay])[order])
    start = np.searchsorted(group[order], np.arange(groups.size + 1))
    return Options(
        start=start,
        group=group[order],
        column=column,
        cost=cost,
        log_size=np.zeros(column.size),
        load=load,
        charge=paid,
    )


def _incidence(network: Network, columns: Columns) -> sp.csr_matrix:
    """Return paths by class and arc, CSR (n_columns, n_class_rows * n_arcs)."""
    lengths = np.diff(columns.indptr)
    row = np.repeat(network.groups.class_row[columns.group], lengths)
    place = row * network.graph.n_arcs + columns.arcs
    shape = (len(columns), network.cost.size)
    return sp.csr_matrix((np.ones(place.size), place, columns.indptr), shape=shape)


def path_sizes(columns: Columns, length: FloatArray) -> FloatArray:
    """Return the path size of each path among those of its group, 0 to 1.

    Formula: ``sum over arcs of (length / length of the path) / number of paths of the group on the
    arc``; a path without length counts each of its arcs the same.

    Parameters
    ----------
    columns
        The paths.
    length : ndarray of float64, shape (n_arcs,)
        Length of each arc, >= 0.

    References
    ----------
    M. Ben-Akiva and M. Bierlaire, "Discrete choice methods and their applications to short term
    travel decisions", Handbook of Transportation Science (1999) 5-33.
    """
    lengths = np.diff(columns.indptr)
    path = np.repeat(np.arange(len(columns)), lengths)
    place = columns.group[path] * length.size + columns.arcs
    step, users = length[columns.arcs], np.bincount(place)[place]
    total = sum_by(path, step, len(columns))
    flat = total[path] <= 0.0
    step = np.where(flat, 1.0, step)
    total = np.where(total > 0.0, total, np.maximum(lengths, 1))
    size = sum_by(path, step / users, len(columns)) / total
    # The empty path, from a node to itself, is alone.
    return np.where(lengths > 0, size, 1.0)


def choose(options: Options, dispersion: float, price: FloatArray, response: Response) -> Choice:
    """Return who takes which option at prices of the pools.

    Parameters
    ----------
    options
        What there is to choose from.
    dispersion
        Weight of a unit of cost in the utility, > 0.
    price : ndarray of float64, shape (n_pools,)
        Price of each pool.
    response
        How many travel.
    """
    utility = options.log_size - dispersion * (options.cost + options.charge @ price)
    first, group = options.start[:-1], options.group
    top = np.maximum.reduceat(utility, first)
    weight = np.exp(utility - top[group])
    total = np.add.reduceat(weight, first)
    expected = -(top + np.log(total)) / dispersion
    demand, slope = response.of_groups(expected)
    return Choice(weight / total[group], expected, demand, slope)


def loads(options: Options, choice: Choice) -> FloatArray:
    """Return the load of each pool, shape (n_pools,)."""
    flow = choice.demand[options.group] * choice.share
    return np.asarray(options.load.T @ flow, dtype=np.float64)


def load_slopes(options: Options, choice: Choice, dispersion: float, some: LongArray) -> FloatArray:
    """Return what the load of a pool loses by a unit of price in another, among some pools.

    Staying at home is an option like the others.

    Returns
    -------
    ndarray of float64, shape (n_some, n_some)
        ``-d load_i / d price_j``.
    """
    from corridor.core.flows import _choice_kernels

    place = np.full(options.load.shape[1], -1, dtype=np.int64)
    place[some] = np.arange(some.size)
    out = np.zeros((some.size, some.size))
    _choice_kernels.add_covariances(
        options.start, choice.share, dispersion * choice.demand, -choice.demand_slope, place,
        _rows(options.load), _rows(options.charge), out,
    )  # fmt: skip
    return out


def _rows(matrix: sp.csr_matrix) -> "Rows":
    from corridor.core.flows._choice_kernels import Rows

    return Rows(matrix.indptr, matrix.indices, matrix.data)

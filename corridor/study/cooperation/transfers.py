"""What a tonne costs apart from what it pays to states, and to which states it pays what."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from corridor.planning import Model

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Transfers:
    """Cost by class and arc in two parts.

    Attributes
    ----------
    resource_usd_per_t : ndarray of float64, shape (n_classes, n_arcs)
        Resources and time [USD/t]; what is paid to nobody (a risk premium) is a resource.
    host_usd_per_t : ndarray of float64, shape (n_classes, n_arcs)
        Fees and the host's share of tariffs, paid to the state of the arc [USD/t].
    named : tuple of (int, csr_array of float64, shape (n_classes, n_arcs))
        Fees that rules let another state have: its code and the fee [USD/t].
    arc_country : ndarray of int32, shape (n_arcs,)
        Code of the state of each arc.
    n_states
        Number of codes, the high seas among them.
    """

    resource_usd_per_t: FloatArray
    host_usd_per_t: FloatArray
    named: tuple[tuple[int, sparse.csr_array], ...]
    arc_country: IntArray
    n_states: int

    def shipper_usd_per_t(self) -> FloatArray:
        """Return what shippers pay, transfers included [USD/t], shape (n_classes, n_arcs)."""
        total = self.resource_usd_per_t + self.host_usd_per_t
        for _, fee in self.named:
            total += fee.toarray()
        return total

    def paid_usd_per_t(
        self, way: NDArray[np.int64], step_class: IntArray, arcs: IntArray, n_ways: int
    ) -> FloatArray:
        """Return what a tonne pays to each state on each way [USD/t], shape (n_ways, n_states).

        Parameters
        ----------
        way, step_class, arcs
            Way, class and arc of every step.
        n_ways
            Number of ways.
        """
        key = way * self.n_states + self.arc_country[arcs]
        paid = np.bincount(
            key, self.host_usd_per_t[step_class, arcs], minlength=n_ways * self.n_states
        ).reshape(n_ways, self.n_states)
        for state, fee in self.named:
            usd = np.asarray(fee[step_class, arcs]).ravel()
            paid[:, state] += np.bincount(way, usd, minlength=n_ways)
        return np.asarray(paid, dtype=np.float64)


def split_costs(model: Model, *, with_wait: bool = True) -> Transfers:
    """Return the cost of every arc for every class, transfers to states apart.

    Parameters
    ----------
    model
        A compiled model.
    with_wait
        Whether the queue at background load is part of it.
    """
    net, costs = model.supernetwork, model.costs
    by_commodity = costs.host_usd_per_t + costs.post_fee_usd_per_t
    host: FloatArray = by_commodity[model.classes.commodity].copy()
    named: list[tuple[int, sparse.csr_array]] = []
    for fee in model.effects.fees:
        if fee.payee == "host":
            entries = fee.usd_per_t.tocoo()
            np.add.at(host, entries.coords, entries.data)
        elif fee.payee in net.countries:
            named.append((net.countries.index(fee.payee), fee.usd_per_t.tocsr()))
    resource = model.class_cost(with_wait=with_wait) - host
    for _, usd in named:
        resource -= usd.toarray()
    return Transfers(
        # What is left of a price that is all transfer is rounding.
        resource_usd_per_t=np.maximum(resource, 0.0),
        host_usd_per_t=host,
        named=tuple(named),
        arc_country=net.arc_country,
        n_states=len(net.countries),
    )

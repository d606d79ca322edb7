"""The few ways of each shipment that matter to states: cheapest by the set of states crossed."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.core.paths.avoidance import MOST_GROUPS, avoidance_costs
from corridor.core.threads import as_threads
from corridor.errors import InputError
from corridor.planning import Model

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]
BoolArray: TypeAlias = NDArray[np.bool_]

MOST_PLAYERS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RouteSets:
    """Ways of each shipment, none dearer than another that crosses no more players.

    Attributes
    ----------
    n_players
        Number of players; bit ``i`` of a set is player ``i``.
    shipment : ndarray of int64, shape (n_routes,)
        Shipment of each route, rising.
    usd_per_t : ndarray of float64, shape (n_routes,)
        Cost [USD/t].
    states : ndarray of int64, shape (n_routes,)
        Set of players that the route crosses; never its origin's or its destination's own state.
    """

    n_players: int
    shipment: NDArray[np.int64]
    usd_per_t: FloatArray
    states: NDArray[np.int64]

    def __len__(self) -> int:
        return int(self.shipment.size)


def find_route_sets(model: Model, cost: FloatArray, players: Sequence[str]) -> RouteSets:
    """Return the routes of all shipments with demand, one search for all sets of open states.

    Parameters
    ----------
    model
        The compiled model.
    cost : ndarray of float64, shape (n_classes, n_arcs)
        Cost [USD/t], >= 0; arcs that are not allowed are left out.
    players
        States, 1 to 20.
    """
    net, goods = model.supernetwork, model.shipments
    bit = player_bits(model, players)
    origin, destination = end_states(model)
    open_cost = np.where(model.allowed, cost, np.inf)
    rows = np.flatnonzero(model.t_per_day > 0.0)
    # Own states of a shipment are never closed to it: alike are those with the same own states.
    key = np.column_stack((model.class_of, net.source[goods.origin], bit[origin], bit[destination]))
    alike, group = np.unique(key[rows], axis=0, return_inverse=True)
    group = group.reshape(-1)

    def search(position: int) -> tuple[NDArray[np.int64], FloatArray, NDArray[np.int64]]:
        class_row, source, *own = alike[position].tolist()
        mine = rows[group == position]
        codes = np.where(np.isin(bit, [i for i in own if i >= 0]), -1, bit)[net.arc_country]
        sinks = net.sink[goods.destination[mine]]
        least = _by_open_set(model, open_cost[class_row], codes, len(players), source, sinks)
        row, states = np.nonzero(_undominated(least))
        return mine[row], least[row, states], states

    search(0) if len(alike) else None
    with ThreadPoolExecutor(as_threads(None)) as pool:
        found = list(pool.map(search, range(len(alike))))
    if not found:
        empty = np.zeros(0, np.int64)
        return RouteSets(
            n_players=len(players), shipment=empty, usd_per_t=np.zeros(0), states=empty
        )
    shipment, usd, states = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.argsort(shipment, kind="stable")
    return RouteSets(
        n_players=len(players),
        shipment=shipment[order],
        usd_per_t=usd[order],
        states=states[order],
    )


def player_bits(model: Model, players: Sequence[str]) -> IntArray:
    """Return the bit of each state of the network, -1 for those that do not play.

    Raises
    ------
    InputError
        If there are no players or more than 20, one plays twice, or is no state of the network.
    """
    countries = model.supernetwork.countries
    states = sorted(set(countries[:-1]))
    if not 1 <= len(players) <= MOST_PLAYERS:
        msg = (
            f"There must be 1 to {MOST_PLAYERS} players; found {len(players)}. The sets of states "
            "double with each: leave out those whose closure changes least."
        )
        raise InputError(msg)
    strange = [name for name in players if name not in states]
    if strange or len(set(players)) < len(players):
        found = (
            f"{', '.join(name or repr(name) for name in strange)} is none"
            if strange
            else "one is there twice"
        )
        msg = (
            f"Players must be different states of the network; {found}. Choose among "
            f"{', '.join(states)}."
        )
        raise InputError(msg)
    bit = np.full(len(countries), -1, np.int32)
    for position, name in enumerate(players):
        bit[countries.index(name)] = position
    return bit


def end_states(model: Model) -> tuple[IntArray, IntArray]:
    """Return the codes of the states in which each shipment begins and ends."""
    goods, countries = model.shipments, model.supernetwork.countries
    code = {name: position for position, name in enumerate(countries)}
    of_place = np.array([code[name] for name in goods.place_country.tolist()], np.int32)
    return of_place[goods.origin], of_place[goods.destination]


def _by_open_set(
    model: Model, cost: FloatArray, code: IntArray, n: int, source: int, sinks: IntArray
) -> FloatArray:
    """Return the least cost by set of open players, shape (n_sinks, 2**n)."""
    graph = model.supernetwork.graph
    if n <= MOST_GROUPS:
        return avoidance_costs(graph, cost, code, n, source, sinks)[:, ::-1]
    # Players beyond the search's limit are opened and closed one set after another.
    low = np.where(code < MOST_GROUPS, code, -1)
    parts = []
    for opened in range(2 ** (n - MOST_GROUPS)):
        shut = (code >= MOST_GROUPS) & ((opened >> np.maximum(code - MOST_GROUPS, 0)) & 1 == 0)
        closed = np.where(shut, np.inf, cost)
        parts.append(avoidance_costs(graph, closed, low, MOST_GROUPS, source, sinks)[:, ::-1])
    return np.concatenate(parts, axis=1)


def _undominated(least: FloatArray) -> BoolArray:
    """Return which sets are worth opening in whole: without any one member it is dearer."""
    kept = np.isfinite(least)
    for player in range(int(least.shape[1]).bit_length() - 1):
        pairs = least.reshape(-1, 2, 1 << player)
        kept.reshape(-1, 2, 1 << player)[:, 1] &= pairs[:, 1] < pairs[:, 0]
    return kept

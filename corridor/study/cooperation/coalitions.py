"""What every set of states is worth when its members let goods pass and the others do not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.planning import Model
from corridor.study.cooperation.cheapest_ways import Ways, cheapest_ways
from corridor.study.cooperation.route_sets import RouteSets, end_states, player_bits
from corridor.study.cooperation.transfers import Transfers

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]
BoolArray: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClosedBorders:
    """Values when states outside a set let no goods of others pass.

    Attributes
    ----------
    usd_per_day : ndarray of float64, shape (2**n,)
        What each set of open states saves the goods that have a way even with all players closed
        [USD/day].
    access_t_per_day : ndarray of float64, shape (2**n,)
        Goods without such a way to which each set gives one [t/day].
    has_bypass : ndarray of bool, shape (n_shipments,)
        Shipments that have a way with all players closed.
    """

    usd_per_day: FloatArray
    access_t_per_day: FloatArray
    has_bypass: BoolArray


def closed_border_values(sets: RouteSets, t_per_day: FloatArray) -> ClosedBorders:
    """Return the value of every set of players from the routes of all shipments.

    Formula: ``v(S) = sum of t (c(no players) - min over routes that cross only S of c)`` over the
    shipments with a way past all players; their routes carry the whole game, see `RouteSets`.

    Parameters
    ----------
    sets
        Routes.
    t_per_day : ndarray of float64, shape (n_shipments,)
        Demand.
    """
    n = sets.n_players
    saved, opened = _Sum(n), _Sum(n)
    has_bypass = np.zeros(t_per_day.size, np.bool_)
    for first, last in _runs(sets.shipment):
        shipment = int(sets.shipment[first])
        carrier, least = _least_by_set(sets.states[first:last], sets.usd_per_t[first:last])
        t = float(t_per_day[shipment])
        has_bypass[shipment] = np.isfinite(least[0])
        if has_bypass[shipment]:
            saved.add(carrier, t * (least[0] - least))
        else:
            opened.add(carrier, t * np.isfinite(least))
    return ClosedBorders(
        usd_per_day=saved.total(), access_t_per_day=opened.total(), has_bypass=has_bypass
    )


def open_tariff_values(
    model: Model, transfers: Transfers, players: Sequence[str], shipments: NDArray[np.int64]
) -> FloatArray:
    """Return the value of every set of players that waives its transit charges while others do not.

    Formula: ``v(S) = c(none) - c(S)``, where ``c(S)`` is the least sum of resources, time and what
    is paid to states outside S; a member's charges are an affair inside the set. States keep their
    charges on goods that begin or end in them.

    A set T has the value of a larger set S when the best way of S pays nothing to the members that
    T lacks, so that each shipment is routed for few sets only.

    Parameters
    ----------
    model, transfers, players
        The model, its costs, and the states that play.
    shipments : ndarray of int64, shape (n,)
        Shipments that count.

    Returns
    -------
    ndarray of float64, shape (2**n,)
        Values [USD/day].
    """
    n = len(players)
    bit = player_bits(model, players)
    total = _Sum(n)
    found = _tariff_ways(model, transfers, bit, n, shipments)
    for shipment, ways in found.items():
        base = np.array([usd for usd, _ in ways])
        charge = np.array([paid for _, paid in ways])
        charged = np.flatnonzero(charge.any(axis=0))
        # Outside of S the charges are paid: start from all of them and take the members' off.
        waived = _subset_sums(charge[:, charged].T)
        least = (base + charge.sum(axis=1) - waived).min(axis=1)
        carrier = int((1 << charged).sum())
        total.add(carrier, float(model.t_per_day[shipment]) * (least[0] - least))
    return total.total()


def _tariff_ways(
    model: Model, transfers: Transfers, bit: IntArray, n: int, shipments: NDArray[np.int64]
) -> dict[int, list[tuple[float, FloatArray]]]:
    """Return each shipment's ways that are best for some set: base cost, and charges by player.

    Begins with all charges waived, and takes back the waivers of states that the best way crosses.
    """
    everyone = 2**n - 1
    known: dict[int, dict[tuple[float, ...], float]] = {int(w): {} for w in shipments}
    seen = {(int(w), everyone) for w in shipments}
    frontier = sorted(seen)
    while frontier:
        paid, base = _charges(model, transfers, bit, n, frontier)
        following: set[tuple[int, int]] = set()
        for (shipment, waived), charges, usd in zip(frontier, paid, base, strict=True):
            if not np.isfinite(usd):
                continue
            key = tuple(charges.tolist())
            known[shipment][key] = min(known[shipment].get(key, np.inf), float(usd))
            for player in np.flatnonzero(charges > 0.0).tolist():
                if waived >> player & 1:
                    following.add((shipment, waived & ~(1 << player)))
        frontier = sorted(following - seen)
        seen |= following
    return {
        shipment: [(usd, np.array(charges)) for charges, usd in ways.items()]
        for shipment, ways in known.items()
        if ways
    }


def _charges(
    model: Model,
    transfers: Transfers,
    bit: IntArray,
    n: int,
    frontier: list[tuple[int, int]],
) -> tuple[FloatArray, FloatArray]:
    """Return charges by player [USD/t] and the rest of the cost of the best ways of a frontier."""
    origin, destination = end_states(model)
    shipment = np.array([w for w, _ in frontier], np.int64)
    waived = np.array([s for _, s in frontier], np.int64)
    own = np.column_stack((bit[origin[shipment]], bit[destination[shipment]]))
    key = np.column_stack((model.class_of[shipment], own, waived))
    alike, row = np.unique(key, axis=0, return_inverse=True)
    row = row.reshape(-1)
    full = np.where(model.allowed, transfers.shipper_usd_per_t(), np.inf)
    paid, base = np.zeros((len(frontier), n)), np.zeros(len(frontier))
    for first in range(0, len(alike), _ROWS):
        some = alike[first : first + _ROWS]
        cost = np.stack([_waived(transfers, full, bit, *entry) for entry in some.tolist()])
        mine = np.flatnonzero((row >= first) & (row < first + _ROWS))
        ways = cheapest_ways(model, cost, row[mine] - first, shipment[mine])
        paid[mine] = _player_charges(model, transfers, bit, n, ways, own[mine])
        crossed = paid[mine] * ((waived[mine][:, None] >> np.arange(n)) & 1 == 0)
        base[mine] = ways.usd_per_t - crossed.sum(axis=1)
    return paid, base


_ROWS = 1024
"""Rows of costs that are held at a time."""


def _waived(
    transfers: Transfers,
    full: FloatArray,
    bit: IntArray,
    row: int,
    origin: int,
    destination: int,
    waived: int,
) -> FloatArray:
    """Return the cost of a class [USD/t] without the charges of some players, own states aside."""
    let = np.zeros(bit.size, np.bool_)
    let[bit >= 0] = (waived >> bit[bit >= 0]) & 1 == 1
    let[np.isin(bit, [own for own in (origin, destination) if own >= 0])] = False
    cost = full[row] - np.where(let[transfers.arc_country], transfers.host_usd_per_t[row], 0.0)
    for state, fee in transfers.named:
        if let[state]:
            cost -= fee[[row]].toarray()[0]
    return np.asarray(np.maximum(cost, 0.0), dtype=np.float64)


def _player_charges(
    model: Model, transfers: Transfers, bit: IntArray, n: int, ways: Ways, own: IntArray
) -> FloatArray:
    """Return what a tonne pays to each player on each way, nothing to its own states [USD/t]."""
    by_state = transfers.paid_usd_per_t(
        ways.step_way, ways.step_class(model), ways.arcs, ways.usd_per_t.size
    )
    paid = np.zeros((ways.usd_per_t.size, n))
    paid[:, bit[bit >= 0]] = by_state[:, bit >= 0]
    for column in own.T:
        at_home = np.flatnonzero(column >= 0)
        paid[at_home, column[at_home]] = 0.0
    return paid


class _Sum:
    """Adds up games, each on the few players that it depends on."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._parts: dict[int, FloatArray] = {}

    def add(self, carrier: int, values: FloatArray) -> None:
        """Add a game on the players of `carrier`, indexed by bitmask among these."""
        known = self._parts.get(carrier)
        self._parts[carrier] = values if known is None else known + values

    def total(self) -> FloatArray:
        """Return the sum by bitmask of all players."""
        v = np.zeros((2,) * self._n)
        for carrier, values in sorted(self._parts.items()):
            # The last axis is player 0.
            shape = [1 + (carrier >> player & 1) for player in reversed(range(self._n))]
            v += values.reshape(shape)
        total: FloatArray = v.ravel()
        return total


def _least_by_set(states: NDArray[np.int64], usd_per_t: FloatArray) -> tuple[int, FloatArray]:
    """Return the players that matter to a shipment, and its least cost by set of these."""
    carrier = int(np.bitwise_or.reduce(states))
    bits = [player for player in range(carrier.bit_length()) if carrier >> player & 1]
    local = np.zeros(states.size, np.int64)
    for position, player in enumerate(bits):
        local |= ((states >> player) & 1) << position
    least = np.full(2 ** len(bits), np.inf)
    np.minimum.at(least, local, usd_per_t)
    for position in range(len(bits)):
        pairs = least.reshape(-1, 2, 1 << position)
        np.minimum(pairs[:, 1], pairs[:, 0], out=pairs[:, 1])
    return carrier, least


def _subset_sums(per_player: FloatArray) -> FloatArray:
    """Return sums over the members of every set, shape (2**n, n_ways), of (n, n_ways)."""
    sums = np.zeros((2 ** per_player.shape[0], per_player.shape[1]))
    for player in range(per_player.shape[0]):
        size = 2**player
        sums[size : 2 * size] = sums[:size] + per_player[player]
    return sums


def _runs(values: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return where runs of equal values begin and end."""
    cuts = np.flatnonzero(np.diff(values)) + 1
    ends = np.concatenate(([0], cuts, [values.size])) if values.size else np.zeros(1, int)
    return list(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))

"""Who depends on whom: what each state loses when another closes to transit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.core.games import critical_discount_factor
from corridor.planning import Model
from corridor.study.cooperation.cheapest_ways import Ways, cheapest_ways
from corridor.study.cooperation.route_sets import end_states
from corridor.study.cooperation.transfers import Transfers

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]
BoolArray: TypeAlias = NDArray[np.bool_]

OTHERS: Final = "others"
"""Row for all states that do not play."""
_SHORT: Final = 4
"""Periods of the short punishment."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What states have when shippers take their cheapest ways, some states being closed.

    Attributes
    ----------
    usd_per_t : ndarray of float64, shape (n_shipments,)
        Cost of each shipment to its shipper [USD/t]; inf where it has no way.
    revenue_usd_per_day : ndarray of float64, shape (n_shipments, n_states)
        What each shipment pays to each state [USD/day].
    crosses : ndarray of bool, shape (n_shipments, n_states)
        States that it crosses and that are not its own.
    """

    usd_per_t: FloatArray
    revenue_usd_per_day: FloatArray
    crosses: BoolArray


class Dependence:
    """Cheapest ways of shippers, transfers included, with all states open and with some closed.

    Parameters
    ----------
    model, transfers
        The model, and its costs.
    """

    def __init__(self, model: Model, transfers: Transfers) -> None:
        self.model, self._transfers = model, transfers
        self.ends = end_states(model)
        self._open = np.where(model.allowed, transfers.shipper_usd_per_t(), np.inf)
        everyone = np.flatnonzero(model.t_per_day > 0.0)
        self.today = self._outcome(None, self._open, model.class_of[everyone], everyone)

    def closed(self, states: BoolArray, shipments: BoolArray | None = None) -> Outcome:
        """Return the outcome when states are closed to goods that are not their own.

        Parameters
        ----------
        states : ndarray of bool, shape (n_states,)
            States that close.
        shipments : ndarray of bool, shape (n_shipments,), optional
            Shipments that they are closed to; all by default.
        """
        model, (origin, destination) = self.model, self.ends
        hit = (self.today.crosses & states).any(axis=1)
        if shipments is not None:
            hit &= shipments
        rows = np.flatnonzero(hit)
        own = np.column_stack((origin[rows], destination[rows]))
        own[~states[own]] = -1
        key = np.column_stack((model.class_of[rows], own))
        alike, row = np.unique(key, axis=0, return_inverse=True)
        cost = np.empty((len(alike), model.supernetwork.n_arcs))
        for position, (class_row, *home) in enumerate(alike.tolist()):
            shut = states.copy()
            shut[[state for state in home if state >= 0]] = False
            closed = shut[self._transfers.arc_country]
            cost[position] = np.where(closed, np.inf, self._open[class_row])
        return self._outcome(self.today, cost, row.reshape(-1), rows)

    def _outcome(
        self, base: Outcome | None, cost: FloatArray, rows: NDArray[np.integer],
        shipments: NDArray[np.int64],
    ) -> Outcome:  # fmt: skip
        """Return an outcome in which some shipments go anew, and the others as in the base."""
        model, n = self.model, self._transfers.n_states
        size = len(model.shipments)
        usd = np.full(size, np.inf) if base is None else base.usd_per_t.copy()
        revenue = np.zeros((size, n)) if base is None else base.revenue_usd_per_day.copy()
        crosses = np.zeros((size, n), np.bool_) if base is None else base.crosses.copy()
        if shipments.size:
            ways = cheapest_ways(model, cost, rows, shipments)
            usd[shipments] = ways.usd_per_t
            paid = self._transfers.paid_usd_per_t(
                ways.step_way, ways.step_class(model), ways.arcs, ways.usd_per_t.size
            )
            revenue[shipments] = paid * model.t_per_day[shipments][:, None]
            crosses[shipments] = self._crossed(ways)
        return Outcome(usd_per_t=usd, revenue_usd_per_day=revenue, crosses=crosses)

    def _crossed(self, ways: Ways) -> BoolArray:
        crosses = np.zeros((ways.usd_per_t.size, self._transfers.n_states), np.bool_)
        crosses[ways.step_way, self._transfers.arc_country[ways.arcs]] = True
        each = np.arange(ways.usd_per_t.size)
        for end in self.ends:
            crosses[each, end[ways.shipment]] = False
        crosses[:, -1] = False
        return crosses

    def losses(self, after: Outcome) -> "Losses":
        """Return what every state loses from today to another outcome."""
        t, today = self.model.t_per_day, self.today
        served = np.isfinite(today.usd_per_t)
        cut = served & ~np.isfinite(after.usd_per_t)
        both = served & ~cut
        dearer = np.zeros(t.size)
        dearer[both] = t[both] * (after.usd_per_t[both] - today.usd_per_t[both])
        n = self._transfers.n_states
        trade, cut_off = np.zeros(n), np.zeros(n)
        origin, destination = self.ends
        for end in (origin, destination):
            # Which trader bears a cost is not known: half is counted at each end.
            trade += np.bincount(end, dearer / 2.0, minlength=n)
        for end, mine in ((origin, cut), (destination, cut & (origin != destination))):
            cut_off += np.bincount(end[mine], t[mine], minlength=n)
        revenue = (today.revenue_usd_per_day - after.revenue_usd_per_day).sum(axis=0)
        return Losses(
            trade_usd_per_day=trade,
            revenue_usd_per_day=revenue,
            cut_off_t_per_day=cut_off,
            dearer_usd_per_day=float(dearer.sum()),
            cut_t_per_day=float(t[cut].sum()),
        )

    def transit_usd_per_day(self, shipments: BoolArray) -> FloatArray:
        """Return what some shipments pay today to states that are not their own, (n_states,)."""
        paid = self.today.revenue_usd_per_day * shipments[:, None]
        each = np.arange(shipments.size)
        paid = paid.copy()
        for end in self.ends:
            paid[each, end] = 0.0
        return np.asarray(paid.sum(axis=0), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Losses:
    """What states lose, arrays of shape (n_states,); goods cut off are no money.

    Attributes
    ----------
    trade_usd_per_day
        What goods that begin or end in the state cost more, half at each end, of those that still
        have a way [USD/day].
    revenue_usd_per_day
        Fees and shares of tariffs that the state no longer has, of goods cut off too [USD/day].
    cut_off_t_per_day
        Goods of the state that have no way any more [t/day].
    dearer_usd_per_day, cut_t_per_day
        The same of all goods, each once.
    """

    trade_usd_per_day: FloatArray
    revenue_usd_per_day: FloatArray
    cut_off_t_per_day: FloatArray
    dearer_usd_per_day: float
    cut_t_per_day: float


def interdependence_table(dependence: Dependence, players: Sequence[str]) -> pd.DataFrame:
    """Return what each player, and all others together, lose when each player closes.

    Returns
    -------
    DataFrame
        ``closing, losing, trade_usd_per_day, revenue_usd_per_day, loss_usd_per_day,
        cut_off_t_per_day, mirrored_loss_usd_per_day`` (what the closing state loses when the losing
        one closes), ``balance`` (the smaller loss over the larger, 1 where both depend on each
        other alike; NaN where neither does, or for `OTHERS`).
    """
    countries = dependence.model.supernetwork.countries
    code = [countries.index(name) for name in players]
    where = {name: np.array([i]) for name, i in zip(players, code, strict=True)}
    where[OTHERS] = np.setdiff1d(np.arange(len(countries)), code)
    records = []
    for closing in players:
        states = np.array([name == closing for name in countries])
        found = dependence.losses(dependence.closed(states))
        for losing, at in where.items():
            trade = float(found.trade_usd_per_day[at].sum())
            revenue = float(found.revenue_usd_per_day[at].sum())
            cut = float(found.cut_off_t_per_day[at].sum())
            records.append((closing, losing, trade, revenue, trade + revenue, cut))
    columns = ["closing", "losing", "trade_usd_per_day", "revenue_usd_per_day"]
    table = pd.DataFrame(records, columns=[*columns, "loss_usd_per_day", "cut_off_t_per_day"])
    loss = {
        (a, b): usd
        for a, b, usd in zip(
            table["closing"], table["losing"], table["loss_usd_per_day"], strict=True
        )
    }
    pairs = list(zip(table["closing"], table["losing"], strict=True))
    mirrored = np.array([loss.get((b, a), np.nan) for a, b in pairs])
    mine = table["loss_usd_per_day"].to_numpy(float)
    small = np.maximum(np.minimum(mine, mirrored), 0.0)
    large = np.maximum(mine, mirrored)
    other = np.array([a != b for a, b in pairs])
    told = other & (large > 0.0)
    table["mirrored_loss_usd_per_day"] = mirrored
    table["balance"] = np.divide(small, large, out=np.full(small.size, np.nan), where=told)
    return table


def self_enforcement_table(
    dependence: Dependence,
    players: Sequence[str],
    own_saving_usd_per_day: FloatArray,
    agreements: Mapping[str, FloatArray],
) -> pd.DataFrame:
    """Return what keeps each player from closing, under today's charges and under shared savings.

    Under shared savings a player that closes keeps what its own goods save on the others' roads
    until they close to it in turn; then it has nothing of the agreement. The agreement holds by
    itself where the player counts the next period at no less than a critical discount factor, see
    `corridor.core.games.critical_discount_factor`.

    Parameters
    ----------
    dependence, players
        Outcomes, and who plays.
    own_saving_usd_per_day : ndarray of float64, shape (n_players,)
        What the goods of each player save with all open, half of each shipment's at each end.
    agreements
        Name -> what the agreement gives each player, its shippers included [USD/day].

    Returns
    -------
    DataFrame
        ``country, own_loss_usd_per_day`` (of closing today), ``answered_loss_usd_per_day,
        answered_cut_off_t_per_day`` (when the other players close to its goods),
        ``own_saving_usd_per_day``, and for each agreement ``<name>_usd_per_day,
        <name>_discount_factor`` (the others close for ever) and
        ``<name>_discount_factor_4_periods``.
    """
    countries, (origin, destination) = dependence.model.supernetwork.countries, dependence.ends
    records = []
    for name in players:
        own = countries.index(name)
        states = np.array([country == name for country in countries])
        alone = dependence.losses(dependence.closed(states))
        others = np.array([country in players and country != name for country in countries])
        mine = (origin == own) | (destination == own)
        answered = dependence.losses(dependence.closed(others, mine))
        records.append(
            (
                name,
                float(alone.trade_usd_per_day[own] + alone.revenue_usd_per_day[own]),
                float(answered.trade_usd_per_day[own] + answered.revenue_usd_per_day[own]),
                float(answered.cut_off_t_per_day[own]),
            )
        )
    columns = ["country", "own_loss_usd_per_day", "answered_loss_usd_per_day"]
    table = pd.DataFrame(records, columns=[*columns, "answered_cut_off_t_per_day"])
    table["own_saving_usd_per_day"] = own_saving_usd_per_day
    for scheme, has in agreements.items():
        told = np.isfinite(has)
        table[f"{scheme}_usd_per_day"] = has
        for word, periods in (("", None), (f"_{_SHORT}_periods", _SHORT)):
            factor = critical_discount_factor(has, own_saving_usd_per_day, 0.0, periods)
            table[f"{scheme}_discount_factor{word}"] = np.where(told, factor, np.nan)
    return table

"""The verb ``share_benefits``: what states are worth to each other, and how to share it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.arguments import check_names
from corridor.core.games import (
    excess,
    least_core,
    nucleolus,
    prenucleolus,
    shapley_value,
    veto_shapley_value,
)
from corridor.errors import InputError
from corridor.network import Demand, Network
from corridor.planning import Model, compile_model
from corridor.planning.reasons.refusals import check_lawful
from corridor.planning.tables import SEPARATOR
from corridor.sovereignty import Rules
from corridor.study.cooperation.capacity_checks import (
    CapacityCheck,
    Checked,
    check_capacities,
    wanted_sets,
)
from corridor.study.cooperation.coalitions import (
    ClosedBorders,
    closed_border_values,
    open_tariff_values,
)
from corridor.study.cooperation.dependence import (
    Dependence,
    interdependence_table,
    self_enforcement_table,
)
from corridor.study.cooperation.route_sets import (
    MOST_PLAYERS,
    RouteSets,
    end_states,
    find_route_sets,
)
from corridor.study.cooperation.transfers import split_costs
from corridor.study.cooperation.transit_fees import FeeGame, TransitFees, solve_transit_fees
from corridor.study.disruption.interruptions import compile_closures

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]

SHIPPERS: Final = "shippers"
"""Row of those whose goods are carried, where they have a seat at the table."""
DISPERSION_PER_USD: Final = 0.04
"""Weight of a USD per tonne in the choice of routes, unless a study has its own."""
_NEGLIGIBLE: Final = 1e-6
"""Part of the value of all players by which a coalition may gain before a sharing is left."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BenefitShares:
    """What sets of states are worth, and what each would have under several ways of sharing.

    Money is USD a day at the demand given; goods without a way are tonnes, never money.

    Attributes
    ----------
    players
        States, player ``i`` is bit ``i`` of a set.
    closed_usd_per_day : ndarray of float64, shape (2**n,)
        Closed borders: what each set of states saves by letting goods pass while the others do
        not, in resources and time, of the goods that have a way past all players.
    open_usd_per_day : ndarray of float64, shape (2**n,)
        Open tariffs: everybody lets goods pass, members of the set waive their transit charges.
    access_t_per_day : ndarray of float64, shape (2**n,)
        Goods without a way past all players to which each set gives a way [t/day].
    shares
        ``country, shapley_usd_per_day, prenucleolus_usd_per_day, shapley_seat_usd_per_day,
        nucleolus_seat_usd_per_day, open_shapley_usd_per_day, open_prenucleolus_usd_per_day,
        shapley_access_t_per_day``, and with all sets planned ``capacity_shapley_usd_per_day``.
        ``seat``: shippers sit at the table too, as a row of their own
        with a veto; ``open``: open tariffs.
    stability
        ``game, scheme, in_core, excess_usd_per_day, coalition, least_excess_usd_per_day``: the set
        that would gain most by leaving, and the least that any sharing can bring this down to (the
        core is empty where it is above 0).
    interdependence
        What each state loses when another closes, see `interdependence_table`.
    self_enforcement
        What keeps each from closing, see `self_enforcement_table`.
    fees
        Transit fees, see `TransitFees`.
    revenue
        ``country, today_usd_per_day`` (transit charges on the cheapest ways of the goods of the
        game), and what each scheme would bring.
    goods
        ``goods, t_per_day, saving_usd_per_day``: those with a way past all players (the game in
        money), those that depend on players (the game in tonnes), those without any lawful way.
    capacity
        ``coalition, closed_usd_per_day`` (of the goods that fit with all players closed) and
        ``planned_usd_per_day``: the same with capacities, quotas and growing queues; empty where
        not asked for.
    assumptions
        ``assumption``: what is taken for granted, in words.
    """

    players: tuple[str, ...]
    closed_usd_per_day: FloatArray
    open_usd_per_day: FloatArray
    access_t_per_day: FloatArray
    shares: pd.DataFrame
    stability: pd.DataFrame
    interdependence: pd.DataFrame
    self_enforcement: pd.DataFrame
    fees: TransitFees
    revenue: pd.DataFrame
    goods: pd.DataFrame
    capacity: pd.DataFrame
    assumptions: pd.DataFrame

    def coalition(self, members: Iterable[str]) -> int:
        """Return the position of a set of states in the arrays of values.

        Raises
        ------
        InputError
            If one of them does not play.
        """
        mask = 0
        for name in members:
            if name not in self.players:
                msg = f"A coalition must consist of {', '.join(self.players)}; found {name!r}."
                raise InputError(msg)
            mask |= 1 << self.players.index(name)
        return mask

    def matrix(self, column: str = "loss_usd_per_day") -> pd.DataFrame:
        """Return a column of `interdependence` as a matrix: who closes down, who loses across."""
        table = self.interdependence.pivot(index="closing", columns="losing", values=column)
        others = [name for name in table.columns if name not in self.players]
        return table.loc[list(self.players), [*self.players, *others]]

    def __repr__(self) -> str:
        total = self.closed_usd_per_day[-1]
        return f"BenefitShares({', '.join(self.players)}: {total:,.0f} USD/day saved together)"


def share_benefits(
    network: Network,
    demand: Demand,
    rules: Rules | None = None,
    players: Sequence[str] | None = None,
    *,
    dispersion_per_usd: float = DISPERSION_PER_USD,
    capacity: Checked = "none",
) -> BenefitShares:
    """Return what states that let goods pass are worth together, and fair ways to share it.

    A state that is closed to transit still lets its own goods pass, those that begin or end in it.
    Values come from the cheapest routes of every shipment by the set of states crossed, found in
    one search for all sets, so that there is no linear program for any of them. What this neglects:
    capacities, queues that grow, quotas and shares, and that demand may fall; see `assumptions`.

    Parameters
    ----------
    network
        The network as of its date.
    demand
        Demand of one scenario.
    rules
        Rules as of their date; bans of other kinds than closures of players stay in force.
    players
        States (ISO 3166 alpha-3), 1 to 20; by default those that today's cheapest ways cross in
        transit, at most 15, those with most transit.
    dispersion_per_usd
        Weight of a USD per tonne when shippers choose routes under fees, > 0.
    capacity
        Sets to value again by plans with capacities, quotas and growing queues: ``none``,
        ``marginal`` (nobody, all, all but one), or ``all`` (up to eight players; then there are
        Shapley shares of these values too).

    Returns
    -------
    BenefitShares
        Values of all sets, shares, losses, fees.

    Raises
    ------
    InputError
        If network, demand and rules do not fit each other, players are unknown, too many, or there
        are none.
    NoRouteError
        If open posts do not meet an inspection floor, so that there is no plan.

    Examples
    --------
    >>> import corridor
    >>> case = corridor.load_study("crossroads").case("status_quo")
    >>> found = corridor.share_benefits(*case, players=["AZE", "GEO", "IRN"])
    >>> shares = found.shares.set_index("country")["shapley_usd_per_day"]
    >>> bool(abs(shares[["AZE", "GEO", "IRN"]].sum() - found.closed_usd_per_day[-1]) < 1e-3)
    True
    """
    if not (np.isfinite(dispersion_per_usd) and dispersion_per_usd > 0):
        msg = f"dispersion_per_usd must be finite and > 0; found {dispersion_per_usd}. Give 0.04."
        raise InputError(msg)
    if players is not None:
        check_names("players", players, "GEO")
    model = compile_model(network, demand, rules)
    check_lawful(model)
    transfers = split_costs(model)
    dependence = Dependence(model, transfers)
    names = _default_players(dependence) if players is None else tuple(players)
    wanted_sets(capacity, len(names))
    sets = find_route_sets(model, transfers.resource_usd_per_t, names)
    closed = closed_border_values(sets, model.t_per_day)
    counted = np.flatnonzero(closed.has_bypass)
    opened = open_tariff_values(model, transfers, names, counted)
    game = _part(sets, closed.has_bypass)
    fees = solve_transit_fees(FeeGame(game, model.t_per_day, dispersion_per_usd), names)
    saving = _savings(game, model.t_per_day)
    check = _capacity_check(network, demand, rules, names, capacity, game, model.t_per_day)
    shares = _share_table(names, closed, opened)
    if check.mask.size == closed.usd_per_day.size:
        shares["capacity_shapley_usd_per_day"] = [*shapley_value(check.usd_per_day), np.nan]
    own = _own_savings(model, names, saving)
    return BenefitShares(
        players=names,
        closed_usd_per_day=closed.usd_per_day,
        open_usd_per_day=opened,
        access_t_per_day=closed.access_t_per_day,
        shares=shares,
        stability=_stability_table(names, closed.usd_per_day, opened, shares),
        interdependence=interdependence_table(dependence, names),
        self_enforcement=self_enforcement_table(
            dependence, names, own, _agreements(shares, own, float(closed.usd_per_day[-1]))
        ),
        fees=fees,
        revenue=_revenue_table(dependence, names, closed.has_bypass, shares, fees),
        goods=_goods_table(model, dependence, closed, saving),
        capacity=_capacity_table(names, game, check),
        assumptions=_assumption_table(names, fees),
    )


_MOST_BY_DEFAULT: Final = 15


def _default_players(dependence: Dependence) -> tuple[str, ...]:
    """Return the states with most transit on today's cheapest ways, most first."""
    model = dependence.model
    transit = model.t_per_day @ dependence.today.crosses
    order = np.argsort(-transit, kind="stable")[:_MOST_BY_DEFAULT]
    names = tuple(model.supernetwork.countries[i] for i in order.tolist() if transit[i] > 0.0)
    if not names:
        msg = (
            "Players must be states that goods cross; no cheapest way crosses a state that is not "
            "its own. Name players, or give demand between other states."
        )
        raise InputError(msg)
    return names


def _part(sets: RouteSets, shipments: BoolArray) -> RouteSets:
    """Return the routes of some shipments."""
    kept = shipments[sets.shipment]
    return RouteSets(
        n_players=sets.n_players,
        shipment=sets.shipment[kept],
        usd_per_t=sets.usd_per_t[kept],
        states=sets.states[kept],
    )


def _savings(sets: RouteSets, t_per_day: FloatArray) -> FloatArray:
    """Return what each shipment saves when all players are open [USD/day]."""
    alone, least = np.full(t_per_day.size, np.inf), np.full(t_per_day.size, np.inf)
    past = sets.states == 0
    alone[sets.shipment[past]] = sets.usd_per_t[past]
    np.minimum.at(least, sets.shipment, sets.usd_per_t)
    saved = np.zeros(t_per_day.size)
    told = np.isfinite(alone)
    saved[told] = t_per_day[told] * (alone[told] - least[told])
    return saved


def _own_savings(model: Model, names: Sequence[str], saving: FloatArray) -> FloatArray:
    """Return what each player's own goods save, half of each shipment's at each end [USD/day]."""
    countries = model.supernetwork.countries
    total = np.zeros(len(countries))
    for end in end_states(model):
        total += np.bincount(end, saving / 2.0, minlength=total.size)
    return np.array([total[countries.index(name)] for name in names])


def _share_table(names: Sequence[str], closed: ClosedBorders, opened: FloatArray) -> pd.DataFrame:
    """Return the shares of every scheme, the shippers' row last."""
    v, n = closed.usd_per_day, len(names)
    seat = np.concatenate((np.zeros(v.size), v)) if n < MOST_PLAYERS else None
    by_player = {
        "shapley_usd_per_day": shapley_value(v),
        "prenucleolus_usd_per_day": prenucleolus(v),
        "shapley_seat_usd_per_day": veto_shapley_value(v),
        "nucleolus_seat_usd_per_day": np.full(n + 1, np.nan) if seat is None else nucleolus(seat),
        "open_shapley_usd_per_day": shapley_value(opened),
        "open_prenucleolus_usd_per_day": prenucleolus(opened),
        "shapley_access_t_per_day": shapley_value(closed.access_t_per_day),
    }
    columns = {
        name: np.append(values, np.nan) if values.size == n else values
        for name, values in by_player.items()
    }
    return pd.DataFrame({"country": [*names, SHIPPERS], **columns})


def _capacity_check(
    network: Network,
    demand: Demand,
    rules: Rules | None,
    names: Sequence[str],
    capacity: Checked,
    game: RouteSets,
    t_per_day: FloatArray,
) -> CapacityCheck:
    """Return the values of the sets that are to be planned; without any, none."""
    masks = wanted_sets(capacity, len(names))
    past = game.states == 0
    kept = np.zeros(t_per_day.size)
    kept[game.shipment[past]] = t_per_day[game.shipment[past]]
    if not masks.size or not kept.any():
        nothing = np.zeros(masks.size)
        return CapacityCheck(mask=masks, usd_per_day=nothing, t_per_day=kept, n_plans=0)
    case = compile_closures(network, demand, rules, names)
    return check_capacities(case, names, kept, float(game.usd_per_t[past].max()), masks)


def _capacity_table(names: Sequence[str], game: RouteSets, check: CapacityCheck) -> pd.DataFrame:
    """Return the values of the planned sets beside those of the same goods on empty roads."""
    empty = closed_border_values(game, check.t_per_day).usd_per_day
    members = [
        SEPARATOR.join(name for i, name in enumerate(names) if mask >> i & 1)
        for mask in check.mask.tolist()
    ]
    return pd.DataFrame(
        {
            "coalition": pd.Series(members, dtype=str),
            "closed_usd_per_day": empty[check.mask],
            "planned_usd_per_day": check.usd_per_day,
        }
    )


def _agreements(
    shares: pd.DataFrame, own_saving_usd_per_day: FloatArray, total_usd_per_day: float
) -> dict[str, FloatArray]:
    """Return what each state has where shippers share too: its own, and its shippers' part."""
    found = {}
    for scheme in ("shapley", "nucleolus"):
        values = shares[f"{scheme}_seat_usd_per_day"].to_numpy(float)
        kept = values[-1] / total_usd_per_day if total_usd_per_day > 0 else 0.0
        found[scheme] = values[:-1] + own_saving_usd_per_day * kept
    return found


def _stability_table(
    names: Sequence[str], closed: FloatArray, opened: FloatArray, shares: pd.DataFrame
) -> pd.DataFrame:
    """Return who would leave each scheme, and how much unrest no sharing avoids."""
    n = len(names)
    games = {
        "closed": (closed, ["shapley_usd_per_day", "prenucleolus_usd_per_day"]),
        "open": (opened, ["open_shapley_usd_per_day", "open_prenucleolus_usd_per_day"]),
    }
    records = []
    for game, (v, schemes) in games.items():
        least = least_core(v).excess if n > 1 else 0.0
        for scheme in schemes:
            left = excess(v, shares[scheme].to_numpy(float)[:n])[1:-1]
            worst = int(np.argmax(left)) if left.size else -1
            most = float(left[worst]) if left.size else 0.0
            members = SEPARATOR.join(
                name for i, name in enumerate(names) if left.size and (worst + 1) >> i & 1
            )
            calm = most <= _NEGLIGIBLE * max(float(v[-1]), 1.0)
            records.append((game, scheme.removesuffix("_usd_per_day"), calm, most, members, least))
    return pd.DataFrame(
        records,
        columns=[
            "game", "scheme", "in_core", "excess_usd_per_day", "coalition",
            "least_excess_usd_per_day",
        ],
    )  # fmt: skip


def _revenue_table(
    dependence: Dependence,
    names: Sequence[str],
    shipments: BoolArray,
    shares: pd.DataFrame,
    fees: TransitFees,
) -> pd.DataFrame:
    """Return what each player has from transit today and under each scheme."""
    countries = dependence.model.supernetwork.countries
    today = dependence.transit_usd_per_day(shipments)
    table = shares[shares["country"] != SHIPPERS].drop(columns="shapley_access_t_per_day")
    table = table.reset_index(drop=True)
    table.insert(1, "today_usd_per_day", [today[countries.index(name)] for name in names])
    table["own_fees_usd_per_day"] = fees.table["revenue_usd_per_day"]
    table["through_tariff_usd_per_day"] = fees.table["through_revenue_usd_per_day"]
    return table


def _goods_table(
    model: Model, dependence: Dependence, closed: ClosedBorders, saving: FloatArray
) -> pd.DataFrame:
    """Return how much of the demand each game speaks of."""
    t, reached = model.t_per_day, np.isfinite(dependence.today.usd_per_t)
    rows = [
        ("way past all players", t[closed.has_bypass].sum(), saving.sum()),
        ("only through players", t[reached & ~closed.has_bypass].sum(), np.nan),
        ("no lawful way", t[~reached].sum(), np.nan),
    ]
    return pd.DataFrame(rows, columns=["goods", "t_per_day", "saving_usd_per_day"])


def _assumption_table(names: Sequence[str], fees: TransitFees) -> pd.DataFrame:
    told = [
        (
            "Savings are resources and time on the cheapest routes of an empty network, queues as "
            "the background makes them; capacities, quotas and growing queues are neglected."
        ),
        (
            "Demand is the same in every set of states; goods that depend on players are counted "
            "in tonnes (access), never in money."
        ),
        "A closed state lets its own goods pass; routes that cross no player stay open.",
        "A cost that rises is borne half where the goods begin and half where they end.",
        (
            "Under fees shippers choose by logit and ship in full, so that fees are upper ends; "
            f"a state could still gain at most {fees.regret:.2%} of the largest revenue alone."
        ),
        f"Players: {', '.join(names)}; all other states stay open.",
    ]
    return pd.DataFrame({"assumption": told})

"""The verb ``resilience``: what is lost when links, crossings, terminals or states close."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.arguments import check_names
from corridor.errors import InputError
from corridor.network import Demand, Network
from corridor.planning.answer import evaluate
from corridor.planning.plans import UNMET_USD_PER_T, plan_date
from corridor.planning.tables import SEPARATOR
from corridor.sovereignty import Rules
from corridor.study.disruption.interruptions import (
    KINDS,
    Closure,
    Interruptible,
    Kind,
    compile_closures,
)
from corridor.study.disruption.redundancy import redundancy_table
from corridor.study.disruption.reliability import recovery_table, reliability_table
from corridor.study.disruption.rerouting import Rerouted, Rerouting
from corridor.study.disruption.windows import (
    ClosureWindow,
    checked_windows,
    event_rules,
    weather_windows,
)

FloatArray: TypeAlias = NDArray[np.float64]
Progress: TypeAlias = Callable[[int, int, str], None]

_COLUMNS: Final = (
    "kind", "item", "name", "rank", "loss_usd_per_day", "loss_share", "cut_off_t_per_day",
    "carried_t_per_day", "gap_usd_per_day", "status",
)  # fmt: skip
_PAIR_COLUMNS: Final = (
    "state_a", "state_b", "loss_usd_per_day", "cut_off_t_per_day", "beyond_usd_per_day",
    "beyond_t_per_day", "gap_usd_per_day", "status",
)  # fmt: skip
_YEAR_COLUMNS: Final = (
    "item", "cause", "days_per_year", "loss_usd_per_day", "loss_musd_per_year",
    "cut_off_t_per_day", "cut_off_kt_per_year", "gap_usd_per_day", "status",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Resilience:
    """What closures cost when the rest is used as well as can be.

    Two figures that are never added: what goods that still arrive cost more [USD/day], and goods
    that no longer arrive [t/day]. Where goods that are cut off leave room to others, the first may
    be below 0.

    Attributes
    ----------
    status
        Of the plan with nothing closed, see `Plan`; the tables are empty without one.
    limit
        ``interrupt`` where it was stopped from the keyboard: then the tables hold what was planned
        by that time, and no pair without both of its states; else empty.
    date
        The day whose works and rules hold.
    served_t_per_day, served_usd_per_day
        What that plan carries, and its cost, queues included.
    losses
        One row per closure that hits what the plan carries: ``kind`` (``link, crossing, terminal,
        state``), ``item, name, rank`` (within its kind: by the plan's own objective, in which a
        tonne that is left costs what the study says; the price is in no figure here),
        ``loss_usd_per_day, loss_share`` (of `served_usd_per_day`), ``cut_off_t_per_day,
        carried_t_per_day`` (of what the plan carries there), ``gap_usd_per_day`` (how far the loss
        may be from the best), ``status``. A state closes to goods that are not its own.
    pairs
        Two states at once: ``state_a, state_b, loss_usd_per_day, cut_off_t_per_day``, and
        ``beyond_usd_per_day, beyond_t_per_day``: more than both alone, because each is the other's
        detour.
    redundancy
        Ways of each shipment, see `corridor.study.disruption.redundancy.redundancy_table`.
    year
        Closures that come back: ``item, cause, days_per_year, loss_musd_per_year,
        cut_off_kt_per_year`` and the figures of a day.
    reliability
        ``buffer_index, on_time_share`` of each shipment, see
        `corridor.study.disruption.reliability.reliability_table`.
    recovery
        Days until the queue of a closed day is gone, by crossing, see
        `corridor.study.disruption.reliability.recovery_table`.
    assumptions
        ``assumption``: what is taken for granted, in words.
    """

    status: str
    limit: str
    date: dt.date | None
    served_t_per_day: float
    served_usd_per_day: float
    losses: pd.DataFrame
    pairs: pd.DataFrame
    redundancy: pd.DataFrame
    year: pd.DataFrame
    reliability: pd.DataFrame
    recovery: pd.DataFrame
    assumptions: pd.DataFrame

    def most_critical(self, kind: Kind = "crossing", n: int = 5) -> pd.DataFrame:
        """Return the most critical closures of a kind, the worst first."""
        table = self.losses[self.losses["kind"] == kind]
        return table.sort_values("rank").head(n).reset_index(drop=True)

    def __repr__(self) -> str:
        return f"Resilience({self.status}, {len(self.losses)} closures, {len(self.pairs)} pairs)"


def resilience(  # noqa: PLR0913 (the contract's arguments, and what a planner may set)
    network: Network,
    demand: Demand,
    rules: Rules | None = None,
    *,
    kinds: Iterable[Kind] = KINDS,
    windows: Sequence[ClosureWindow] | None = None,
    pairs_among: int = 6,
    congestion: bool = True,
    unmet_usd_per_t: float = UNMET_USD_PER_T,
    precision: float = 0.005,
    tolerance: float = 1e-6,
    on_time_allowance: float = 0.1,
    progress: Progress | None = None,
) -> Resilience:
    """Return what is lost when anything that carries goods closes, and how the rest copes.

    Every closure is planned anew, as well as can be: what shippers who choose for themselves would
    lose is more. What carries nothing is not planned again, for its closure changes nothing.

    Parameters
    ----------
    network, demand, rules
        As in `corridor.plan`.
    kinds
        What closes: ``link`` (those inside states; a border link is its crossing), ``crossing``,
        ``terminal`` (all changes between layers at a node), ``state`` (to goods that are not its
        own), ``pair`` (two states).
    windows
        Days a year on which things are closed; None takes bans of the rulebook that lasted some
        days (once a year) and the cancelled sailings of services.
    pairs_among
        States whose pairs are planned: so many, the most critical first.
    congestion, unmet_usd_per_t, tolerance
        As in `corridor.plan`.
    precision
        Share of a loss within which bounds are enough; 0 plans all but the clearest anew.
    on_time_allowance
        Goods are on time when they take no more than 1 + this of their mean time.
    progress
        Told ``(done, total, name)`` after every closure.

    Returns
    -------
    Resilience
        Losses, ranks, redundancy, a year's closures, reliability, recovery.

    Raises
    ------
    InputError
        If network, demand and rules do not fit each other, or an argument is out of its range.

    Examples
    --------
    >>> import corridor
    >>> case = corridor.load_study("crossroads").case("status_quo")
    >>> found = corridor.resilience(*case, kinds=["state"], windows=[], congestion=False)
    >>> bool((found.losses["loss_usd_per_day"] > -found.losses["gap_usd_per_day"] - 100).all())
    True
    """
    check_names("kinds", kinds, "state")
    wanted = tuple(dict.fromkeys(kinds))
    _check(wanted, pairs_among, precision, on_time_allowance, unmet_usd_per_t)
    asked = _Windows(network, rules, windows)
    case = compile_closures(network, demand, rules, events=[rule for rule, _ in asked.events])
    reroute = Rerouting(
        case.model, congestion=congestion, unmet_usd_per_t=unmet_usd_per_t,
        tolerance=tolerance, precision=precision,
    )  # fmt: skip
    if not reroute.has_plan:
        return _nothing(case, reroute)
    search = _Losses(case, reroute, unmet_usd_per_t, progress)
    losses, pairs = search.run(wanted, pairs_among, asked.closures(case))
    answer = evaluate(case.model, reroute.problem, reroute.base, congestion=congestion)
    return Resilience(
        status=_told(reroute.base.status, reroute.base.unmet),
        limit="interrupt" if search.is_stopped else "",
        date=plan_date(case.model),
        served_t_per_day=float(reroute.base.path_flow.sum()),
        served_usd_per_day=reroute.served_usd_per_day,
        losses=losses,
        pairs=pairs,
        redundancy=redundancy_table(case.model),
        year=search.year(asked),
        reliability=reliability_table(answer, on_time_allowance),
        recovery=recovery_table(answer),
        assumptions=_assumptions(unmet_usd_per_t, on_time_allowance, congestion=congestion),
    )


def _check(
    kinds: Sequence[str], pairs_among: int, precision: float, allowance: float, unmet: float
) -> None:
    strange = [kind for kind in kinds if kind not in KINDS]
    if strange or not kinds:
        found = ", ".join(strange) or "none"
        msg = f"kinds must be some of {', '.join(KINDS)}; found {found}."
        raise InputError(msg)
    for name, value, least in (
        ("pairs_among", pairs_among, 2), ("precision", precision, 0), ("on_time_allowance",
        allowance, 0),
    ):  # fmt: skip
        if not (np.isfinite(value) and value >= least):
            msg = f"{name} must be finite and >= {least}; found {value}."
            raise InputError(msg)
    if not (np.isfinite(unmet) and unmet > 0):
        msg = f"unmet_usd_per_t must be a finite price > 0; found {unmet}. 5000 is usual."
        raise InputError(msg)


class _Windows:
    """Closures that come back in a year: those given, or events and weather of the data."""

    def __init__(
        self, network: Network, rules: Rules | None, windows: Sequence[ClosureWindow] | None
    ) -> None:
        self.events = [] if windows is not None or rules is None else event_rules(rules)
        known = [
            *network.links["link_id"], *network.crossings["crossing_id"],
            *network.nodes["node_id"], *network.nodes["country"],
        ]  # fmt: skip
        given = weather_windows(network) if windows is None else list(windows)
        self.windows = checked_windows(given, known)

    def closures(self, case: Interruptible) -> list[Closure]:
        """Return the closures that windows and events stand for."""
        by_item = [case.named(window.item) for window in self.windows]
        return [*by_item, *(case.event(rule.id, rule.title) for rule, _ in self.events)]


class _Losses:
    """Plans one closure after the other, each only once, and compares with the plan of today."""

    def __init__(
        self,
        case: Interruptible,
        reroute: Rerouting,
        unmet_usd_per_t: float,
        progress: Progress | None,
    ) -> None:
        self._case, self._reroute, self._progress = case, reroute, progress
        self._unmet = unmet_usd_per_t
        self._mean, self._least = reroute.mean_usd_per_t(), reroute.base.objective
        self._known: dict[bytes, Rerouted] = {}
        self._extra: list[tuple[Closure, Rerouted]] = []
        self._done, self._total = 0, 0
        self.is_stopped = False

    def run(
        self, kinds: Sequence[Kind], pairs_among: int, extra: Sequence[Closure]
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the losses of single closures and of pairs; those of `extra` are kept."""
        needed: list[Kind] = [kind for kind in kinds if kind != "pair"]
        if "pair" in kinds and "state" not in kinds:
            needed.append("state")
        single = self._case.closures(needed, self._reroute.carrying)
        n_states = min(pairs_among, sum(c.kind == "state" for c in single))
        n_pairs = n_states * (n_states - 1) // 2 if "pair" in kinds else 0
        self._total = len(single) + len(extra) + n_pairs
        table = self._table(self._close_each(single))
        self._extra = self._close_each(extra)
        pairs = pd.DataFrame(columns=list(_PAIR_COLUMNS))
        if n_pairs and not self.is_stopped:
            pairs = self._pairs(table, n_states)
        kept = table[table["kind"].isin(list(kinds))].reset_index(drop=True)
        return kept, pairs

    def year(self, asked: _Windows) -> pd.DataFrame:
        """Return what closures that come back cost in a year, the dearest first."""
        told = [(window.cause, window.days_per_year) for window in asked.windows]
        told += [(f"event: {rule.title}", days) for rule, days in asked.events]
        records, weights = [], []
        planned = zip(told, self._extra, strict=not self.is_stopped)
        for (cause, days), (closure, after) in planned:
            loss, cut = self._loss(after)
            weights.append(
                days * np.nan_to_num(after.objective_usd_per_day - self._least, nan=np.inf)
            )
            records.append(
                (
                    SEPARATOR.join(closure.items), cause, days, loss,
                    loss * days / 1e6, cut, cut * days / 1e3, self._gap(after), _status(after),
                )
            )  # fmt: skip
        table = pd.DataFrame(records, columns=list(_YEAR_COLUMNS))
        return table.iloc[np.argsort(-np.array(weights), kind="stable")].reset_index(drop=True)

    def _close_each(self, closures: Sequence[Closure]) -> list[tuple[Closure, Rerouted]]:
        """Return closures with their plans, up to where somebody stops the work."""
        found: list[tuple[Closure, Rerouted]] = []
        try:
            while not self.is_stopped and len(found) < len(closures):
                closure = closures[len(found)]
                found.append((closure, self._close(closure)))
        except KeyboardInterrupt:
            self.is_stopped = True
        return found

    def _close(self, closure: Closure) -> Rerouted:
        """Return the plan with a closure; the same arcs are planned once."""
        blocked = closure.blocked(self._reroute.problem.n_classes)
        key = np.packbits(blocked & self._reroute.model.allowed).tobytes()
        if key not in self._known:
            self._known[key] = self._reroute.close(blocked)
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._total, closure.name)
        return self._known[key]

    def _loss(self, after: Rerouted) -> tuple[float, float]:
        """Return what goods that still arrive cost more [USD/day], and what is cut off [t/day].

        Goods that no longer arrive took their part of the cost with them: their mean cost of
        before, see `Rerouting.mean_usd_per_t`.
        """
        more = after.unmet_t_per_day - self._reroute.base.unmet
        kept = self._reroute.served_usd_per_day - float(more @ self._mean)
        cut = float(np.maximum(more, 0.0).sum())
        return after.served_usd_per_day - kept, cut if cut > _NOTHING else 0.0

    def _gap(self, after: Rerouted) -> float:
        return max(after.gap_usd_per_day, 0.0) + max(self._reroute.base.gap, 0.0)

    def _table(self, found: Sequence[tuple[Closure, Rerouted]]) -> pd.DataFrame:
        """Return a row for each closure, kind by kind, the worst first."""
        base = self._reroute.served_usd_per_day
        records, weights = [], []
        for closure, after in found:
            loss, cut = self._loss(after)
            records.append(
                (
                    closure.kind, SEPARATOR.join(closure.items), closure.name, 0, loss,
                    loss / base if base > 0 else np.nan, cut, self._reroute.carried_t_per_day(
                        closure.blocked(self._reroute.problem.n_classes)
                    ), self._gap(after), _status(after),
                )
            )  # fmt: skip
            weights.append(after.objective_usd_per_day)
        table = pd.DataFrame(records, columns=list(_COLUMNS))
        weight = pd.Series(weights, dtype=float).fillna(np.inf)
        ranked = weight.groupby(table["kind"]).rank(method="first", ascending=False)
        table["rank"] = ranked.astype(int)
        place = table["kind"].map({kind: i for i, kind in enumerate(KINDS)})
        order = np.lexsort((table["rank"].to_numpy(), place.to_numpy()))
        return table.iloc[order].reset_index(drop=True)

    def _pairs(self, table: pd.DataFrame, n_states: int) -> pd.DataFrame:
        """Return the losses of pairs of the most critical states."""
        states = table[table["kind"] == "state"].head(n_states).set_index("item")
        names = list(combinations(states.index.tolist(), 2))
        closed = self._close_each([self._case.state_closure(list(both)) for both in names])
        records, weights = [], []
        for (a, b), (_, after) in zip(names, closed, strict=not self.is_stopped):
            loss, cut = self._loss(after)
            weights.append(np.nan_to_num(after.objective_usd_per_day, nan=np.inf))
            alone = states.loc[[a, b], ["loss_usd_per_day", "cut_off_t_per_day"]].sum()
            records.append(
                (
                    a, b, loss, cut, loss - float(alone.iloc[0]), cut - float(alone.iloc[1]),
                    self._gap(after), _status(after),
                )
            )  # fmt: skip
        pairs = pd.DataFrame(records, columns=list(_PAIR_COLUMNS))
        return pairs.iloc[np.argsort(-np.array(weights), kind="stable")].reset_index(drop=True)


_NOTHING: Final = 1e-6
"""Tonnes a day below which a cut is a solver's zero."""


def _told(status: str, unmet_t_per_day: FloatArray) -> str:
    """Return a status: ``optimal`` only where all is served, else ``partial``."""
    left = bool((unmet_t_per_day > _NOTHING).any())
    return "partial" if left and status == "optimal" else status


def _status(after: Rerouted) -> str:
    return _told(after.status, after.unmet_t_per_day)


def _nothing(case: Interruptible, reroute: Rerouting) -> Resilience:
    """Return the answer where there is no plan to begin with."""
    status = "infeasible" if case.model.breaches else reroute.base.status
    return Resilience(
        status=status,
        limit="",
        date=plan_date(case.model),
        served_t_per_day=0.0,
        served_usd_per_day=float("nan"),
        losses=pd.DataFrame(columns=list(_COLUMNS)),
        pairs=pd.DataFrame(columns=list(_PAIR_COLUMNS)),
        redundancy=redundancy_table(case.model),
        year=pd.DataFrame(columns=list(_YEAR_COLUMNS)),
        reliability=pd.DataFrame(),
        recovery=pd.DataFrame(),
        assumptions=pd.DataFrame({"assumption": ["There is no plan to begin with."]}),
    )


def _assumptions(unmet_usd_per_t: float, allowance: float, *, congestion: bool) -> pd.DataFrame:
    queues = "grow with the flow" if congestion else "stay as the background makes them"
    told = [
        (
            f"Everything left is used as well as can be; queues {queues}. Shippers who choose for "
            "themselves lose more."
        ),
        (
            f"Goods stay behind where they would cost {unmet_usd_per_t:,.0f} USD/t; ranks weigh "
            "them at that price, no figure does."
        ),
        (
            "A closed state lets its own goods pass. A closure lasts long enough for all to go "
            "around; recovery supposes the contrary, that goods wait."
        ),
        (
            "Events of the rulebook come back once a year; a day of cancelled sailings shuts the "
            f"line whole. Times are lognormal; on time is within {allowance:.0%} above the mean."
        ),
    ]
    return pd.DataFrame({"assumption": told})

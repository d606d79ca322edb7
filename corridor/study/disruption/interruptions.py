"""What may close: links, crossings, terminals, and states to goods that are not their own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from corridor.errors import InputError
from corridor.network import Demand, Network
from corridor.network.supernetwork import ArcKind
from corridor.planning import Model, compile_model
from corridor.sovereignty import Rules
from corridor.sovereignty.kinds.forbid import ForbidRule
from corridor.sovereignty.rulebook import parse_rules

BoolArray: TypeAlias = NDArray[np.bool_]
Kind: TypeAlias = Literal["link", "crossing", "terminal", "state", "pair"]

KINDS: Final[tuple[Kind, ...]] = ("link", "crossing", "terminal", "state", "pair")
_BAN: Final = "closed_to_transit_"
_EVENT: Final = "event_again_"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Closure:
    """One closure: its items, and what it takes from whom.

    Attributes
    ----------
    kind
        What closes.
    items
        Ids: one, or the two states of a pair.
    name
        Name for people.
    arcs : ndarray of bool, shape (n_arcs,)
        Arcs closed to all.
    pairs : csr_array, shape (n_classes, n_arcs), or None
        Arcs closed to some classes.
    """

    kind: Kind
    items: tuple[str, ...]
    name: str
    arcs: BoolArray
    pairs: sparse.csr_array | None = None

    def blocked(self, n_classes: int) -> BoolArray:
        """Return the arcs closed to each class, shape (n_classes, n_arcs)."""
        closed = np.repeat(self.arcs[None, :], n_classes, axis=0)
        if self.pairs is not None:
            closed[self.pairs.nonzero()] = True
        return closed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Interruptible:
    """A model whose classes tell apart whom each state would close to.

    Attributes
    ----------
    model
        The model under the rules given, all states open as these say.
    bans
        State -> arcs that it would close to each class, 1 where closed, (n_classes, n_arcs).
    events
        Id of a ban -> the same, of bans that are not in force.
    """

    model: Model
    bans: dict[str, sparse.csr_array]
    events: dict[str, sparse.csr_array]

    def closures(self, kinds: Iterable[Kind], carrying: BoolArray) -> list[Closure]:
        """Return the closures of some kinds that hit an arc which carries something.

        Parameters
        ----------
        kinds
            Kinds of closures.
        carrying : ndarray of bool, shape (n_classes, n_arcs)
            Arcs with flow.
        """
        wanted = frozenset(kinds)
        strange = sorted(wanted - set(KINDS))
        if strange or not wanted:
            found = ", ".join(strange) or "none"
            msg = f"kinds must be some of {', '.join(KINDS)}; found {found}."
            raise InputError(msg)
        net, network = self.model.supernetwork, self.model.network
        used: BoolArray = np.asarray(carrying.any(axis=0), np.bool_)
        found_: list[Closure] = []
        if "link" in wanted:
            # A border link closes as its crossing.
            inland = np.where(net.arc_crossing < 0, net.arc_link, np.int32(-1))
            border = np.unique(net.arc_link[net.arc_crossing >= 0])
            inland[np.isin(inland, border)] = -1
            links = network.links
            names = _names(links["link_id"].tolist(), links)
            found_ += _by_row("link", links["link_id"].tolist(), names, inland, used)
        if "crossing" in wanted:
            rows = network.crossings
            ids = rows["crossing_id"].tolist()
            found_ += _by_row("crossing", ids, rows["name"].tolist(), net.arc_crossing, used)
        if "terminal" in wanted:
            place = self._terminal_place()
            names = network.nodes["name"].tolist()
            found_ += _by_row("terminal", list(net.places), names, place, used)
        states = [name for name, pairs in self.bans.items() if carrying[pairs.nonzero()].any()]
        if "state" in wanted:
            found_ += [self.state_closure([name]) for name in states]
        if "pair" in wanted:
            found_ += [self.state_closure(pair) for pair in combinations(states, 2)]
        return found_

    def named(self, item: str) -> Closure:
        """Return the closure of a link, a crossing, the terminals of a node, or a state, by id."""
        net, network = self.model.supernetwork, self.model.network
        if item in self.bans:
            return self.state_closure([item])
        rows: tuple[tuple[Kind, list[str], NDArray[np.int32]], ...] = (
            ("crossing", network.crossings["crossing_id"].tolist(), net.arc_crossing),
            ("link", network.links["link_id"].tolist(), net.arc_link),
            ("terminal", list(net.places), self._terminal_place()),
        )
        for kind, ids, row_of_arc in rows:
            if item in ids:
                arcs = row_of_arc == ids.index(item)
                return Closure(kind=kind, items=(item,), name=item, arcs=arcs)
        nothing = np.zeros(net.n_arcs, np.bool_)
        return Closure(kind="state", items=(item,), name=item, arcs=nothing)

    def event(self, rule_id: str, title: str) -> Closure:
        """Return what a ban that is not in force would close."""
        nothing = np.zeros(self.model.supernetwork.n_arcs, np.bool_)
        return Closure(
            kind="crossing", items=(rule_id,), name=title, arcs=nothing,
            pairs=self.events.get(rule_id),
        )  # fmt: skip

    def _terminal_place(self) -> NDArray[np.int32]:
        """Return the node at which each transfer arc changes the layer, -1 on other arcs."""
        net = self.model.supernetwork
        place = net.node_place[net.graph.tail]
        return np.where(net.is_kind(ArcKind.TRANSFER), place, np.int32(-1))

    def state_closure(self, names: Sequence[str]) -> Closure:
        """Return the closure of one state or of two to goods that are not their own."""
        pairs = self.bans[names[0]]
        for name in names[1:]:
            pairs = sparse.csr_array(pairs + self.bans[name])
        return Closure(
            kind="state" if len(names) == 1 else "pair",
            items=tuple(names),
            name=" and ".join(names),
            arcs=np.zeros(self.model.supernetwork.n_arcs, np.bool_),
            pairs=pairs,
        )


def compile_closures(
    network: Network,
    demand: Demand,
    rules: Rules | None,
    states: Iterable[str] | None = None,
    events: Sequence[ForbidRule] = (),
) -> Interruptible:
    """Return the model of a case with what every state would close.

    Parameters
    ----------
    network, demand, rules
        As in `corridor.plan`.
    states
        States that may close; all of the network by default.
    events
        Bans that may come back, in force or not.
    """
    book = rules if rules is not None else Rules()
    names = sorted(set(network.nodes["country"])) if states is None else list(states)
    added = parse_rules(
        [
            {
                "id": f"{_BAN}{name}",
                "kind": "forbid",
                "title": f"{name} closed to transit",
                "countries": [name],
                "traffic": ["transit"],
            }
            for name in names
        ],
        "closures",
    )
    again = [
        rule.model_copy(update={"id": _EVENT + rule.id, "valid_from": None, "valid_to": None})
        for rule in events
    ]
    shut = compile_model(network, demand, book.changed([*added, *again], date=book.date))
    own = {ban.rule_id for ban in shut.effects.bans if ban.rule_id.startswith((_BAN, _EVENT))}
    effects = replace(
        shut.effects, bans=[ban for ban in shut.effects.bans if ban.rule_id not in own]
    )
    net, shape = shut.supernetwork, shut.allowed.shape
    open_ = replace(
        shut,
        rules=replace(book, date=shut.rules.date),
        effects=effects,
        allowed=effects.allowed(*shape) & net.arc_open & shut.may_start,
    )
    pairs = {ban.rule_id: ban.pairs for ban in shut.effects.bans if ban.rule_id in own}
    return Interruptible(
        model=open_,
        bans={name: pairs[_BAN + name] for name in names if _BAN + name in pairs},
        events={rule.id: pairs[_EVENT + rule.id] for rule in events if _EVENT + rule.id in pairs},
    )


def _by_row(
    kind: Kind,
    ids: Sequence[str],
    names: Sequence[str],
    row_of_arc: NDArray[np.int32],
    used: BoolArray,
) -> list[Closure]:
    """Return a closure for each row of a table with an arc in use."""
    rows = np.unique(row_of_arc[used & (row_of_arc >= 0)]).tolist()
    return [
        Closure(kind=kind, items=(str(ids[row]),), name=str(names[row]), arcs=row_of_arc == row)
        for row in rows
    ]


def _names(ids: Sequence[str], table: object) -> list[str]:
    """Return the names of links, their ids where they have none."""
    names = getattr(table, "get")("name")  # noqa: B009
    if names is None:
        return list(ids)
    return [
        str(name) if isinstance(name, str) and name else str(link)
        for name, link in zip(names.tolist(), ids, strict=True)
    ]

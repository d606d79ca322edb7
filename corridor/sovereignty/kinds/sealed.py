"""Sealed transit: goods sealed at entry skip stages until they leave."""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from corridor.core.paths.products import OFF, Automaton
from corridor.errors import Fault
from corridor.network import Network
from corridor.network.supernetwork import ArcKind, Supernetwork
from corridor.sovereignty.effects import BoolArray, Effects, PathRule
from corridor.sovereignty.journeys import Finding, Journeys
from corridor.sovereignty.kinds.base import Rule
from corridor.sovereignty.kinds.inspection_floor import InspectionFloorRule
from corridor.sovereignty.scope import Scope
from corridor.sovereignty.territory import Territory

_OTHER, _SEALS, _OPENS, _BARRED = range(4)
"""What an arc is to a seal: nothing, where it is put on, where it is opened, no way out."""


class Passage(NamedTuple):
    """A crossing in one direction."""

    crossing: str
    from_state: str
    to_state: str


class SealedRule(Rule):
    """Shipments of the scope may travel under a seal, under which posts leave out some stages.

    The seal is put on at the entry post of an *enter* crossing, which works all its stages. It is
    opened at a *leave* crossing once its exit post, where the shipment is still under seal, is
    passed. Goods under seal can end nowhere: they must leave. Nobody must be sealed.

    With ``countries`` the seal is theirs: it is put on where goods come into them and opened where
    goods go out of them, goods under seal may leave them at no other crossing, and only their own
    posts skip stages. Without, every post on the way skips them.

    Attributes
    ----------
    enter, leave
        Crossings where the seal is put on, and where it is opened.
    skip
        Names of the stages in ``stages.csv``. What a stage takes of time, fees and servers is
        saved; a stage of class ``sealed`` at the same post takes the place of the others of its
        order. An inspection floor holds all the same: a post that skips a stage below its state's
        floor breaks it.

    Notes
    -----
    An automaton with the states *free* and *sealed*::

        free --entry post of enter--> free or sealed
        sealed --exit post of leave--> free          only free may end

    Examples
    --------
    Transit through ARM from x to y. Each post has documents (0.5 h) and a scanner (1 h), x and y
    are sealed transit of ARM that skips the scanner::

            x                     y
        exit | entry  --ARM--  exit | entry
        1.5 h  1.5 h           0.5 h  1.5 h      5 h at posts instead of 6 h
               seal on         sealed, seal off
    """

    scope_keys: ClassVar[frozenset[str]] = frozenset(
        {"countries", "commodities", "flags", "origins", "destinations", "traffic"}
    )

    kind: Literal["sealed"]
    enter: tuple[str, ...] = Field(min_length=1)
    leave: tuple[str, ...] = Field(min_length=1)
    skip: tuple[str, ...] = Field(min_length=1)

    def contradictions(self) -> list[str]:
        """Return what is wrong within the rule: a crossing that puts the seal on and opens it."""
        found = super().contradictions()
        both = [name for name in self.enter if name in self.leave]
        if both and self.countries is None:
            found.append(
                f"without countries no crossing may be in both enter and leave; {', '.join(both)} "
                "would put the seal on and open it"
            )
        return found

    def check(self, network: Network) -> list[Fault]:
        """Return a fault for each unknown crossing and stage, and if no passage is left."""
        faults = super().check(network)
        known = {
            "enter": set(network.crossings["crossing_id"]),
            "leave": set(network.crossings["crossing_id"]),
            "skip": set(network.stages["stage"]),
        }
        for key, names in known.items():
            table = "stages.csv" if key == "skip" else "crossings.csv"
            faults += [
                self.fault(key, repr(name), f"a name in {table}", "correct it or remove it")
                for name in getattr(self, key)
                if name not in names
            ]
        if not faults:
            ways = {"enter": self.passages_in(network), "leave": self.passages_out(network)}
            faults += [
                self.fault(
                    key, "crossings that lead nowhere", "a crossing at a border of the rule's "
                    "countries", "name crossings of those states",
                )
                for key, passages in ways.items()
                if not passages
            ]  # fmt: skip
        return faults

    def conflicts(self, others: Sequence[Rule], network: Network) -> list[Fault]:
        """Return an error if seals follow one another in a circle, warnings for broken floors."""
        return self._circle(others, network) + self._below_floors(others)

    def _circle(self, others: Sequence[Rule], network: Network) -> list[Fault]:
        """Return an error if whoever leaves this seal may come back to it, always under some."""
        seals = {
            rule.id: rule
            for rule in (self, *others)
            if isinstance(rule, SealedRule) and not rule.check(network)
        }
        after = {
            name: [
                next_.id
                for next_ in seals.values()
                if rule.passages_out(network) & next_.passages_in(network) and rule.overlaps(next_)
            ]
            for name, rule in seals.items()
        }
        chains = [[self.id]] if self.id in seals else []
        for chain in chains:  # grows while it is walked
            for name in after[chain[-1]]:
                if name == self.id:
                    found = f"a circle of seals, {' > '.join([*chain, name])}"
                    remedy = "take a crossing out of enter or leave"
                    return [self.fault("leave", found, "goods that come free somewhere", remedy)]
                if name not in chain:
                    chains.append([*chain, name])
        return []

    def _below_floors(self, others: Sequence[Rule]) -> list[Fault]:
        return [
            self.fault(
                "skip", f"{rule.stage!r}, of which {rule.id} demands a share of {rule.share:g}",
                f"stages that {rule.country} lets be skipped", "take it out, or change the floor",
                warning=True,
            )
            for rule in others
            if isinstance(rule, InspectionFloorRule)
            and rule.share > 0.0
            and rule.stage in self.skip
            and (self.countries is None or rule.country in self.countries)
            and rule.overlaps(self)
        ]  # fmt: skip

    def passages_in(self, network: Network) -> set[Passage]:
        """Return the passages on which the seal is put on."""
        own = self.countries
        return {p for p in _passages(network, self.enter) if own is None or _leads_into(p, own)}

    def passages_out(self, network: Network) -> set[Passage]:
        """Return the passages on which it is opened."""
        own = self.countries
        return {
            p for p in _passages(network, self.leave) if own is None or _leads_into(_turned(p), own)
        }

    def apply(self, territory: Territory, effects: Effects) -> None:
        """Add the automaton, and the stages that posts skip under seal."""
        sealing = self._sealing(territory)
        patterns, pattern = np.unique(sealing, axis=0, return_inverse=True)
        concerned = patterns.any(axis=1)
        roles = self._roles(territory)
        kinds = np.where(patterns, _SEALS, roles)
        first = 1 + 2 * np.arange(len(patterns))
        start = np.where(concerned, first, OFF)[pattern.reshape(-1)]
        effects.paths.append(
            PathRule(
                rule_id=self.id,
                automaton=_seal(kinds),
                start=start.astype(np.int32),
                inside=np.append(False, np.tile([False, True], len(patterns))),
                skip=frozenset(self.skip),
                skip_arcs=self._skipping(territory),
            )
        )

    def _sealing(self, territory: Territory) -> BoolArray:
        """Return the arcs on which the seal may be put on each class, (n_classes, n_arcs)."""
        net, network = territory.supernetwork, territory.network
        enters = _arcs_of(net, self.passages_in(network), network, ArcKind.ENTRY)
        spoken = territory.classes.matches(self)
        if self.traffic is None:
            return np.outer(spoken, enters)
        scope = Scope(traffic=self.traffic, countries=self.countries)
        return spoken[:, None] & enters & (territory.inside(scope).toarray() > 0.0)

    def _roles(self, territory: Territory) -> NDArray[np.int64]:
        """Return what each exit post is to a seal, shape (n_arcs,)."""
        net, network = territory.supernetwork, territory.network
        roles = np.full(net.n_arcs, _OTHER)
        if self.countries is not None:
            own = {
                p
                for p in _passages(network, network.crossings["crossing_id"])
                if _leads_into(_turned(p), self.countries)
            }
            roles[_arcs_of(net, own, network, ArcKind.EXIT)] = _BARRED
        roles[_arcs_of(net, self.passages_out(network), network, ArcKind.EXIT)] = _OPENS
        return roles

    def _skipping(self, territory: Territory) -> BoolArray:
        """Return the posts that skip stages under seal: those of the rule's states."""
        net = territory.supernetwork
        posts = net.is_kind(ArcKind.EXIT, ArcKind.ENTRY)
        if self.countries is not None:
            posts &= territory.place(Scope(countries=self.countries))
        return posts

    def audit(self, journeys: Journeys) -> list[Finding]:
        """Return what passes a post under seal without having been sealed, or never leaves."""
        territory = journeys.territory
        enters, roles = self._sealing(territory), self._roles(territory)
        astray = np.zeros(journeys.path_t_per_day.size, np.bool_)
        for path, code in enumerate(journeys.path_class):
            first, last = journeys.path_indptr[path : path + 2]
            sealed, used, may_seal = False, False, False
            for step in range(first, last):
                arc = journeys.path_arc[step]
                used = self.id in journeys.step_seals[step]
                sealed |= used
                astray[path] |= used and not may_seal
                if enters[code, arc]:
                    may_seal = True
                elif roles[arc] == _OPENS:
                    sealed = may_seal = False
                elif roles[arc] == _BARRED:
                    astray[path] |= sealed
                    may_seal = False
            astray[path] |= sealed
        return [
            Finding(
                rule_id=self.id,
                measure="under a seal that was not put on or not opened",
                unit="t_per_day",
                value=journeys.t_per_day_of(astray),
                upper=0.0,
                scale=journeys.total_t_per_day,
            )
        ]


def _seal(kinds: NDArray[np.integer]) -> Automaton:
    """Return the automaton of a seal; ``kinds`` is (n_patterns, n_arcs).

    States are off, then free and sealed of each pattern of arcs on which it is put on.
    """
    words, symbol = np.unique(kinds, axis=1, return_inverse=True)
    step = np.full((2, 1 + 2 * len(words), words.shape[1]), -1, np.int32)
    step[0, OFF] = OFF
    accepting = np.ones(1 + 2 * len(words), np.bool_)
    for i, word in enumerate(words):
        free, sealed = 1 + 2 * i, 2 + 2 * i
        step[0, free] = free
        step[1, free, word == _SEALS] = sealed
        step[0, sealed] = np.where(word == _OPENS, free, np.where(word == _BARRED, -1, sealed))
        accepting[sealed] = False
    return Automaton(symbol=symbol.reshape(-1), step=step, accepting=accepting)


def _passages(network: Network, names: Iterable[str]) -> set[Passage]:
    """Return both directions of each named crossing."""
    table = network.crossings
    columns = (table["crossing_id"], table["country_a"], table["country_b"])
    sides = {name: (a, b) for name, a, b in zip(*columns, strict=True)}
    there = {Passage(name, *sides[name]) for name in names}
    return there | {_turned(passage) for passage in there}


def _turned(passage: Passage) -> Passage:
    return Passage(passage.crossing, passage.to_state, passage.from_state)


def _leads_into(passage: Passage, states: tuple[str, ...]) -> bool:
    return passage.to_state in states and passage.from_state not in states


def _arcs_of(
    net: Supernetwork, passages: set[Passage], network: Network, kind: ArcKind
) -> BoolArray:
    """Return the posts of one kind on the passages."""
    table = network.crossings
    there = np.zeros((2, len(table) + 1), np.bool_)
    columns = (table["crossing_id"], table["country_a"], table["country_b"])
    for position, (name, a, b) in enumerate(zip(*columns, strict=True)):
        there[1, position] = Passage(name, a, b) in passages
        there[0, position] = Passage(name, b, a) in passages
    chosen: BoolArray = there[net.arc_a_to_b.astype(np.int64), net.arc_crossing]
    return chosen & net.is_kind(kind)

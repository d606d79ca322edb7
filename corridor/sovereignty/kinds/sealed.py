"""Sealed transit: goods sealed at entry skip stages until they leave."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from corridor.core.paths.products import OFF, Automaton
from corridor.errors import Fault
from corridor.network import Network
from corridor.network.supernetwork import ArcKind
from corridor.sovereignty.effects import BoolArray, Effects, PathRule
from corridor.sovereignty.journeys import Finding, Journeys
from corridor.sovereignty.kinds.base import Rule, labels
from corridor.sovereignty.kinds.inspection_floor import InspectionFloorRule
from corridor.sovereignty.passages import Passage, passages, posts_of
from corridor.sovereignty.patterns import Patterns, find_patterns
from corridor.sovereignty.scope import Scope
from corridor.sovereignty.territory import Territory

_OTHER, _SEALS, _OPENS, _BARRED = range(4)
"""What an arc is to a seal: nothing, where it is put on, where it is opened, no way out."""


class SealedRule(Rule):
    """Shipments of the scope may travel under a seal, under which posts leave out some stages.

    The seal is put on at the entry post of an *enter* crossing, which works all its stages. It is
    opened at a *leave* crossing once its exit post, where the shipment is still under seal, is
    passed. Goods under seal can end nowhere: they must leave. Nobody must be sealed.

    A crossing may be in both lists, for traffic in both directions: it puts the seal on goods that
    come free and opens that of others.

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
        """Return what is wrong within the rule: a seal that goes in a circle."""
        found = super().contradictions()
        if len({*self.enter, *self.leave}) == 1:
            found.append(
                f"a seal must lead from one crossing to another; {self.enter[0]} alone is enter "
                "and leave, a circle"
            )
        return found

    def check(self, network: Network) -> list[Fault]:
        """Return a fault for each unknown crossing and stage, and if no passage is left."""
        faults = super().check(network)
        known = {
            "enter": labels(network, "crossings", "crossing_id"),
            "leave": labels(network, "crossings", "crossing_id"),
            "skip": labels(network, "stages", "stage"),
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
                for key, found in ways.items()
                if not found
            ]  # fmt: skip
        return faults

    def conflicts(self, others: Sequence[Rule], network: Network) -> list[Fault]:
        """Return warnings: seals that follow one another in a circle, and broken floors."""
        return self._circle(others, network) + self._below_floors(others)

    def _circle(self, others: Sequence[Rule], network: Network) -> list[Fault]:
        """Return a warning if goods may go round from seal to seal and come back to this one."""
        seals = {
            rule.id: rule
            for rule in (self, *others)
            if isinstance(rule, SealedRule)
            and not rule.check(network)
            and not rule.passages_in(network) & rule.passages_out(network)
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
                    expected = "goods that come free somewhere"
                    return [self.fault("leave", found, expected, remedy, warning=True)]
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
        both = passages(network, self.enter)
        return both if own is None else {p for p in both if p.leads_into(own)}

    def passages_out(self, network: Network) -> set[Passage]:
        """Return the passages on which it is opened."""
        own = self.countries
        both = passages(network, self.leave)
        return both if own is None else {p for p in both if p.turned.leads_into(own)}

    def apply(self, territory: Territory, effects: Effects) -> None:
        """Add the automaton, and the stages that posts skip under seal."""
        found = find_patterns(self._signs(territory))
        concerned = (found.words == _SEALS).any(axis=1)
        start = np.where(concerned, 1 + 2 * np.arange(concerned.size), OFF)
        effects.paths.append(
            PathRule(
                rule_id=self.id,
                automaton=_seal(found),
                start=start[found.pattern].astype(np.int32),
                inside=np.append(False, np.tile([False, True], concerned.size)),
                skip=frozenset(self.skip),
                skip_arcs=self._skipping(territory),
            )
        )

    def _signs(self, territory: Territory) -> NDArray[np.int8]:
        """Return what each arc is to the seal of each class, (n_classes, n_arcs)."""
        net, network, classes = territory.supernetwork, territory.network, territory.classes
        signs = np.full(net.n_arcs, _OTHER, np.int8)
        if self.countries is not None:
            every = passages(network, network.crossings["crossing_id"])
            out = {p for p in every if p.turned.leads_into(self.countries)}
            signs[posts_of(net, network, out, ArcKind.EXIT)] = _BARRED
        signs[posts_of(net, network, self.passages_out(network), ArcKind.EXIT)] = _OPENS
        seals = posts_of(net, network, self.passages_in(network), ArcKind.ENTRY)
        by_class = np.tile(signs, (len(classes), 1))
        by_class[np.ix_(classes.matches(self), seals)] = _SEALS
        if self.traffic is not None:
            scope = Scope(traffic=self.traffic, countries=self.countries)
            elsewhere = territory.inside(scope)[:, seals].toarray() == 0.0
            by_class[:, seals] = np.where(elsewhere, _OTHER, by_class[:, seals])
        return by_class

    def _skipping(self, territory: Territory) -> BoolArray:
        """Return the posts that skip stages under seal: those of the rule's states."""
        posts = territory.supernetwork.is_kind(ArcKind.EXIT, ArcKind.ENTRY)
        if self.countries is not None:
            posts &= territory.place(Scope(countries=self.countries))
        return posts

    def audit(self, journeys: Journeys) -> list[Finding]:
        """Return what passes a post under seal without having been sealed, or never leaves."""
        signs = self._signs(journeys.territory)
        astray = np.zeros(journeys.path_t_per_day.size, np.bool_)
        for path, code in enumerate(journeys.path_class):
            first, last = journeys.path_indptr[path : path + 2]
            sealed, may_seal = False, False
            for step in range(first, last):
                sign = signs[code, journeys.path_arc[step]]
                if self.id in journeys.step_seals[step]:
                    sealed = True
                    astray[path] |= not may_seal
                if sign == _SEALS:
                    may_seal = True
                elif sign in (_OPENS, _BARRED):
                    astray[path] |= sealed and sign == _BARRED
                    sealed = may_seal = False
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


def _seal(found: Patterns) -> Automaton:
    """Return the automaton of a seal; states are off, then free and sealed of each pattern."""
    words = found.words
    step = np.full((2, 1 + 2 * len(words), words.shape[1]), -1, np.int32)
    step[0, OFF] = OFF
    accepting = np.ones(1 + 2 * len(words), np.bool_)
    for i, word in enumerate(words):
        free, sealed = 1 + 2 * i, 2 + 2 * i
        accepting[sealed] = False
        step[0, free] = free
        step[1, free, word == _SEALS] = sealed
        step[0, sealed] = np.where(word == _OPENS, free, np.where(word == _BARRED, -1, sealed))
    return Automaton(symbol=found.symbol, step=step, accepting=accepting)

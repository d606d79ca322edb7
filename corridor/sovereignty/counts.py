"""Counting what enters a scope, once per entry, in the unit of a rule."""

import numpy as np
from scipy import sparse

from corridor.core.paths.products import OFF, Automaton
from corridor.sovereignty.effects import Count, Effects, PathRule, QuotaUnit
from corridor.sovereignty.patterns import Patterns, SignArray, find_patterns
from corridor.sovereignty.scope import Scope
from corridor.sovereignty.territory import Territory
from corridor.units import DAYS_PER_YEAR

_NEUTRAL, _OTHER_LINK, _INSIDE, _COUNTED = range(4)
"""What an arc is to a scope of links: no link, a link elsewhere, inside, inside and counted."""


def per_day(amount: float, unit: QuotaUnit) -> float:
    """Return an amount of a unit as an amount a day."""
    return amount / DAYS_PER_YEAR if unit == "vehicles_per_year" else amount


def count_entries(
    territory: Territory, effects: Effects, rule_id: str, scope: Scope, unit: QuotaUnit
) -> Count:
    """Return what enters a scope on each arc, in units a tonne.

    ``teu_per_day`` counts containerised goods only; the vehicle units and ``trains_per_day`` count
    loaded vehicles of the layer in which the scope is entered.
    """
    entering = territory.entries(scope)
    return Count(
        per_t=weighed(territory, entering, unit),
        memory=remember_entries(territory, effects, rule_id, scope, entering),
    )


def count_once(
    territory: Territory, effects: Effects, rule_id: str, scope: Scope, unit: QuotaUnit
) -> Count:
    """Return the same as `count_entries`, but of every shipment its first entry alone.

    Of two flows that must balance, neither grows by going in and out of its scope. A memory keeps
    who has entered::

        not yet --counted arc--> entered --any arc--> entered
    """
    entering = territory.entries(scope)
    signs = np.full(entering.shape, _NEUTRAL, np.int8)
    signs[entering.nonzero()] = _COUNTED
    return Count(
        per_t=weighed(territory, entering, unit), memory=_add_memory(effects, rule_id, signs)
    )


def weighed(territory: Territory, pairs: sparse.csr_array, unit: QuotaUnit) -> sparse.csr_array:
    """Return (class, arc) pairs with the units in a tonne in place of 1."""
    entries = pairs.tocoo()
    rows, columns = entries.coords
    if unit == "t_per_day":
        per_t = np.ones(rows.size)
    elif unit == "teu_per_day":
        per_t = territory.class_teu_per_t[rows]
    else:
        per_t = 1.0 / territory.payload_at(rows, columns)
    return sparse.csr_array((per_t, (rows, columns)), shape=pairs.shape)


def remember_entries(
    territory: Territory,
    effects: Effects,
    rule_id: str,
    scope: Scope,
    entering: sparse.csr_array,
) -> int | None:
    """Add a memory of who is inside to the effects, if links of the scope meet; else None.

    A shipment that takes two links of a scope one after another is inside all along and enters
    once. The memory's state is *out* or *in*: *in* from a counted arc on, *out* again on an arc of
    a link that is not of the scope. Terminals between two links change nothing::

        out --counted arc--> in --arc of the scope, terminal--> in --other link--> out
    """
    if not territory.has_adjoining_links(scope):
        return None
    net = territory.supernetwork
    signs = np.empty((len(territory.classes), net.n_arcs), np.int8)
    signs[:] = np.where(net.arc_link >= 0, _OTHER_LINK, _NEUTRAL)
    signs[territory.inside(scope).nonzero()] = _INSIDE
    signs[entering.nonzero()] = _COUNTED
    return _add_memory(effects, rule_id, signs)


def _add_memory(effects: Effects, rule_id: str, signs: SignArray) -> int:
    """Add the memory of what arcs are to classes to the effects; return its position."""
    found = find_patterns(signs)
    speaks = (found.words == _COUNTED).any(axis=1)
    start = np.where(speaks, 1 + 2 * np.arange(speaks.size), OFF)[found.pattern]
    effects.paths.append(
        PathRule(
            rule_id=rule_id,
            automaton=_memory(found),
            start=start.astype(np.int32),
            inside=np.append(False, np.tile([False, True], speaks.size)),
        )
    )
    return len(effects.paths) - 1


def _memory(found: Patterns) -> Automaton:
    """Return the memory of each pattern; states are off, then out and in of each."""
    words = found.words
    step = np.full((1, 1 + 2 * len(words), words.shape[1]), OFF, np.int32)
    for i, word in enumerate(words):
        out = 1 + 2 * i
        step[0, out] = np.where(word == _COUNTED, out + 1, out)
        step[0, out + 1] = np.where(word == _OTHER_LINK, out, out + 1)
    accepting = np.ones(1 + 2 * len(words), np.bool_)
    return Automaton(symbol=found.symbol, step=step, accepting=accepting)

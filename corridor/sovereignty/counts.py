"""Counting what enters a scope, once per entry, in the unit of a rule."""

import numpy as np
from scipy import sparse

from corridor.core.paths.products import OFF, Automaton
from corridor.sovereignty.effects import BoolArray, Count, Effects, PathRule, QuotaUnit
from corridor.sovereignty.scope import Scope
from corridor.sovereignty.territory import Territory
from corridor.units import DAYS_PER_YEAR


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


def weighed(territory: Territory, pairs: sparse.csr_array, unit: QuotaUnit) -> sparse.csr_array:
    """Return (class, arc) pairs with the units in a tonne in place of 1."""
    entries = pairs.tocoo()
    rows, columns = entries.coords
    if unit == "t_per_day":
        per_t = np.ones(rows.size)
    elif unit == "teu_per_day":
        per_t = territory.class_teu_per_t[rows]
    else:
        per_t = 1.0 / territory.arc_payload_t[rows, columns]
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
    inside = territory.inside(scope).toarray() > 0.0
    counted = entering.toarray() > 0.0
    on_link = territory.supernetwork.arc_link >= 0
    kind = np.where(counted, 3, np.where(inside, 2, np.where(on_link, 1, 0)))
    patterns, pattern = np.unique(kind, axis=0, return_inverse=True)
    speaks = (patterns == 3).any(axis=1)  # noqa: PLR2004
    effects.paths.append(
        PathRule(
            rule_id=rule_id,
            automaton=_memory(patterns),
            start=np.where(speaks, 1 + 2 * np.arange(speaks.size), OFF)[pattern.reshape(-1)].astype(
                np.int32
            ),
            inside=np.append(False, np.tile([False, True], speaks.size)),
        )
    )
    return len(effects.paths) - 1


def _memory(patterns: np.ndarray[tuple[int, ...], np.dtype[np.integer]]) -> Automaton:
    """Return the memory of each pattern: what its arcs are (0 to 3: neutral, other, in, counted).

    States are off, then out and in of each pattern.
    """
    n_patterns = len(patterns)
    words, symbol = np.unique(patterns, axis=1, return_inverse=True)
    step = np.full((1, 1 + 2 * n_patterns, words.shape[1]), OFF, np.int32)
    to_in: BoolArray = np.array([False, False, False, True])
    stays_in: BoolArray = np.array([True, False, True, True])
    for i, word in enumerate(words):
        out = 1 + 2 * i
        step[0, out] = np.where(to_in[word], out + 1, out)
        step[0, out + 1] = np.where(stays_in[word], out + 1, out)
    accepting = np.ones(1 + 2 * n_patterns, np.bool_)
    return Automaton(symbol=symbol.reshape(-1), step=step, accepting=accepting)

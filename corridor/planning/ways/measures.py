"""What each arc adds to the totals of a way: hours, money, emissions, spread, borders, kilometers.

A measure is an array over the arcs of a supernetwork; the total of a way is the sum over its arcs.
Queues are those of the background load.
"""

from collections.abc import Collection
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from corridor.errors import InputError
from corridor.network.supernetwork import ArcKind
from corridor.planning.model import Model

FloatArray: TypeAlias = NDArray[np.float64]
Measure: TypeAlias = Literal[
    "generalized_usd_per_t", "time_h", "cost_usd_per_t", "co2_kg_per_t", "sd_h", "n_crossings"
]
Criterion: TypeAlias = Literal["generalized_cost", "time", "money", "co2"]

MEASURE_OF: Final[dict[Criterion, Measure]] = {
    "generalized_cost": "generalized_usd_per_t",
    "time": "time_h",
    "money": "cost_usd_per_t",
    "co2": "co2_kg_per_t",
}
"""What the best way of each criterion has least of."""


def arc_measure(model: Model, code: int, measure: Measure) -> FloatArray:
    """Return what every arc adds for a tonne of a class, float64 (n_arcs,), >= 0.

    Parameters
    ----------
    model
        A compiled model.
    code
        Class of the shipment.
    measure
        ``generalized_usd_per_t`` (money, time and reliability), ``time_h`` (queues included),
        ``cost_usd_per_t`` (money), ``co2_kg_per_t``, ``sd_h`` (standard deviation of time; those of
        the arcs are added, as if their delays came together), ``n_crossings`` (borders crossed).

    Raises
    ------
    InputError
        If there is no such measure.
    """
    good = int(model.classes.commodity[code])
    costs, fees = model.costs, model.fee_usd_per_t[code]
    if measure == "generalized_usd_per_t":
        return np.asarray(costs.generalized_usd_per_t(with_wait=True)[good] + fees)
    if measure == "time_h":
        return np.asarray(costs.time_h[good] + costs.wait_h[good])
    if measure == "cost_usd_per_t":
        return np.asarray(costs.money_usd_per_t[good] + fees)
    if measure == "co2_kg_per_t":
        return np.asarray(costs.co2_kg_per_t[good])
    if measure == "sd_h":
        return np.asarray(costs.sd_h[good])
    if measure == "n_crossings":  # a border is left once, by land and by sea
        return model.supernetwork.is_kind(ArcKind.EXIT).astype(np.float64)
    msg = f"A measure must be one of {', '.join(get_args(Measure))}; found {measure!r}."
    raise InputError(msg)


def arc_km_in(model: Model, states: Collection[str]) -> FloatArray:
    """Return the kilometers of every arc that lie in one of the states [km], float64 (n_arcs,).

    They are the tonne-kilometers there of one tonne. The high seas are in no state.

    Raises
    ------
    InputError
        If a state is none of the network's.
    """
    net = model.supernetwork
    codes = state_codes(model, states)
    return np.where(np.isin(net.arc_country, codes), net.arc_length_km, 0.0)


def state_codes(model: Model, states: Collection[str]) -> list[int]:
    """Return the positions of states in the supernetwork's countries.

    Raises
    ------
    InputError
        If the states are one text, or a state is none of the network's.
    """
    known = model.supernetwork.countries[:-1]
    if isinstance(states, str):
        msg = (
            f"States must be given as a list, such as ['{states[:3]}']; found the text {states!r}."
        )
        raise InputError(msg)
    unknown = [state for state in states if state not in known]
    if unknown:
        msg = (
            f"States must be among the network's {len(known)} ({', '.join(known)}); found "
            f"{', '.join(map(repr, unknown[:5]))}. Use their ISO 3166 alpha-3 codes."
        )
        raise InputError(msg)
    return [known.index(state) for state in states]

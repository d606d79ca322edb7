"""Pareto fronts: the ways that no other way beats in every criterion; the verb ``pareto``."""

from collections.abc import Collection, Sequence
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.core.paths import pareto_paths
from corridor.errors import InputError
from corridor.network import Network
from corridor.planning.model import Model, compile_model
from corridor.planning.reasons.refusals import check_lawful, limits_block, no_way, shipment_ends
from corridor.planning.ways.itineraries import single_shipment
from corridor.planning.ways.legs import layers_on_way, met_on_way
from corridor.planning.ways.limits import Limits, avoided_arcs, compile_bounds
from corridor.planning.ways.measures import arc_km_in, arc_measure
from corridor.sovereignty import Rules

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]
FrontCriterion: TypeAlias = Literal[
    "time_h", "cost_usd_per_t", "co2_kg_per_t", "sd_h", "n_crossings"
]

EXPOSURE: Final = "exposure_km"
FEWEST: Final = 2
N_DECIMALS: Final = 9
"""Digits that count: sums of decimals are exact, so that ways with equal totals tie."""


def pareto(
    network: Network,
    origin: str,
    destination: str,
    criteria: Sequence[FrontCriterion] = ("time_h", "cost_usd_per_t", "co2_kg_per_t"),
    commodity: str | None = None,
    rules: Rules | None = None,
    *,
    exposure: Collection[str] = (),
    avoid: Collection[str] = (),
    epsilon: float = 0.0,
) -> pd.DataFrame:
    """Return the ways that no other way beats in every criterion, queues at background load.

    A way beats another when it is no worse in any criterion and better in one. Of ways that are
    equal in all of them one is shown.

    Parameters
    ----------
    network
        The network as of its date.
    origin, destination
        Node ids.
    criteria
        What a way should have little of, each a column of the answer:

        - ``time_h``: door to door, queues included [h];
        - ``cost_usd_per_t``: money [USD/t];
        - ``co2_kg_per_t``: emissions [kg/t];
        - ``sd_h``: risk, as the standard deviation of the time [h]. The deviations of the arcs are
          added, as if its delays came together: the cautious end, exact where they do;
        - ``n_crossings``: borders crossed.
    commodity
        Commodity id; None is the first commodity of the table.
    rules
        Rules as of their date; None is no rules. The carrier's flag is that of the origin's state.
    exposure
        States to stay out of as far as may be: they add the criterion ``exposure_km``, the length
        in all of them together [km], which is the t-km there of one tonne.
    avoid
        States whose territory may not be used, their ports and posts included.
    epsilon
        0 gives the whole front. Else it may be shorter, and for every way it has one that is at
        most ``1 + epsilon`` times as bad in every criterion.

    Returns
    -------
    DataFrame
        One row a way, in the order of the criteria: ``path_id``, ``time_h``, ``cost_usd_per_t``,
        ``co2_kg_per_t``, ``sd_h``, ``n_crossings``, with states of exposure ``exposure_km``,
        ``generalized_usd_per_t`` (money, time and reliability), ``length_km``, and ``countries``,
        ``layers``, ``crossings``, ``links`` in the order in which they are met, joined by ``>``.

    Raises
    ------
    InputError
        If an id or state is unknown, origin equals destination, a criterion is none or named twice,
        or there are fewer than two; for a negative epsilon.
    NoRouteError
        As `route`.
    SolverError
        If the front is too long to be found; take a larger `epsilon` or fewer criteria.

    Notes
    -----
    Exact label setting, see `corridor.core.paths.pareto_paths`; what an arc adds is taken to nine
    decimals.

    Examples
    --------
    >>> import corridor
    >>> net = corridor.load_network("crossroads", date="2026-06-30")
    >>> front = corridor.pareto(net, "AZ_BAKU", "TR_MERSIN", ("time_h", "cost_usd_per_t"))
    >>> bool(front["time_h"].is_monotonic_increasing)
    True
    >>> bool(front["cost_usd_per_t"].is_monotonic_decreasing)
    True
    """
    names = _criteria(criteria, exposure)
    model = compile_model(network, single_shipment(network, origin, destination, commodity), rules)
    check_lawful(model)
    measures = _measures(model, exposure)
    ways = _search(model, np.stack([measures[name] for name in names]), avoid, epsilon)
    return _table(model, ways, measures)


def _criteria(criteria: Sequence[str], exposure: Collection[str]) -> list[str]:
    """Return the names of the criteria, that of exposure last."""
    known = get_args(FrontCriterion)
    listed = ", ".join(known)
    if isinstance(criteria, str):
        msg = f"criteria must be given as a list, such as ['time_h']; found the text {criteria!r}."
        raise InputError(msg)
    unknown = [name for name in criteria if name not in known]
    if unknown:
        msg = (
            f"A criterion must be one of {listed}; found {', '.join(map(repr, unknown))}. Risk is "
            "sd_h, and states given as exposure add exposure_km."
        )
        raise InputError(msg)
    names = [*criteria, *([EXPOSURE] if len(exposure) else [])]
    if len(names) < FEWEST or len(set(names)) < len(names):
        msg = (
            f"A Pareto front must have at least {FEWEST} different criteria; found "
            f"{', '.join(names) or 'none'}. Take others of {listed}, or route for a single one."
        )
        raise InputError(msg)
    return names


def _measures(model: Model, exposure: Collection[str]) -> dict[str, FloatArray]:
    """Return what every arc adds to each total of the answer, in its order of columns."""
    code = int(model.class_of[0])
    totals = {name: arc_measure(model, code, name) for name in get_args(FrontCriterion)}
    if len(exposure):
        totals[EXPOSURE] = arc_km_in(model, exposure)
    totals["generalized_usd_per_t"] = arc_measure(model, code, "generalized_usd_per_t")
    totals["length_km"] = model.supernetwork.arc_length_km
    return totals


def _search(
    model: Model, costs: FloatArray, avoid: Collection[str], epsilon: float
) -> tuple[IntArray, ...]:
    """Return the arcs of each way on the front of the only shipment, or say why there is none."""
    net, code, ends = model.supernetwork, int(model.class_of[0]), shipment_ends(model, 0)
    lawful = model.allowed[code]
    is_open = lawful & ~avoided_arcs(model, avoid, ends)
    priced = np.where(is_open, np.round(costs, N_DECIMALS), np.inf)
    front = pareto_paths(net.graph, priced, *ends, epsilon)
    if not len(front):
        usual = arc_measure(model, code, "generalized_usd_per_t")
        free = compile_bounds(model, code, Limits())
        avoided = limits_block(model, 0, np.where(lawful, usual, np.inf), free, avoid)
        raise avoided if avoided is not None else no_way(model, 0, usual)
    return front.arcs


def _table(model: Model, ways: Sequence[IntArray], measures: dict[str, FloatArray]) -> pd.DataFrame:
    """Return the totals of the ways and what they meet."""
    met = [met_on_way(model, arcs) for arcs in ways]
    totals = {
        name: np.array([values[arcs].sum() for arcs in ways]) for name, values in measures.items()
    }
    totals["n_crossings"] = totals["n_crossings"].astype(np.int64)
    return pd.DataFrame(
        {
            "path_id": np.arange(len(ways)),
            **totals,
            "countries": [">".join(countries) for _, _, countries in met],
            "layers": [">".join(layers_on_way(model, arcs)) for arcs in ways],
            "crossings": [">".join(crossings) for _, crossings, _ in met],
            "links": [">".join(links) for links, _, _ in met],
        }
    )

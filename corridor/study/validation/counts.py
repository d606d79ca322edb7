"""Counted volumes of a data set beside the modelled ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from corridor.errors import InputError
from corridor.network import vehicles
from corridor.network.supernetwork import ArcKind
from corridor.planning import Model

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

WAGON_T: Final = 36.0
"""Net load of a wagon: 55 wagons carry the 2,000 t of a train [t]."""
YEARS_APART: Final = 1
"""Counts farther from the year of the demand than this are of another traffic."""
MOSTLY: Final = 0.8
"""Share of a count that background may hold before the count is an input of the model."""

JUDGED: Final = ""
INPUT: Final = "input"
OTHER_YEAR: Final = "other year"
NOT_MODELLED: Final = "not modelled"

SAME: Final = "another year of a fitted place"
OTHER: Final = "place or direction not fitted"
FITTED: Final = "fitted"

_VEHICLES: Final = {"trucks_per_day", "vehicles_per_day", "trains_per_day"}
_UNITS: Final = {*_VEHICLES, "t_per_day", "TEU_per_day", "wagons_per_day"}
_FEWEST: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counts:
    """The counts of a data set, and what measures a flow of a model against them.

    Attributes
    ----------
    rows
        One row per target, direction, unit and role: ``target, direction, unit, role, years,
        observed`` (mean of the years), ``background`` (what of it the model holds fixed),
        ``verdict`` (blank: judged; ``input``: background holds most of it, so that the count proves
        itself; ``other year``; ``not modelled``: the target is no set of crossings, or the unit is
        no flow), and ``group``.
    measure : CSR array of float64, shape (n_rows, n_classes * n_arcs)
        What a tonne of a class on an arc counts, returning empties included; without background.
    """

    rows: pd.DataFrame
    measure: sparse.csr_array

    def modelled(self, class_flow: FloatArray) -> FloatArray:
        """Return the volume of every row, background included, shape (n_rows,) [unit]."""
        background: FloatArray = self.rows["background"].to_numpy(float)
        return np.asarray(self.measure @ class_flow.ravel()) + background


def read_counts(model: Model, year: int) -> Counts:
    """Return the counts of a model's network and how to measure them.

    Parameters
    ----------
    model
        A compiled model with the demand of the year.
    year
        Year of the demand.

    Raises
    ------
    InputError
        If the data set has no counts.
    """
    counts = model.network.counts
    if not len(counts):
        msg = f"The data set {model.network.name!r} must have counts.csv; it has none. Add counts."
        raise InputError(msg)
    near = (counts["year"] - year).abs() <= YEARS_APART
    keys = ["target", "direction", "unit_per_day", "role"]
    per_day = pd.to_numeric(counts["value_per_day"], errors="coerce")
    table = counts.assign(far=~near, value_per_day=per_day)[per_day > 0.0]
    rows = []
    for key, part in table.groupby([*keys, "far"], sort=False, dropna=False):
        years = "+".join(str(int(y)) for y in sorted(set(part["year"])))
        rows.append((*key, years, float(part["value_per_day"].mean())))
    frame = pd.DataFrame(
        rows, columns=["target", "direction", "unit", "role", "far", "years", "observed"]
    )
    asked = frame[["target", "direction", "unit"]].to_numpy(object).tolist()
    measures = [_measure(model, *map(str, row)) for row in asked]
    n_columns = len(model.classes) * model.supernetwork.n_arcs
    empty = sparse.csr_array((1, n_columns))
    measure = sparse.csr_array(
        sparse.vstack([empty if found is None else found[0] for found in measures], format="csr")
    )
    frame["background"] = [0.0 if found is None else found[1] for found in measures]
    frame["verdict"] = np.select(
        [
            np.array([found is None for found in measures]),
            frame.pop("far").to_numpy(bool),
            (frame["background"] > MOSTLY * frame["observed"]).to_numpy(bool),
        ],
        [NOT_MODELLED, OTHER_YEAR, INPUT],
        JUDGED,
    )
    frame["group"] = _groups(frame)
    return Counts(rows=frame, measure=measure)


def _groups(frame: pd.DataFrame) -> list[str]:
    """Return whether a row is fitted, repeats a fitted place, or is of another."""
    keys = list(zip(frame["target"], frame["direction"], frame["unit"], strict=True))
    fitted = {
        key
        for key, role, verdict in zip(keys, frame["role"], frame["verdict"], strict=True)
        if role == "fit" and verdict == JUDGED
    }
    return [
        FITTED if role == "fit" else SAME if key in fitted else OTHER
        for key, role in zip(keys, frame["role"], strict=True)
    ]


def _measure(
    model: Model, target: str, direction: str, unit: str
) -> tuple[sparse.csr_array, float] | None:
    """Return what each class and arc counts for a target, and its background; None for others."""
    crossings = _crossings_of(model, target)
    if unit not in _UNITS or direction not in ("both", "forward", "backward") or not crossings:
        return None
    net = model.supernetwork
    entry = np.flatnonzero(net.is_kind(ArcKind.ENTRY) & np.isin(net.arc_crossing, crossings))
    if direction != "both":
        entry = entry[net.arc_a_to_b[entry] == (direction == "forward")]
    if not entry.size:
        return None
    n_classes, n_arcs = len(model.classes), net.n_arcs
    loaded, empty = _per_t(model, entry, unit)
    back = net.arc_reverse[entry]
    has_back = back >= 0
    arcs = np.concatenate((entry, back[has_back])).astype(np.int64)
    values = np.concatenate((loaded, empty[:, has_back]), axis=1)
    columns = np.arange(n_classes)[:, None] * n_arcs + arcs
    at = (np.zeros(values.size, np.int64), columns.ravel())
    row = sparse.csr_array((values.ravel(), at), shape=(1, n_classes * n_arcs))
    return row, _background(model, crossings, direction, unit)


def _crossings_of(model: Model, target: str) -> list[int]:
    """Return the positions of the crossings that a target stands for; none for other targets.

    ``a+b`` are crossings, ``node:x`` those whose links end there, and ``country:A-B:rail`` the
    railways between two states.
    """
    network = model.network
    table = network.crossings
    names = table["crossing_id"].tolist()
    if target.startswith("node:"):
        links, node = network.links, target.removeprefix("node:")
        ends = (links["from_node"] == node) | (links["to_node"] == node)
        touched = set(links.loc[ends, "crossing_id"].dropna()) - {""}
        return [i for i, name in enumerate(names) if name in touched]
    if target.startswith("country:") and target.endswith(":rail"):
        pair = set(target.split(":")[1].split("-"))
        sides = zip(table["country_a"], table["country_b"], table["layer"], strict=True)
        return [i for i, (a, b, layer) in enumerate(sides) if {a, b} == pair and "rail" in layer]
    wanted = target.split("+")
    return [names.index(name) for name in wanted] if set(wanted) <= set(names) else []


def _per_t(model: Model, arcs: IntArray, unit: str) -> tuple[FloatArray, FloatArray]:
    """Return what a tonne of each class counts on arcs, and by its empties on their reverse."""
    goods, filled = model.classes.commodity, model.filled
    shape = (goods.size, arcs.size)
    if unit == "t_per_day":
        return np.ones(shape), np.zeros(shape)
    if unit == "TEU_per_day":
        teu = vehicles.teu_per_t(filled.commodities)[goods]
        return np.broadcast_to(teu[:, None], shape), np.zeros(shape)
    per_t = 1.0 / model.costs.payload_t[goods][:, arcs]
    if unit == "wagons_per_day":
        per_t = per_t * _load_t(model)[model.supernetwork.arc_layer[arcs]] / WAGON_T
    returns = filled.commodities["empty_return_share"].to_numpy(float)[goods]
    return per_t, per_t * returns[:, None]


def _background(model: Model, crossings: Sequence[int], direction: str, unit: str) -> float:
    """Return the background over crossings in the unit; its containers are not known."""
    net = model.supernetwork
    if unit == "TEU_per_day":
        return 0.0
    arcs = np.flatnonzero(net.arc_is_main & np.isin(net.arc_crossing, list(crossings)))
    if direction != "both":
        arcs = arcs[net.arc_a_to_b[arcs] == (direction == "forward")]
    passing = model.background_vehicles[arcs]
    if unit in _VEHICLES:
        return float(passing.sum())
    tonnes = float(passing @ _load_t(model)[net.arc_layer[arcs]])
    return tonnes / WAGON_T if unit == "wagons_per_day" else tonnes


def _load_t(model: Model) -> FloatArray:
    load: FloatArray = model.filled.layers["t_per_vehicle"].to_numpy(float)
    return load


def count_statistics(rows: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return how well columns of modelled volumes meet the counts that are judged.

    Parameters
    ----------
    rows
        Rows of `Counts` with modelled volumes in more columns.
    columns
        Those columns.

    Returns
    -------
    DataFrame
        ``model, group, n, mean_error`` (signed), ``mape, median_ape, rank_correlation`` (Spearman;
        NaN below three rows).
    """
    judged = rows[rows["verdict"] == JUDGED]
    table = []
    for name in columns:
        for group in (FITTED, SAME, OTHER):
            part = judged[judged["group"] == group]
            error = part[name] / part["observed"] - 1.0
            ranks = part[["observed", name]].rank()
            known = len(part) >= _FEWEST and bool((ranks.nunique() > 1).all())
            rank = float(np.corrcoef(ranks.T)[0, 1]) if known else float("nan")
            table.append(
                (name, group, len(part), error.mean(), error.abs().mean(),
                 error.abs().median(), rank)
            )  # fmt: skip
    columns_out = ["model", "group", "n", "mean_error", "mape", "median_ape", "rank_correlation"]
    return pd.DataFrame(table, columns=columns_out)

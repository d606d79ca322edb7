"""Which row of ``defaults.csv`` fills which blank."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.network.schema import TEMPLATE

BoolArray = NDArray[np.bool_]
ObjectArray = NDArray[np.object_]


def matching_defaults(
    defaults: pd.DataFrame,
    table: str,
    column: str,
    layers: Sequence[ObjectArray],
    country: ObjectArray,
) -> Iterator[tuple[str, float, BoolArray]]:
    """Yield the rows of ``defaults.csv`` for one column, the most specific first.

    Layer and state together come before the layer, the layer before the state, the state before
    neither; rows of one rank keep their order.

    Parameters
    ----------
    defaults
        The table of defaults.
    table, column
        Table and column to fill.
    layers
        Layers of each row, any of which a default may name; each of shape (n_rows,).
    country : ndarray of object (str), shape (n_rows,)
        State of each row.

    Yields
    ------
    origin, value, matches
        Where the value comes from, the value, and the rows it may fill, bool of shape (n_rows,).
    """
    if not len(defaults):
        return
    chosen = defaults[(defaults["table"] == table) & (defaults["column"] == column)]
    rank = 2 * (chosen["layer"] != "").astype(int) + (chosen["country"] != "").astype(int)
    order = np.argsort(-rank.to_numpy(), kind="stable")
    for row in chosen.iloc[order].itertuples():
        layer, state = str(row.layer), str(row.country)
        matches = np.ones(len(country), dtype=np.bool_)
        if layer:
            matches &= np.logical_or.reduce([names == layer for names in layers])
        if state:
            matches &= country == state
        scope = "/".join(part for part in (layer, state) if part)
        yield f"defaults.csv {scope}".strip(), float(str(row.value)), matches


def stage_layers(stages: pd.DataFrame, crossings: pd.DataFrame) -> ObjectArray:
    """Return the layer of each stage row: the crossing's, or a template's own.

    Returns
    -------
    ndarray of object (str), shape (n_stages,)
        ``""`` where the crossing is unknown.
    """
    own = looked_up(stages["crossing_id"], crossings, "crossing_id", "layer")
    template = (stages["crossing_id"] == TEMPLATE).to_numpy(dtype=bool)
    own[template] = texts(stages["layer"])[template]
    return own


def looked_up(ids: "pd.Series[str]", frame: pd.DataFrame, key: str, column: str) -> ObjectArray:
    """Return the column's text at each id, ``""`` where the id is unknown."""
    values = dict(zip(frame[key].tolist(), frame[column].tolist(), strict=True))
    return np.array([values.get(name, "") for name in ids.tolist()], dtype=object)


def texts(column: "pd.Series[str]") -> ObjectArray:
    """Return a text column as an array of object, shape (n_rows,)."""
    return np.array(column.tolist(), dtype=object)

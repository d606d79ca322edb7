"""Which row of ``defaults.csv`` fills which blank."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.network.schema import TEMPLATE

BoolArray = NDArray[np.bool_]
ObjectArray = NDArray[np.object_]
Defaults: TypeAlias = Mapping[tuple[str, str], Sequence[tuple[str, str, float]]]
"""Layer, state and value of each default by table and column: layer and state together come first,
then the layer, then the state, then neither; rows of one rank keep their order."""


def ranked_defaults(frame: pd.DataFrame) -> Defaults:
    """Return the rows of ``defaults.csv`` by table and column.

    Parameters
    ----------
    frame
        The table of defaults.
    """
    ranked: dict[tuple[str, str], list[tuple[str, str, float]]] = {}
    names = ("table", "column", "layer", "country", "value")
    columns = (frame[name].tolist() for name in names)
    for table, column, layer, country, value in zip(*columns, strict=True):
        ranked.setdefault((table, column), []).append((layer, country, float(value)))
    for rows in ranked.values():
        rows.sort(key=lambda row: 2 * (row[0] == "") + (row[1] == ""))
    return ranked


def matching_defaults(
    defaults: Defaults,
    table: str,
    column: str,
    layers: Sequence[ObjectArray],
    country: ObjectArray,
) -> Iterator[tuple[str, float, BoolArray]]:
    """Yield the rows of ``defaults.csv`` for one column, the most specific first.

    Parameters
    ----------
    defaults
        As `ranked_defaults` returns them.
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
    for layer, state, value in defaults.get((table, column), ()):
        matches = np.ones(len(country), dtype=np.bool_)
        if layer:
            matches &= np.logical_or.reduce([names == layer for names in layers])
        if state:
            matches &= country == state
        scope = "/".join(part for part in (layer, state) if part)
        yield f"defaults.csv {scope}".strip(), value, matches


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

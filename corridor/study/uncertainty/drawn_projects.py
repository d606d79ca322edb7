"""Draws of what projects do, over the ranges of their effects."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from corridor.network import Network
from corridor.network.cells import Cell, row_of
from corridor.network.consistency import key_pattern
from corridor.planning.investment.effect_ranges import LESS_IS_BETTER
from corridor.study.uncertainty.inputs import Cells
from corridor.study.uncertainty.samples import cell_values


def drawn_effects(network: Network, draws: int, seed: int) -> list[pd.DataFrame]:
    """Return the projects of a network in each draw: what they set is drawn where it has a range.

    Parameters
    ----------
    network
        The network, its projects and the ranges of their effects (rows of the table ``projects``
        with the column ``value``). Rows of one group share one draw.
    draws
        Number of draws, >= 0.
    seed
        Seed of the draws.

    Returns
    -------
    list of DataFrame
        The table ``projects`` of each draw.
    """
    frame = network.rows["projects"].frame
    cells = _effect_cells(network)
    n_sources = int(cells.source.max(initial=-1)) + 1
    scores = np.random.default_rng([seed, 1]).standard_normal((draws, n_sources))
    found = []
    for numbers in cell_values(cells, scores):
        value = frame["value"].to_numpy(object).copy()
        value[cells.row] = [f"{number:.9g}" for number in numbers]
        found.append(frame.assign(value=value))
    return found


def with_projects(network: Network, frame: pd.DataFrame) -> Network:
    """Return a network, numbers drawn or not, with a drawn table of projects.

    No drawn effect is worse than what the network has already: a project that would take an hour
    more than a post takes in this draw changes nothing there.
    """
    value = frame["value"].to_numpy(object).copy()
    places = frame[["table", "key", "column"]].to_numpy(object)
    for row in _effect_cells(network).row.tolist():
        table, key, column = places[row]
        cells = row_of(network, Cell(table, key, column, value[row]))
        has = network.table(table)[column].iloc[cells].to_numpy(float)
        better = np.nanmin if column in LESS_IS_BETTER else np.nanmax
        value[row] = f"{better([*has, float(value[row])]):.9g}"
    rows = replace(network.rows["projects"], frame=frame.assign(value=value))
    return replace(network, rows={**network.rows, "projects": rows})


def _effect_cells(network: Network) -> Cells:
    """Return the cells of projects whose effects have a range; a later range wins."""
    ranges = network.ranges
    told = ranges[(ranges["table"] == "projects") & (ranges["column"] == "value")]
    names = told["group"].where(told["group"] != "", told["key"])
    source = {name: position for position, name in enumerate(dict.fromkeys(names))}
    keys = network.rows["projects"].keys.tolist()
    nominal = pd.to_numeric(network.projects["value"], errors="coerce").to_numpy(float)
    mine: dict[int, tuple[int, float, float, str]] = {}
    columns = (told["key"], names, told["low"], told["high"], told["distribution"])
    for pattern, name, low, high, kind in zip(*columns, strict=True):
        matches = re.compile(key_pattern(pattern)).fullmatch
        for row in (row for row, key in enumerate(keys) if matches(key)):
            mine[row] = (source[name], float(low), float(high), kind)
    rows = np.array(list(mine), np.int64)
    parts = list(mine.values())
    return Cells(
        table=("projects",) * rows.size,
        column=("value",) * rows.size,
        row=rows,
        source=np.array([part[0] for part in parts], np.int64),
        nominal=nominal[rows],
        low=np.array([part[1] for part in parts], np.float64),
        high=np.array([part[2] for part in parts], np.float64),
        distribution=np.array([part[3] for part in parts], dtype=object),
        least=np.full(rows.size, -np.inf),
    )

"""The uncertain numbers of a study: ranges of the data set, and the cells that they move.

Rows of one ``group`` share one draw, so an *input* is a group, or a row that has none. A draw is a
probability; each cell takes the value that its own row's distribution has there.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.errors import Fault, InputError
from corridor.network import TABLES
from corridor.network.consistency import key_pattern
from corridor.network.fills import FilledTables
from corridor.network.tables import row_keys
from corridor.study.studies import Study

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

FILLED: Final = ("layers", "commodities", "links", "terminals", "stages", "services")
"""Tables whose blanks are filled before use; a range holds for a filled number too."""
SAMPLED: Final = (*FILLED, "defaults", "background", "demand")
"""Tables that a plan is made of. Ranges of others (costs of projects) change no plan."""
LOGNORMAL: Final = ("lognormal", "lognormal90")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """The numbers that draws replace, one entry a cell: a structure of arrays.

    Attributes
    ----------
    table, column : tuple of str, length n_cells
        Where each cell stands.
    row : ndarray of int64, shape (n_cells,)
        Its row, by position.
    source : ndarray of int64, shape (n_cells,)
        Position of its input.
    nominal, low, high : ndarray of float64, shape (n_cells,)
        The number itself, and its range.
    distribution : ndarray of object (str), shape (n_cells,)
        How it is drawn.
    least : ndarray of float64, shape (n_cells,)
        What a lower draw is raised to: an inspection floor in force, else -inf.
    """

    table: tuple[str, ...]
    column: tuple[str, ...]
    row: IntArray
    source: IntArray
    nominal: FloatArray
    low: FloatArray
    high: FloatArray
    distribution: NDArray[np.object_]
    least: FloatArray

    def __len__(self) -> int:
        return int(self.row.size)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inputs:
    """The independent draws of a study, in the order of ranges.csv.

    Attributes
    ----------
    names
        Group of each input, or ``table/key.column`` of a row without group.
    rows
        Rows of ranges.csv of each input, by position.
    states
        States whose posts an input speaks of, where it speaks of posts alone.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[int, ...], ...]
    states: tuple[frozenset[str], ...]

    def __len__(self) -> int:
        return len(self.names)


def study_inputs(study: Study) -> Inputs:
    """Return the inputs of a study: the ranges of the tables that plans are made of.

    Raises
    ------
    InputError
        If a range is upside down, a lognormal one is not above 0, or there are none.
    """
    ranges = study.network.ranges
    _check_ranges(study)
    members: dict[str, list[int]] = defaultdict(list)
    columns = [ranges[name].tolist() for name in ("table", "key", "column", "group")]
    for row, (table, key, column, group) in enumerate(zip(*columns, strict=True)):
        if table in SAMPLED:
            members[group or f"{table}/{key}.{column}"].append(row)
    if not members:
        msg = (
            f"A sweep draws from the ranges of the data set; {study.network.name!r} has none for "
            f"the tables of a plan ({', '.join(SAMPLED)}). Add ranges.csv."
        )
        raise InputError(msg)
    tables, keys = columns[0], columns[1]
    states = tuple(
        frozenset(_state(tables[row], keys[row]) for row in rows) for rows in members.values()
    )
    return Inputs(
        names=tuple(members),
        rows=tuple(tuple(rows) for rows in members.values()),
        states=tuple(found if "" not in found else frozenset() for found in states),
    )


def _state(table: str, key: str) -> str:
    """Return the state whose posts a range of stages speaks of; empty for all else."""
    country = key.split("/")[1] if table == "stages" else ""
    return "" if "*" in country else country


def _check_ranges(study: Study) -> None:
    frame = study.network.ranges
    low, high = frame["low"].to_numpy(float), frame["high"].to_numpy(float)
    logs = frame["distribution"].isin(LOGNORMAL).to_numpy(bool)
    keys = study.network.rows["ranges"].keys
    faults = []
    for row in np.flatnonzero(~(low <= high) | (logs & ~(low > 0.0))):
        upside_down = not low[row] <= high[row]
        faults.append(
            Fault(
                file=TABLES["ranges"].file,
                row=int(study.network.rows["ranges"].lines[row]),
                key=str(keys[row]),
                column="low",
                found=f"{low[row]:g} to {high[row]:g}",
                expected="low <= high" if upside_down else "a lognormal range above 0",
                remedy="exchange them" if upside_down else "raise low, or draw it triangular",
            )
        )
    if faults:
        subject = f"The ranges of {study.network.name!r}"
        raise InputError.from_faults(subject, faults)


def variant_cells(
    study: Study,
    inputs: Inputs,
    nominal: Mapping[str, pd.DataFrame],
    own: Mapping[str, pd.DataFrame],
) -> Cells:
    """Return the cells of a variant that the inputs move.

    A cell that the variant itself sets is a decision, which stays; a number that nothing fills (an
    unknown capacity) stays unknown.

    Parameters
    ----------
    study, inputs
        The study and its inputs.
    nominal
        Tables of the variant that draws change, blanks filled.
    own
        The same tables of the variant as they stand, blanks not filled.
    """
    ranges = study.network.ranges
    names = [ranges[name].tolist() for name in ("table", "key", "column")]
    numbers = [ranges[name].tolist() for name in ("low", "high", "distribution")]
    base = {name: study.network.table(name) for name in own if name != "demand"}
    joined = {name: Keys.of(name, frame) for name, frame in own.items()}
    found: dict[tuple[str, str, int], tuple[tuple[int, int], int, float, float, float, str]] = {}
    for source, rows in enumerate(inputs.rows):
        for row in rows:
            table, key, column = (values[row] for values in names)
            low, high, distribution = (values[row] for values in numbers)
            positions = joined[table].matching(key)
            positions = positions[_untouched(base.get(table), own[table], column)[positions]]
            value = nominal[table][column].to_numpy(float)
            # Of several ranges of one cell the closest holds: the fewest stars, then the last.
            rank = (-key.count("*"), row)
            for at in positions[~np.isnan(value[positions])].tolist():
                before = found.get((table, column, at))
                if before is None or before[0] < rank:
                    cell = (rank, source, float(value[at]), low, high, distribution)
                    found[table, column, at] = cell
    return _as_cells(found)


def _as_cells(
    found: Mapping[tuple[str, str, int], tuple[tuple[int, int], int, float, float, float, str]],
) -> Cells:
    cells = list(found.values())
    return Cells(
        table=tuple(table for table, _, _ in found),
        column=tuple(column for _, column, _ in found),
        row=np.array([row for _, _, row in found], dtype=np.int64),
        source=np.array([cell[1] for cell in cells], dtype=np.int64),
        nominal=np.array([cell[2] for cell in cells], dtype=np.float64),
        low=np.array([cell[3] for cell in cells], dtype=np.float64),
        high=np.array([cell[4] for cell in cells], dtype=np.float64),
        distribution=np.array([cell[5] for cell in cells], dtype=object),
        least=np.full(len(cells), -np.inf),
    )


def _untouched(base: pd.DataFrame | None, own: pd.DataFrame, column: str) -> NDArray[np.bool_]:
    """Return which cells of a column are the study's own, not set by the variant."""
    if base is None:
        return np.ones(len(own), np.bool_)
    before, after = base[column].to_numpy(float), own[column].to_numpy(float)
    return np.asarray((before == after) | (np.isnan(before) & np.isnan(after)), dtype=np.bool_)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Keys:
    """The keys of a table, to be searched with ``*``."""

    text: str
    starts: IntArray

    @classmethod
    def of(cls, name: str, frame: pd.DataFrame) -> "Keys":
        """Return the keys of a table's rows."""
        keys = row_keys(TABLES[name], frame).tolist()
        lengths = np.array([len(key) + 1 for key in keys], dtype=np.int64)
        return cls(text="\n".join(keys), starts=np.cumsum(lengths) - lengths)

    def matching(self, key: str) -> IntArray:
        """Return the rows that a key fits."""
        found = re.finditer(f"^{key_pattern(key)}$", self.text, re.MULTILINE)
        starts = np.array([match.start() for match in found], dtype=np.int64)
        return np.asarray(np.searchsorted(self.starts, starts), dtype=np.int64)


def filled_frames(filled: FilledTables) -> dict[str, pd.DataFrame]:
    """Return the filled tables by name."""
    return {name: getattr(filled, name) for name in FILLED}

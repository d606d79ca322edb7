"""Everything that can be said against a data set or a network, errors and warnings."""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corridor.errors import Fault
from corridor.network.consistency import (
    Rows,
    demand_faults,
    first_causes,
    in_order,
    key_pattern,
    range_faults,
    structural_faults,
)
from corridor.network.geography import gauge_faults, length_faults, outline_faults, zone_faults
from corridor.network.models import Demand, Network, dataset_folder, read_folder
from corridor.network.outlines import read_outlines
from corridor.network.schema import NETWORK_TABLES, TABLES
from corridor.network.tables import type_table

_CERTAIN = ("nodes", "crossings", "screenlines", "counts", "targets")
"""Tables whose numbers a sweep never draws: places, and what was measured."""


def validate(source: Network | str | Path, demand: Demand | None = None) -> list[Fault]:
    """Return every fault of a data set or a network, errors and warnings.

    Parameters
    ----------
    source
        A network, the name of a bundled data set, or a folder.
    demand
        Demand to check with a network: its zones must reach each other. A folder's own demand is
        read with it.

    Returns
    -------
    list of Fault
        In the order of tables and lines; empty where all is well. ``fault.warning`` marks those
        that do not stop a plan.

    Raises
    ------
    InputError
        If there is no such data set.

    Examples
    --------
    >>> [fault for fault in validate("crossroads") if not fault.warning]
    []
    """
    if isinstance(source, Network):
        rows, faults = dict(source.rows), list[Fault]()
        rows["demand"], _ = type_table(TABLES["demand"], None if demand is None else demand.rows)
    else:
        rows, faults = read_folder(dataset_folder(source))
    return in_order(rows, first_causes(faults, _across(rows)))


def _across(rows: Rows) -> Iterable[Fault]:
    network = {name: rows[name] for name in NETWORK_TABLES}
    yield from structural_faults(network)
    yield from demand_faults(rows)
    yield from range_faults(rows)
    yield from length_faults(rows)
    yield from gauge_faults(rows)
    yield from zone_faults(rows)
    yield from outline_faults(rows, read_outlines())
    yield from unranged_faults(rows)


def unranged_faults(rows: Rows) -> Iterable[Fault]:
    """Warn, once a table, of assumed rows that no range covers."""
    ranges = rows["ranges"].frame
    if not len(ranges):
        return
    for name, table in rows.items():
        if name in _CERTAIN or not table.table.cited or not len(table.frame):
            continue
        assumed = (table.frame["confidence"] == "assumed").to_numpy(dtype=bool)
        bare = assumed & ~_covered(table.keys.tolist(), set(ranges["key"][ranges["table"] == name]))
        if bare.any():
            yield Fault(
                file=table.table.file,
                column="confidence",
                found=f"{int(bare.sum())} of {int(assumed.sum())} assumed rows without a range",
                expected="a row of ranges.csv for each assumed number",
                remedy="add ranges, else a sweep takes these numbers as certain",
                warning=True,
            )


def _covered(keys: list[str], patterns: set[str]) -> NDArray[np.bool_]:
    """Return which keys some pattern matches."""
    joined = "\n".join(keys)
    covered = patterns & set(keys)
    for pattern in patterns:
        if "*" in pattern:
            covered.update(re.findall(f"^{key_pattern(pattern)}$", joined, re.MULTILINE))
    return np.array([key in covered for key in keys], dtype=np.bool_)

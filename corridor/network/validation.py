"""Everything that can be said against a data set or a network, errors and warnings."""

from collections.abc import Iterable
from pathlib import Path

from corridor.errors import Fault
from corridor.network.consistency import (
    Rows,
    demand_faults,
    first_causes,
    in_order,
    range_faults,
    structural_faults,
)
from corridor.network.geography import gauge_faults, length_faults, outline_faults, zone_faults
from corridor.network.models import Demand, Network, dataset_place, read_place
from corridor.network.outlines import read_outlines
from corridor.network.schema import NETWORK_TABLES, TABLES
from corridor.network.tables import type_table


def validate(source: Network | str | Path, demand: Demand | None = None) -> list[Fault]:
    """Return every fault of a data set or a network, errors and warnings.

    Parameters
    ----------
    source
        A network, the name of a bundled data set, a folder, or a GeoPackage.
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
        rows, faults = read_place(dataset_place(source))
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

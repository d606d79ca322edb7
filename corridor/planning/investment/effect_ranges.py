"""What projects may cost and do at the ends of their ranges.

In ``ranges.csv`` a row of the table ``projects`` with the column ``capex_musd`` is the range of
what a project costs, one with ``value`` that of what it sets: its effect. The key is that of the
project's row, ``project_id/table/key/column``, with ``*`` for any part.
"""

import re
from dataclasses import replace
from typing import Final, Literal, TypeAlias

from corridor.network import Network
from corridor.network.consistency import key_pattern
from corridor.planning.investment.projects import Project

End: TypeAlias = Literal["worst", "best"]

LESS_IS_BETTER: Final = (
    "length_km", "time_h", "fixed_delay_h", "service_min", "headway_h", "sailing_h", "cancel_share",
    "headway_cv", "cost_usd_per_t_km", "cost_usd_per_teu_km", "cost_usd_per_t", "cost_usd_per_teu",
    "fee_usd", "vehicles_per_day",
)  # fmt: skip
"""Columns whose low end is the better one; of all others it is the high end."""


def capex_ends(network: Network, project: Project) -> tuple[float, float]:
    """Return the range of a project's capex [MUSD]; its own number where none is told."""
    ranges = network.ranges
    mine = (ranges["table"] == "projects") & (ranges["column"] == "capex_musd")
    mine &= ranges["key"].str.split("/").str[0].isin([project.id, "*"])
    rows = ranges[mine]
    if not len(rows):
        return project.capex_musd, project.capex_musd
    return float(rows["low"].iloc[0]), float(rows["high"].iloc[0])


def at_end(network: Network, projects: frozenset[str], end: End) -> Network | None:
    """Return the network whose projects do the worst or best of the ranges of their effects.

    Parameters
    ----------
    network
        The network, its projects and ranges.
    projects
        Ids of the projects meant; others do what their rows say.
    end
        Which end.

    Returns
    -------
    Network or None
        None where none of these effects has a range.
    """
    ranges = network.ranges
    told = ranges[(ranges["table"] == "projects") & (ranges["column"] == "value")]
    if not len(told):
        return None
    rows = network.rows["projects"]
    frame = rows.frame
    mine = frame["project_id"].isin(projects).tolist()
    keys, columns = rows.keys.tolist(), frame["column"].tolist()
    values = frame["value"].tolist()
    changed = False
    for pattern, low, high in zip(told["key"], told["low"], told["high"], strict=True):
        matches = re.compile(key_pattern(pattern)).fullmatch
        for row, key in enumerate(keys):
            if mine[row] and matches(key):
                lower = (columns[row] in LESS_IS_BETTER) == (end == "best")
                values[row] = f"{low if lower else high:g}"
                changed = True
    if not changed:
        return None
    return replace(
        network,
        rows={**network.rows, "projects": replace(rows, frame=frame.assign(value=values))},
    )

"""Scheduled services: what their headways, sailings and ships mean for the arcs of their links.

A shipper who arrives at random waits ``h (1 + cv^2) / 2`` for the next departure; with gamma
headways the variance of that wait is ``h^2 (1 + cv^2) (1 + 2 cv^2) / 3 - wait^2`` (renewal theory:
the residual life of an interval). A canceled departure lengthens the headway. Several services on
one link and direction add their departures.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.network import Network
from corridor.network.fills import FilledTables
from corridor.network.hours import parse_departures
from corridor.network.supernetwork import Supernetwork
from corridor.units import HOURS_PER_DAY, HOURS_PER_WEEK

FloatArray: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinkServices:
    """Services laid on the arcs of a supernetwork, shape (n_arcs,).

    Attributes
    ----------
    arc_wait_h, arc_wait_sd_h
        Wait for the next departure and its standard deviation [h], 0 without a service.
    arc_sailing_h
        Time under way of the services [h], NaN where the link's own time holds.
    arc_capacity_t_per_day
        What all departures carry [t/day], inf where unknown or without a service.
    """

    arc_wait_h: FloatArray
    arc_wait_sd_h: FloatArray
    arc_sailing_h: FloatArray
    arc_capacity_t_per_day: FloatArray


def link_services(network: Network, filled: FilledTables, net: Supernetwork) -> LinkServices:
    """Lay the services of a network on its arcs."""
    wait, sd = np.zeros(net.n_arcs), np.zeros(net.n_arcs)
    sailing, capacity = np.full(net.n_arcs, np.nan), np.full(net.n_arcs, np.inf)
    position = {link: i for i, link in enumerate(network.links["link_id"])}
    start = network.links["from_node"].to_numpy(object)
    for (link_id, from_node), rows in filled.services.groupby(["link_id", "from_node"], sort=False):
        link = position[link_id]
        forward = start[link] == from_node
        arcs = (net.arc_link == link) & net.arc_is_main & (net.arc_forward == forward)
        wait[arcs], sd[arcs], sailing[arcs], capacity[arcs] = _joint_service(rows)
    return LinkServices(
        arc_wait_h=wait, arc_wait_sd_h=sd, arc_sailing_h=sailing, arc_capacity_t_per_day=capacity
    )


def _joint_service(rows: pd.DataFrame) -> tuple[float, float, float, float]:
    """Return wait, its sd, sailing time [h] and capacity [t/day] of the services of one link and direction."""
    kept = 1.0 - rows["cancel_share"].to_numpy(float)
    stated = [
        _headway(*values)
        for values in zip(rows["departures"], rows["headway_h"], rows["headway_cv"], strict=True)
    ]
    headway, cv = np.array(stated).T
    rate = kept / headway  # departures an hour that really sail
    h, cv2 = 1.0 / rate.sum(), float(np.average(cv**2, weights=rate))
    wait = h * (1.0 + cv2) / 2.0
    sd = float(np.sqrt(max(h * h * (1.0 + cv2) * (1.0 + 2.0 * cv2) / 3.0 - wait**2, 0.0)))
    sailing = float(np.average(rows["sailing_h"].to_numpy(float), weights=rate))
    capacity = float((rate * rows["capacity_t"].to_numpy(float)).sum() * HOURS_PER_DAY)
    return wait, sd, sailing, np.inf if np.isnan(capacity) else capacity


def _headway(departures: str, headway_h: float, headway_cv: float) -> tuple[float, float]:
    """Return mean headway [h] and its coefficient of variation; a timetable gives both exactly."""
    times = np.array(parse_departures(departures))
    if not times.size:
        return headway_h, headway_cv
    gaps = np.diff(np.append(times, times[0] + HOURS_PER_WEEK))
    return float(gaps.mean()), float(gaps.std() / gaps.mean())

"""Scheduled services: what headways, sailings and ships mean for the arcs of their links.

A shipper who arrives at random waits ``h (1 + cv^2) / 2`` for the next departure; with gamma
headways the variance of that wait is ``h^2 (1 + cv^2) (1 + 2 cv^2) / 3 - wait^2`` (renewal theory:
the residual life of an interval). Where each departure sails with probability p, the headway is
``h / p`` and its squared coefficient of variation ``p cv^2 + 1 - p`` (a geometric sum of
intervals). Several services on one link and direction add their departures.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.errors import InputError
from corridor.network import Network
from corridor.network.fills import FilledTables
from corridor.network.hours import parse_departures
from corridor.network.supernetwork import Supernetwork
from corridor.units import HOURS_PER_DAY, HOURS_PER_WEEK

FloatArray: TypeAlias = NDArray[np.float64]
ObjectArray: TypeAlias = NDArray[np.object_]

_NUMBERS: Final = ("headway_h", "headway_cv", "cancel_share", "capacity_t", "sailing_h")


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
    """Lay the services of a network on its arcs.

    Raises
    ------
    InputError
        If all departures of a link and direction are canceled.
    """
    wait, sd = np.zeros(net.n_arcs), np.zeros(net.n_arcs)
    sailing, capacity = np.full(net.n_arcs, np.nan), np.full(net.n_arcs, np.inf)
    position = {link: i for i, link in enumerate(network.links["link_id"])}
    start = network.links["from_node"].to_numpy(object)
    share = net.arc_share
    services = filled.services
    columns = {name: services[name].to_numpy(object) for name in ("departures", *_NUMBERS)}
    together: dict[tuple[str, str], list[int]] = {}
    ends = zip(services["link_id"].tolist(), services["from_node"].tolist(), strict=True)
    for place, end in enumerate(ends):
        together.setdefault(end, []).append(place)
    for (link_id, from_node), places in together.items():
        rows = {name: column[places] for name, column in columns.items()}
        link = position[link_id]
        arcs = np.flatnonzero((net.arc_link == link) & (share > 0.0))
        arcs = arcs[net.arc_forward[arcs] == (start[link] == from_node)]
        main = arcs[net.arc_is_main[arcs]]
        joint = _joint_service(rows, link_id)
        wait[main], sd[main], capacity[main] = joint.wait_h, joint.sd_h, joint.t_per_day
        sailing[arcs] = joint.sailing_h * share[arcs]
    return LinkServices(
        arc_wait_h=wait, arc_wait_sd_h=sd, arc_sailing_h=sailing, arc_capacity_t_per_day=capacity
    )


class _Joint(NamedTuple):
    """The services of one link and direction together."""

    wait_h: float
    sd_h: float
    sailing_h: float
    t_per_day: float


def _joint_service(rows: Mapping[str, ObjectArray], link_id: str) -> _Joint:
    """Return what the services of these rows, given by column, are together."""
    sails = 1.0 - rows["cancel_share"].astype(float)
    columns = (rows["departures"], rows["headway_h"], rows["headway_cv"])
    stated = [_headway(*values) for values in zip(*columns, strict=True)]
    headway, cv = np.array(stated).T
    rate = sails / headway  # departures an hour that really sail
    if not rate.sum() > 0.0:
        msg = (
            f"Some departure of each service must sail; all those of {link_id} are canceled. Set "
            "cancel_share below 1, or close the link with its status."
        )
        raise InputError(msg)
    h = 1.0 / float(rate.sum())
    cv2 = float(np.average(sails * cv**2 + 1.0 - sails, weights=rate))
    wait = h * (1.0 + cv2) / 2.0
    second_moment = h * h * (1.0 + cv2) * (1.0 + 2.0 * cv2) / 3.0
    t_per_day = float((rate * rows["capacity_t"].astype(float)).sum() * HOURS_PER_DAY)
    return _Joint(
        wait_h=wait,
        sd_h=float(np.sqrt(max(second_moment - wait**2, 0.0))),
        sailing_h=float(np.average(rows["sailing_h"].astype(float), weights=rate)),
        t_per_day=np.inf if np.isnan(t_per_day) else t_per_day,
    )


def _headway(departures: str, headway_h: float, headway_cv: float) -> tuple[float, float]:
    """Return mean headway [h] and its coefficient of variation; a timetable gives both exactly."""
    times = np.array(parse_departures(departures))
    if not times.size:
        return headway_h, headway_cv
    gaps = np.diff(np.append(times, times[0] + HOURS_PER_WEEK))
    return float(gaps.mean()), float(gaps.std() / gaps.mean())

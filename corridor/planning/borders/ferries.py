"""Vehicles that come ashore by shiploads: the wait at the first stage of the port of entry."""

from typing import NamedTuple

import numpy as np

from corridor.border.worksheets import ENTRY, Worksheet
from corridor.core.queues import batch_queue, fit_batch_sizes
from corridor.planning.borders.cases import BorderCase, at_sea
from corridor.units import HOURS_PER_DAY


class Ferry(NamedTuple):
    """The first stage of a port of entry, arrivals one by one and by shiploads.

    Shiploads come at random (Poisson) and vary as little as whole vehicles allow; a load is the
    day's vehicles over the landings that the services offer, their cancelled part left out.
    """

    country: str
    batch: float
    landings_per_day: float
    stage: str
    wait_h: float
    batch_wait_h: float


def ferries(case: BorderCase, sheet: Worksheet) -> list[Ferry]:
    """Return the ports of entry of a crossing at which vehicles land from ships."""
    found: list[Ferry] = []
    # Only vehicles that ride on ships come by shiploads; a vessel of its own is one vehicle.
    if not at_sea(case) or str(case.layer["vehicle"]) == "vessel":
        return found
    for way in case.ways:
        landings = _landings_per_day(case, way)
        total = float(case.traffic.total[way])
        rows = np.flatnonzero(sheet.serves[:, way, ENTRY] > 0.0)
        if not landings or not rows.size or total <= 0.0:
            continue
        row = int(rows[np.argmin(sheet.column("order")[rows])])
        batch = max(total / landings, 1.0)
        share = fit_batch_sizes(batch, float((batch % 1.0) * (1.0 - batch % 1.0)) / batch**2)
        wait = batch_queue(
            float(sheet.rate[row]) / batch, float(sheet.service_time_h[row]),
            int(sheet.stages["servers"].iloc[row]), share, float(sheet.column("service_scv")[row]),
        ).wait  # fmt: skip
        found.append(
            Ferry(
                country=case.names[way][1],
                batch=batch,
                landings_per_day=landings,
                stage=str(sheet.stages["stage"].iloc[row]),
                wait_h=float(sheet.wait_h[row]),
                batch_wait_h=float(wait),
            )
        )
    return found


def _landings_per_day(case: BorderCase, way: int) -> float:
    """Return the sailings a day of the services over the crossing in a direction."""
    network = case.model.network
    links = network.links[network.links["crossing_id"] == case.row["crossing_id"]]
    country = network.nodes.set_index("node_id")["country"]
    services = case.model.filled.services
    services = services[services["link_id"].isin(links["link_id"])]
    services = services[services["from_node"].map(country) == case.names[way][0]]
    headway = services["headway_h"].to_numpy(float)
    kept = 1.0 - services["cancel_share"].fillna(0.0).to_numpy(float)
    return float(np.nansum(HOURS_PER_DAY / headway * kept))

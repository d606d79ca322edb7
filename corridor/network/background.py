"""Traffic that uses the network and is not rerouted, laid on the arcs of a supernetwork."""

import numpy as np
from numpy.typing import NDArray

from corridor.network.models import Network
from corridor.network.supernetwork import Supernetwork


def background_vehicles(
    network: Network, supernetwork: Supernetwork, scenario: str = ""
) -> NDArray[np.float64]:
    """Return background vehicles a day on the main arc of every link and direction, else 0.

    A row for a link runs along the link, one for a crossing from ``country_a`` to ``country_b``;
    ``both`` is half in each direction. Several links of a crossing share its background equally.

    Parameters
    ----------
    network, supernetwork
        A network and its supernetwork.
    scenario
        Rows of another scenario are left out.

    Returns
    -------
    ndarray of float64, shape (n_arcs,)
        Vehicles [vehicles/day].
    """
    net, rows = supernetwork, network.background
    link = {name: i for i, name in enumerate(network.links["link_id"])}
    crossing = {name: i for i, name in enumerate(network.crossings["crossing_id"])}
    vehicles = np.zeros(net.n_arcs)
    columns = (rows["target"], rows["direction"], rows["vehicles_per_day"], rows["scenario"])
    for target, direction, per_day, of_scenario in zip(*columns, strict=True):
        if of_scenario not in ("", scenario):
            continue
        if target in link:
            on_target, along = net.arc_link == link[target], net.arc_forward
        else:
            on_target, along = net.arc_crossing == crossing[target], net.arc_a_to_b
        ways = (True, False) if direction == "both" else (direction == "forward",)
        for way in ways:
            arcs = np.flatnonzero(net.arc_is_main & on_target & (along == way))
            vehicles[arcs] += float(per_day) / len(ways) / max(arcs.size, 1)
    return vehicles

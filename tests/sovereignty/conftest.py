"""Territories on the toy network."""

from collections.abc import Callable, Mapping

import pandas as pd
import pytest

from corridor.network import Network
from corridor.network.supernetwork import build_supernetwork
from corridor.network.vehicles import payload_t, teu_per_t
from corridor.planning import single_shipments
from corridor.sovereignty import Shipments, Territory
from tests.planning import toys

Ends = tuple[str, str, str]


def territory_of(network: Network, shipments: Shipments) -> Territory:
    """Return a territory in which each shipment is a class."""
    return Territory(
        network=network,
        supernetwork=build_supernetwork(network),
        classes=shipments,
        payload_t=payload_t(network.layers, network.commodities),
        teu_per_t=teu_per_t(network.commodities),
    )


@pytest.fixture
def territory(toy_tables: Mapping[str, pd.DataFrame]) -> Callable[..., Territory]:
    """Return a function that lays shipments on the toy network with its strait."""
    network = toys.network(toys.with_sea(toy_tables))

    def lay(*ends: Ends) -> Territory:
        return territory_of(network, single_shipments(network, ends))

    return lay

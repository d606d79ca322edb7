"""Services: waits by hand, against simulation, and on the arcs of their links."""

import numpy as np
import pandas as pd
import pytest

from corridor.errors import InputError
from corridor.network.fills import fill_blanks
from corridor.network.supernetwork import build_supernetwork
from corridor.planning.services import LinkServices, link_services
from tests.planning import toys

Tables = dict[str, pd.DataFrame]


def laid(tables: Tables, services: str) -> tuple[LinkServices, dict[bool, int]]:
    """Return the services of the strait, and its sea arc in either direction of the link."""
    network = toys.network(toys.joined(toys.with_sea(tables), services=services))
    net = build_supernetwork(network)
    link = network.links["link_id"].tolist().index("strait")
    arcs = {
        bool(net.arc_forward[a]): int(a)
        for a in np.flatnonzero((net.arc_link == link) & net.arc_is_main)
    }
    return link_services(network, fill_blanks(network), net), arcs


def test_a_headway_is_waited_for_by_half_and_its_ship_is_the_capacity(toy_tables: Tables) -> None:
    services, arcs = laid(
        toy_tables,
        "service_id,link_id,from_node,headway_h,sailing_h,capacity_t\nf,strait,PB,12,9,400",
    )
    there, back = arcs[True], arcs[False]
    assert services.arc_wait_h[there] == pytest.approx(6.0)
    assert services.arc_wait_sd_h[there] == pytest.approx(12 / np.sqrt(12))
    assert services.arc_sailing_h[there] == pytest.approx(9.0)
    assert services.arc_capacity_t_per_day[there] == pytest.approx(800.0)
    # The other direction has none: the link's own time and capacity hold.
    assert services.arc_wait_h[back] == 0.0
    assert np.isnan(services.arc_sailing_h[back])
    assert np.isinf(services.arc_capacity_t_per_day[back])
    assert (services.arc_wait_h > 0).sum() == 1


def test_a_timetable_states_its_own_spread(toy_tables: Tables) -> None:
    services, arcs = laid(
        toy_tables,
        "service_id,link_id,from_node,departures,capacity_t\n"
        'f,strait,PA,"Mo,We 06:00; Fr 18:30",100',
    )
    gaps = np.array([48.0, 60.5, 59.5])
    a = arcs[False]
    assert services.arc_wait_h[a] == pytest.approx((gaps**2).sum() / (2 * 168))
    assert services.arc_capacity_t_per_day[a] == pytest.approx(3 * 100 / 7)


def test_canceled_departures_lengthen_and_spread_the_headway(toy_tables: Tables) -> None:
    services, arcs = laid(
        toy_tables,
        "service_id,link_id,from_node,headway_h,headway_cv,capacity_t,cancel_share\n"
        "f,strait,PB,24,0.5,1000,0.2",
    )
    # Simulate: gamma gaps, each departure sails with probability 0.8, arrivals at random.
    rng = np.random.default_rng(3)
    gaps = rng.gamma(4.0, 24.0 / 4.0, 400_000)
    sails = np.cumsum(gaps)[rng.random(gaps.size) < 0.8]
    gaps = np.diff(sails)
    a = arcs[True]
    mean = (gaps**2).mean() / (2 * gaps.mean())
    assert services.arc_wait_h[a] == pytest.approx(mean, rel=0.01)
    variance = (gaps**3).mean() / (3 * gaps.mean()) - mean**2
    assert services.arc_wait_sd_h[a] == pytest.approx(np.sqrt(variance), rel=0.05)
    assert services.arc_capacity_t_per_day[a] == pytest.approx(800.0)


def test_two_services_add_their_departures(toy_tables: Tables) -> None:
    services, arcs = laid(
        toy_tables,
        "service_id,link_id,from_node,headway_h,headway_cv,sailing_h,capacity_t\n"
        "f,strait,PB,24,1,10,500\ng,strait,PB,12,1,13,300",
    )
    a = arcs[True]
    # Poisson departures: one every 8 h, and the wait is the headway.
    assert services.arc_wait_h[a] == pytest.approx(8.0)
    assert services.arc_wait_sd_h[a] == pytest.approx(8.0)
    assert services.arc_sailing_h[a] == pytest.approx((10 + 2 * 13) / 3)
    assert services.arc_capacity_t_per_day[a] == pytest.approx(500 + 600)


def test_a_service_whose_ship_is_unknown_leaves_the_links_capacity(toy_tables: Tables) -> None:
    services, arcs = laid(
        toy_tables, "service_id,link_id,from_node,headway_h,capacity_t\nf,strait,PB,24,"
    )
    assert np.isinf(services.arc_capacity_t_per_day[arcs[True]])


def test_a_service_that_never_sails_is_refused(toy_tables: Tables) -> None:
    with pytest.raises(InputError, match="all those of strait are canceled"):
        laid(
            toy_tables,
            "service_id,link_id,from_node,headway_h,cancel_share\nf,strait,PB,24,1",
        )


def test_a_service_over_a_land_border_sails_both_halves(toy_tables: Tables) -> None:
    text = "service_id,link_id,from_node,headway_h,sailing_h,capacity_t\nf,x-ab-rail,AP,10,4,99"
    network = toys.network(toys.joined(toy_tables, services=text))
    net = build_supernetwork(network)
    services = link_services(network, fill_blanks(network), net)
    assert np.nansum(services.arc_sailing_h) == pytest.approx(4.0)
    assert services.arc_wait_h.sum() == pytest.approx(5.0)
    assert np.isfinite(services.arc_capacity_t_per_day).sum() == 1

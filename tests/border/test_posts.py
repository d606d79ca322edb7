"""Posts by hand: times, fees, pools, capacities and background of the toy network."""

import numpy as np
import pandas as pd
import pytest

from corridor.border import MAX_UTILIZATION, Posts, compile_posts, crossing_regimes
from corridor.border.posts import _closed_wait_h, _week
from corridor.core.queues import mean_wait
from corridor.errors import InputError
from corridor.network import Network
from corridor.network.background import background_vehicles
from corridor.network.fills import fill_blanks
from corridor.network.supernetwork import ArcKind, Supernetwork, build_supernetwork
from tests.planning import toys

Tables = dict[str, pd.DataFrame]
DAY_MIN = 24 * 60


def compiled(
    tables: Tables, ruled: dict[str, str] | None = None
) -> tuple[Posts, Supernetwork, Network]:
    network = toys.network(tables)
    net = build_supernetwork(network)
    regimes = crossing_regimes(network, ruled or {})
    vehicles = background_vehicles(network, net)
    return compile_posts(network, fill_blanks(network), net, regimes, vehicles), net, network


def at(
    posts: Posts, net: Supernetwork, network: Network, crossing: str, country: str, way: str
) -> int:
    """Return the position of a post."""
    x = network.crossings["crossing_id"].tolist().index(crossing)
    kind = ArcKind.EXIT if way == "out" else ArcKind.ENTRY
    own = np.array(net.countries)[net.arc_country[posts.arc]] == country
    found = own & (net.arc_crossing[posts.arc] == x) & (net.arc_kind[posts.arc] == kind)
    return int(np.flatnonzero(found)[0])


def pools_at(posts: Posts, post: int) -> list[int]:
    return posts.member_pool[posts.member_post == post].tolist()


def test_times_and_fees_of_a_post(toy_tables: Tables) -> None:
    posts, net, network = compiled(toy_tables)
    out = at(posts, net, network, "ab-road", "AAA", "out")
    # Documents 12 min for all, scanner 20 min for a fifth; users are two goods and empties.
    np.testing.assert_allclose(posts.service_h[out], [12 / 60 + 0.2 * 20 / 60] * 3)
    np.testing.assert_allclose(posts.fee_usd[out], [50.0] * 3)
    np.testing.assert_allclose(posts.fixed_h[out], 0.0)
    into = at(posts, net, network, "ab-road", "AAA", "in")
    np.testing.assert_allclose(posts.service_h[into], 10 / 60)
    np.testing.assert_allclose(posts.fee_usd[into], 0.0)


def test_a_pool_passes_what_its_tightest_stage_passes(toy_tables: Tables) -> None:
    posts, net, network = compiled(toy_tables)
    [pool] = pools_at(posts, at(posts, net, network, "ab-road", "AAA", "out"))
    documents, scanner = 2 * DAY_MIN * 0.95 / 12, 1 * DAY_MIN * 0.95 / (20 * 0.2)
    assert posts.pool_capacity[pool] == pytest.approx(min(documents, scanner)) == 228.0
    bottleneck = posts.stage_row[posts.pool_bottleneck[pool]]
    assert network.stages["stage"].iloc[bottleneck] == "documents"
    np.testing.assert_allclose(posts.capacity(posts.stage_servers), posts.pool_capacity)
    more = posts.stage_servers.copy()
    more[posts.pool_bottleneck[pool]] = 9
    assert posts.capacity(more)[pool] == pytest.approx(scanner) == 342.0


def test_servers_of_both_directions_are_one_pool(toy_tables: Tables) -> None:
    posts, net, network = compiled(toy_tables)
    out, into = (at(posts, net, network, "ab-road", "BBB", way) for way in ("out", "in"))
    [pool] = pools_at(posts, out)
    assert pools_at(posts, into) == [pool]
    assert posts.pool_capacity[pool] == pytest.approx(3 * DAY_MIN * 0.95 / 10)
    # The rail template of BBB has servers of its own for each direction, that of AAA has not.
    rail = [at(posts, net, network, "ab-rail", "BBB", way) for way in ("out", "in")]
    assert pools_at(posts, rail[0]) != pools_at(posts, rail[1])
    rail = [at(posts, net, network, "ab-rail", "AAA", way) for way in ("out", "in")]
    assert pools_at(posts, rail[0]) == pools_at(posts, rail[1])


def test_a_class_of_its_own_has_servers_of_its_own(toy_tables: Tables) -> None:
    rows = """
crossing_id,country,direction,order,class,stage,servers,service_min,fee_usd
ab-road,AAA,out,1,grain,weighing,1,6,5
ab-road,AAA,out,1,empty,nod,1,1,
"""
    posts, net, network = compiled(toys.joined(toy_tables, stages=rows))
    out = at(posts, net, network, "ab-road", "AAA", "out")
    np.testing.assert_allclose(posts.fee_usd[out], [50.0, 5.0, 0.0])
    np.testing.assert_allclose(
        posts.service_h[out], np.array([12.0, 6.0, 1.0]) / 60 + 0.2 * 20 / 60
    )
    users = sorted(posts.pool_users[pool].tolist() for pool in pools_at(posts, out))
    assert users == [
        [False, False, True],
        [False, True, False],
        [True, False, False],
        [True, True, True],
    ]


def test_opening_hours_cut_capacity_and_make_the_first_post_wait(toy_tables: Tables) -> None:
    tables = toys.changed(toy_tables, "crossings", "ab-road", opening_hours="08:00-20:00")
    posts, net, network = compiled(tables)
    out = at(posts, net, network, "ab-road", "AAA", "out")
    into = at(posts, net, network, "ab-road", "BBB", "in")
    assert posts.pool_capacity[pools_at(posts, out)[0]] == pytest.approx(114.0)
    # One in two arrives in the twelve closed hours and then waits six on the mean.
    np.testing.assert_allclose(posts.fixed_h[out], 3.0)
    np.testing.assert_allclose(posts.fixed_h[into], 0.0)
    assert posts.opening_wait_h[out] == pytest.approx(3.0)
    assert posts.opening_wait_h.sum() == pytest.approx(6.0)  # and on the way back
    np.testing.assert_allclose(posts.stage_open_h[posts.stage_pool == pools_at(posts, out)[0]], 12)


def test_a_ship_may_find_both_ports_closed(toy_tables: Tables) -> None:
    tables = toys.changed(
        toys.with_sea(toy_tables), "crossings", "ab-sea", opening_hours="00:00-12:00"
    )
    posts, net, network = compiled(tables)
    for country, way in (("AAA", "out"), ("BBB", "in")):
        post = at(posts, net, network, "ab-sea", country, way)
        np.testing.assert_allclose(posts.fixed_h[post], 3.0)


@pytest.mark.parametrize(
    ("text", "wait_h"),
    [
        ("", 0.0),
        ("08:00-20:00", 7 * 12**2 / (2 * 168)),
        ("Mo-Fr 00:00-24:00", 48**2 / (2 * 168)),
        ("Su 22:00-06:00", 160**2 / (2 * 168)),
    ],
)
def test_the_wait_for_opening(text: str, wait_h: float) -> None:
    assert _closed_wait_h(_week(text)) == pytest.approx(wait_h)


def test_background_loads_the_pools_it_passes(toy_tables: Tables) -> None:
    background = """
target,direction,vehicles_per_day
ab-road,forward,100
ab-road,backward,40
ab-rail,both,6
"""
    posts, net, network = compiled(toys.joined(toy_tables, background=background))

    def base(crossing: str, country: str, way: str) -> float:
        [pool] = pools_at(posts, at(posts, net, network, crossing, country, way))
        return float(posts.pool_base[pool])

    assert base("ab-road", "AAA", "out") == 100
    assert base("ab-road", "AAA", "in") == 40
    assert base("ab-road", "BBB", "in") == base("ab-road", "BBB", "out") == 140
    assert base("ab-rail", "AAA", "in") == 6
    assert base("ab-rail", "BBB", "in") == 3


def test_background_follows_the_rows_for_all(toy_tables: Tables) -> None:
    rows = """
crossing_id,country,direction,order,class,stage,servers,service_min
ab-road,AAA,out,1,grain,weighing,1,6
"""
    background = "target,direction,vehicles_per_day\nab-road,forward,100"
    posts, net, network = compiled(toys.joined(toy_tables, stages=rows, background=background))
    pools = pools_at(posts, at(posts, net, network, "ab-road", "AAA", "out"))
    by_users = {tuple(posts.pool_users[p].tolist()): posts.pool_base[p] for p in pools}
    # Scanner for all, documents for all but grain, weighing for grain alone.
    assert by_users == {
        (True, True, True): 100.0,
        (True, False, True): 100.0,
        (False, True, False): 0.0,
    }


def test_waits_are_those_of_the_queues_and_weighted_by_share(toy_tables: Tables) -> None:
    background = "target,direction,vehicles_per_day\nab-road,forward,150"
    posts, net, network = compiled(toys.joined(toy_tables, background=background))
    delay = posts.queue_delay(np.ones(len(network.layers)))
    wait = posts.wait_h(delay.wait_h(np.zeros(posts.n_pools)))
    out = at(posts, net, network, "ab-road", "AAA", "out")
    documents = mean_wait(150 / 24, 12 / 60, 2)
    scanner = mean_wait(0.2 * 150 / 24, 20 / 60, 1)
    np.testing.assert_allclose(wait[out], documents + 0.2 * scanner)


def test_a_regime_brings_its_own_stages(toy_tables: Tables) -> None:
    rows = """
crossing_id,country,direction,regime,order,class,stage,servers,service_min
ab-road,AAA,out,fast,1,all,documents,8,2
ab-road,AAA,out,fast,2,all,scanner,8,2
"""
    posts, net, network = compiled(toys.joined(toy_tables, stages=rows), {"ab-road": "fast"})
    out = at(posts, net, network, "ab-road", "AAA", "out")
    np.testing.assert_allclose(posts.service_h[out], 4 / 60)
    np.testing.assert_allclose(posts.fee_usd[out], 0.0)
    assert posts.pool_capacity[pools_at(posts, out)[0]] == pytest.approx(8 * DAY_MIN * 0.95 / 2)


def test_the_host_of_a_joint_post_has_jurisdiction(toy_tables: Tables) -> None:
    stages = toy_tables["stages"].assign(host="")
    stages.loc[(stages["crossing_id"] == "ab-road") & (stages["country"] == "AAA"), "host"] = "BBB"
    posts, net, _ = compiled({**toy_tables, "stages": stages})
    moved = np.flatnonzero(posts.arc_country != net.arc_country)
    assert moved.size == 2
    assert (net.arc_country[moved] == 0).all()
    assert (posts.arc_country[moved] == 1).all()


def test_two_hosts_of_one_post_are_refused(toy_tables: Tables) -> None:
    stages = toy_tables["stages"].assign(host="")
    stages.loc[stages["stage"] == "scanner", "host"] = "BBB"
    with pytest.raises(InputError, match="must have one host"):
        compiled({**toy_tables, "stages": stages})


def test_an_open_post_must_have_stages(toy_tables: Tables) -> None:
    rows = toy_tables["stages"].assign(regime="standard")
    with pytest.raises(InputError, match=r"ab-road/AAA/out under 'joint'"):
        compiled({**toy_tables, "stages": rows}, {"ab-road": "joint"})
    tables = toys.changed(toy_tables, "crossings", "ab-road", status="broken")
    posts, _, _ = compiled({**tables, "stages": rows}, {"ab-road": "joint"})
    assert posts.arc.size == 8


def test_batches_are_refused_rather_than_ignored(toy_tables: Tables) -> None:
    with pytest.raises(InputError, match="batch must be 1"):
        compiled({**toy_tables, "stages": toy_tables["stages"].assign(batch=4)})


def test_a_crossing_that_never_opens_is_refused(toy_tables: Tables) -> None:
    tables = toys.changed(toy_tables, "crossings", "ab-road", opening_hours="off")
    with pytest.raises(InputError, match="open at some time"):
        compiled(tables)


def test_a_network_without_borders_has_no_posts(toy_tables: Tables) -> None:
    tables = {name: table for name, table in toy_tables.items() if name in (
        "nodes", "layers", "links", "commodities")}  # fmt: skip
    tables["links"] = tables["links"].query("crossing_id.isna()")
    posts, _, _ = compiled(tables)
    assert posts.n_pools == posts.arc.size == 0
    assert posts.queue_delay(np.ones(3)).value(np.zeros(0)).size == 0


def test_the_share_that_servers_work_is_the_contracts() -> None:
    assert MAX_UTILIZATION == 0.95

"""Copies of arcs for rules on ways, against the enumeration of ways on random networks."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from corridor.core.graph import Graph
from corridor.core.paths import k_shortest_paths, shortest_paths
from corridor.network.supernetwork import ArcKind
from corridor.planning import Model
from corridor.planning.ways.walks import onto_plain, with_copies
from corridor.sovereignty import Journeys, Scope
from tests.planning.worlds import World, draw_world

MOST = 12


def world_with(seed: int, *rules: dict[str, object]) -> World:
    return replace(draw_world(seed, kinds=()), rules=list(rules))


def some_links(world: World, rng: np.random.Generator, n: int) -> list[str]:
    """Return links of which each but the first meets another, so that ways follow them."""
    links = world.tables["links"]
    names = [str(rng.choice(links["link_id"]))]
    while len(names) < n:
        ends = set(
            links.loc[links["link_id"].isin(names), ["from_node", "to_node"]].to_numpy().ravel()
        )
        near = links[(links["from_node"].isin(ends) | links["to_node"].isin(ends))]
        near = near[~near["link_id"].isin(names)]
        if not len(near):
            break
        names.append(str(rng.choice(near["link_id"])))
    return names


def ways(model: Model, shipment: int, *, plain: bool) -> Iterator[np.ndarray]:
    """Yield the first ways of a shipment, on the plain network or on that with the copies."""
    net = model.plain if plain else model.supernetwork
    code = model.class_of[shipment]
    cost = np.ones(net.n_arcs) if plain else np.where(model.allowed[code], 1.0, np.inf)
    cost = np.where(net.arc_open, cost, np.inf)
    source = int(net.source[model.shipments.origin[shipment]])
    sink = int(net.sink[model.shipments.destination[shipment]])
    for path in k_shortest_paths(net.graph, cost, source, sink, MOST):
        yield path.arcs


def stays(model: Model, links: list[str], arcs: np.ndarray) -> int:
    """Return how many unbroken stays on the links a way has, terminals aside."""
    names = model.network.links["link_id"].tolist()
    met = [names[link] for link in model.supernetwork.arc_link[arcs] if link >= 0]
    inside = [name in links for name in met]
    return sum(now and not before for before, now in zip([False, *inside], inside, strict=False))


@pytest.mark.parametrize("seed", range(10))
def test_a_stay_on_links_is_one_entry(seed: int) -> None:
    rng = np.random.default_rng(seed)
    links = some_links(draw_world(seed, kinds=()), rng, 3)
    rule: dict[str, object] = {
        "kind": "quota", "links": links, "limit": 1e6, "unit": "t_per_day", "flags": ["AAA", "BBB"],
    }  # fmt: skip
    model = world_with(seed, rule).model()
    [quota] = model.effects.quotas
    counted = quota.per_t.toarray()
    spoken = np.isin(model.shipments.flag, ["AAA", "BBB"])
    for shipment in range(len(model.shipments)):
        code = model.class_of[shipment]
        found = [
            model.supernetwork.arc_plain[arcs].tobytes()
            for arcs in ways(model, shipment, plain=False)
        ]
        wanted = [arcs.tobytes() for arcs in ways(model, shipment, plain=True)]
        assert len(set(found)) == len(found)
        if len(found) < MOST:
            assert set(found) >= set(wanted)
        for arcs in ways(model, shipment, plain=False):
            expected = stays(model, links, arcs) if spoken[shipment] else 0
            assert counted[code, arcs].sum() == expected
            journeys = Journeys(
                territory=model.territory,
                path_class=np.array([code]),
                path_t_per_day=np.array([2.0]),
                path_indptr=np.array([0, arcs.size]),
                path_arc=model.supernetwork.arc_plain[arcs],
                step_seals=(frozenset(),) * arcs.size,
            )
            scope = Scope(links=tuple(links), flags=("AAA", "BBB"))
            assert journeys.entered(scope, "t_per_day") == 2.0 * expected


@pytest.mark.parametrize("seed", range(8))
def test_every_scope_is_entered_once_a_stay(seed: int) -> None:
    """The mask of entries says for every way what counting its unbroken stays says."""
    rng = np.random.default_rng(seed)
    states = [str(s) for s in rng.choice(["AAA", "BBB", "CCC"], 2, replace=False)]
    rules = [
        {"countries": states[:1]},
        {"countries": states},
        {"countries": states[:1], "traffic": ["transit"]},
        {"traffic": ["import"], "layers": ["road"]},
        {"layers": ["rail1520"]},
        {"crossings": draw_world(seed).tables["crossings"]["crossing_id"].tolist()},
        {"crossings": draw_world(seed).tables["crossings"]["crossing_id"].tolist()[:2],
         "countries": states[:1]},
        {},
    ]  # fmt: skip
    quota = {"kind": "quota", "limit": 1e6, "unit": "vehicles_per_day"}
    model = world_with(seed, *(quota | rule for rule in rules)).model()
    counts = [effect.per_t.toarray() for effect in model.effects.quotas]
    for shipment in range(len(model.shipments)):
        code = model.class_of[shipment]
        for arcs in ways(model, shipment, plain=False):
            plain = model.supernetwork.arc_plain[arcs]
            if turns_back(model, plain):
                continue
            journeys = Journeys(
                territory=model.territory,
                path_class=np.array([code]),
                path_t_per_day=np.array([7.0]),
                path_indptr=np.array([0, arcs.size]),
                path_arc=plain,
                step_seals=(frozenset(),) * arcs.size,
            )
            for rule, per_t in zip(model.rules.rules, counts, strict=True):
                counted = 7.0 * per_t[code, arcs].sum()
                assert journeys.entered(rule, "vehicles_per_day") == pytest.approx(counted), rule


def turns_back(model: Model, arcs: np.ndarray) -> bool:
    """Return whether a way turns back on a border, which is no way."""
    net = model.plain
    chain = net.arc_crossing[arcs]
    return any(
        a >= 0 and a == b and net.arc_a_to_b[x] != net.arc_a_to_b[y]
        for a, b, x, y in zip(chain, chain[1:], arcs, arcs[1:], strict=False)
    )


def walk_length(model: Model, shipment: int, crossing: int, *, cost: np.ndarray) -> float:
    """Return the length of the shortest walk over a crossing, by composition of two searches."""
    net = model.plain
    source = int(net.source[model.shipments.origin[shipment]])
    sink = int(net.sink[model.shipments.destination[shipment]])
    backward = Graph(net.graph.n_nodes, net.graph.head, net.graph.tail)
    there, _ = shortest_paths(net.graph, cost, [source])
    onward, _ = shortest_paths(backward, cost, [sink])
    best = np.inf
    for entry in np.flatnonzero(net.is_kind(ArcKind.ENTRY) & (net.arc_crossing == crossing)):
        leaving = net.arc_before[entry]
        over = cost[leaving] + cost[entry]
        best = min(
            best, there[0, net.graph.tail[leaving]] + over + onward[0, net.graph.head[entry]]
        )
    return float(best)


@pytest.mark.parametrize("seed", range(30))
def test_a_required_crossing_costs_the_shortest_walk_over_it(seed: int) -> None:
    world = draw_world(seed, kinds=())
    crossings = world.tables["crossings"]["crossing_id"].tolist()
    if not crossings:
        pytest.skip("a world without borders")
    name = crossings[seed % len(crossings)]
    model = world_with(
        seed, {"kind": "require", "crossings": [name], "commodities": ["grain"]}
    ).model()
    net = model.supernetwork
    rng = np.random.default_rng(seed)
    cost = np.where(model.plain.arc_open, rng.uniform(1.0, 9.0, model.plain.n_arcs), np.inf)
    grain = list(model.shipments.commodities).index("grain")
    for shipment, code in enumerate(model.class_of):
        lifted = np.where(model.allowed[code], cost[net.arc_plain], np.inf)
        source = int(net.source[model.shipments.origin[shipment]])
        sink = int(net.sink[model.shipments.destination[shipment]])
        distance, _ = shortest_paths(net.graph, lifted, [source])
        if model.shipments.commodity[shipment] == grain:
            expected = walk_length(
                model,
                shipment,
                model.network.crossings["crossing_id"].tolist().index(name),
                cost=cost,
            )
        else:
            plain, _ = shortest_paths(model.plain.graph, cost, [source])
            expected = float(plain[0, sink])
        assert distance[0, sink] == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(8))
def test_audits_of_random_ways_say_what_the_automata_say(seed: int) -> None:
    """A way on the copies breaks no rule; a plain way breaks those that its automata refuse."""
    world = draw_world(seed, kinds=())
    crossings = world.tables["crossings"]["crossing_id"].tolist()
    if len(crossings) < 2:
        pytest.skip("too few borders")
    rules: list[dict[str, object]] = [
        {"kind": "require", "crossings": crossings[:2]},
        {"kind": "require", "countries": ["BBB"], "commodities": ["boxes"]},
        {"kind": "sealed", "enter": crossings[:2], "leave": crossings, "skip": ["s2"],
         "countries": ["BBB"]},
    ]  # fmt: skip
    model = world_with(seed, *rules).model()
    for shipment, code in enumerate(model.class_of):
        for is_plain in (True, False):
            for arcs in ways(model, shipment, plain=is_plain):
                seals = tuple(
                    frozenset(
                        path.rule_id
                        for path, under in zip(model.effects.paths, model.sealed[arc], strict=True)
                        if under
                    )
                    for arc in arcs
                )
                plain = model.supernetwork.arc_plain[arcs]
                journeys = Journeys(
                    territory=model.territory,
                    path_class=np.array([code]),
                    path_t_per_day=np.array([1.0]),
                    path_indptr=np.array([0, arcs.size]),
                    path_arc=plain,
                    step_seals=seals,
                )
                for rule, path in zip(model.rules.rules, model.effects.paths, strict=True):
                    [finding] = rule.audit(journeys)
                    accepted = path.automaton.accepts(plain, int(path.start[code]))
                    assert finding.kept == accepted, (rule.id, is_plain)
                    assert accepted or is_plain


def test_copies_are_found_and_added_up() -> None:
    world = draw_world(1, kinds=())
    name = world.tables["crossings"]["crossing_id"].iloc[0]
    model = world_with(1, {"kind": "require", "crossings": [name]}).model()
    net, n_plain = model.supernetwork, model.plain.n_arcs
    arcs = np.array([5, 2, 9], dtype=np.int32)
    position, copy = with_copies(net, arcs)
    for i, arc in enumerate(arcs):
        assert set(copy[position == i]) == set(np.flatnonzero(net.arc_plain == arc))
    values = np.random.default_rng(0).random((2, net.n_arcs))
    total = onto_plain(net, values, n_plain)
    for arc in range(n_plain):
        np.testing.assert_allclose(total[:, arc], values[:, net.arc_plain == arc].sum(axis=1))
    assert onto_plain(model.plain, values[:, :n_plain], n_plain).shape == (2, n_plain)
    share = net.arc_share
    np.testing.assert_array_equal(share, model.plain.arc_share[net.arc_plain])

"""Constrained paths against the enumeration of all simple paths."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.core.graph import FloatArray, Graph
from corridor.core.paths import Path, constrained, constrained_path, shortest_paths, skim
from corridor.errors import InputError, SolverError
from tests.core.paths.oracles import PRICES, check_path, random_graph

properties = settings(deadline=None, max_examples=60)


@dataclass(frozen=True, kw_only=True)
class Case:
    graph: Graph
    cost: FloatArray
    use: FloatArray
    lower: FloatArray
    limits: FloatArray
    origin: int
    destination: int

    def solve(self) -> Path | None:
        return constrained_path(
            self.graph,
            self.cost,
            self.use,
            self.limits,
            self.origin,
            self.destination,
            lower=self.lower,
        )

    def enumerate(self) -> Iterator[tuple[float, FloatArray]]:
        """Yield cost and use of every simple path."""
        is_open = np.isfinite(self.cost) & np.isfinite(self.use).all(axis=0)

        def extend(
            node: int, seen: set[int], cost: float, use: FloatArray
        ) -> Iterator[tuple[float, FloatArray]]:
            if node == self.destination:
                yield cost, np.round(use, 9)
                return
            for arc in np.flatnonzero((self.graph.tail == node) & is_open):
                target = int(self.graph.head[arc])
                if target not in seen:
                    yield from extend(
                        target, seen | {target}, cost + self.cost[arc], use + self.use[:, arc]
                    )

        yield from extend(self.origin, {self.origin}, 0.0, np.zeros(len(self.use)))

    def best(self) -> float:
        """Return the least cost of a path within the bounds, inf where there is none."""
        return min(
            (
                cost
                for cost, use in self.enumerate()
                if (use >= self.lower).all() and (use <= self.limits).all()
            ),
            default=np.inf,
        )

    def check(self) -> None:
        found, expected = self.solve(), self.best()
        if found is None:
            assert expected == np.inf
            return
        assert found.cost == pytest.approx(expected, rel=1e-12)
        assert found.cost == sum(self.cost[found.arcs].tolist())
        check_path(self.graph, found.arcs, self.origin, self.destination)
        total = np.round(self.use[:, found.arcs].sum(axis=1), 9)
        assert (total >= self.lower).all()
        assert (total <= self.limits).all()


def random_case(seed: int, kind: str, *, has_lower: bool) -> Case:
    rng = np.random.default_rng(seed)
    n_nodes = int(rng.integers(1, 9))
    n_arcs = int(rng.integers(0, 4 * n_nodes))
    n_resources = int(rng.integers(0, 4))
    size = (n_resources + 1, n_arcs)
    prices = rng.choice(PRICES, size) if kind == "few" else np.round(rng.lognormal(size=size), 2)
    if kind == "float":
        prices = rng.lognormal(size=size)
    limits = rng.choice([1.0, 2.5, 4.0, 8.0, np.inf], n_resources)
    lower = np.minimum(rng.choice([0.0, 1.0, 3.0, 6.0], n_resources), limits)
    origin, destination = (int(node) for node in rng.integers(0, n_nodes, 2))
    return Case(
        graph=random_graph(rng, n_nodes, n_arcs),
        cost=prices[0],
        use=prices[1:],
        lower=lower if has_lower else np.zeros(n_resources),
        limits=limits,
        origin=origin,
        destination=destination,
    )


@pytest.mark.parametrize("has_lower", [False, True])
@pytest.mark.parametrize("kind", ["few", "decimal", "float"])
@pytest.mark.parametrize("seed", range(60))
def test_cost_equals_the_enumeration(seed: int, kind: str, *, has_lower: bool) -> None:
    random_case(seed, kind, has_lower=has_lower).check()


@pytest.mark.parametrize("has_lower", [False, True])
@pytest.mark.parametrize("kind", ["few", "decimal", "float"])
@pytest.mark.parametrize("seed", range(60))
def test_multipliers_change_nothing(
    monkeypatch: pytest.MonkeyPatch, seed: int, kind: str, *, has_lower: bool
) -> None:
    monkeypatch.setattr(constrained, "EASY_LABELS", 1)
    random_case(seed, kind, has_lower=has_lower).check()


@pytest.mark.parametrize("n_resources", [1, 2, 3])
def test_multipliers_change_nothing_on_a_grid(
    monkeypatch: pytest.MonkeyPatch, n_resources: int
) -> None:
    node = np.arange(400).reshape(20, 20)
    tail = np.concatenate([node[:-1].ravel(), node[:, :-1].ravel()])
    head = np.concatenate([node[1:].ravel(), node[:, 1:].ravel()])
    graph = Graph(400, [*tail, *head], [*head, *tail])
    rng = np.random.default_rng(n_resources)
    cost = rng.uniform(1.0, 10.0, graph.n_arcs)
    use = rng.uniform(1.0, 10.0, (n_resources, graph.n_arcs))
    least = skim(graph, use, [0], [399])[:, 0, 0]
    for tightness in (1.02, 1.2, 1.4, 2.0):
        found = constrained_path(graph, cost, use, tightness * least, 0, 399)
        with monkeypatch.context() as patch:
            patch.setattr(constrained, "EASY_LABELS", 1)
            priced = constrained_path(graph, cost, use, tightness * least, 0, 399)
        assert (found is None) == (priced is None)
        if found is not None and priced is not None:
            assert priced.cost == pytest.approx(found.cost, rel=1e-12)


def test_without_binding_limits_it_is_the_shortest_path() -> None:
    rng = np.random.default_rng(1)
    graph = random_graph(rng, 200, 700)
    cost = rng.lognormal(size=700)
    distance, _ = shortest_paths(graph, cost, [0])
    for limits in ([], [np.inf], [1e6], [1e6, np.inf]):
        use = np.ones((len(limits), 700))
        for destination in range(1, 200, 33):
            found = constrained_path(graph, cost, use, limits, 0, destination)
            length = np.inf if found is None else found.cost
            assert length == pytest.approx(distance[0, destination], rel=1e-12)


def test_at_most_so_many_arcs_equals_bellman_ford_cut_short() -> None:
    rng = np.random.default_rng(2)
    graph = random_graph(rng, 80, 300)
    cost = rng.lognormal(size=300)
    distance = np.full(80, np.inf)
    distance[0] = 0.0
    for n_steps in range(1, 8):
        after = distance.copy()
        np.minimum.at(after, graph.head, distance[graph.tail] + cost)
        distance = after
        for destination in range(1, 80, 7):
            found = constrained_path(graph, cost, np.ones((1, 300)), [n_steps], 0, destination)
            length = np.inf if found is None else found.cost
            assert length == pytest.approx(distance[destination], rel=1e-12)


def test_a_detour_is_not_driven_twice_to_reach_a_lower_bound() -> None:
    # 0 -> 1 -> 2 uses 2; the loop 1 -> 3 -> 1 would add 2, but a path visits node 1 once.
    graph = Graph(4, [0, 1, 1, 3, 0], [1, 2, 3, 1, 2])
    cost, use = [1.0, 1.0, 1.0, 1.0, 50.0], [[1.0, 1.0, 1.0, 1.0, 4.0]]
    found = constrained_path(graph, cost, use, [9.0], 0, 2, lower=[4.0])
    assert found is not None
    assert (found.arcs.tolist(), found.cost) == ([4], 50.0)
    assert constrained_path(graph, cost, use, [9.0], 0, 2, lower=[5.0]) is None


def test_decimals_keep_a_limit_that_they_meet() -> None:
    graph = Graph(3, [0, 1], [1, 2])
    assert constrained_path(graph, [1.0, 1.0], [[0.1, 0.2]], [0.3], 0, 2) is not None
    assert constrained_path(graph, [1.0, 1.0], [[0.1, 0.2]], [0.3], 0, 2, lower=[0.3]) is not None
    assert constrained_path(graph, [1.0, 1.0], [[0.1, 0.2]], [0.299], 0, 2) is None
    assert constrained_path(graph, [1.0, 1.0], [[0.1, 0.2]], [0.4], 0, 2, lower=[0.301]) is None


def test_origin_equal_to_destination_gives_the_empty_path() -> None:
    graph = Graph(2, [0, 1, 0], [1, 0, 0])
    found = constrained_path(graph, np.ones(3), np.ones((1, 3)), [0.0], 0, 0)
    assert found is not None
    assert (found.arcs.size, found.cost) == (0, 0.0)
    assert constrained_path(graph, np.ones(3), np.ones((1, 3)), [2.0], 0, 0, lower=[1.0]) is None
    assert constrained_path(Graph(1, [], []), [], np.zeros((1, 0)), [2.0], 0, 0) is not None


def test_an_infinite_use_closes_the_arc_even_without_a_limit() -> None:
    graph = Graph(2, [0, 0], [1, 1])
    found = constrained_path(graph, [1.0, 2.0], [[np.inf, 0.0]], [np.inf], 0, 1)
    assert found is not None
    assert found.arcs.tolist() == [1]


def test_the_path_is_read_only() -> None:
    found = constrained_path(Graph(2, [0], [1]), [1.0], [[1.0]], [1.0], 0, 1)
    assert found is not None
    assert found.arcs.dtype == np.int32
    assert not found.arcs.flags.writeable


@pytest.mark.parametrize("lower", [[0.0, 0.0, 0.0], [2.0, 1.0, 3.0]])
def test_too_many_labels_are_refused(lower: list[float]) -> None:
    rng = np.random.default_rng(4)
    graph = random_graph(rng, 400, 3_000)
    cost, use = rng.lognormal(size=3_000), rng.lognormal(size=(3, 3_000))
    cheapest, _ = shortest_paths(graph, use[0], [0])
    limit = 1.2 * cheapest[0, 1]
    with pytest.raises(SolverError, match="max_labels = 5 labels"):
        constrained_path(graph, cost, use, [limit, 9.0, 9.0], 0, 1, lower, max_labels=5)


GOOD = {
    "cost": [1.0, 1.0],
    "resources": [[1.0, 1.0]],
    "limits": [5.0],
    "origin": 0,
    "destination": 2,
    "lower": [0.0],
}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("cost", [1.0], r"cost must have shape \(2,\)"),
        ("cost", [1.0, np.nan], r"cost must be >= 0.*found nan at position \[1\]"),
        ("resources", [1.0, 1.0], r"resources must have shape \(n, 2\)"),
        ("resources", [[1.0, -1.0]], r"resources must be >= 0.*position \[0, 1\]"),
        ("limits", 5.0, r"limits must have shape \(1,\).*found shape \(\)"),
        ("limits", [5.0, 5.0], r"limits must have shape \(1,\).*found shape \(2,\)"),
        ("limits", [-1.0], r"limits must be >= 0; found -1.0 at position 0"),
        ("limits", [np.nan], r"limits must be >= 0; found nan at position 0"),
        ("limits", ["a"], "limits must have shape .* one number for each resource"),
        ("lower", [6.0], "lower must be finite and at most limits; found 6.0 above 5.0"),
        ("lower", [-1.0], "lower must be >= 0"),
        ("origin", 3, r"origin must be a whole number in 0\.\.2"),
        ("destination", 0.5, r"destination must be a whole number in 0\.\.2"),
    ],
)
def test_bad_input_is_refused(name: str, value: object, words: str) -> None:
    arguments = {**GOOD, name: value}
    with pytest.raises(InputError, match=words):
        constrained_path(Graph(3, [0, 1], [1, 2]), **arguments)


def test_an_infinite_lower_bound_is_refused() -> None:
    with pytest.raises(InputError, match="lower must be finite"):
        constrained_path(Graph(2, [0], [1]), [1.0], [[1.0]], [np.inf], 0, 1, lower=[np.inf])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    return random_case(
        draw(st.integers(0, 2**32 - 1)),
        draw(st.sampled_from(["few", "decimal", "float"])),
        has_lower=draw(st.booleans()),
    )


def cost_of(case: Case) -> float:
    found = case.solve()
    return np.inf if found is None else found.cost


def changed(case: Case, graph: Graph, cost: FloatArray, use: FloatArray) -> Case:
    return Case(
        graph=graph,
        cost=cost,
        use=use,
        lower=case.lower,
        limits=case.limits,
        origin=case.origin,
        destination=case.destination,
    )


@properties
@given(cases())
def test_reordering_arcs_changes_nothing(case: Case) -> None:
    shuffled = np.random.default_rng(0).permutation(case.graph.n_arcs)
    graph = Graph(case.graph.n_nodes, case.graph.tail[shuffled], case.graph.head[shuffled])
    other = changed(case, graph, case.cost[shuffled], case.use[:, shuffled])
    assert cost_of(other) == pytest.approx(cost_of(case), rel=1e-12)


@properties
@given(cases())
def test_a_new_arc_never_raises_the_cost(case: Case) -> None:
    rng = np.random.default_rng(case.graph.n_arcs)
    ends = rng.integers(0, case.graph.n_nodes, 2)
    graph = Graph(case.graph.n_nodes, [*case.graph.tail, ends[0]], [*case.graph.head, ends[1]])
    price = rng.lognormal(size=(len(case.use) + 1, 1))
    use = np.hstack([case.use, price[1:]])
    other = changed(case, graph, np.append(case.cost, price[0]), use)
    assert cost_of(other) <= cost_of(case) * (1.0 + 1e-12)

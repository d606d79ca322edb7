"""Earliest arrivals over opening hours, timetables and headways."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import chain

import numpy as np
import numpy.typing as npt
import pytest

from corridor.core.graph import FloatArray, Graph
from corridor.core.paths import (
    ArcTimes,
    Departures,
    PostHours,
    arc_paths,
    arc_paths_batch,
    date_path,
    departure_profile,
    earliest_arrival,
    shortest_paths,
)
from corridor.errors import InputError
from tests.core.paths.oracles import PRICES, check_path, random_graph

TICKS_PER_H = 60
WEEK_H = 168.0


# --- a time-expanded graph in whole minutes, which knows nothing of formulas ---


@dataclass(frozen=True, kw_only=True)
class TickPost:
    """A post minute by minute: ``is_open[k]`` says whether it works from minute k to k + 1."""

    is_open: npt.NDArray[np.bool_]
    queue: npt.NDArray[np.int64]
    service: int
    resume: bool

    def works(self, tick: int) -> bool:
        return bool(self.is_open[tick % self.is_open.size])


@dataclass(frozen=True, kw_only=True)
class TickArc:
    travel: int | None  # None is closed
    headway: int = 0
    post: TickPost | None = None
    departures: tuple[tuple[int, int], ...] | None = None  # (departs, duration)
    timetable_period: int = 1


State = tuple[str, int, int, int]
"""What a vehicle does, the arc or node, the work left, the minute."""


def next_states(graph: Graph, arcs: list[TickArc], state: State) -> Iterator[State]:
    """Yield the edges of the time-expanded graph."""
    what, where, _, tick = state
    if what == "node":
        yield "node", where, 0, tick + 1
        for arc in np.flatnonzero(graph.tail == where).tolist():
            post = arcs[arc].post
            wait = 0 if post is None else int(post.queue[tick % post.queue.size])
            yield "ready" if post is None else "queue", arc, wait, tick
    elif what in ("queue", "gate", "service"):
        yield from next_states_at_post(arcs[where].post, state)
    elif what == "ready":
        yield "board", where, 0, tick + arcs[where].headway
    else:
        yield "board", where, 0, tick + 1
        for duration in durations(arcs[where], tick):
            yield "node", int(graph.head[where]), 0, tick + duration


def next_states_at_post(post: TickPost, state: State) -> Iterator[State]:
    what, where, left, tick = state
    at_hand = post.works(tick) or post.works(tick - 1)  # both ends of the hours belong to them
    if what == "queue" and left == 0:
        yield "service" if post.resume else "gate", where, post.service, tick
    elif what == "queue" or (what == "service" and left > 0):
        yield what, where, left - int(post.works(tick)), tick + 1
    elif what == "service":
        yield ("ready", where, 0, tick) if at_hand else ("service", where, 0, tick + 1)
    else:  # the gate: who must be served without a break
        yield "gate", where, left, tick + 1
        if at_hand and all(post.works(minute) for minute in range(tick, tick + left)):
            yield "ready", where, 0, tick + left


def durations(arc: TickArc, tick: int) -> list[int]:
    """Return how long it takes to the end of an arc that is boarded in this minute."""
    if arc.travel is None:
        return []
    if arc.departures is None:
        return [arc.travel]
    minute = tick % arc.timetable_period
    return [arc.travel + duration for departs, duration in arc.departures if departs == minute]


def expanded_arrivals(
    graph: Graph, arcs: list[TickArc], origin: int, depart: int, horizon: int
) -> FloatArray:
    """Return the first minute at which each node is reached in the time-expanded graph."""
    arrival = np.full(graph.n_nodes, np.inf)
    start: State = ("node", origin, 0, depart)
    seen, waiting = {start}, [(depart, start)]
    while waiting and np.isinf(arrival).any():
        tick, state = heappop(waiting)
        if state[0] == "node":
            arrival[state[1]] = min(arrival[state[1]], tick)
        for reached in next_states(graph, arcs, state):
            if reached not in seen and reached[3] <= depart + horizon:
                seen.add(reached)
                heappush(waiting, (reached[3], reached))
    return arrival


def random_post(rng: np.random.Generator, period: int) -> TickPost:
    """Draw opening hours, and a queue in which nobody overtakes."""
    is_open = np.repeat(rng.random(period) < 0.6, rng.integers(1, 5, period))[:period]
    queue = np.full(period, rng.integers(0, 4))
    total = int(is_open.sum())
    if total and rng.random() < 0.5:
        # Operating time at which each is served rises by as much as the post works in a period.
        rises = rng.multinomial(total, np.full(period, 1.0 / period))
        served = np.append(0, np.cumsum(rises)[:-1])
        queue = served - np.append(0, np.cumsum(is_open)[:-1])
        queue += rng.integers(0, 3) - queue.min()
    service = int(rng.integers(0, 5))
    return TickPost(is_open=is_open, queue=queue, service=service, resume=bool(rng.random() < 0.5))


def random_arc(rng: np.random.Generator, post_period: int, timetable_period: int) -> TickArc:
    post = random_post(rng, post_period) if rng.random() < 0.5 else None
    departures = None
    if rng.random() < 0.4:
        n = int(rng.integers(0, 4))
        departs = np.sort(rng.integers(0, timetable_period, n)).tolist()
        departures = tuple(zip(departs, rng.integers(0, 20, n).tolist(), strict=True))
    return TickArc(
        travel=None if rng.random() < 0.05 else int(rng.choice([0, 0, 1, 3, 7])),
        headway=int(rng.choice([0, 0, 2])),
        post=post,
        departures=departures,
        timetable_period=timetable_period,
    )


def spells(is_open: npt.NDArray[np.bool_]) -> tuple[list[float], list[float]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], is_open, [False]))))
    return (edges[::2] / TICKS_PER_H).tolist(), (edges[1::2] / TICKS_PER_H).tolist()


def arc_times(arcs: list[TickArc], post_period: int, timetable_period: int) -> ArcTimes:
    """Say the same in hours."""
    with_post = [arc for arc, _ in enumerate(arcs) if arcs[arc].post is not None]
    posts = [arcs[arc].post for arc in with_post]
    opens, closes = [], []
    indptr = [0]
    for post in posts:
        first, last = spells(post.is_open)
        opens += first
        closes += last
        indptr.append(len(opens))
    queue = np.array([post.queue for post in posts]).reshape(len(posts), post_period)
    with_timetable = [arc for arc, _ in enumerate(arcs) if arcs[arc].departures is not None]
    trips = [arcs[arc].departures for arc in with_timetable]
    flat = np.array(list(chain(*trips))).reshape(-1, 2) / TICKS_PER_H
    return ArcTimes(
        [np.inf if arc.travel is None else arc.travel / TICKS_PER_H for arc in arcs],
        headway_wait_h=[arc.headway / TICKS_PER_H for arc in arcs],
        posts=PostHours(
            with_post,
            indptr,
            opens,
            closes,
            service_h=[post.service / TICKS_PER_H for post in posts],
            queue_h=queue / TICKS_PER_H,
            resume=np.array([post.resume for post in posts], dtype=bool),
            period_h=post_period / TICKS_PER_H,
        ),
        departures=Departures(
            with_timetable,
            np.cumsum([0, *map(len, trips)]),
            flat[:, 0],
            flat[:, 1],
            period_h=timetable_period / TICKS_PER_H,
        ),
    )


N_NETWORKS, N_BLOCKS = 1_200, 12


@pytest.mark.parametrize("block", range(N_BLOCKS))
def test_arrivals_equal_a_time_expanded_graph(block: int) -> None:
    n_reached = n_closed = 0
    for seed in range(block, N_NETWORKS, N_BLOCKS):
        rng = np.random.default_rng(seed)
        post_period, timetable_period = int(rng.integers(3, 25)), int(rng.integers(1, 25))
        graph = random_graph(rng, int(rng.integers(1, 5)), int(rng.integers(0, 10)))
        arcs = [random_arc(rng, post_period, timetable_period) for _ in range(graph.n_arcs)]
        times = arc_times(arcs, post_period, timetable_period)
        depart = int(rng.integers(-50, 200))
        # With three arcs to pass, each at most some periods long, 600 minutes are for ever.
        expected = expanded_arrivals(graph, arcs, 0, depart, horizon=600)
        found, tree = earliest_arrival(graph, times, 0, depart / TICKS_PER_H)
        np.testing.assert_allclose(found * TICKS_PER_H, expected, atol=1e-6, err_msg=f"{seed}")
        n_reached += int(np.isfinite(expected[1:]).sum())
        n_closed += int(np.isinf(expected).sum())
        for node in range(1, graph.n_nodes):
            path = arc_paths(graph, tree, node)
            if path.size:
                check_path(graph, path, 0, node)
                dated = date_path(graph, times, path, depart / TICKS_PER_H)
                assert dated.end_h[-1] == found[node]
    assert n_reached > 40
    assert n_closed > 20


# --- brute force over simple paths, in hours that are not whole minutes ---


def plain_leave(times: ArcTimes, arc: int, now: float) -> float:
    """Return when an arc is left, by walking through the absolute intervals of 60 periods."""
    posts, trips = times.posts, times.departures
    if arc in posts.arc:
        post = int(np.flatnonzero(posts.arc == arc)[0])
        rows = slice(posts.indptr[post], posts.indptr[post + 1])
        base = np.floor(now / posts.period_h) * posts.period_h
        shifts = base + posts.period_h * np.arange(60)
        spans = [
            (shift + opens, shift + closes)
            for shift in shifts
            for opens, closes in zip(posts.opens_h[rows], posts.closes_h[rows], strict=True)
        ]
        left = posts.queue_h[post, 0] + posts.service_h[post]
        for opens, closes in spans:
            if closes < now:
                continue
            now = max(now, opens)
            if left <= closes - now:
                now, left = now + left, -1.0
                break
            now, left = closes, left - (closes - now)
        if left >= 0.0:
            return np.inf
    now += times.headway_wait_h[arc]
    if arc in trips.arc:
        row = int(np.flatnonzero(trips.arc == arc)[0])
        rows = slice(trips.indptr[row], trips.indptr[row + 1])
        base = np.floor(now / trips.period_h) * trips.period_h
        arrivals = [
            base + k * trips.period_h + departs + duration
            for k in range(60)
            for departs, duration in zip(trips.departs_h[rows], trips.duration_h[rows], strict=True)
            if base + k * trips.period_h + departs >= now
        ]
        now = min(arrivals, default=np.inf)
    return now + times.travel_h[arc]


def brute_force(graph: Graph, times: ArcTimes, origin: int, depart: float) -> FloatArray:
    best = np.full(graph.n_nodes, np.inf)

    def extend(node: int, now: float, seen: frozenset[int]) -> None:
        best[node] = min(best[node], now)
        for arc in np.flatnonzero(graph.tail == node).tolist():
            target = int(graph.head[arc])
            then = plain_leave(times, arc, now)
            if target not in seen and np.isfinite(then):
                extend(target, then, seen | {target})

    extend(origin, depart, frozenset({origin}))
    return best


def random_times(rng: np.random.Generator, n_arcs: int) -> ArcTimes:
    """Draw weekly hours and overtaking services at odd times."""
    with_post = np.flatnonzero(rng.random(n_arcs) < 0.5)
    with_trips = np.flatnonzero(rng.random(n_arcs) < 0.4)
    n_spells, n_trips = rng.integers(0, 5, with_post.size), rng.integers(0, 6, with_trips.size)
    ends = [np.sort(rng.uniform(0.0, WEEK_H, 2 * n)) for n in n_spells]
    flat = np.concatenate([*ends, np.empty(0)])
    departs = [np.sort(rng.uniform(0.0, WEEK_H, n)) for n in n_trips]
    return ArcTimes(
        rng.choice([0.0, 1.5, 7.25, np.inf], n_arcs, p=[0.3, 0.3, 0.3, 0.1]),
        headway_wait_h=rng.choice([0.0, 13.0], n_arcs),
        posts=PostHours(
            with_post,
            np.cumsum([0, *n_spells]),
            flat[::2],
            flat[1::2],
            service_h=rng.exponential(2.0, with_post.size),
            queue_h=rng.exponential(60.0, with_post.size),
        ),
        departures=Departures(
            with_trips,
            np.cumsum([0, *n_trips]),
            np.concatenate([*departs, np.empty(0)]),
            rng.exponential(50.0, n_trips.sum()),  # long beside the headway: many overtake
        ),
    )


@pytest.mark.parametrize("seed", range(60))
def test_arrivals_equal_brute_force_over_simple_paths(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, 6, 14)
    times = random_times(rng, graph.n_arcs)
    for depart in rng.uniform(-400.0, 1_000.0, 5):
        found, _ = earliest_arrival(graph, times, 0, depart)
        np.testing.assert_allclose(found, brute_force(graph, times, 0, depart), atol=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_constant_arcs_equal_shortest_paths_exactly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, 30, 90)
    cost = rng.choice(PRICES, 90) if seed % 2 else rng.lognormal(size=90)
    distance, tree = shortest_paths(graph, cost, [3], method="kernels")
    arrival, arcs = earliest_arrival(graph, ArcTimes(cost), 3, 0.0)
    np.testing.assert_array_equal(arrival, distance[0])
    if not seed % 2:  # no ties, so one tree
        np.testing.assert_array_equal(arcs, tree[0])


# --- posts ---


def one_post(*args: object, **kwargs: object) -> ArcTimes:
    return ArcTimes([0.0], posts=PostHours([0], *args, **kwargs))


def leaves(times: ArcTimes, depart_h: npt.ArrayLike) -> list[float]:
    arrival, _ = departure_profile(Graph(2, [0], [1]), times, 0, depart_h)
    return arrival[:, 1].tolist()


def test_a_service_goes_on_after_the_night() -> None:
    times = one_post([0, 1], [8.0], [18.0], service_h=3.0, period_h=24.0)
    assert leaves(times, [7.0, 8.0, 15.0, 16.0, 18.0, 19.0]) == [11.0, 11.0, 18.0, 33.0, 35.0, 35.0]


def test_an_unbroken_service_waits_for_a_day_that_is_long_enough() -> None:
    times = one_post([0, 2], [8, 13], [12, 17], service_h=3.0, resume=False, period_h=24.0)
    assert leaves(times, [8.0, 9.0, 9.5, 14.0, 14.5]) == [11.0, 12.0, 16.0, 17.0, 35.0]


def test_an_unbroken_service_runs_over_the_end_of_the_week() -> None:
    times = one_post([0, 2], [0, 160], [6, 168], service_h=10.0, resume=False)
    assert leaves(times, [0.0, 161.0, 164.0, 164.5]) == [170.0, 171.0, 174.0, 338.0]
    always = one_post([0, 1], [0], [168], service_h=1_000.0, resume=False)
    assert leaves(always, [50.0]) == [1_050.0]


def test_a_service_longer_than_any_opening_closes_the_arc() -> None:
    times = one_post([0, 1], [8], [12], service_h=4.5, resume=False)
    assert leaves(times, [0.0]) == [np.inf]


def test_whole_weeks_of_work_are_done_in_whole_weeks() -> None:
    times = one_post([0, 2], [8, 100], [12, 101], queue_h=[500.0 * 5.0], service_h=5.0)
    assert leaves(times, [8.0]) == [500 * WEEK_H + 101.0]
    assert leaves(times, [50.0]) == [501 * WEEK_H + 12.0]


def test_a_post_that_never_opens_and_an_empty_timetable_close_their_arcs() -> None:
    assert leaves(one_post([0, 0], [], []), [3.0]) == [np.inf]
    assert leaves(one_post([0, 0], [], [], queue_h=[[1.0, 0.0]], resume=False), [3.0]) == [np.inf]
    empty = ArcTimes([0.0], departures=Departures([0], [0, 0], [], []))
    assert leaves(empty, [3.0]) == [np.inf]


def test_without_work_a_post_lets_pass_at_both_ends_of_its_hours() -> None:
    times = one_post([0, 1], [144], [168])
    ends = [144.0, 168.0, 168.0 + 1e-9, 168.5]
    assert leaves(times, ends) == [144.0, 168.0, 168.0 + 1e-9, 312.0]


def test_rounding_makes_nobody_miss_the_closing_time_or_the_ship() -> None:
    third = 1.0 / 3.0
    times = one_post([0, 1], [8], [9], queue_h=0.1 + 0.2, service_h=0.7)  # 1.0000000000000002
    assert leaves(times, [8.0]) == [9.0]
    ship = ArcTimes([0.0], departures=Departures([0], [0, 1], [1.0], 2.0))
    late = 1_000 * WEEK_H + third + third + third + 1e-9
    assert leaves(ship, [late]) == pytest.approx([1_000 * WEEK_H + 3.0])
    ferry = ArcTimes([0.0], departures=Departures([0], [0, 1], [1.0], 0.0))
    assert leaves(ferry, [1.0 + 1e-8]) == [1.0 + 1e-8]  # and nobody arrives before leaving


def test_a_queue_is_that_of_the_hour_of_arrival() -> None:
    # Hours 0, 6, 12, 18 of the day; open always: at 9 h halfway between 2 and 4.
    times = one_post([0, 1], [0], [24], queue_h=[[0.0, 2.0, 4.0, 1.0]], period_h=24.0)
    assert leaves(times, [0.0, 6.0, 9.0, 21.0, 24.0 + 9.0]) == [0.0, 8.0, 12.0, 21.5, 36.0]


def test_who_comes_at_night_keeps_the_place_in_the_queue() -> None:
    # An hour of work comes in each hour of the night, and is done from the opening on.
    queue = [6.0, 5.0, 4.0, 3.0, 2.0, 1.0, *[0.0] * 13, 1.0, 2.0, 3.0, 4.0, 5.0]
    times = one_post([0, 1], [0], [18], queue_h=[queue], period_h=24.0)
    assert leaves(times, [18.0, 20.0, 24.0, 27.0, 31.0]) == [18.0, 26.0, 30.0, 30.0, 31.0]


def test_a_queue_that_shrinks_while_the_post_is_closed_is_refused() -> None:
    queue = [0.0] * 18 + [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    message = r"found post 0 \(arc 0\) with 6 h of wait at hour 23 and 0 h at hour 24"
    with pytest.raises(InputError, match=message):
        one_post([0, 1], [6], [18], queue_h=[queue], period_h=24.0)


# --- departures ---


def test_a_faster_service_overtakes_a_slower_one() -> None:
    times = ArcTimes([1.0], departures=Departures([0], [0, 2], [6.0, 10.0], [30.0, 12.0]))
    path = date_path(Graph(2, [0], [1]), times, [0], 5.0)
    assert path.departure_wait_h.tolist() == [5.0]
    assert path.moving_h.tolist() == [13.0]
    assert leaves(times, [10.0, 10.5]) == [23.0, 168.0 + 23.0]


def test_a_canceled_departure_is_not_taken() -> None:
    times = ArcTimes([0.0], departures=Departures([0], [0, 2], [6.0, 60.0], [np.inf, 12.0]))
    assert leaves(times, [5.0]) == [72.0]


def test_everything_repeats_with_its_period() -> None:
    rng = np.random.default_rng(7)
    graph = random_graph(rng, 8, 24)
    times = random_times(rng, graph.n_arcs)
    departs = rng.uniform(0.0, WEEK_H, 40)
    now, _ = departure_profile(graph, times, 0, departs)
    for weeks in (-3, 1, 500):
        later, _ = departure_profile(graph, times, 0, departs + weeks * WEEK_H)
        np.testing.assert_allclose(later - weeks * WEEK_H, now, atol=1e-7)


def test_a_long_period_holds_a_change_of_the_clock() -> None:
    # Two weeks, daily 8 to 16 h; from the second week on an hour earlier.
    opens = np.concatenate((8 + 24 * np.arange(7), 7 + 24 * np.arange(7, 14)))
    times = one_post([0, 14], opens, opens + 8, period_h=2 * WEEK_H)
    assert leaves(times, [1.0, WEEK_H + 1.0]) == [8.0, WEEK_H + 7.0]


# --- dated paths ---


@pytest.mark.parametrize("seed", range(20))
def test_every_hour_of_a_path_is_explained(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, 6, 16)
    times = random_times(rng, graph.n_arcs)
    arrival, tree = earliest_arrival(graph, times, 0, 11.25)
    for node in range(6):
        path = date_path(graph, times, arc_paths(graph, tree, node), 11.25)
        parts = (
            path.opening_wait_h, path.queue_h, path.service_h, path.headway_wait_h,
            path.departure_wait_h, path.moving_h,
        )  # fmt: skip
        assert all((part >= 0).all() for part in parts)
        np.testing.assert_allclose(path.start_h + sum(parts), path.end_h, atol=1e-9)
        np.testing.assert_array_equal(path.start_h[1:], path.end_h[:-1])
        if path.arcs.size:
            assert path.end_h[-1] == arrival[node]
            slots = [np.flatnonzero(times.posts.arc == arc) for arc in path.arcs]
            for step, slot in enumerate(slots):
                queue = times.posts.queue_h[slot, 0].sum()
                service = times.posts.service_h[slot].sum()
                assert path.queue_h[step] == pytest.approx(queue, abs=1e-6)
                assert path.service_h[step] == pytest.approx(service, abs=1e-6)


def test_a_blocked_path_says_where_it_stops() -> None:
    graph = Graph(4, [0, 1, 2], [1, 2, 3])
    shut = PostHours([1], [0, 0], [], [])
    path = date_path(graph, ArcTimes([2.0, 1.0, 1.0], posts=shut), [0, 1, 2], 0.0)
    assert path.end_h.tolist() == [2.0, np.inf, np.inf]
    assert path.opening_wait_h.tolist() == [0.0, np.inf, 0.0]
    assert path.moving_h.tolist() == [2.0, 0.0, 0.0]
    none = Departures([1], [0, 0], [], [])
    path = date_path(graph, ArcTimes([2.0, 1.0, 1.0], departures=none), [0, 1, 2], 0.0)
    assert path.departure_wait_h.tolist() == [0.0, np.inf, 0.0]
    path = date_path(graph, ArcTimes([2.0, np.inf, 1.0]), [0, 1, 2], 0.0)
    assert path.moving_h.tolist() == [2.0, np.inf, 0.0]
    assert path.end_h.tolist() == [2.0, np.inf, np.inf]


def test_an_empty_path_takes_no_arcs() -> None:
    path = date_path(Graph(1, [], []), ArcTimes([]), [], 3.0)
    assert path.end_h.shape == path.queue_h.shape == (0,)


# --- shapes, threads, small graphs ---


def test_a_graph_of_one_node() -> None:
    arrival, tree = earliest_arrival(Graph(1, [], []), ArcTimes([]), 0, 5.5)
    assert arrival.tolist() == [5.5]
    assert tree.tolist() == [-1]
    arrival, tree = earliest_arrival(Graph(1, [0], [0]), ArcTimes([0.0]), 0, 5.5)
    assert (arrival.tolist(), tree.tolist()) == ([5.5], [-1])


def test_profiles_do_not_depend_on_threads_and_equal_single_searches() -> None:
    rng = np.random.default_rng(2)
    graph = random_graph(rng, 60, 240)
    times = random_times(rng, graph.n_arcs)
    departs = rng.uniform(0.0, WEEK_H, 50)
    arrival, tree = departure_profile(graph, times, 0, departs, threads=1)
    assert arrival.shape == tree.shape == (50, 60)
    for threads in (2, 5, None):
        other = departure_profile(graph, times, 0, departs, threads=threads)
        np.testing.assert_array_equal(other[0], arrival)
        np.testing.assert_array_equal(other[1], tree)
    for row in range(0, 50, 7):
        one = earliest_arrival(graph, times, 0, departs[row])
        np.testing.assert_array_equal(one[0], arrival[row])
        np.testing.assert_array_equal(one[1], tree[row])
    indptr, _ = arc_paths_batch(graph, tree, np.arange(50), np.full(50, 9))
    np.testing.assert_array_equal(np.diff(indptr) > 0, np.isfinite(arrival[:, 9]))
    assert departure_profile(graph, times, 0, [])[0].shape == (0, 60)


def test_numba_is_loaded_by_the_search_alone() -> None:
    code = (
        "import sys; from corridor.core.paths import ArcTimes, PostHours, Departures; "
        "ArcTimes([1.0, 2.0], posts=PostHours([1], [0, 1], [8.0], [9.0])); "
        "assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_inputs_are_copied_and_locked() -> None:
    travel = np.ones(2)
    times = ArcTimes(travel)
    travel[0] = 9.0
    assert times.travel_h.tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match="read-only"):
        times.travel_h[0] = 3.0


# --- bad input ---

NAN = float("nan")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0], [0, 2], [8, 4], [10, 6]), "opens_h must lie after the closing time before it"),
        (([0], [0, 2], [8, 9], [10, 12]), "found 9 at position 1 \\(1 of 2 values\\)"),
        (([0], [0, 2], [8, 10], [10, 12]), "join those that touch"),
        (([0], [0, 1], [8], [169]), "closes_h must be <= period_h = 168; found 169"),
        (([0], [0, 1], [-1], [6]), "opens_h must be finite hours >= 0; found -1 at position 0"),
        (([0], [0, 1], [22], [6]), "closes_h must be > opens_h of its interval; found 6"),
        (([0], [0, 1], [6], [6]), "drop an empty one"),
        (([0], [0, 1], [NAN], [6]), "opens_h must be finite hours >= 0; found nan"),
        (([0], [0, 1], [1], [6, 7]), "found 1 and 2 values"),
        (([0], [0, 2], [1], [6]), "indptr must"),
        (([0], [0], [], []), "one more than arcs"),
        (([0, 1], [0, 1, 0], [], []), "indptr must"),
        (([0, 0], [0, 0, 0], [], []), "arc must name each arc once; found 0 at position 1"),
        (([-1], [0, 0], [], []), "arc must lie in"),
        (([0.5], [0, 0], [], []), "arc must hold whole numbers"),
        (([0], [0, 1], ["8"], [9]), "opens_h must hold numbers; found dtype"),
        (([0], [0, 1], [[8]], [9]), "opens_h must be one-dimensional"),
    ],
)
def test_bad_opening_hours_are_refused(arguments: tuple[list[float], ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PostHours(*arguments)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"service_h": -1.0}, "service_h must be finite hours >= 0; found -1"),
        ({"service_h": [1.0, 2.0]}, "service_h must be one number or have shape \\(1,\\)"),
        ({"queue_h": [NAN]}, "queue_h must be finite hours >= 0; found nan at position 0"),
        ({"queue_h": [[1.0, NAN]]}, "found nan at position \\(0, 1\\) \\(1 of 2 values\\)"),
        ({"queue_h": [[1.0], [2.0]]}, "one row for each post"),
        ({"queue_h": np.inf}, "close an arc by travel_h = inf"),
        ({"queue_h": [[30.0, 0.0]]}, "queue_h must not fall faster than the post works"),
        ({"resume": 1}, "resume must be one bool"),
        ({"period_h": 0.0}, "period_h must be finite and > 0; found 0.0"),
        ({"period_h": NAN}, "period_h must be finite"),
    ],
)
def test_bad_post_options_are_refused(option: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PostHours([0], [0, 1], [8.0], [20.0], **option)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0], [0, 2], [6, 5], 1.0), "departs_h must be sorted in each timetable; found 5"),
        (([0], [0, 1], [168], 1.0), "departs_h must be < period_h = 168; found 168"),
        (([0], [0, 1], [-0.5], 1.0), "departs_h must be finite hours >= 0; found -0.5"),
        (([0], [0, 1], [6], -1.0), "duration_h must be hours >= 0; found -1"),
        (([0], [0, 1], [6], NAN), "duration_h must be hours >= 0; found nan"),
        (([0], [0, 1], [6], [1.0, 2.0]), "duration_h must be one number or have shape"),
        (([0, 0], [0, 0, 1], [6], 1.0), "name each arc once"),
    ],
)
def test_bad_timetables_are_refused(arguments: tuple[list[float], ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Departures(*arguments)


def test_timetables_of_different_arcs_need_no_order_between_them() -> None:
    assert Departures([0, 1], [0, 1, 2], [6.0, 5.0], 1.0).departs_h.tolist() == [6.0, 5.0]
    posts = PostHours([0, 1, 2], [0, 1, 1, 2], [8.0, 2.0], [9.0, 3.0])
    assert posts.opens_h.tolist() == [8.0, 2.0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"travel_h": [-1.0, 0.0]}, "travel_h must be hours >= 0; found -1 at position 0"),
        ({"travel_h": [0.0, NAN]}, "travel_h must be hours >= 0; found nan at position 1"),
        ({"travel_h": 1.0}, "travel_h must be one-dimensional"),
        ({"travel_h": [0.0], "headway_wait_h": [1.0, 2.0]}, "headway_wait_h must be one number"),
        (
            {"travel_h": [0.0], "posts": PostHours([1], [0, 0], [], [])},
            "posts.arc must lie in 0..0",
        ),
        ({"travel_h": [0.0], "departures": Departures([3], [0, 0], [], [])}, "departures.arc must"),
    ],
)
def test_bad_arc_times_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ArcTimes(**options)


def test_a_profile_that_cannot_fit_is_refused() -> None:
    graph = Graph(20_000_000, [], [])
    with pytest.raises(
        InputError,
        match=r"fit into memory; found 100000 departures x 20000000 nodes.*pass \d+ departures",
    ):
        departure_profile(graph, ArcTimes([]), 0, np.zeros(100_000))


def test_bad_searches_are_refused() -> None:
    graph, times = Graph(3, [0, 1], [1, 2]), ArcTimes([1.0, 1.0])
    with pytest.raises(InputError, match="for each of the 2 arcs of the graph; found 1"):
        earliest_arrival(graph, ArcTimes([1.0]), 0, 0.0)
    with pytest.raises(InputError, match="origin must be a whole number"):
        earliest_arrival(graph, times, 3, 0.0)
    with pytest.raises(InputError, match="depart_h must hold numbers; found dtype <U1"):
        earliest_arrival(graph, times, 0, "x")
    with pytest.raises(InputError, match="depart_h must be a rectangular array"):
        departure_profile(graph, times, 0, [[0.0], [0.0, 1.0]])
    with pytest.raises(InputError, match="depart_h must be finite hours"):
        earliest_arrival(graph, times, 0, np.inf)
    with pytest.raises(InputError, match="found shape \\(1, 2\\) with 1 values NaN"):
        departure_profile(graph, times, 0, [[0.0, NAN]])
    with pytest.raises(InputError, match="threads must be a whole number"):
        departure_profile(graph, times, 0, [0.0], threads=0)
    with pytest.raises(InputError, match="found arc 1 that ends at node 2 before arc 0"):
        date_path(graph, times, [1, 0], 0.0)
    with pytest.raises(InputError, match="arcs must lie in"):
        date_path(graph, times, [2], 0.0)

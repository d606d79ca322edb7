"""What must hold of earliest arrivals over any opening hours, timetables and headways."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.core.graph import FloatArray, Graph
from corridor.core.paths import (
    ArcTimes,
    Departures,
    PostHours,
    arc_paths,
    date_path,
    departure_profile,
    earliest_arrival,
    shortest_paths,
)

WEEK_H = 168.0
ROUNDING_H = 1e-9

QUARTERS = st.integers(0, 120).map(lambda quarter: quarter / 4)
HOURS = st.floats(0.0, 30.0) | QUARTERS
ENDS = st.integers(0, 4 * 168).map(lambda quarter: quarter / 4)
DEPARTS = st.floats(-300.0, 900.0) | st.integers(-1200, 3600).map(lambda quarter: quarter / 4)

# The first example compiles or loads the kernels.
properties = settings(deadline=None, max_examples=150)


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One arc."""

    tail: int
    head: int
    travel: float
    headway: float
    ends: tuple[float, ...] | None  # opens, closes, opens, ...; None without a post
    queue: float
    service: float
    resume: bool
    trips: tuple[tuple[float, float], ...] | None


@dataclass(frozen=True, kw_only=True)
class Case:
    n_nodes: int
    legs: tuple[Leg, ...]
    departs: tuple[float, ...]

    @property
    def graph(self) -> Graph:
        return Graph(self.n_nodes, [leg.tail for leg in self.legs], [leg.head for leg in self.legs])

    @property
    def times(self) -> ArcTimes:
        with_post = [leg for leg in self.legs if leg.ends is not None]
        ends = [end for leg in with_post for end in leg.ends]
        with_trips = [leg for leg in self.legs if leg.trips is not None]
        trips = [trip for leg in with_trips for trip in leg.trips]
        return ArcTimes(
            [leg.travel for leg in self.legs],
            headway_wait_h=[leg.headway for leg in self.legs],
            posts=PostHours(
                [arc for arc, leg in enumerate(self.legs) if leg.ends is not None],
                np.cumsum([0, *(len(leg.ends) // 2 for leg in with_post)]),
                ends[::2],
                ends[1::2],
                service_h=[leg.service for leg in with_post],
                queue_h=[leg.queue for leg in with_post],
                resume=np.array([leg.resume for leg in with_post], dtype=bool),
            ),
            departures=Departures(
                [arc for arc, leg in enumerate(self.legs) if leg.trips is not None],
                np.cumsum([0, *(len(leg.trips) for leg in with_trips)]),
                [departs for departs, _ in trips],
                [duration for _, duration in trips],
            ),
        )

    def arrivals(self) -> FloatArray:
        return departure_profile(self.graph, self.times, 0, self.departs)[0]


@st.composite
def week_ends(draw: st.DrawFn) -> tuple[float, ...]:
    ends = sorted(draw(st.sets(ENDS, max_size=8)))
    return tuple(ends[: len(ends) // 2 * 2])


@st.composite
def cases(draw: st.DrawFn, hours: st.SearchStrategy[float] = HOURS) -> Case:
    """Draw a network; whole quarters of an hour are summed without rounding."""
    n_nodes = draw(st.integers(1, 5))
    node = st.integers(0, n_nodes - 1)
    trip = st.tuples(hours.map(lambda hour: 5.5 * hour), hours.map(lambda hour: 7.0 * hour))
    leg = st.builds(
        Leg,
        tail=node,
        head=node,
        travel=hours | st.just(float("inf")),
        headway=hours,
        ends=st.none() | week_ends(),
        queue=hours,
        service=hours,
        resume=st.booleans(),
        trips=st.none() | st.lists(trip, max_size=4).map(lambda trips: tuple(sorted(trips))),
    )
    legs = draw(st.lists(leg, max_size=10))
    departs = draw(
        st.lists(DEPARTS if hours is HOURS else hours, min_size=2, max_size=6).map(sorted)
    )
    return Case(n_nodes=n_nodes, legs=tuple(legs), departs=tuple(departs))


@properties
@given(cases())
def test_who_leaves_later_never_arrives_earlier(case: Case) -> None:
    for earlier, later in pairwise(case.arrivals()):
        assert (later >= earlier - ROUNDING_H).all()


@properties
@given(cases())
def test_nobody_arrives_before_leaving_and_each_path_ends_at_its_arrival(case: Case) -> None:
    graph, times = case.graph, case.times
    arrival, tree = earliest_arrival(graph, times, 0, case.departs[0])
    assert (arrival >= case.departs[0]).all()
    assert arrival[0] == case.departs[0]
    for node in range(1, case.n_nodes):
        dated = date_path(graph, times, arc_paths(graph, tree, node), case.departs[0])
        assert np.isfinite(arrival[node]) == (dated.arcs.size > 0)
        if dated.arcs.size:
            assert dated.end_h[-1] == arrival[node]


@properties
@given(cases(QUARTERS), st.integers(-200, 200))
def test_everything_repeats_after_weeks(case: Case, weeks: int) -> None:
    later = replace(case, departs=tuple(depart + weeks * WEEK_H for depart in case.departs))
    np.testing.assert_array_equal(later.arrivals() - weeks * WEEK_H, case.arrivals())


@properties
@given(cases(), st.data())
def test_one_more_arc_makes_nobody_later(case: Case, data: st.DataObject) -> None:
    if not case.legs:
        return
    dropped = data.draw(st.integers(0, len(case.legs) - 1))
    fewer = replace(case, legs=case.legs[:dropped] + case.legs[dropped + 1 :])
    assert (case.arrivals() <= fewer.arrivals() + ROUNDING_H).all()


@properties
@given(cases())
def test_longer_hours_make_nobody_later(case: Case) -> None:
    longer = replace(
        case,
        legs=tuple(
            leg if leg.ends is None else replace(leg, ends=(0.0, WEEK_H)) for leg in case.legs
        ),
    )
    assert (longer.arrivals() <= case.arrivals() + ROUNDING_H).all()


@properties
@given(cases(QUARTERS))
def test_a_post_in_two_parts_is_one_post(case: Case) -> None:
    """Queue at one post and service at the next with the same hours: the sum of operating time."""
    resumed = tuple(replace(leg, resume=True) for leg in case.legs)
    split: list[Leg] = []
    n_nodes = case.n_nodes
    for leg in resumed:
        if leg.ends is None:
            split.append(leg)
            continue
        split.append(replace(leg, head=n_nodes, service=0.0, travel=0.0, headway=0.0, trips=None))
        split.append(replace(leg, tail=n_nodes, queue=0.0))
        n_nodes += 1
    parts = replace(case, legs=tuple(split), n_nodes=n_nodes)
    whole = replace(case, legs=resumed)
    np.testing.assert_array_equal(parts.arrivals()[:, : case.n_nodes], whole.arrivals())


@properties
@given(cases())
def test_relabelling_nodes_changes_nothing(case: Case) -> None:
    new = [0, *range(case.n_nodes - 1, 0, -1)]
    legs = tuple(replace(leg, tail=new[leg.tail], head=new[leg.head]) for leg in case.legs)
    other = replace(case, legs=legs).arrivals()
    np.testing.assert_array_equal(other[:, new], case.arrivals())


@properties
@given(cases())
def test_without_posts_and_timetables_it_is_a_shortest_path(case: Case) -> None:
    plain = replace(case, legs=tuple(replace(leg, ends=None, trips=None) for leg in case.legs))
    cost = [leg.headway + leg.travel for leg in plain.legs]
    distance, _ = shortest_paths(plain.graph, cost, [0])
    for depart, arrival in zip(plain.departs, plain.arrivals(), strict=True):
        np.testing.assert_allclose(arrival - depart, distance[0], atol=ROUNDING_H)


@st.composite
def changing_queues(draw: st.DrawFn) -> PostHours:
    """Draw daily hours, and a queue in which whoever comes later is served no earlier."""
    ends = np.sort(draw(st.sets(st.integers(0, 24), min_size=2, max_size=6).map(list)))
    ends = ends[: len(ends) // 2 * 2].astype(float)
    open_until = np.clip(np.arange(25)[:, None] - ends[::2], 0.0, np.diff(ends)[::2]).sum(axis=1)
    weights = np.array(draw(st.lists(st.floats(0.0, 1.0), min_size=24, max_size=24))) + 1e-3
    served = np.append(0.0, np.cumsum(weights / weights.sum() * open_until[-1]))
    queue = (served - open_until)[:24]
    queue = queue - queue.min() + draw(HOURS)
    return PostHours(
        [0], [0, ends.size // 2], ends[::2], ends[1::2], queue_h=queue[np.newaxis],
        service_h=draw(HOURS), resume=draw(st.booleans()), period_h=24.0,
    )  # fmt: skip


@properties
@given(changing_queues(), st.lists(DEPARTS, min_size=2, max_size=20).map(sorted))
def test_who_joins_a_changing_queue_later_is_served_no_earlier(
    posts: PostHours, departs: list[float]
) -> None:
    times = ArcTimes([0.0], posts=posts)
    arrival, _ = departure_profile(Graph(2, [0], [1]), times, 0, departs)
    for earlier, later in pairwise(arrival[:, 1]):
        assert later >= earlier - ROUNDING_H

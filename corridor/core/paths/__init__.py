"""Shortest and earliest paths, skims and alternatives on a :class:`corridor.core.graph.Graph`."""

from corridor.core.paths.avoidance import avoidance_costs, avoiding_path
from corridor.core.paths.constrained import constrained_path
from corridor.core.paths.fronts import ParetoPaths, ParetoTree, pareto_paths, pareto_tree
from corridor.core.paths.ksp import Path, k_shortest_paths
from corridor.core.paths.schedules import ArcTimes, Departures, PostHours
from corridor.core.paths.shortest import shortest_paths, skim
from corridor.core.paths.timetable import (
    DatedPath,
    date_path,
    departure_profile,
    earliest_arrival,
)
from corridor.core.paths.trees import arc_paths, arc_paths_batch, shortest_trees

__all__ = [
    "ArcTimes",
    "DatedPath",
    "Departures",
    "ParetoPaths",
    "ParetoTree",
    "Path",
    "PostHours",
    "arc_paths",
    "arc_paths_batch",
    "avoidance_costs",
    "avoiding_path",
    "constrained_path",
    "date_path",
    "departure_profile",
    "earliest_arrival",
    "k_shortest_paths",
    "pareto_paths",
    "pareto_tree",
    "shortest_paths",
    "shortest_trees",
    "skim",
]

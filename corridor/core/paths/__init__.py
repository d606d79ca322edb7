"""Shortest paths, skims and k-shortest paths on a :class:`corridor.core.graph.Graph`."""

from corridor.core.paths.ksp import Path, k_shortest_paths
from corridor.core.paths.shortest import shortest_paths, skim
from corridor.core.paths.trees import arc_paths, arc_paths_batch, shortest_trees

__all__ = [
    "Path",
    "arc_paths",
    "arc_paths_batch",
    "k_shortest_paths",
    "shortest_paths",
    "shortest_trees",
    "skim",
]

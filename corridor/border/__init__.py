"""Border posts: what their stages cost in time and fees, and how much traffic they pass."""

from corridor.border.floors import FloorBreach, InspectionFloor, floor_breaches
from corridor.border.posts import MAX_UTILIZATION, Posts, compile_posts, crossing_regimes

__all__ = [
    "MAX_UTILIZATION",
    "FloorBreach",
    "InspectionFloor",
    "Posts",
    "compile_posts",
    "crossing_regimes",
    "floor_breaches",
]

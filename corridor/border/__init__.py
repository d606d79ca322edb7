"""Border posts: what their stages cost in time and fees, and how much traffic they pass."""

from corridor.border.posts import (
    MAX_UTILIZATION,
    FloorBreach,
    Posts,
    compile_posts,
    crossing_regimes,
    floor_breaches,
)

__all__ = [
    "MAX_UTILIZATION",
    "FloorBreach",
    "Posts",
    "compile_posts",
    "crossing_regimes",
    "floor_breaches",
]

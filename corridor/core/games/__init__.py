"""Cooperative games: what each player brings, and how to share what all achieve together."""

from corridor.core.games.shares import shapley_value
from corridor.core.games.stability import LeastCore, excess, least_core, nucleolus

__all__ = ["LeastCore", "excess", "least_core", "nucleolus", "shapley_value"]

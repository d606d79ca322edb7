"""Cooperative games: what each player brings, and how to share what all achieve together."""

from corridor.core.games.shares import shapley_value, veto_shapley_value
from corridor.core.games.stability import LeastCore, excess, least_core, nucleolus, prenucleolus
from corridor.core.games.tolls import Tolls, critical_discount_factor, joint_tolls, toll_equilibrium

__all__ = [
    "LeastCore",
    "Tolls",
    "critical_discount_factor",
    "excess",
    "joint_tolls",
    "least_core",
    "nucleolus",
    "prenucleolus",
    "shapley_value",
    "toll_equilibrium",
    "veto_shapley_value",
]

"""Multicommodity minimum-cost flow with shared capacity, convex delay and side rows."""

from corridor.core.flows.delay import HingeDelay, SumDelay
from corridor.core.flows.generation import min_cost_flow
from corridor.core.flows.problem import Delay, FlowProblem, Pools, Rows
from corridor.core.flows.result import FlowResult, PathColumns

__all__ = [
    "Delay",
    "FlowProblem",
    "FlowResult",
    "HingeDelay",
    "PathColumns",
    "Pools",
    "Rows",
    "SumDelay",
    "min_cost_flow",
]

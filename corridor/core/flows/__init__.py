"""Multicommodity flow: minimum cost with shared capacity and rules, equilibrium, optimum."""

from corridor.core.flows._curves import VolumeDelay
from corridor.core.flows._trips import UserClasses
from corridor.core.flows.choice import ChoiceResult, ChoiceSet, PoolCharges, Waits
from corridor.core.flows.delay import HingeDelay, SumDelay
from corridor.core.flows.design import DesignResult, design_network
from corridor.core.flows.elastic import ExponentialDemand, LinearDemand, consumer_surplus
from corridor.core.flows.equilibria import (
    MarginalCost,
    marginal_tolls,
    price_of_anarchy,
    system_optimum,
    user_equilibrium,
)
from corridor.core.flows.generation import min_cost_flow
from corridor.core.flows.logit import capacitated_equilibrium, logit_equilibrium
from corridor.core.flows.mixed_delay import MixedDelay
from corridor.core.flows.problem import Delay, FlowProblem, Pools, Rows
from corridor.core.flows.result import FlowResult, PathColumns
from corridor.core.flows.shortcuts import Shortcuts
from corridor.core.flows.stage_delay import StageDelay
from corridor.core.flows.volume_delay import BPR, Akcelik, Conical

__all__ = [
    "BPR",
    "Akcelik",
    "ChoiceResult",
    "ChoiceSet",
    "Conical",
    "Delay",
    "DesignResult",
    "ExponentialDemand",
    "FlowProblem",
    "FlowResult",
    "HingeDelay",
    "LinearDemand",
    "MarginalCost",
    "MixedDelay",
    "PathColumns",
    "PoolCharges",
    "Pools",
    "Rows",
    "Shortcuts",
    "StageDelay",
    "SumDelay",
    "UserClasses",
    "VolumeDelay",
    "Waits",
    "capacitated_equilibrium",
    "consumer_surplus",
    "design_network",
    "logit_equilibrium",
    "marginal_tolls",
    "min_cost_flow",
    "price_of_anarchy",
    "system_optimum",
    "user_equilibrium",
]

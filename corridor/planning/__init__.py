"""The verbs: what the best plan is, and how a tonne gets from door to door."""

from corridor.planning.borders.crossings import Crossing, crossing
from corridor.planning.borders.green_lanes import GreenLane, open_green_lane
from corridor.planning.borders.screening import Screening, screen_crossing
from corridor.planning.borders.staffing import Staffing, plan_post_shifts, staff_crossings
from corridor.planning.charges import ChoiceConstant
from corridor.planning.equilibria import equilibrium, solve_equilibrium
from corridor.planning.investment.frontiers import BudgetFrontier, budget_frontier
from corridor.planning.investment.investments import invest
from corridor.planning.investment.regrets import RobustPortfolio, robust_portfolio
from corridor.planning.investment.results import InvestmentPlan
from corridor.planning.investment.staging import Period, StagedPlan, stage_projects
from corridor.planning.model import Model, compile_model
from corridor.planning.plans import plan, solve_plan
from corridor.planning.reasons.bargaining import Frontier, rule_frontier
from corridor.planning.reasons.explanations import Explanation, explain
from corridor.planning.results import Plan
from corridor.planning.ways.fronts import pareto
from corridor.planning.ways.itineraries import (
    Itinerary,
    alternatives,
    find_itineraries,
    route,
    single_shipments,
)
from corridor.planning.ways.limits import Limits

__all__ = [
    "BudgetFrontier",
    "ChoiceConstant",
    "Crossing",
    "Explanation",
    "Frontier",
    "GreenLane",
    "InvestmentPlan",
    "Itinerary",
    "Limits",
    "Model",
    "Period",
    "Plan",
    "RobustPortfolio",
    "Screening",
    "Staffing",
    "StagedPlan",
    "alternatives",
    "budget_frontier",
    "compile_model",
    "crossing",
    "equilibrium",
    "explain",
    "find_itineraries",
    "invest",
    "open_green_lane",
    "pareto",
    "plan",
    "plan_post_shifts",
    "robust_portfolio",
    "route",
    "rule_frontier",
    "screen_crossing",
    "single_shipments",
    "solve_equilibrium",
    "solve_plan",
    "staff_crossings",
    "stage_projects",
]

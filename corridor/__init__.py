"""Plan transit corridors: multimodal freight networks, their borders and their sovereignty rules.

The verbs and the classes they return are listed in ``__all__``. They are imported on first use, so
that ``import corridor`` costs next to nothing and a program pays for the solver only when it plans.

Examples
--------
>>> import corridor
>>> corridor.InputError.__mro__[1].__name__
'CorridorError'
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from corridor.errors import (
        CorridorError,
        InputError,
        MissingExtraError,
        NoRouteError,
        SolverError,
    )
    from corridor.network import Demand, Network, load_demand, load_network
    from corridor.planning import (
        Crossing,
        Explanation,
        InvestmentPlan,
        Itinerary,
        Plan,
        RobustPortfolio,
        alternatives,
        crossing,
        equilibrium,
        explain,
        invest,
        pareto,
        plan,
        robust_portfolio,
        route,
        screen_crossing,
        staff_crossings,
    )
    from corridor.report import plot_map, write_geopackage, write_report
    from corridor.sovereignty import Rules, load_rules
    from corridor.study import (
        BenefitShares,
        Case,
        Comparison,
        Resilience,
        Study,
        Sweep,
        compare,
        load_study,
        resilience,
        share_benefits,
        sweep,
    )

__all__ = [
    "BenefitShares",
    "Case",
    "Comparison",
    "CorridorError",
    "Crossing",
    "Demand",
    "Explanation",
    "InputError",
    "InvestmentPlan",
    "Itinerary",
    "MissingExtraError",
    "Network",
    "NoRouteError",
    "Plan",
    "Resilience",
    "RobustPortfolio",
    "Rules",
    "SolverError",
    "Study",
    "Sweep",
    "__version__",
    "alternatives",
    "compare",
    "crossing",
    "equilibrium",
    "explain",
    "invest",
    "load_demand",
    "load_network",
    "load_rules",
    "load_study",
    "pareto",
    "plan",
    "plot_map",
    "resilience",
    "robust_portfolio",
    "route",
    "screen_crossing",
    "share_benefits",
    "staff_crossings",
    "sweep",
    "write_geopackage",
    "write_report",
]

# Public name -> the room that holds it; the room's own __init__ says which module.
_ROOMS = {
    "BenefitShares": "corridor.study",
    "Case": "corridor.study",
    "Comparison": "corridor.study",
    "CorridorError": "corridor.errors",
    "Crossing": "corridor.planning",
    "Demand": "corridor.network",
    "Explanation": "corridor.planning",
    "InputError": "corridor.errors",
    "InvestmentPlan": "corridor.planning",
    "Itinerary": "corridor.planning",
    "MissingExtraError": "corridor.errors",
    "Network": "corridor.network",
    "NoRouteError": "corridor.errors",
    "Plan": "corridor.planning",
    "Resilience": "corridor.study",
    "RobustPortfolio": "corridor.planning",
    "Rules": "corridor.sovereignty",
    "SolverError": "corridor.errors",
    "Study": "corridor.study",
    "Sweep": "corridor.study",
    "alternatives": "corridor.planning",
    "compare": "corridor.study",
    "crossing": "corridor.planning",
    "equilibrium": "corridor.planning",
    "explain": "corridor.planning",
    "invest": "corridor.planning",
    "load_demand": "corridor.network",
    "load_network": "corridor.network",
    "load_rules": "corridor.sovereignty",
    "load_study": "corridor.study",
    "pareto": "corridor.planning",
    "plan": "corridor.planning",
    "plot_map": "corridor.report",
    "resilience": "corridor.study",
    "robust_portfolio": "corridor.planning",
    "route": "corridor.planning",
    "screen_crossing": "corridor.planning",
    "share_benefits": "corridor.study",
    "staff_crossings": "corridor.planning",
    "sweep": "corridor.study",
    "write_geopackage": "corridor.report",
    "write_report": "corridor.report",
}


def __getattr__(name: str) -> object:
    """Import a public name on first use and keep it (PEP 562)."""
    room = _ROOMS.get(name)
    if room is None:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value: object = getattr(import_module(room), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})

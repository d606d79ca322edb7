"""Ask how a container gets from Xi'an to Mersin, and what the other ways are.

Run ``python examples/02_route_and_alternatives.py [--short]``; ``--short`` lists two ways.
"""

import sys

from rich.console import Console

import corridor
from corridor.report.sheets.ways import itinerary_sheets


def main() -> None:
    """Print the best ways under the rules of today, then what each of the goals would choose."""
    k = 2 if "--short" in sys.argv[1:] else 5
    network, _, rules = corridor.load_study("crossroads").case("status_quo")
    # Ways that share at most 70 % of their length; without a limit they differ in single terminals.
    ways = corridor.alternatives(
        network, "CN_XIAN", "TR_MERSIN", k, "containers", rules, max_overlap=0.7
    )

    console = Console(width=120, highlight=False)
    for sheet in itinerary_sheets(ways):
        console.print(sheet)
        console.print()

    print("What is best depends on what is asked:")
    for goal in ("time", "money", "co2"):
        best = corridor.route(network, "CN_XIAN", "TR_MERSIN", "containers", rules, minimize=goal)
        print(
            f"  least {goal:5}  {best.time_h / 24:5.1f} days  {best.cost_usd_per_t:6,.0f} USD/t"
            f"  {best.co2_kg_per_t:5.0f} kg CO2/t  by {' '.join(best.countries)}"
        )


if __name__ == "__main__":
    main()

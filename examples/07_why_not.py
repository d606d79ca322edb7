"""Ask why a variant cannot be, what is the least that would help, and what rules cost whom.

Run ``python examples/07_why_not.py [--short]``; ``--short`` leaves the frontier out.
"""

import sys

import corridor
from corridor.planning import rule_frontier

TRIPP = ["tripp-east-road", "tripp-west-road"]


def main() -> None:
    """Explain a contradiction, make the least change, and sweep an inspection floor."""
    study = corridor.load_study("crossroads")

    # No stop on TRIPP while Armenia's inspection floors stand: no plan can keep both.
    network, demand, rules = study.case("no_stop_under_floor")
    found = corridor.explain(network, demand, rules)
    print(f"no_stop_under_floor is {found.status}:")
    print("\n".join(found.sentences), "\n")

    # Make the first change, and ask what the rules that are left cost.
    relaxed = found.relaxed(rules, option=0)
    after = corridor.explain(network, demand, relaxed, unmet_usd_per_t=20000.0)
    print(f"After way 0 it is {after.status}. What the rules that bind cost:")
    for row in after.costs.itertuples():
        told = abs(row.cost_usd_per_day) > row.precision_usd_per_day
        cost = f"{row.cost_usd_per_day:,.0f} USD/day" if told else "nothing that can be told from 0"
        print(f"  {row.rule_id or 'all rules together'}: {cost}")
    if "--short" in sys.argv[1:]:
        return

    # From unhindered to full control: open so many of the trucks on TRIPP.
    case = study.case("tripp_front_office")
    swept = rule_frontier(
        *case, "floor_arm_inspection", "share", [0.0, 0.05, 0.1, 0.2, 0.5, 1.0], crossings=TRIPP,
        unmet_usd_per_t=20000.0,
    )  # fmt: skip
    print("\nShare of trucks that Armenia opens on TRIPP, what passes, and how long it takes:")
    for row in swept.table.itertuples():
        print(
            f"  {row.value:4.2f}: {row.crossing_t_per_day:6,.0f} t/day, {row.border_h:5.1f} h,"
            f" {row.total_loss_usd_per_day / 1e6:.3f} MUSD/day"
        )


if __name__ == "__main__":
    main()

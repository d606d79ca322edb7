"""Ask which goods of Armenia cannot move, which rules bar them, and what would help.

Run ``python examples/03_what_blocks_armenia.py [--short]``; ``--short`` tries one variant.
"""

import sys

import corridor

VARIANTS = [
    "rules_of_september_2025",
    "status_quo",
    "am_tr_open",
    "ijevan_gazakh_open",
    "crossroads_full",
]


def main() -> None:
    """Plan variants and print what stays unmet of Armenia's demand, and the rules that bar it."""
    study = corridor.load_study("crossroads")
    for variant in VARIANTS[:1] if "--short" in sys.argv[1:] else VARIANTS:
        network, demand, rules = study.case(variant)
        plan = corridor.plan(network, demand, rules)

        nodes = network.nodes.loc[network.nodes["country"] == "ARM", "node_id"]
        ends = plan.unmet[["origin", "destination"]]
        armenian = plan.unmet[ends.isin(nodes.tolist()).any(axis=1)]
        unmet = armenian["t_per_day"].sum()
        print(f"{variant} ({plan.status}): {unmet:,.0f} t/day of Armenia's goods cannot move")
        for row in armenian.itertuples():
            print(
                f"  {row.origin} to {row.destination}, {row.commodity}: {row.t_per_day:,.0f} t/day"
                f" ({row.reason}: {str(row.rules).replace('>', ', ')})"
            )

        binding = plan.rules[plan.rules["binding"] & plan.rules["rule_id"].str.contains("am|arm")]
        for row in binding.itertuples():
            print(f"  binds: {row.rule_id}: {row.title}")
        print()


if __name__ == "__main__":
    main()

"""Ask what 500 million USD should buy: railways and ports, or lanes, scanners and software.

Run ``python examples/11_concrete_or_scanners.py [--short]``; ``--short`` looks at posts alone.
"""

import sys

import corridor
from corridor.planning.investment.projects import read_projects
from corridor.study import unbuilt_case

BUDGET_MUSD = 500.0


def main() -> None:
    """Choose within the budget, then from each kind of project alone, and compare."""
    study = corridor.load_study("crossroads")
    # Today's rules; variants bring others: unbuilt_case(study, "crossroads_full").
    network, demand, rules = unbuilt_case(study, "status_quo")
    table = network.projects
    posts = set(table.loc[table["table"] == "stages", "project_id"])
    kinds = {
        "lanes, scanners, software": [p.id for p in read_projects(network) if p.id in posts],
        "either": None,
    }
    if "--short" in sys.argv[1:]:
        del kinds["either"]
    for kind, projects in kinds.items():
        plan = corridor.invest(
            network, demand, rules, BUDGET_MUSD, projects=projects,
            unmet_usd_per_t=study.header.unmet_usd_per_t,
        )  # fmt: skip
        rows = plan.projects[plan.projects["chosen"]]
        saved = -plan.costs.set_index("item").loc["total", "change"]
        print(
            f"{kind}: {plan.capex_musd:.0f} of {BUDGET_MUSD:.0f} MUSD, saves {saved:.1f} MUSD/year"
        )
        for row in rows.sort_values("saving_musd_per_year", ascending=False).itertuples():
            print(
                f"  {row.saving_musd_per_year:6.1f} MUSD/year for {row.capex_musd:4.0f}: {row.name}"
            )
        whole = plan.economics[plan.economics["subject"] == "portfolio"]
        for row in whole.itertuples():
            print(
                f"  at {row.rate:.0%}: NPV {row.npv_musd:,.0f} MUSD, EIRR {row.eirr:.0%} "
                f"({row.eirr_low:.0%} to {row.eirr_high:.0%} over the ranges), "
                f"benefit/cost {row.benefit_cost_ratio:.1f}, paid back in {row.payback_years:.1f} a"
            )


if __name__ == "__main__":
    main()

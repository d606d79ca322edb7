"""Ask which border posts of the South Caucasus bind, and what one more server buys.

Run ``python examples/04_border_post_capacity.py [--short]``; ``--short`` plans once.
"""

import sys

import pandas as pd

import corridor

STATES = ["ARM", "AZE", "GEO", "TUR", "IRN"]


def with_one_more(stages: pd.DataFrame, post: "pd.Series[str]") -> pd.DataFrame:
    """Return the stages with one more server at the tightest stage of a post."""
    state = stages[stages["country"] == post["bottleneck_country"]]
    rows = state[state["crossing_id"] == post["crossing_id"]]
    others = stages.drop(index=rows.index)
    if rows.empty:  # the post follows the template of its state: give it rows of its own
        rows = state[(state["crossing_id"] == "*") & (state["layer"] == post["layer"])]
        rows = rows.assign(crossing_id=post["crossing_id"], layer="")
    way = "out" if post["bottleneck_country"] == post["from_country"] else "in"
    more = rows["direction"].isin([way, "both"]) & (rows["stage"] == post["bottleneck_stage"])
    return pd.concat([others, rows.assign(servers=rows["servers"] + more)], ignore_index=True)


def main() -> None:
    """Print the worth of one more server, then staff the worthiest road post and plan again."""
    network, demand, rules = corridor.load_study("crossroads").case("status_quo")
    plan = corridor.plan(network, demand, rules)
    posts = plan.crossings[plan.crossings["layer"] == "road"]
    posts = posts[posts["from_country"].isin(STATES) & posts["to_country"].isin(STATES)]
    posts = posts.nlargest(10, "next_server_at_flow_usd_per_year")

    print("Road posts: what one more server at the tightest stage saves at today's flow")
    print(f"{'crossing':22}{'way':9}{'stage':16}{'used':>6}{'queue':>9}{'saves':>18}")
    for row in posts.itertuples():
        stage = f"{row.bottleneck_country} {row.bottleneck_stage}"
        print(
            f"{row.crossing_id:22}{row.from_country}>{row.to_country}  {stage:16}"
            f"{row.utilization:6.0%}{row.wait_h:7.1f} h"
            f"{row.next_server_at_flow_usd_per_year / 1e6:9.2f} MUSD/year"
        )
    if "--short" not in sys.argv[1:]:
        best = posts.iloc[0]
        staffed = network.replace(stages=with_one_more(network.stages, best))
        after = corridor.plan(staffed, demand, rules)
        saved = (plan.objective_usd_per_day - after.objective_usd_per_day) * 365 / 1e6
        print(f"\nOne more at {best['crossing_id']}, goods re-routed: {saved:.2f} MUSD/year.")


if __name__ == "__main__":
    main()

"""Ask what a second scanner at Meghri buys, and what "no stop" on the TRIPP road saves and costs.

Run ``python examples/06_border_inspection.py [--short]``; ``--short`` leaves the floors' price out.
"""

import sys

import corridor

VARIANT = "tripp_front_office"


def tell_scanners(post: corridor.Crossing) -> None:
    """Print what one more scanner on the Armenian side saves, and what it leaves as it is."""
    print(f"{post.name}: one more scanner on the Armenian side")
    rows = post.servers[(post.servers["country"] == "ARM") & (post.servers["stage"] == "scanner")]
    for row in rows.itertuples():
        print(
            f"  {row.direction:3} {row.servers} there, {row.utilization:.0%} used: saves "
            f"{row.saved_h_per_day:.1f} h/day ({row.day_saved_h_per_day:.1f} with the day's peaks),"
            f" {row.saved_usd_per_year / 1e3:,.0f} kUSD/year\n"
            f"      ({row.saved_usd_low / 1e3:,.0f} to {row.saved_usd_high / 1e3:,.0f} over the "
            f"ranges), and leaves {row.fixed_h:.1f} h of permits and paper"
        )


def tell_regimes(post: corridor.Crossing) -> None:
    """Print time, cost and detection of the same traffic under each regime."""
    print(f"\n{post.name}: the same trucks under each regime")
    print(f"  {'regime':14}{'way':9}{'time':>8}{'cost':>12}{'finds':>7}  host's floors")
    for row in post.regimes.itertuples():
        print(
            f"  {row.regime:14}{row.from_country}>{row.to_country}  {row.time_h:5.1f} h"
            f"{row.cost_usd_per_vehicle:8,.0f} USD{row.detection:7.0%}"
            f"  {'met' if row.meets_floors else 'broken: ' + row.floors_broken.replace('>', ', ')}"
        )
    mean = post.regimes.groupby("regime")[["time_h", "cost_usd_per_vehicle", "detection"]].mean()
    hours, usd, found = mean.loc["front_office"] - mean.loc["no_stop"]
    print(f"  No stop saves {hours:.1f} h and {usd:,.0f} USD a truck; {found:.0%} less is found.")


def main() -> None:
    """Plan the variant, look at two of its crossings, and price the host's floors."""
    network, demand, rules = corridor.load_study("crossroads").case(VARIANT)
    plan = corridor.plan(network, demand, rules)
    tell_scanners(corridor.crossing(network, "agarak-road", rules, plan))
    tell_regimes(corridor.crossing(network, "tripp-east-road", rules, plan))
    if "--short" not in sys.argv[1:]:
        print("\nWhat Armenia's floors cost all trucks, never relaxed by a plan:")
        found = corridor.screen_crossing(network, "agarak-road", rules, plan).stages
        for row in found[(found["country"] == "ARM") & (found["floor"] > 0.0)].itertuples():
            print(
                f"  {row.from_country}>{row.to_country} {row.stage}: {row.floor:.0%} inspected "
                f"finds {row.floor_detection:.0%} and costs {row.floor_usd_per_day:,.0f} USD/day"
            )


if __name__ == "__main__":
    main()

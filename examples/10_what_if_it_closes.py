"""Ask what happens when a crossing or a state closes: what gets dearer, and what is cut off.

Run ``python examples/10_what_if_it_closes.py [--short]``; ``--short`` leaves the pairs out.
"""

import sys

import corridor
from corridor.study import ClosureWindow

WINTER = [ClosureWindow(item="lars-road", days_per_year=30.0, cause="avalanches")]


def main() -> None:
    """Close every state that carries transit, pairs of them, and a pass in winter."""
    study = corridor.load_study("crossroads")
    kinds = ["state"] if "--short" in sys.argv[1:] else ["state", "pair"]
    found = corridor.resilience(
        *study.case("status_quo"), kinds=kinds, windows=WINTER, pairs_among=4, congestion=False,
        unmet_usd_per_t=study.header.unmet_usd_per_t,
    )  # fmt: skip
    print("Closed to the goods of others; the rest used as well as can be:")
    for row in found.most_critical("state", 8).itertuples():
        print(
            f"  {row.item}: carries {row.carried_t_per_day:7,.0f} t/day; what still arrives is "
            f"dearer by {row.loss_usd_per_day / 1e6:6.2f} MUSD/day, "
            f"{row.cut_off_t_per_day:6,.0f} t/day are cut off"
        )
    for row in found.pairs.head(3).itertuples():
        print(
            f"  {row.state_a} and {row.state_b} at once: {row.loss_usd_per_day / 1e6:.2f} MUSD/day,"
            f" {row.beyond_usd_per_day / 1e6:+.2f} beyond both alone, and "
            f"{row.cut_off_t_per_day:,.0f} t/day cut off"
        )
    for row in found.year.itertuples():
        print(f"  {row.item}, {row.days_per_year:.0f} days a year ({row.cause}): "
              f"{row.loss_musd_per_year:.2f} MUSD/year")  # fmt: skip

    spare = found.redundancy.dropna(subset="extra_usd_per_t")
    extra = (spare["extra_usd_per_t"] * spare["t_per_day"]).sum() / spare["t_per_day"].sum()
    print(f"\nThe next best way that shares no link with the best costs {extra:,.0f} USD/t more.")
    total = found.reliability["t_per_day"].sum()
    on_time = (found.reliability["on_time_share"] * found.reliability["t_per_day"]).sum() / total
    print(f"{on_time:.0%} of the tonnes arrive within 110 % of their mean time.")


if __name__ == "__main__":
    main()

"""Ask who depends on whom: what each state is worth to the others, and how to share it.

Run ``python examples/09_who_depends_on_whom.py [--short]``; ``--short`` plays with three states.
"""

import sys

import corridor

SIX = ["ARM", "AZE", "GEO", "TUR", "IRN", "KAZ"]


def main() -> None:
    """Print the loss matrix, three ways of sharing, and what fees of each would do."""
    players = SIX[:3] if "--short" in sys.argv[1:] else SIX
    case = corridor.load_study("crossroads").case("crossroads_full")
    found = corridor.share_benefits(*case, players=players)

    print("Loss of the state across when the state down closes to transit, 1,000 USD/day:")
    print(f"{'':6s}" + "".join(f"{name:>9s}" for name in [*players, "others"]))
    for closing, row in found.matrix().iterrows():
        print(f"{closing:6s}" + "".join(f"{value / 1e3:9,.0f}" for value in row))

    print("\nOf what all save together, 1,000 USD/day:")
    print(f"{'':10s}{'today':>9s}{'Shapley':>9s}{'with shippers':>15s}{'open tariffs':>14s}")
    today = found.revenue.set_index("country")["today_usd_per_day"].to_dict()
    for row in found.shares.fillna(0.0).itertuples():
        print(
            f"{row.country:10s}{today.get(row.country, 0.0) / 1e3:9,.0f}"
            f"{row.shapley_usd_per_day / 1e3:9,.0f}{row.shapley_seat_usd_per_day / 1e3:15,.0f}"
            f"{row.open_shapley_usd_per_day / 1e3:14,.0f}"
        )
    pact = found.stability.query("game == 'closed' and scheme == 'shapley'").iloc[0]
    print(f"\nMost to gain by leaving the Shapley shares: {pact['coalition']}.")

    totals = found.fees.totals.set_index("scheme")["welfare_usd_per_day"] / 1e6
    print(
        f"Fees of each lose all together {-totals['own_fees']:.2f} MUSD/day, one through tariff "
        f"{-totals['through_tariff']:.2f} MUSD/day."
    )


if __name__ == "__main__":
    main()

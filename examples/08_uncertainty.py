"""Sample what is uncertain: how likely one variant beats another, and what drives the spread.

Run ``python examples/08_uncertainty.py [--short]``; ``--short`` draws fewer samples.
"""

import sys

import corridor


def main() -> None:
    """Sweep two variants, compare them draw by draw, and show the tornado of one."""
    study = corridor.load_study("crossroads")
    samples = 8 if "--short" in sys.argv[1:] else 64
    pair = ["am_tr_open", "crossroads_full"]

    # executor=1 stays in this process; leave it out to use every core, or name a dask scheduler.
    found = corridor.sweep(study, samples, pair, seed=1, executor=1)
    rows = found.distributions.set_index(["variant", "indicator", "scope", "direction"])
    print(f"{len(found.samples)} samples, each an {found.assignment}; cost and goods left at home:")
    for variant in pair:
        cost = rows.loc[(variant, "total_loss", "", ""), "mean":].astype(float) / 1e3
        print(
            f"  {variant}: {cost['p50']:.1f} bn USD/year, 90 % between {cost['p5']:.1f} and "
            f"{cost['p95']:.1f}; the worst 5 % come to {cost['cvar_high']:.1f} on average"
        )
    odds = found.probabilities
    better = odds[(odds["variant"] == pair[1]) & (odds["indicator"] == "total_loss")].iloc[0]
    print(f"{pair[1]} loses less than {pair[0]} in {better['probability']:.0%} of the draws.")

    print(f"\nWhat moves that most in {pair[1]} (use 1,000 samples or more):")
    for bar in found.tornado(pair[1], top=5).itertuples():
        print(
            f"  {bar.input}: {bar.low / 1e3:.1f} bn USD/year where it is low, "
            f"{bar.high / 1e3:.1f} where it is high, rank correlation {bar.rank_correlation:+.2f}"
        )


if __name__ == "__main__":
    main()

"""Ask which variant moves the goods, at what cost, and who carries them.

Run ``python examples/01_compare_variants.py [--short]``; ``--short`` plans three variants only.
"""

import sys

from rich.console import Console

import corridor
from corridor.report.sheets.studies import comparison_sheets

SHORT = ["tripp_front_office", "crossroads_full"]  # the base is always planned too


def main() -> None:
    """Plan the variants of the bundled study on the same demand and print the comparison."""
    study = corridor.load_study("crossroads")
    variants = SHORT if "--short" in sys.argv[1:] else None
    comparison = corridor.compare(study, variants)

    console = Console(width=120, highlight=False)
    for sheet in comparison_sheets(comparison):
        console.print(sheet)
        console.print()

    # The same numbers as a DataFrame: who gains transit, against the base?
    changes = comparison.differences
    transit = changes[changes["indicator"] == "transit"]
    table = transit.pivot_table(index="scope", columns="variant", values="difference")
    print("Change of transit through each state [Mt/year]")
    print(table.loc[["ARM", "AZE", "GEO", "IRN", "RUS"]].T.round(2).to_string())


if __name__ == "__main__":
    main()

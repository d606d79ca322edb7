"""The four principles as sheets for the terminal: how a plan stands to them, and what they cost."""

import pandas as pd

from corridor.planning import Explanation
from corridor.report.sheets.layout import Column, Sheet
from corridor.report.sheets.reasons import told_cost

_MOST_RULES = 3
_LEAST_T_PER_DAY = 0.05


def compliance_sheet(compliance: pd.DataFrame) -> Sheet:
    """Return how a plan stands to the four principles, a row a principle and verdict.

    Parameters
    ----------
    compliance
        ``Plan.compliance``.
    """
    rows = [
        (str(principle), str(verdict), _some(found["rules"]), _said(found["detail"]))
        for (principle, verdict), found in compliance.groupby(["principle", "verdict"], sort=False)
    ]
    columns = (
        Column(name="principle", title="principle"),
        Column(name="verdict", title="verdict"),
        Column(name="rules", title="rules", wrap=True),
        Column(name="detail", title="because", wrap=True),
    )
    return Sheet.from_frame(
        pd.DataFrame(rows, columns=[column.name for column in columns]),
        columns,
        title="The four principles",
        note="waived: by the state's own consent; excepted: a rule in force sets it aside.",
    )


def principles_sheet(explanation: Explanation) -> Sheet:
    """Return what each principle costs, and who pays most.

    Parameters
    ----------
    explanation
        What `corridor.explain` returned.
    """
    frame, payers = explanation.principles, explanation.principle_payers
    first = payers[payers["pays_usd_per_day"] > 0.0].drop_duplicates(["principle", "without"])
    who = first["origin"] + " to " + first["destination"] + ", " + first["commodity"]
    keys = ["principle", "without"]
    frame = frame.merge(first[keys].assign(who=who), on=keys, how="left")
    frame = frame.assign(
        n_rules=frame["rules"].map(lambda names: len(names.split(">")) if names else 0),
        principle=frame["principle"].where(frame["principle"] != "", "no principle"),
        kusd=told_cost(frame),
        musd=told_cost(frame) * 365.0 / 1e3,
        stays=frame["stays_t_per_day"].where(frame["stays_t_per_day"].abs() > _LEAST_T_PER_DAY),
        who=frame["who"].fillna(""),
    )
    columns = (
        Column(name="principle", title="principle"),
        Column(name="without", title="cost of", wrap=True),
        Column(name="n_rules", title="rules", digits=0),
        Column(name="kusd", title="cost", unit="kUSD/day", digits=1),
        Column(name="musd", title="", unit="MUSD/year", digits=1),
        Column(name="stays", title="stays", unit="t/day", digits=1),
        Column(name="who", title="most is paid by", wrap=True),
    )
    return Sheet.from_frame(
        frame, columns, title="What each principle costs", n_keys=1,
        note=(
            "How much more is lost with all rules than without these: the cost of what is served, "
            "fees included, and goods that stay at home at their own value; inspections: than if "
            "no post did them. Below 0: it saves. Another sum than all rules together: all four "
            "leave in force what stands for no principle, and take the inspections away too, which "
            "posts do even without a rule."
        ),
    )  # fmt: skip


def _some(rules: "pd.Series[str]") -> str:
    """Return the first rules, and how many more there are."""
    names = list(dict.fromkeys(name for text in rules for name in str(text).split(">") if name))
    more = len(names) - _MOST_RULES
    return ", ".join(names[:_MOST_RULES]) + (f" and {more} more" if more > 0 else "")


def _said(details: "pd.Series[str]") -> str:
    """Return the first detail, and how many more there are."""
    more = len(details) - 1
    return str(details.iloc[0]) + (f" (and {more} more)" if more > 0 else "")

"""What every section of a report is made from: the comparison, and names for people."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from corridor import datasets
from corridor.network import Network
from corridor.planning import Crossing, Plan
from corridor.planning.borders.crossings import crossings_of
from corridor.report.findings import Findings
from corridor.report.maps.frames import (
    BaseFrame,
    Columns,
    barred_crossings,
    base_frame,
    post_columns,
)
from corridor.report.maps.interactive import network_box
from corridor.report.maps.mercator import Box, box_of
from corridor.sovereignty.rulebook import parse_rules
from corridor.study import Case, Comparison

NO_PLAN: Final = ("infeasible", "unknown")
MOST_WORTH: Final = 3
MOST_CHANGED: Final = 5
"""Crossings that are looked into: a third of a second of computing each."""
FOCUS_MARGIN: Final = 0.35
FOCUS_LEAST_M: Final = 9e5
ADD: Final = "corridor compare --out DIR --with"
"""The command that adds to a report what it does not have."""
LABEL: Final = 28
"""Letters of a label at most: it must leave room for bars on a phone."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Material(Findings):
    """A comparison and what belongs to it.

    Attributes
    ----------
    comparison
        What `corridor.compare` returned.
    outlines
        Folder of outlines of states, None for the bundled ones.
    """

    comparison: Comparison
    outlines: Path | None = None

    @property
    def network(self) -> Network:
        """The network of the study, before variants change it."""
        return self.comparison.study.network

    @property
    def base(self) -> str:
        """Id of the base."""
        return self.comparison.base

    @property
    def plans(self) -> Mapping[str, Plan]:
        """Variant -> plan, in the order of the study."""
        return self.comparison.plans

    @cached_property
    def base_case(self) -> Case:
        """Network, demand and rules of the base."""
        return self.comparison.study.case(self.base)

    @cached_property
    def frame(self) -> BaseFrame:
        """Where links, crossings and places of the network are on the map."""
        return base_frame(self.network)

    @cached_property
    def posts(self) -> dict[str, Columns]:
        """Variant -> what happens at each crossing of the map."""
        return {
            variant: post_columns(self.network, plan, self.barred(variant))
            for variant, plan in self.plans.items()
        }

    @cached_property
    def focus(self) -> Box:
        """The box around the crossings that some variants open and others close."""
        states = np.array([of["state"] for of in self.posts.values()])
        changed = (states != states[:1]).any(axis=0) if states.size else np.zeros(0, dtype=bool)
        if not changed.any():
            return network_box(self.frame)
        # The middle nine tenths: one strait far away must not make the map a map of the world.
        crossings = self.frame.crossings
        ends = [np.quantile(np.array(crossings[axis])[changed], [0.05, 0.95]) for axis in "xy"]
        return box_of(*ends).grown(FOCUS_MARGIN, FOCUS_LEAST_M)

    @cached_property
    def main_posts(self) -> list[Crossing]:
        """The crossings in use that are looked into.

        Those where one more server is worth most, and of those where variants open and close
        crossings the ones whose flow the variants change most.
        """
        network, _, rules = self.base_case
        plan = self.plans[self.base]
        flows = pd.DataFrame(
            {
                variant: of.crossings.groupby("crossing_id", sort=False)["t_per_day"].sum()
                for variant, of in self.plans.items()
                if self.has_plan(variant) or variant == self.base
            }
        ).fillna(0.0)
        flows = flows[(flows[self.base] > 0.0) & flows.index.isin(self.in_focus)]
        flows = flows.sort_values(self.base, ascending=False, kind="stable")
        change = flows.sub(flows[self.base], axis=0).abs().mean(axis=1)
        near = change.sort_values(ascending=False, kind="stable").index[:MOST_CHANGED]
        most = dict.fromkeys(str(row["crossing_id"]) for row in self.best_servers)
        names = [*list(most)[:MOST_WORTH], *map(str, near)]
        return crossings_of(network, dict.fromkeys(names), rules, plan)

    @cached_property
    def best_servers(self) -> list[dict[str, Any]]:
        """The ways of crossings in use in the base by what one more server is worth, best first."""
        rows = self.plans[self.base].crossings
        rows = rows.assign(worth=server_worth_usd(rows))
        rows = rows[(rows["t_per_day"] > 0.0) & (rows["worth"] > 0.0)]
        best = rows.sort_values("worth", ascending=False, kind="stable").to_dict("records")
        return [{str(name): value for name, value in row.items()} for row in best]

    @cached_property
    def in_focus(self) -> list[str]:
        """The ids of the crossings inside the focus."""
        box, at = self.focus, self.frame.crossings
        x, y = (np.array(at[axis], dtype=float) for axis in "xy")
        inside = (x >= box.west) & (x <= box.east) & (y >= box.south) & (y <= box.north)
        return [str(name) for name in np.array(at["crossing_id"], dtype=object)[inside]]

    def title(self, variant: str) -> str:
        """Return the title of a variant."""
        return self.comparison.study.variant(variant).title

    @cached_property
    def labels(self) -> dict[str, str]:
        """Variant -> its title in few letters, each once: for the axes of charts."""
        labels: dict[str, str] = {}
        for variant in self.plans:
            text = shortened(self.title(variant), LABEL)
            labels[variant] = (
                text if text not in labels.values() else shortened(variant.replace("_", " "), LABEL)
            )
        return labels

    def has_plan(self, variant: str) -> bool:
        """Whether a variant has a plan."""
        return self.plans[variant].status not in NO_PLAN

    def barred(self, variant: str) -> dict[str, str]:
        """Return the crossings that rules of a variant close, and the titles of these rules."""
        study, of = self.comparison.study, self.comparison.study.variant(variant)
        added = parse_rules([dict(rule) for rule in of.rules_add], "rules_add")
        known = [*study.rules.rules, *added]
        dropped = set(of.rules_drop)
        day = of.date or study.date
        return barred_crossings(
            [rule for rule in known if rule.id not in dropped and rule.in_force(day)]
        )

    @cached_property
    def node_names(self) -> dict[str, str]:
        """Node id -> name."""
        return _column(self.network.nodes, "node_id", "name")

    @cached_property
    def crossing_names(self) -> dict[str, str]:
        """Crossing id -> name."""
        return _column(self.network.crossings, "crossing_id", "name")

    @cached_property
    def goods_names(self) -> dict[str, str]:
        """Commodity id -> name."""
        return _column(self.network.commodities, "commodity_id", "name")

    @cached_property
    def boxed(self) -> frozenset[str]:
        """Commodities that go in containers."""
        goods = self.network.commodities
        return frozenset(goods.loc[goods["containerised"].astype(bool), "commodity_id"])

    @cached_property
    def state_names(self) -> dict[str, str]:
        """ISO 3166 alpha-3 -> name, as far as the outlines tell."""
        folder = datasets.root() / "outlines" if self.outlines is None else self.outlines
        names = {"XXZ": "at sea"}
        for path in sorted(folder.glob("*.geojson")):
            for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
                names.setdefault(
                    str(feature["properties"].get("iso3", "")),
                    str(feature["properties"].get("name", "")),
                )
        return {code: name for code, name in names.items() if code and name}

    def state(self, code: str) -> str:
        """Return the name of a state, its code where the outlines do not know it."""
        return self.state_names.get(code, code)


def server_worth_usd(crossings: pd.DataFrame) -> pd.Series:
    """Return what one more server at each crossing is worth [USD/year], NaN where nobody knows.

    As solved again with it, where that was asked for, else the delay that it saves at this flow.
    """
    worth = pd.Series(np.nan, index=crossings.index)
    for name in ("next_server_usd_per_year", "next_server_at_flow_usd_per_year"):
        if name in crossings:
            worth = worth.fillna(crossings[name].astype(float))
    return worth


def shortened(text: str, most: int) -> str:
    """Return a text cut between words to at most so many letters.

    Examples
    --------
    >>> shortened("Georgia closed to transit, today's network", 28)
    'Georgia closed to transit …'
    """
    if len(text) <= most:
        return text
    words = re.split(r"[ -](?=[^ -]*$)", text[: most - 1])[0]
    return words.rstrip(" ,;:-(") + " …"


def _column(frame: pd.DataFrame, key: str, value: str) -> dict[str, str]:
    pairs = zip(frame[key], frame[value], strict=True)
    return {str(name): str(text) if isinstance(text, str) and text else str(name)
            for name, text in pairs}  # fmt: skip

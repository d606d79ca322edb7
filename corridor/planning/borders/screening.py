"""How much to inspect at a crossing: detection against delay, and what the hosts' floors cost.

Generic: stages that look for misdeclared goods choose vehicles by a risk score and find with a
probability what is there. No goods, score or sensor in particular is meant.
"""

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.border import MAX_UTILIZATION, Posts
from corridor.border.assumed import FINDS, SEPARATION
from corridor.border.worksheets import ENTRY, EXIT, Worksheet
from corridor.core.queues import ScreeningCurve, screening_curve
from corridor.network import Network
from corridor.network.supernetwork import ArcKind
from corridor.planning.borders.cases import BorderCase, open_case
from corridor.planning.results import Plan
from corridor.sovereignty import Rules

FloatArray: TypeAlias = NDArray[np.float64]

_GRID: Final = 41
"""Shares between the floor and the most that the servers can see."""
_POINT: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Screening:
    """What inspected shares find and how long they hold all vehicles up.

    Attributes
    ----------
    crossing_id, usd_per_vehicle_h
        The crossing, and the value of an hour that a vehicle waits [USD/h].
    stages
        A row a way, post and stage that looks for misdeclared goods: ``from_country, to_country,
        country, stage, servers, share`` (today's), ``floor, floor_rule`` (the host's, blank where
        there is none), ``most_share`` (that its servers can see at 95 % utilization),
        ``detection`` with ``detection_low, detection_high``, ``delay_h`` (mean of all vehicles),
        ``price_usd_per_day`` (of one point more of the share today), ``floor_detection,
        floor_delay_h, floor_price_usd_per_day`` (of the floor's last point, never relaxed),
        ``floor_usd_per_day`` (what the floor costs in all, against inspecting nobody here).
    curves
        The same stage at other shares, none below the floor: ``from_country, to_country, country,
        stage, share, detection, wait_h, delay_h``.
    fronts
        Combinations of the shares of a post's stages that no other beats in both, quickest first:
        ``from_country, to_country, country, shares`` (``scanner=0.3>inspection=0.05``),
        ``detection, delay_h, is_today``.
    """

    crossing_id: str
    usd_per_vehicle_h: float
    stages: pd.DataFrame
    curves: pd.DataFrame
    fronts: pd.DataFrame

    def __repr__(self) -> str:
        return f"Screening({self.crossing_id!r}: {len(self.stages)} stages)"


def screen_crossing(
    network: Network, crossing_id: str, rules: Rules | None = None, plan: Plan | None = None
) -> Screening:
    """Return detection against delay at the posts of a crossing, within the hosts' floors.

    Formulas: detection of a stage = finds x Phi(separation + Phi^-1(share)), of a post 1 - prod(1 -
    detection), stages independent; delay = share x (service + queue), summed. Separation and finds
    are assumed (`corridor.border.assumed`). Waits are steady-state means at this traffic.

    Parameters
    ----------
    network, crossing_id, rules, plan
        As of `corridor.crossing`; the floors are the rules'.

    Returns
    -------
    Screening
        Stages, curves and Pareto fronts.

    Raises
    ------
    InputError
        As `corridor.crossing`.

    Examples
    --------
    >>> import corridor
    >>> net = corridor.load_network("crossroads")
    >>> found = corridor.screen_crossing(net, "agarak-road", corridor.load_rules("crossroads"))
    >>> found.stages.loc[found.stages["floor"] > 0, "stage"].unique().tolist()
    ['scanner', 'inspection']
    """
    case = open_case(network, crossing_id, rules, plan)
    posts = case.posts(case.regime)
    sheet = case.planned_sheet()
    stages: list[dict[str, Any]] = []
    curves: list[pd.DataFrame] = []
    fronts: list[pd.DataFrame] = []
    for way in case.ways:
        leaves, enters = case.names[way]
        for end, country in ((EXIT, leaves), (ENTRY, enters)):
            labels = {"from_country": leaves, "to_country": enters, "country": country}
            found = [
                _Screen.of(case, posts, sheet, int(row), way, end)
                for row in np.flatnonzero(sheet.serves[:, way, end] > 0.0)
                if sheet.stages["stage"].iloc[row] in FINDS
            ]
            stages += [labels | screen.summary(case.usd_per_vehicle_h) for screen in found]
            curves += [pd.DataFrame(labels | screen.curve()) for screen in found]
            if found:
                fronts.append(pd.DataFrame(labels | _front(found)))
    return Screening(
        crossing_id=crossing_id,
        usd_per_vehicle_h=case.usd_per_vehicle_h,
        stages=pd.DataFrame(stages),
        curves=pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(),
        fronts=pd.concat(fronts, ignore_index=True) if fronts else pd.DataFrame(),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Screen:
    """One stage that looks for misdeclared goods, and the shares it may inspect."""

    stage: str
    servers: int
    share: float
    floor: float
    floor_rule: str
    most_share: float
    per_day: float
    rate: float
    service_h: float
    service_scv: float

    @classmethod
    def of(
        cls, case: BorderCase, posts: Posts, sheet: Worksheet, row: int, way: int, end: int
    ) -> "_Screen":
        stage = str(sheet.stages["stage"].iloc[row])
        servers, service = int(sheet.stages["servers"].iloc[row]), float(sheet.service_time_h[row])
        per_day = float(sheet.load[row].sum())
        rate = per_day / float(sheet.column("open_h_per_day")[row])
        floor, rule = _floor(case, posts, stage, way, end)
        with np.errstate(divide="ignore"):
            most = float(np.divide(MAX_UTILIZATION * servers, rate * service))
        return cls(
            stage=stage,
            servers=servers,
            share=float(sheet.column("share")[row]),
            floor=floor,
            floor_rule=rule,
            most_share=min(most, 1.0),
            per_day=per_day,
            rate=rate,
            service_h=service,
            service_scv=float(sheet.column("service_scv")[row]),
        )

    def at(self, share: FloatArray | float) -> ScreeningCurve:
        """Return what shares find and cost; the floor is held where they are chosen."""
        return screening_curve(
            share,
            self.rate,
            self.service_h,
            self.servers,
            self.service_scv,
            separation=SEPARATION[self.stage].value,
            inspection_detection=FINDS[self.stage].value,
        )

    @property
    def shares(self) -> FloatArray:
        """Shares from the floor to the most that the servers can see."""
        return np.linspace(self.floor, max(self.most_share, self.floor), _GRID)

    def curve(self) -> dict[str, object]:
        found = self.at(self.shares)
        return {
            "stage": self.stage,
            "share": found.share,
            "detection": found.detection,
            "wait_h": found.wait,
            "delay_h": found.delay,
        }

    def summary(self, usd_per_vehicle_h: float) -> dict[str, object]:
        today, least = self.at(self.share), self.at(self.floor)
        per_h = self.per_day * usd_per_vehicle_h
        low, high = (
            float(
                screening_curve(
                    self.share, self.rate, self.service_h, self.servers, self.service_scv,
                    separation=getattr(SEPARATION[self.stage], end),
                    inspection_detection=getattr(FINDS[self.stage], end),
                ).detection[0]
            )
            for end in ("low", "high")
        )  # fmt: skip
        return {
            "stage": self.stage,
            "servers": self.servers,
            "share": self.share,
            "floor": self.floor if self.floor_rule else np.nan,
            "floor_rule": self.floor_rule,
            "most_share": self.most_share,
            "detection": float(today.detection[0]),
            "detection_low": low,
            "detection_high": high,
            "delay_h": float(today.delay[0]),
            "price_usd_per_day": float(today.delay_slope[0]) * _POINT * per_h,
            "floor_detection": float(least.detection[0]) if self.floor_rule else np.nan,
            "floor_delay_h": float(least.delay[0]) if self.floor_rule else np.nan,
            "floor_price_usd_per_day": (
                float(least.delay_slope[0]) * _POINT * per_h if self.floor_rule else np.nan
            ),
            "floor_usd_per_day": float(least.delay[0]) * per_h if self.floor_rule else np.nan,
        }


def _floor(case: BorderCase, posts: Posts, stage: str, way: int, end: int) -> tuple[float, str]:
    """Return the highest floor that holds for a stage at a post, and its rule."""
    net = case.model.plain
    arcs = posts.arc[(net.arc_crossing[posts.arc] == case.crossing) & ~net.is_copy[posts.arc]]
    at = arcs[
        (net.arc_a_to_b[arcs] == bool(way))
        & ((net.arc_kind[arcs] == ArcKind.ENTRY) == (end == ENTRY))
    ]
    holding = [
        (floor.share, floor.rule_id)
        for floor in case.floors(posts)
        if floor.stage == stage and floor.arcs[at].any()
    ]
    return max(holding, default=(0.0, ""))


def _front(screens: list[_Screen]) -> dict[str, object]:
    """Return the combinations of shares that none other beats, today's marked or added."""
    found = [screen.at(screen.shares) for screen in screens]
    grids = np.meshgrid(*(np.arange(_GRID) for _ in screens), indexing="ij")
    picks = np.stack([grid.ravel() for grid in grids], axis=1)
    missed = np.ones(len(picks))
    delay = np.zeros(len(picks))
    shares = np.zeros(picks.shape)
    for i, curve in enumerate(found):
        missed *= 1.0 - curve.detection[picks[:, i]]
        delay += curve.delay[picks[:, i]]
        shares[:, i] = curve.share[picks[:, i]]
    today = [screen.at(screen.share) for screen in screens]
    detection = np.r_[1.0 - missed, 1.0 - np.prod([1.0 - curve.detection[0] for curve in today])]
    delay = np.r_[delay, sum(float(curve.delay[0]) for curve in today)]
    shares = np.r_[shares, [[screen.share for screen in screens]]]
    is_today = np.r_[np.zeros(len(picks), np.bool_), True]
    keep = _undominated(detection, delay) | is_today
    order = np.flatnonzero(keep)[np.lexsort((detection[keep], delay[keep]))]
    texts = [
        ">".join(f"{screen.stage}={share:.3g}" for screen, share in zip(screens, row, strict=True))
        for row in shares[order]
    ]
    return {
        "shares": texts,
        "detection": detection[order],
        "delay_h": delay[order],
        "is_today": is_today[order],
    }


def _undominated(detection: FloatArray, delay: FloatArray) -> NDArray[np.bool_]:
    """Return which points no other beats: more found in no more time."""
    order = np.lexsort((-detection, delay))
    best = np.maximum.accumulate(detection[order])
    keep = np.zeros(detection.size, np.bool_)
    keep[order] = np.r_[True, detection[order][1:] > best[:-1]] & np.isfinite(delay[order])
    return keep

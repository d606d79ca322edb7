"""Ways from door to door as sheets for the terminal: legs, dated legs, alternatives, fronts."""

import datetime as dt
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

import pandas as pd

from corridor.planning import Itinerary
from corridor.report.sheets.layout import Column, Sheet, write_number
from corridor.units import HOURS_PER_DAY

_CRITERIA: Final = {
    "generalized_cost": "generalized cost",
    "time": "time",
    "money": "money",
    "co2": "CO2",
}
_WAIT_REASONS: Final = {
    "closed": "closed",
    "queue": "queue",
    "departure": "next departure",
    "headway": "mean headway",
}


def itinerary_sheets(itineraries: Sequence[Itinerary]) -> list[Sheet]:
    """Return the legs of the best way and, where there are several, how the others compare.

    Parameters
    ----------
    itineraries
        Ways, best first; all with a date or all without.
    """
    best = itineraries[0]
    sheets = [_legs_sheet(best) if best.depart is None else _dated_legs_sheet(best)]
    if len(itineraries) > 1:
        sheets.insert(0, _ways_sheet(itineraries))
    return sheets


def front_sheet(front: pd.DataFrame, title: str) -> Sheet:
    """Return a Pareto front, a row a way.

    Parameters
    ----------
    front
        What `corridor.pareto` returned.
    title
        Title of the sheet, to which the number of ways is added.
    """
    frame = front.assign(
        way=[f"{i}" for i in range(1, len(front) + 1)],
        days=front["time_h"] / HOURS_PER_DAY,
        sd_d=front["sd_h"] / HOURS_PER_DAY,
        **{
            name: front[name].str.replace(">", " ") for name in ("countries", "layers", "crossings")
        },
    )
    exposure = Column(name="exposure_km", title="exposure", unit="km", digits=0)
    columns = (
        Column(name="way", title="way"),
        Column(name="days", title="time", unit="days", digits=1),
        Column(name="cost_usd_per_t", title="cost", unit="USD/t", digits=0),
        Column(name="co2_kg_per_t", title="CO2", unit="kg/t", digits=0),
        Column(name="sd_d", title="risk", unit="days", digits=1),
        Column(name="n_crossings", title="borders", digits=0),
        *([exposure] if "exposure_km" in front else []),
        Column(name="generalized_usd_per_t", title="with time", unit="USD/t", digits=0),
        Column(name="length_km", title="length", unit="km", digits=0),
        Column(name="countries", title="states", wrap=True),
        Column(name="layers", title="layers", wrap=True),
        Column(name="crossings", title="crossings", wrap=True),
    )
    return Sheet.from_frame(
        frame,
        columns,
        title=f"{title}: {len(front)} {'way' if len(front) == 1 else 'ways'} that no other beats",
        note=(
            "A way beats another that is no better in any criterion and worse in one. risk: "
            "standard deviation of the time; with time: cost + hours of goods, vehicle and crew + "
            "reliability."
        ),
    )


def _place(legs: pd.DataFrame) -> pd.Series:
    """Return where each leg is: the crossing, else the node or both its ends."""
    ends = legs["from_node"].where(
        legs["from_node"] == legs["to_node"], legs["from_node"] + " > " + legs["to_node"]
    )
    return legs["crossing_id"].where(legs["crossing_id"] != "", ends)


def _title(itinerary: Itinerary) -> str:
    return (
        f"{itinerary.origin} to {itinerary.destination}, {itinerary.commodity}, "
        f"least {_CRITERIA.get(itinerary.minimize, itinerary.minimize)}"
    )


def _legs_sheet(itinerary: Itinerary) -> Sheet:
    legs = itinerary.legs
    columns = (
        Column(name="kind", title="leg"),
        Column(name="place", title="where", wrap=True),
        Column(name="country", title="state"),
        Column(name="layer", title="layer"),
        Column(name="length_km", title="length", unit="km", digits=0),
        Column(name="time_h", title="time", unit="h", digits=1),
        Column(name="wait_h", title="of it wait", unit="h", digits=1),
        Column(name="cost_usd_per_t", title="cost", unit="USD/t", digits=1),
        Column(name="fee_usd_per_t", title="of it fees", unit="USD/t", digits=1),
        Column(name="co2_kg_per_t", title="CO2", unit="kg/t", digits=1),
    )
    at_sea = legs["country"].where(legs["country"] != "XXZ", "sea")
    return Sheet.from_frame(
        legs.assign(place=_place(legs), country=at_sea),
        columns,
        title=_title(itinerary),
        n_keys=2,
        note=_door_to_door(itinerary),
    )


def _dated_legs_sheet(itinerary: Itinerary) -> Sheet:
    """Return the legs with the hours at which a shipment comes and goes, in local time."""
    legs = itinerary.legs
    zones = legs["timezone"].tolist()
    columns = (
        Column(name="kind", title="leg"),
        Column(name="place", title="where", wrap=True),
        Column(name="arrive_local", title="arrives", unit="local time"),
        Column(name="depart_local", title="leaves", unit="local time"),
        Column(name="time_h", title="time", unit="h", digits=1),
        Column(name="waits_h", title="wait", unit="h", digits=1),
        Column(name="why", title="for", wrap=True),
        Column(name="cost_usd_per_t", title="cost", unit="USD/t", digits=1),
        Column(name="layer", title="layer"),
    )
    frame = legs.assign(
        place=_place(legs),
        arrive_local=[_local(*pair) for pair in zip(legs["arrive"], zones, strict=True)],
        depart_local=[_local(*pair) for pair in zip(legs["depart"], zones, strict=True)],
        waits_h=legs["wait_h"] + legs["opening_wait_h"],
        why=[_reasons(text) for text in legs["wait_reason"]],
    )
    return Sheet.from_frame(
        frame,
        columns,
        title=f"{_title(itinerary)}, leaves {_local(itinerary.depart, zones[0], with_year=True)}",
        n_keys=2,
        note=(
            f"Arrives {_local(itinerary.arrive, zones[-1], with_year=True)}. "
            f"{_door_to_door(itinerary)}"
        ),
    )


def _reasons(text: str) -> str:
    return ", ".join(_WAIT_REASONS.get(word, word) for word in text.split("+") if word)


def _local(time: dt.datetime | None, zone: str, *, with_year: bool = False) -> str:
    """Return a time where it is, such as ``Fri 3 Jul 20:00 +08``; in UTC where no zone is known."""
    if time is None:
        return ""
    here = time.astimezone(ZoneInfo(zone) if zone else dt.UTC)
    day = f"{here:%a} {here.day} {here:%b}{f' {here.year}' if with_year else ''}"
    return f"{day} {here:%H:%M} {f'{here:%z}'.removesuffix('00')}"


def _door_to_door(itinerary: Itinerary) -> str:
    hours = (
        ("moving", itinerary.moving_h),
        ("at borders", itinerary.border_h),
        ("in terminals", itinerary.terminal_h),
        ("waiting for a service", itinerary.service_wait_h),
    )
    parts = ", ".join(f"{write_number(h, 1)} h {name}" for name, h in hours)
    teu = write_number(itinerary.cost_usd_per_teu)
    boxed = f" ({teu} USD/TEU)" if teu else ""
    return (
        f"Door to door: {write_number(itinerary.length_km)} km, "
        f"{write_number(itinerary.time_h / HOURS_PER_DAY, 1)} days ({parts}); "
        f"{write_number(itinerary.cost_usd_per_t, 1)} USD/t{boxed}, "
        f"{write_number(itinerary.generalized_usd_per_t, 1)} USD/t with time; "
        f"{write_number(itinerary.co2_kg_per_t, 1)} kg CO2/t"
    )


def _ways_sheet(itineraries: Sequence[Itinerary]) -> Sheet:
    dated = itineraries[0].depart is not None
    frame = pd.DataFrame(
        {
            "way": [f"{i}" for i in range(1, len(itineraries) + 1)],
            "arrives": [_local(way.arrive, _last_zone(way)) for way in itineraries],
            "days": [way.time_h / HOURS_PER_DAY for way in itineraries],
            "border_h": [way.border_h for way in itineraries],
            "cost": [way.cost_usd_per_t for way in itineraries],
            "generalized": [way.generalized_usd_per_t for way in itineraries],
            "co2": [way.co2_kg_per_t for way in itineraries],
            "km": [way.length_km for way in itineraries],
            "states": [" ".join(way.countries) for way in itineraries],
            "crossings": [" ".join(way.crossings) for way in itineraries],
        }
    )
    columns = (
        Column(name="way", title="way"),
        *([Column(name="arrives", title="arrives", unit="local time")] if dated else []),
        Column(name="days", title="time", unit="days", digits=1),
        Column(name="border_h", title="at borders", unit="h", digits=1),
        Column(name="cost", title="cost", unit="USD/t", digits=1),
        Column(name="generalized", title="with time", unit="USD/t", digits=1),
        Column(name="co2", title="CO2", unit="kg/t", digits=1),
        Column(name="km", title="length", unit="km", digits=0),
        Column(name="states", title="states", wrap=True),
        Column(name="crossings", title="crossings", wrap=True),
    )
    return Sheet.from_frame(frame, columns, title="The best ways, best first")


def _last_zone(itinerary: Itinerary) -> str:
    return str(itinerary.legs["timezone"].iloc[-1]) if itinerary.depart is not None else ""

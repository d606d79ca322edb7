"""The reference shipments of a study, door to door in one variant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from corridor.errors import NoRouteError
from corridor.planning import Itinerary, Model, compile_model, find_itineraries, single_shipments
from corridor.planning.tables import SEPARATOR
from corridor.study.variants import Reference
from corridor.units import HOURS_PER_DAY

TOTALS = (
    "time_d",
    "moving_h",
    "border_h",
    "terminal_h",
    "service_wait_h",
    "cost_usd_per_t",
    "cost_usd_per_teu",
    "generalized_usd_per_t",
    "co2_kg_per_t",
    "length_km",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Door:
    """One reference shipment in one variant: the way it takes, or what blocks it.

    Attributes
    ----------
    reference
        What was asked.
    itinerary
        The cheapest way by generalized cost with queues at background load; None where there is
        none.
    reasons
        Ids of the rules and links that block it, where there is no way.
    """

    reference: Reference
    itinerary: Itinerary | None = None
    reasons: tuple[str, ...] = ()

    def totals(self) -> dict[str, object]:
        """Return one row of the table of references; numbers are NaN where there is no way."""
        way = self.itinerary
        row: dict[str, object] = {
            "reference": self.reference.id,
            "origin": self.reference.origin,
            "destination": self.reference.destination,
            "commodity": self.reference.commodity,
        }
        if way is None:
            names = {"crossings": "", "countries": ""}
            return row | dict.fromkeys(TOTALS, np.nan) | names | {"reasons": _joined(self.reasons)}
        numbers = {name: getattr(way, name) for name in TOTALS[1:]}
        numbers = {"time_d": way.time_h / HOURS_PER_DAY, **numbers}
        names = {"crossings": _joined(way.crossings), "countries": _joined(way.countries)}
        return row | numbers | names | {"reasons": ""}

    def indicators(self) -> list[tuple[str, str, float, str, str, str]]:
        """Return ``indicator, unit, value, scope, direction, commodity`` rows; NaN if blocked."""
        way = self.itinerary
        row = self.totals()
        boxed = way is not None and np.isfinite(way.cost_usd_per_teu)
        crossings = np.nan if way is None else float(len(way.crossings))
        speed = np.nan if way is None or not way.time_h > 0 else way.length_km / way.time_h
        values: list[tuple[str, str, object]] = [
            ("reference_time", "d", row["time_d"]),
            ("reference_border_time", "h", row["border_h"]),
            ("reference_terminal_time", "h", row["terminal_h"]),
            ("reference_service_wait", "h", row["service_wait_h"]),
            ("reference_cost", "usd_per_t", row["cost_usd_per_t"]),
            ("reference_generalized_cost", "usd_per_t", row["generalized_usd_per_t"]),
            ("reference_co2", "kg_per_t", row["co2_kg_per_t"]),
            ("reference_length", "km", row["length_km"]),
            ("reference_borders", "crossings", crossings),
            ("reference_speed", "km_per_h", speed),
        ]
        if boxed:
            values.insert(4, ("reference_cost", "usd_per_teu", row["cost_usd_per_teu"]))
        scope, goods = self.reference.id, self.reference.commodity
        return [(name, unit, float(str(value)), scope, "", goods) for name, unit, value in values]


def open_doors(model: Model, references: Sequence[Reference]) -> list[Door]:
    """Return the reference shipments routed on a compiled model.

    A reference that is a row of the demand goes under the flag of that row (the largest, where
    there are several), any other under the flag of its origin.

    Parameters
    ----------
    model
        A compiled model with the demand.
    references
        Shipments to route.
    """
    row_of = _demand_rows(model)
    asked = [(r.origin, r.destination, r.commodity) for r in references]
    others = [key for key in asked if key not in row_of]
    spare = model
    if others:
        shipments = single_shipments(model.network, others)
        spare = compile_model(model.network, shipments, model.rules)
    doors = []
    for reference, key in zip(references, asked, strict=True):
        known = key in row_of
        on, row = (model, row_of[key]) if known else (spare, others.index(key))
        doors.append(_door(on, row, reference))
    return doors


def shut_doors(references: Sequence[Reference], reasons: Sequence[str]) -> list[Door]:
    """Return the references of a variant that has no plan: all blank, for the same reasons."""
    return [Door(reference=reference, reasons=tuple(reasons)) for reference in references]


def totals_table(doors: Mapping[str, Sequence[Door]]) -> pd.DataFrame:
    """Return one row per variant and reference."""
    rows = [{"variant": v} | door.totals() for v, some in doors.items() for door in some]
    columns = ["variant", "reference", "origin", "destination", "commodity", *TOTALS]
    return pd.DataFrame(rows, columns=[*columns, "crossings", "countries", "reasons"])


def leg_table(doors: Mapping[str, Sequence[Door]]) -> pd.DataFrame:
    """Return one row per variant, reference and leg; none where a reference is blocked."""
    parts = []
    for variant, some in doors.items():
        for door in some:
            if door.itinerary is not None:
                legs = door.itinerary.legs
                head = pd.DataFrame({"leg": np.arange(1, len(legs) + 1)})
                head.insert(0, "reference", door.reference.id)
                head.insert(0, "variant", variant)
                parts.append(pd.concat([head, legs], axis=1))
    if not parts:
        return pd.DataFrame(columns=["variant", "reference", "leg"])
    return pd.concat(parts, ignore_index=True)


def _door(model: Model, row: int, reference: Reference) -> Door:
    try:
        way = find_itineraries(model, row)[0]
    except NoRouteError as error:
        return Door(reference=reference, reasons=error.reasons)
    return Door(reference=reference, itinerary=way)


def _demand_rows(model: Model) -> dict[tuple[str, str, str], int]:
    """Return the demand row of each origin, destination and commodity: the largest of several."""
    shipments = model.shipments
    order = np.argsort(model.t_per_day, kind="stable")
    return {
        (
            str(shipments.places[shipments.origin[row]]),
            str(shipments.places[shipments.destination[row]]),
            str(shipments.commodities[shipments.commodity[row]]),
        ): int(row)
        for row in order
    }


def _joined(names: Sequence[str]) -> str:
    return SEPARATOR.join(names)

"""Results as plain records for machines: valid JSON, and null for what is unknown."""

import datetime as dt
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from typing import TypeAlias

import numpy as np
import pandas as pd

from corridor.errors import Fault
from corridor.planning import Explanation, Itinerary, Plan
from corridor.study import Comparison, TargetCheck, VolumeCheck

Record: TypeAlias = dict[str, object]


def write_json(value: object) -> str:
    """Return JSON (RFC 8259: no NaN, no Infinity) of records, frames and numbers.

    Examples
    --------
    >>> write_json({"wait_h": float("nan"), "rows": pd.DataFrame({"t": [1.5]})})
    '{"wait_h": null, "rows": [{"t": 1.5}]}'
    """
    return json.dumps(plain(value), allow_nan=False)


def plain(value: object) -> object:
    """Return a value as JSON knows it: frames as lists of records, unknown numbers as None."""
    if isinstance(value, pd.DataFrame):
        columns = [[plain(cell) for cell in value[name].tolist()] for name in value.columns]
        return [dict(zip(value.columns, row, strict=True)) for row in zip(*columns, strict=True)]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return _scalar(value)


def _scalar(value: object) -> object:
    if isinstance(value, np.generic):
        return _scalar(value.item())
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, pd.Timestamp):
        is_day = value.tzinfo is None and value == value.normalize()
        return value.date().isoformat() if is_day else value.isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    msg = f"JSON must be made of numbers, texts, lists and tables; found {type(value).__name__}."
    raise TypeError(msg)


def plan_record(plan: Plan) -> Record:
    """Return a plan with all its tables."""
    return {field.name: getattr(plan, field.name) for field in fields(plan)}


def explanation_record(explanation: Explanation) -> Record:
    """Return an explanation with its tables and sentences; options are those of `relaxations`."""
    names = [field.name for field in fields(explanation) if field.name != "options"]
    return {name: getattr(explanation, name) for name in names}


def itinerary_record(itinerary: Itinerary) -> Record:
    """Return an itinerary with its legs."""
    return {field.name: getattr(itinerary, field.name) for field in fields(itinerary)}


def target_record(check: TargetCheck, volumes: VolumeCheck | None = None) -> Record:
    """Return published and modelled times with their statistics, and volumes where given."""
    record: Record = {field.name: getattr(check, field.name) for field in fields(check)}
    if volumes is not None:
        record["volumes"] = {field.name: getattr(volumes, field.name) for field in fields(volumes)}
    return record


def fault_records(faults: Iterable[Fault]) -> list[Record]:
    """Return faults, one record each."""
    return [asdict(fault) for fault in faults]


def comparison_record(comparison: Comparison) -> Record:
    """Return a comparison: status of each variant, indicators, differences and references."""
    return {
        "base": comparison.study.base,
        "variants": [
            {
                "variant": variant,
                "status": plan.status,
                "limit": plan.limit,
                "gap": plan.gap,
                "date": plan.date,
                "objective_usd_per_day": plan.objective_usd_per_day,
                "served_t_per_day": plan.served_t_per_day,
                "demand_t_per_day": plan.demand_t_per_day,
            }
            for variant, plan in comparison.plans.items()
        ],
        "summary": comparison.summary,
        "indicators": comparison.indicators,
        "differences": comparison.differences,
        "references": comparison.references,
    }

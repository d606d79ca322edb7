"""Tables of a sweep, made of its solved chunks."""

from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.study.uncertainty.chunks import Chunk
from corridor.study.uncertainty.inputs import Inputs
from corridor.study.uncertainty.readings import Key
from corridor.study.uncertainty.samples import Factor, Sampler
from corridor.study.uncertainty.spreads import (
    conditional_value_at_risk,
    first_order_indices,
    rank_correlations,
    swings,
)

FloatArray: TypeAlias = NDArray[np.float64]

HEADLINES: Final = {
    "total_loss": -1.0,
    "served": 1.0,
    "unmet": -1.0,
    "co2": -1.0,
    "door_to_door_time_mean": -1.0,
    "door_to_door_time_p95": -1.0,
    "generalized_cost_mean": -1.0,
    "border_time_mean": -1.0,
    "queue_cost": -1.0,
}
"""Indicators whose drivers are told and by which variants are ranked; 1: more is better."""
KEYS: Final = ["indicator", "unit", "scope", "direction"]
RANGE: Final = "range"
SHOCK: Final = "shock"


def sample_table(chunks: Sequence[Chunk], keys: Sequence[Key]) -> pd.DataFrame:
    """Return one row a sample, in the order of the chunks."""
    sizes = [len(chunk) for chunk in chunks]
    none = np.zeros((0, len(keys)))
    head = pd.DataFrame(
        {
            "variant": np.repeat(np.array([c.variant for c in chunks], dtype=object), sizes),
            "sample": np.concatenate(
                [np.zeros(0, np.int64), *(c.first + np.arange(len(c)) for c in chunks)]
            ),
            "status": np.array([s for c in chunks for s in c.status], dtype=object),
            "reason": np.array([r for c in chunks for r in c.reason], dtype=object),
            "gap": np.concatenate([np.zeros(0), *(c.gap for c in chunks)]),
            "seconds": np.concatenate([np.zeros(0), *(c.seconds for c in chunks)]),
        }
    )
    values = np.concatenate([none, *(c.values for c in chunks)])
    body = pd.DataFrame(values, columns=[str(key) for key in keys])
    return pd.concat([head, body], axis=1)


def key_table(keys: Sequence[Key]) -> pd.DataFrame:
    """Return what each column of values is."""
    frame = pd.DataFrame(list(keys), columns=KEYS)
    frame.insert(0, "column", [str(key) for key in keys])
    return frame


def input_table(inputs: Inputs, factors: Sequence[Factor]) -> pd.DataFrame:
    """Return the inputs and shocks of a sweep."""
    rows = [
        (
            name,
            RANGE,
            len(inputs.rows[position]),
            "; ".join(factor.name for factor in factors if position in factor.inputs),
        )
        for position, name in enumerate(inputs.names)
    ]
    rows += [
        (factor.name, SHOCK, sum(len(inputs.rows[i]) for i in factor.inputs), "")
        for factor in factors
    ]
    return pd.DataFrame(rows, columns=["input", "kind", "ranges", "shocks"])


def status_table(samples: pd.DataFrame) -> pd.DataFrame:
    """Return how many samples of each variant have each status."""
    counts = samples.groupby(["variant", "status"], sort=False).size().rename("samples")
    frame = counts.reset_index()
    total = frame.groupby("variant")["samples"].transform("sum")
    frame["share"] = frame["samples"] / total
    return frame


def distribution_table(samples: pd.DataFrame, keys: pd.DataFrame) -> pd.DataFrame:
    """Return quantiles, mean and tails of each indicator of each variant, over solved samples."""
    parts = []
    for variant, rows in samples.groupby("variant", sort=False):
        values = rows[keys["column"].tolist()].to_numpy(float)
        part = keys[KEYS].copy()
        part.insert(0, "variant", str(variant))
        numbers = np.array([_distribution(column[~np.isnan(column)]) for column in values.T])
        for name, column in zip(_NUMBERS, numbers.reshape(-1, len(_NUMBERS)).T, strict=True):
            part[name] = column
        part["samples"] = part["samples"].astype(np.int64)
        parts.append(part)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_COLUMNS)


_NUMBERS: Final = (
    "samples", "mean", "standard_error", "p5", "p50", "p95", "cvar_low", "cvar_high",
)  # fmt: skip
_COLUMNS: Final = ["variant", *KEYS, *_NUMBERS]


def _distribution(values: FloatArray) -> list[float]:
    n = values.size
    if not n:
        return [0.0] + [np.nan] * (len(_NUMBERS) - 1)
    error = float(values.std(ddof=1) / np.sqrt(n)) if n > 1 else np.nan
    return [
        float(n),
        float(values.mean()),
        error,
        *np.quantile(values, [0.05, 0.5, 0.95]).tolist(),
        -float(conditional_value_at_risk(-values)),
        float(conditional_value_at_risk(values)),
    ]


def _headline_columns(keys: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    """Yield column, indicator and unit of the headlines."""
    for column, indicator, unit, scope, _ in keys.to_numpy(object).tolist():
        if indicator in HEADLINES and not scope:
            yield column, indicator, unit


def probability_table(samples: pd.DataFrame, keys: pd.DataFrame) -> pd.DataFrame:
    """Return how likely each variant is better than each other, over draws that both solved."""
    by_variant = {str(v): rows.set_index("sample") for v, rows in samples.groupby("variant")}
    names = list(dict.fromkeys(samples["variant"]))
    rows = []
    for one, other in permutations(names, 2):
        for column, indicator, unit in _headline_columns(keys):
            pair = [by_variant[name][[column, "gap"]].dropna() for name in (one, other)]
            both = pd.concat(pair, axis=1, join="inner")
            a, gap_a, b, gap_b = both.to_numpy(float).T
            difference = a - b
            n = difference.size
            # Costs nearer to each other than their gaps cannot be told apart: half a win.
            margin = np.abs(a) * gap_a + np.abs(b) * gap_b if indicator == "total_loss" else 0.0
            better = difference * HEADLINES[indicator]
            tied = np.abs(better) <= margin
            share = float(((better > margin) + 0.5 * tied).mean()) if n else np.nan
            mean = float(difference.mean()) if n else np.nan
            rows.append((one, other, indicator, unit, n, share, mean))
    columns = ["variant", "other", "indicator", "unit", "samples", "probability", "mean_difference"]
    return pd.DataFrame(rows, columns=columns)


def driver_table(samples: pd.DataFrame, keys: pd.DataFrame, sampler: Sampler) -> pd.DataFrame:
    """Return how each input and shock moves the headlines of each variant."""
    heads = list(_headline_columns(keys))
    kinds = [RANGE] * len(sampler.inputs) + [SHOCK] * len(sampler.factors)
    last = int(samples["sample"].max()) + 1 if len(samples) else 0
    scores = sampler.scores(0, last)
    parts = []
    for variant, rows in samples.groupby("variant", sort=False):
        solved = rows.dropna(subset=[column for column, _, _ in heads])
        if len(solved) < 2:  # noqa: PLR2004 (no spread without two)
            continue
        x = scores[solved["sample"].to_numpy()]
        y = solved[[column for column, _, _ in heads]].to_numpy(float)
        sobol, rank = first_order_indices(x, y), rank_correlations(x, y)
        low, high = swings(x, y)
        for i, (_, indicator, unit) in enumerate(heads):
            parts.append(
                pd.DataFrame(
                    {
                        "variant": str(variant),
                        "indicator": indicator,
                        "unit": unit,
                        "input": sampler.names,
                        "kind": kinds,
                        "sobol_first": sobol[i],
                        "rank_correlation": rank[i],
                        "low": low[i],
                        "high": high[i],
                    }
                )
            )
    columns = [
        "variant", "indicator", "unit", "input", "kind", "sobol_first", "rank_correlation", "low",
        "high",
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)

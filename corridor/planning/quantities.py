"""Rules on quantities: shares, bands and floors as side rows of the flow engine."""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from corridor.core.flows import Rows
from corridor.sovereignty import Effects

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]

PRICE_UNITS: Final = {
    "t_per_day": "usd_per_t",
    "teu_per_day": "usd_per_teu",
    "vehicles_per_day": "usd_per_vehicle",
    "vehicles_per_year": "usd_per_vehicle",
    "trains_per_day": "usd_per_train",
}
"""Unit of the price of one unit more of a limit."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowSet:
    """Side rows of all rules on quantities under one numbering.

    Attributes
    ----------
    rows
        Rows of the flow engine; None where there are none.
    table
        One row each: ``rule_id, part, unit, lower, upper`` (bounds as the flow engine has them).
    """

    rows: Rows | None
    table: pd.DataFrame

    @property
    def matrix(self) -> sparse.csr_array:
        """Units a tonne, shape (n_rows, n_classes * n_arcs)."""
        return sparse.csr_array((0, 0)) if self.rows is None else sparse.csr_array(self.rows.matrix)


def assemble_rows(effects: Effects, class_of: IntArray, t_per_day: FloatArray) -> RowSet:
    """Return the side rows of a model.

    What a row weighs of served demand, ``w (demand - unmet)``, is a constant, which goes to the
    bounds, less ``w unmet``.

    Parameters
    ----------
    effects
        What the rules do.
    class_of : ndarray of int32, shape (n_shipments,)
        Class of each shipment.
    t_per_day : ndarray of float64, shape (n_shipments,)
        Demand [t/day].
    """
    columns = ["rule_id", "part", "unit", "lower", "upper"]
    if not effects.rows:
        return RowSet(rows=None, table=pd.DataFrame(columns=columns))
    served = np.stack([row.served[class_of] for row in effects.rows])
    constant = served @ t_per_day
    lower = np.array([row.lower for row in effects.rows]) - constant
    upper = np.array([row.upper for row in effects.rows]) - constant
    flat = [row.per_t.reshape((1, -1)) for row in effects.rows]
    matrix = sparse.csr_matrix(sparse.vstack(flat))
    matrix.eliminate_zeros()
    table = pd.DataFrame(
        {
            "rule_id": [row.rule_id for row in effects.rows],
            "part": [row.part for row in effects.rows],
            "unit": [row.unit for row in effects.rows],
            "lower": lower,
            "upper": upper,
        }
    )
    if not served.any():
        return RowSet(rows=Rows(matrix, lower, upper), table=table)
    unmet = sparse.csr_matrix(-served)
    return RowSet(rows=Rows(matrix, lower, upper, unmet=unmet), table=table)

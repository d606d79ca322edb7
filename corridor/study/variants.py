"""What study.toml may say: its header, its reference shipments and its variants."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
)

# Strict: a text that looks like a number stays a text until the column says what it is.
Value: TypeAlias = StrictBool | StrictInt | StrictFloat | Annotated[dt.date, Strict()] | StrictStr


class Reference(BaseModel):
    """A shipment that is shown door to door in every variant.

    Attributes
    ----------
    id
        Unique id.
    origin, destination, commodity
        Ids of nodes and of a commodity.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    origin: str
    destination: str
    commodity: str


class CellChange(BaseModel):
    """One cell of one table, and the value that it takes.

    Attributes
    ----------
    table, key, column
        Where the cell stands; the parts of the key are joined by ``/`` in the order of the schema.
    value
        The new value; an empty text is a blank.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str
    key: str
    column: str
    value: Value


class Variant(BaseModel):
    """One way the corridor could be: what it opens, builds and changes in the rules.

    Changes apply in this order: ``projects``, ``open``, ``close``, ``set``; the later wins.

    Attributes
    ----------
    id, title
        Unique id, and one line for people.
    date
        Works and rules are read as of this day; None is the date of the study.
    open, close
        Ids of links and crossings, ``*`` stands for any part. `open` makes the status ``open`` and
        clears ``opens``; `close` makes it ``broken``, which no date repairs.
    set
        Single cells.
    projects
        Ids of projects.csv: each of their rows sets a cell.
    rules_add
        Rules put at the end of the rulebook, as in rules.toml.
    rules_drop
        Ids of rules taken out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    title: str = Field(min_length=1)
    date: dt.date | None = None
    open: tuple[str, ...] = ()
    close: tuple[str, ...] = ()
    set: tuple[CellChange, ...] = ()
    projects: tuple[str, ...] = ()
    rules_add: tuple[Mapping[str, Any], ...] = ()
    rules_drop: tuple[str, ...] = ()


class Constant(BaseModel):
    """A cost that shippers act on and no table states, as `corridor.planning.ChoiceConstant`.

    Attributes
    ----------
    id
        Unique id.
    usd_per_t
        Cost of a tonne at each post of entry within the scope [USD/t]; below 0 it attracts.
    crossings, countries, layers
        The scope: ids of crossings (``*`` stands for any part), states entered, layers.
    source, confidence
        Where it comes from, as in the tables.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    usd_per_t: float = Field(allow_inf_nan=False)
    crossings: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    source: str = ""
    confidence: Literal["official", "published", "derived", "assumed"] = "assumed"


class Header(BaseModel):
    """The keys of study.toml outside its tables.

    Attributes
    ----------
    name
        Name for people.
    dataset, rules
        Name of a bundled data set, or a path relative to the study file; without `rules` those of
        the data set hold, where it has any.
    demand
        Scenario of the demand; None where the data set has only one.
    base
        Id of the variant that all others are compared with.
    date
        Works and rules are read as of this day; the clock is never read.
    assignment
        How flows are found: ``optimum``, or by shippers' choice: ``equilibrium`` (all take a
        cheapest way) or ``logit``. An optimum then stands beside it.
    dispersion_per_usd
        Dispersion of a logit assignment [1/USD]; without use otherwise.
    unmet_usd_per_t
        Price of a tonne that is not served [USD/t].
    discount_rate
        Real rate a year, as a fraction.
    headline_states
        States (ISO 3166 alpha-3) whose transit and revenue stand in the summary of a comparison,
        the foremost first; None are the five with most transit in the base.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    dataset: str
    demand: str | None = None
    rules: str | None = None
    base: str
    date: dt.date
    assignment: Literal["optimum", "equilibrium", "logit"] = "optimum"
    dispersion_per_usd: float | None = Field(default=None, gt=0.0)
    unmet_usd_per_t: float = Field(default=5000.0, gt=0.0, allow_inf_nan=False)
    discount_rate: float = Field(default=0.06, ge=0.0, lt=1.0)
    headline_states: tuple[str, ...] | None = None

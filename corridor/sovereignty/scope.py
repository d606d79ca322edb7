"""Scopes: which shipments, on which part of the network, a rule speaks of."""

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

Traffic: TypeAlias = Literal["transit", "import", "export", "domestic"]
Names: TypeAlias = tuple[str, ...]


class Scope(BaseModel):
    """A part of the network and of the shipments; a key left out means all.

    Attributes
    ----------
    links, crossings
        Ids of links and crossings.
    countries
        States (ISO 3166 alpha-3) by legal jurisdiction.
    layers
        Layers.
    commodities, flags
        Commodities, and states of the carrier.
    origins, destinations
        Node ids, or states that stand for all their nodes.
    traffic
        Kinds of traffic as seen from the state of the arc: transit, import, export, domestic.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    links: Names | None = None
    crossings: Names | None = None
    countries: Names | None = None
    layers: Names | None = None
    commodities: Names | None = None
    flags: Names | None = None
    origins: Names | None = None
    destinations: Names | None = None
    traffic: tuple[Traffic, ...] | None = None

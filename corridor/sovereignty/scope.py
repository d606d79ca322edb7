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

    def covers(self, other: "Scope") -> bool:
        """Return whether all that another scope speaks of is in this one, as far as names tell.

        Examples
        --------
        >>> Scope(countries=("AAA", "BBB")).covers(Scope(countries=("AAA",), layers=("road",)))
        True
        >>> Scope(crossings=("x",)).covers(Scope(countries=("AAA",)))
        False
        """
        places = ("links", "crossings")
        if any(getattr(self, key) is not None for key in places):
            theirs = {(key, name) for key in places for name in getattr(other, key) or ()}
            mine = {(key, name) for key in places for name in getattr(self, key) or ()}
            if not theirs or not theirs <= mine:
                return False
        return all(
            getattr(self, key) is None
            or (
                getattr(other, key) is not None
                and set(getattr(other, key)) <= set(getattr(self, key))
            )
            for key in Scope.model_fields
            if key not in places
        )

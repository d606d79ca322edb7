"""Sovereignty as constraints: dated rules and what they do to classes of shipments."""

from corridor.sovereignty.effects import Ban, Effects, Fee, Floor, Quota
from corridor.sovereignty.journeys import Finding, Journeys
from corridor.sovereignty.kinds import KINDS, Rule
from corridor.sovereignty.rulebook import Rules, load_rules
from corridor.sovereignty.scope import Scope
from corridor.sovereignty.shipments import Shipments, shipment_classes
from corridor.sovereignty.territory import Territory

__all__ = [
    "KINDS",
    "Ban",
    "Effects",
    "Fee",
    "Finding",
    "Floor",
    "Journeys",
    "Quota",
    "Rule",
    "Rules",
    "Scope",
    "Shipments",
    "Territory",
    "load_rules",
    "shipment_classes",
]

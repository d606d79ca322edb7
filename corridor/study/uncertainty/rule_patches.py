"""What rules charge and count, when payloads, containers and lengths change.

A rule counts tonnes, vehicles (1 / payload a tonne) or TEU, each perhaps by kilometers. Which of
these stands in an entry is found by compiling the model with one of them doubled: the entry then
doubles, halves or stays as it is, exactly.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from corridor.network import Demand, Network
from corridor.planning import Model, compile_model
from corridor.sovereignty.effects import Count, Effects
from corridor.study.uncertainty.patches import with_frames

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scale:
    """What changed against the nominal model.

    Attributes
    ----------
    payload : ndarray of float64, shape (n_layers, n_commodities)
        Nominal load of a vehicle by the present one.
    teu : ndarray of float64, shape (n_classes,)
        Present TEU in a tonne by the nominal ones; 1 where there are none.
    length : ndarray of float64, shape (n_arcs,)
        Present length by the nominal one; 1 where there is none.
    """

    payload: FloatArray
    teu: FloatArray
    length: FloatArray

    @property
    def is_one(self) -> bool:
        """Whether nothing changed."""
        return all(bool((part == 1.0).all()) for part in (self.payload, self.teu, self.length))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Kinds:
    """Which entries of a count are by vehicle, by TEU and by kilometer, and where all stand.

    ``layers`` and ``goods`` are those of the entries by vehicle.
    """

    by_vehicle: IntArray
    by_teu: IntArray
    by_km: IntArray
    layers: IntArray
    goods: IntArray
    classes: IntArray
    arcs: IntArray

    def scaled(self, per_t: sparse.csr_array, scale: Scale) -> sparse.csr_array:
        """Return a count's entries at a scale; itself where no entry changes."""
        if not (self.by_vehicle.size or self.by_teu.size or self.by_km.size):
            return per_t
        classes, arcs, data = self.classes, self.arcs, per_t.data.copy()
        data[self.by_vehicle] *= scale.payload[self.layers, self.goods]
        data[self.by_teu] *= scale.teu[classes[self.by_teu]]
        data[self.by_km] *= scale.length[arcs[self.by_km]]
        return sparse.csr_array((data, per_t.indices, per_t.indptr), shape=per_t.shape)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RulePatch:
    """The effects of the rules of a model at other payloads, containers and lengths."""

    nominal: Effects
    kinds: tuple[_Kinds, ...]

    @classmethod
    def of(cls, model: Model, demand: Demand) -> "RulePatch":
        """Return the patch of a model that was compiled from a demand."""
        doubled = [
            compile_model(_doubled(model.network, what), demand, model.rules).effects
            for what in ("payload", "teu", "length")
        ]
        kinds = []
        for nominal, *probes in zip(_counts(model.effects), *map(_counts, doubled), strict=True):
            changed = [np.flatnonzero(probe.per_t.data != nominal.per_t.data) for probe in probes]
            classes, arcs = (part.astype(np.int64) for part in nominal.per_t.tocoo().coords)
            kinds.append(
                _Kinds(
                    by_vehicle=changed[0],
                    by_teu=changed[1],
                    by_km=changed[2],
                    layers=model.supernetwork.arc_layer[arcs[changed[0]]].astype(np.int64),
                    goods=model.classes.commodity[classes[changed[0]]].astype(np.int64),
                    classes=classes,
                    arcs=arcs,
                )
            )
        return cls(nominal=model.effects, kinds=tuple(kinds))

    def effects(self, scale: Scale) -> Effects:
        """Return the effects at a scale."""
        old = self.nominal
        if scale.is_one:
            return old
        scaled = iter(
            [
                replace(count, per_t=kinds.scaled(count.per_t, scale))
                for count, kinds in zip(_counts(old), self.kinds, strict=True)
            ]
        )
        return Effects(
            bans=old.bans,
            fees=[replace(fee, usd=next(scaled)) for fee in old.fees],
            quotas=[replace(quota, counted=next(scaled)) for quota in old.quotas],
            rows=[
                replace(row, terms=tuple((factor, next(scaled)) for factor, _ in row.terms))
                for row in old.rows
            ],
            floors=old.floors,
            paths=old.paths,
        )

    def fee_usd_per_t(self, effects: Effects, shape: tuple[int, int]) -> FloatArray:
        """Return all fees together [USD/t], by class and arc; see `Effects.fee_usd_per_t`."""
        total = np.zeros(shape)
        for fee, kinds in zip(effects.fees, self.kinds[: len(effects.fees)], strict=True):
            total.reshape(-1)[kinds.classes * shape[1] + kinds.arcs] += fee.usd_per_t.data
        return total


def _counts(effects: Effects) -> Iterator[Count]:
    """Yield every count of the effects: fees, then quotas, then the terms of rows."""
    for fee in effects.fees:
        yield fee.usd
    for quota in effects.quotas:
        yield quota.counted
    for row in effects.rows:
        for _, count in row.terms:
            yield count


def _doubled(network: Network, what: str) -> Network:
    """Return a network with one thing doubled, and nothing else that rules look at changed.

    Vehicles carry twice as much, a tonne fills twice the containers, or links are twice as long.
    """
    layers, goods, links = network.layers, network.commodities, network.links
    if what == "length":
        return with_frames(network, {"links": links.assign(length_km=2.0 * links["length_km"])})
    if what == "payload":
        loads = {name: 2.0 * layers[name] for name in ("t_per_vehicle", "teu_per_vehicle")}
        return with_frames(network, {"layers": layers.assign(**loads)})
    # Half the tonnes in a container, and twice the places: payloads stay.
    return with_frames(
        network,
        {
            "commodities": goods.assign(t_per_teu=0.5 * goods["t_per_teu"]),
            "layers": layers.assign(teu_per_vehicle=2.0 * layers["teu_per_vehicle"]),
        },
    )

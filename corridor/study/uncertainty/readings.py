"""Indicators of one sample, read from the flow's arrays without building the tables of a plan.

Names, units and formulas are those of `corridor.planning.indicators`; a test holds the two against
each other. What a plan's table leaves out (a state or crossing without traffic) is 0 here, so that
it can be averaged; a ratio whose denominator is 0 is NaN.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.border import MAX_UTILIZATION
from corridor.core.flows import FlowResult
from corridor.network.supernetwork import ArcKind
from corridor.planning import Model
from corridor.planning.weighted import ratio, weighted_mean, weighted_quantile
from corridor.units import DAYS_PER_YEAR, HOURS_PER_DAY, KG_PER_T, T_PER_MT

FloatArray: TypeAlias = NDArray[np.float64]
LongArray: TypeAlias = NDArray[np.int64]

_MT: Final = DAYS_PER_YEAR / T_PER_MT
"""Mt a year in one tonne a day."""
_MUSD: Final = DAYS_PER_YEAR / 1e6
"""Million USD a year in one USD a day."""
_SECTION_KM: Final = 500.0
_SECTION_T: Final = 20.0
_CROWDED: Final = 0.8
_MODES: Final = ("road", "rail", "sea")
_WAYS: Final = ("forward", "backward")


class Key(NamedTuple):
    """What tells an indicator from all others, as in indicators.csv."""

    indicator: str
    unit: str
    scope: str = ""
    direction: str = ""

    def __str__(self) -> str:
        return ".".join(part for part in self if part)


_TOTALS: Final = (
    Key("total_cost", "musd_per_year"),
    Key("unmet_value", "musd_per_year"),
    Key("total_loss", "musd_per_year"),
    Key("demand", "Mt_per_year"),
    Key("served", "Mt_per_year"),
    Key("unmet", "Mt_per_year"),
    Key("transport", "bn_t_km_per_year"),
    Key("co2", "kt_per_year"),
    Key("co2_intensity", "g_per_t_km"),
    Key("door_to_door_time_mean", "d"),
    Key("door_to_door_time_median", "d"),
    Key("door_to_door_time_p95", "d"),
    Key("door_to_door_cost_mean", "usd_per_t"),
    Key("generalized_cost_mean", "usd_per_t"),
    Key("border_cost_mean", "usd_per_t"),
    Key("border_time_mean", "h"),
    Key("haul_mean", "km"),
    Key("border_share_of_time", "share"),
    Key("queue_cost", "musd_per_year"),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Flow:
    """A solved flow: one entry for each step (arc) of each path."""

    model: Model
    result: FlowResult
    path: LongArray
    arc: LongArray
    goods: LongArray
    kind: LongArray
    t_per_day: FloatArray
    wait_h: FloatArray

    @classmethod
    def of(cls, model: Model, result: FlowResult) -> "_Flow":
        sizes = np.array([arcs.size for arcs in result.path_arcs], dtype=np.int64)
        path = np.repeat(np.arange(sizes.size), sizes)
        shipment = result.path_commodity[path]
        load = np.maximum(result.pool_load, 0.0)
        wait_h = np.zeros(model.costs.time_h.shape)
        at_posts = model.posts.wait_h(model.pools.queues.wait_h(load))
        wait_h[:, model.posts.arc] = at_posts[:, :-1].T
        return cls(
            model=model,
            result=result,
            path=path,
            arc=np.concatenate([np.zeros(0, np.int32), *result.path_arcs]).astype(np.int64),
            goods=model.shipments.commodity[shipment].astype(np.int64),
            kind=model.class_of[shipment].astype(np.int64),
            t_per_day=result.path_flow[path],
            wait_h=wait_h,
        )

    def at(self, by_goods: FloatArray) -> FloatArray:
        """Return an array by commodity and arc at every step."""
        values: FloatArray = by_goods[self.goods, self.arc]
        return values

    def by_path(self, values: FloatArray) -> FloatArray:
        """Return sums over the steps of each path."""
        return _sums(self.path, values, self.result.path_flow.size)


class Readings:
    """Reads the indicators of the samples of one variant.

    Parameters
    ----------
    model
        The variant's model: what is where.
    """

    def __init__(self, model: Model) -> None:
        net, network = model.supernetwork, model.network
        self._states = net.countries[:-1]
        modes = network.layers["mode"].to_numpy(object)
        self._is_mode = {mode: (modes == mode)[net.arc_layer] for mode in _MODES}
        self._travel = net.is_kind(ArcKind.TRAVEL)
        self._post = net.is_kind(ArcKind.EXIT, ArcKind.ENTRY)
        code = {state: i for i, state in enumerate(net.countries)}
        self._home = np.array([code[c] for c in model.shipments.place_country], dtype=np.int64)
        value = network.commodities["value_usd_per_t"].to_numpy(float)
        self._value: FloatArray = value[model.shipments.commodity]
        self._borders = _Borders(model)
        self._lines = _Screenlines(model)
        self.keys: tuple[Key, ...] = (
            *_TOTALS,
            *self._mode_keys(),
            *(Key("transit", "Mt_per_year", state) for state in self._states),
            *(Key("revenue", "musd_per_year", state) for state in self._states),
            *self._borders.keys(model),
            *self._lines.keys(),
        )

    def read(self, model: Model, result: FlowResult) -> FloatArray:
        """Return the indicators of a sample.

        Parameters
        ----------
        model, result
            Model of the sample and its flow.

        Returns
        -------
        ndarray of float64, shape (n_keys,)
            In the order of `keys`.
        """
        flow = _Flow.of(model, result)
        return np.concatenate(
            [
                self._totals(flow),
                self._modes(flow),
                self._transit(flow),
                self._revenue(flow),
                self._borders.read(flow),
                self._lines.read(flow),
            ]
        )

    def _totals(self, flow: _Flow) -> FloatArray:
        model, result, costs = flow.model, flow.result, flow.model.costs
        net, t = model.supernetwork, result.path_flow
        km = net.arc_length_km[flow.arc]
        hours = flow.at(costs.time_h) + flow.at(flow.wait_h)
        fees = model.fee_usd_per_t[flow.kind, flow.arc]
        money = flow.at(costs.money_usd_per_t) + fees
        post_money = flow.at(costs.post_fee_usd_per_t) + np.where(self._post[flow.arc], fees, 0.0)
        priced = flow.at(costs.usd_per_t_h) * hours + flow.at(
            costs.reliability_usd_per_t_h * costs.sd_h
        )
        t_km = float((flow.t_per_day * km).sum())
        co2_kg = float((flow.t_per_day * flow.at(costs.co2_kg_per_t)).sum())
        time_h = flow.by_path(hours)
        border_h = flow.by_path(hours * self._post[flow.arc])
        days = time_h / HOURS_PER_DAY
        load = np.maximum(result.pool_load, 0.0)
        carried, lost = result.objective - result.unmet_cost, float(result.unmet @ self._value)
        return np.array(
            [
                carried * _MUSD,
                lost * _MUSD,
                (carried + lost) * _MUSD,
                model.t_per_day.sum() * _MT,
                t.sum() * _MT,
                result.unmet.sum() * _MT,
                t_km * DAYS_PER_YEAR / 1e9,
                co2_kg / KG_PER_T * DAYS_PER_YEAR / 1e3,
                ratio(co2_kg * 1e3, t_km),
                weighted_mean(days, t),
                weighted_quantile(days, t, 0.5),
                weighted_quantile(days, t, 0.95),
                weighted_mean(flow.by_path(money), t),
                weighted_mean(flow.by_path(money + priced), t),
                weighted_mean(flow.by_path(post_money), t),
                weighted_mean(border_h, t),
                weighted_mean(flow.by_path(km), t),
                ratio(float((border_h * t).sum()), float((time_h * t).sum())),
                float((result.pool_delay - model.pools.overruns.value(load)).sum()) * _MUSD,
            ]
        )

    def _mode_keys(self) -> Iterator[Key]:
        for mode in _MODES:
            yield Key("mode_share", "share", mode)
            if mode != "sea":
                yield Key("tfi4_swod", "km_per_h", mode)
                yield Key("tfi4_swd", "km_per_h", mode)
                yield Key("tfi3_section_cost", "usd_per_500_km_20_t", mode)

    def _modes(self, flow: _Flow) -> FloatArray:
        model, costs = flow.model, flow.model.costs
        net, arc, t = model.supernetwork, flow.arc, flow.t_per_day
        vehicles = t / flow.at(costs.payload_t)
        km = net.arc_length_km[arc]
        hours = flow.at(costs.time_h) + flow.at(flow.wait_h)
        under_way = hours - model.service_wait_h[arc]
        moves = model.filled.layers["moving_share"].to_numpy(float)[net.arc_layer[arc]]
        usd = flow.at(costs.money_usd_per_t) + model.fee_usd_per_t[flow.kind, arc]
        travel = self._travel[arc]
        in_vehicle = travel | self._post[arc]
        all_t_km = float((t * km).sum())
        values = []
        for name in _MODES:
            of_mode = self._is_mode[name][arc]
            t_km = float((t * km)[of_mode].sum())
            values.append(ratio(t_km, all_t_km))
            if name == "sea":
                continue
            vehicle_km = float((vehicles * km)[of_mode].sum())
            moving, passing = of_mode & travel, of_mode & in_vehicle
            values.append(ratio(vehicle_km, (vehicles * under_way * moves)[moving].sum()))
            values.append(ratio(vehicle_km, (vehicles * hours)[passing].sum()))
            section = ratio(float((t * usd)[passing].sum()), t_km)
            values.append(section * _SECTION_KM * _SECTION_T)
        return np.array(values)

    def _transit(self, flow: _Flow) -> FloatArray:
        """Return what passes each state that is neither its origin's nor its destination's."""
        model, result, n = flow.model, flow.result, len(self._states)
        state = model.supernetwork.arc_country[flow.arc].astype(np.int64)
        met = np.unique(flow.path * (n + 1) + state)
        path, state = np.divmod(met, n + 1)
        ends = model.shipments
        of_path = result.path_commodity[path]
        abroad = (state < n) & (state != self._home[ends.origin[of_path]])
        abroad &= state != self._home[ends.destination[of_path]]
        t = result.path_flow[path[abroad]]
        return _sums(state[abroad], t, n) * _MT

    def _revenue(self, flow: _Flow) -> FloatArray:
        """Return fees and the host's part of tariffs by state."""
        model, net = flow.model, flow.model.supernetwork
        n, state = len(net.countries), net.arc_country[flow.arc]
        by_arc = flow.at(model.costs.host_usd_per_t) + flow.at(model.costs.post_fee_usd_per_t)
        total = _sums(state, flow.t_per_day * by_arc, n)
        place = flow.kind * net.n_arcs + flow.arc
        passing = _sums(place, flow.t_per_day, len(model.classes) * net.n_arcs)
        for fee in model.effects.fees:
            entries, arc = fee.usd_per_t, fee.usd_per_t.indices
            kind = np.repeat(np.arange(entries.shape[0]), np.diff(entries.indptr))
            paid = entries.data * passing[kind * net.n_arcs + arc]
            if fee.payee == "host":
                total += _sums(net.arc_country[arc], paid, n)
            elif fee.payee in net.countries:
                total[net.countries.index(fee.payee)] += paid.sum()
        return np.asarray(total[:-1] * _MUSD, dtype=np.float64)


class _Borders:
    """Time at posts and traffic over crossings."""

    def __init__(self, model: Model) -> None:
        net = model.supernetwork
        key = 2 * net.arc_crossing.astype(np.int64) + net.arc_a_to_b
        # Closed ones too, so that all variants of a study have the same indicators.
        at = net.arc_crossing >= 0
        self._codes, first = np.unique(key[at], return_index=True)
        self._way = np.full(net.n_arcs, -1, dtype=np.int64)
        self._way[at] = np.searchsorted(self._codes, key[at])
        mode = model.network.layers["mode"].to_numpy(object)
        self._mode = mode[net.arc_layer[at][first]]
        self._entry = np.flatnonzero(net.is_kind(ArcKind.ENTRY) & (self._way >= 0))
        posts = model.posts
        self._posts = np.flatnonzero(self._way[posts.arc] >= 0)
        side = 2 * self._way[posts.arc] + (net.arc_kind[posts.arc] == ArcKind.EXIT)
        self._side = side[self._posts]
        self._is_own = ~net.is_copy[posts.arc[self._posts]]
        self._member = np.flatnonzero(self._way[posts.arc[posts.member_post]] >= 0)

    def keys(self, model: Model) -> Iterator[Key]:
        """Yield the keys of what `read` returns."""
        for mode in ("road", "rail"):
            yield Key("tfi1_border_time", "h_per_post", mode)
        yield Key("crossings_crowded", "crossings")
        yield Key("crossing_utilization_max", "share")
        crossings = model.network.crossings
        ids, a, b = (crossings[name].tolist() for name in ("crossing_id", "country_a", "country_b"))
        for row, along in (divmod(code, 2) for code in self._codes.tolist()):
            way = f"{a[row]}-{b[row]}" if along else f"{b[row]}-{a[row]}"
            yield Key("crossing_flow", "Mt_per_year", ids[row], way)

    def read(self, flow: _Flow) -> FloatArray:
        """Return hours a post by mode, crowded crossings, the highest utilization, and flows."""
        model, n = flow.model, self._codes.size
        net, costs, posts = model.supernetwork, model.costs, model.posts
        t = np.zeros(costs.time_h.shape)
        np.add.at(t, (flow.goods, flow.arc), flow.t_per_day)
        loaded = t / costs.payload_t
        returns = model.filled.commodities["empty_return_share"].to_numpy(float)
        back = _sums(
            net.arc_reverse[net.arc_reverse >= 0],
            (returns[:, None] * loaded).sum(axis=0)[net.arc_reverse >= 0],
            net.n_arcs,
        )
        vehicles = loaded.sum(axis=0) + back
        way = self._way[self._entry]
        by_way = _sums(way, vehicles[self._entry], n)
        hours = self._hours(flow, loaded)
        used = by_way > 0
        weight = [np.where(used & (self._mode == mode), by_way, 0.0) for mode in ("road", "rail")]
        level = np.zeros(n)
        of_pool = (flow.result.pool_load[: posts.n_pools] + posts.pool_base) / posts.pool_capacity
        pool = posts.member_pool[self._member]
        member_way = self._way[posts.arc[posts.member_post[self._member]]]
        np.maximum.at(level, member_way, of_pool[pool] * MAX_UTILIZATION)
        crowded = np.unique(self._codes[used & (level > _CROWDED)] // 2).size
        return np.concatenate(
            [
                [weighted_mean(hours, w) / 2.0 for w in weight],
                [crowded, level[used].max() if used.any() else np.nan],
                _sums(way, t[:, self._entry].sum(axis=0), n) * _MT,
            ]
        )

    def _hours(self, flow: _Flow, loaded: FloatArray) -> FloatArray:
        """Return the mean time of loaded vehicles over each way, both posts together [h]."""
        _model, posts = flow.model, flow.model.posts
        arc = posts.arc[self._posts]
        spent = (posts.fixed_h + posts.service_h)[self._posts, :-1].T + flow.wait_h[:, arc]
        n = 2 * self._codes.size
        passing = _sums(self._side, loaded[:, arc].sum(axis=0), n)
        # Where only empties pass, every commodity counts the same.
        weight = np.where(passing[self._side] > 0.0, loaded[:, arc], self._is_own)
        total = _sums(self._side, weight.sum(axis=0), n)
        both = _sums(self._side, (spent * weight).sum(axis=0), n)
        mean = np.divide(both, total, out=np.zeros(n), where=total > 0)
        return np.asarray(mean.reshape(-1, 2).sum(axis=1), dtype=np.float64)


class _Screenlines:
    """What passes the screenlines, in the directions that their gates count."""

    def __init__(self, model: Model) -> None:
        net, table = model.supernetwork, model.network.screenlines
        crossing = {name: i for i, name in enumerate(model.network.crossings["crossing_id"])}
        link = {name: i for i, name in enumerate(model.network.links["link_id"])}
        entry, main = net.is_kind(ArcKind.ENTRY), net.arc_is_main
        gate: dict[tuple[str, str], int] = {}
        arcs, gates = [], []
        columns = [
            table[n].tolist() for n in ("screenline", "gate", "crossing_id", "link_id", "direction")
        ]
        self._line_of_gate: list[str] = []
        self._totals: dict[tuple[str, str], int] = {}
        total_of: list[int] = []
        for line, name, crossing_id, link_id, direction in zip(*columns, strict=True):
            for way in _WAYS if direction == "both" else (direction,):
                along = way == "forward"
                if crossing_id:
                    at = (
                        entry
                        & (net.arc_crossing == crossing[crossing_id])
                        & (net.arc_a_to_b == along)
                    )
                else:
                    at = main & (net.arc_link == link[link_id]) & (net.arc_forward == along)
                number = gate.setdefault((line, name), len(gate))
                if number == len(self._line_of_gate):
                    self._line_of_gate.append(line)
                total = self._totals.setdefault((line, way), len(self._totals))
                found = np.flatnonzero(at)
                arcs.append(found)
                gates.append(np.full(found.size, number))
                total_of += [total] * found.size
        none = np.zeros(0, dtype=np.int64)
        self._arc = np.concatenate([none, *arcs])
        self._gate = np.concatenate([none, *gates])
        self._total = np.array(total_of, dtype=np.int64)
        names = list(dict.fromkeys(self._line_of_gate))
        self._line = np.array([names.index(line) for line in self._line_of_gate], dtype=np.int64)
        self._names = names

    def keys(self) -> Iterator[Key]:
        """Yield the keys of what `read` returns."""
        for line, way in self._totals:
            yield Key("throughput", "Mt_per_year", line, way)
        for line in self._names:
            yield Key("hhi", "share", line)

    def read(self, flow: _Flow) -> FloatArray:
        """Return throughput by line and direction, and concentration over the gates."""
        n_arcs = flow.model.supernetwork.n_arcs
        t = _sums(flow.arc, flow.t_per_day, n_arcs)[self._arc]
        total = _sums(self._total, t, len(self._totals))
        gate = _sums(self._gate, t, self._line.size)
        line = _sums(self._line, gate, len(self._names))
        squares = _sums(self._line, gate**2, len(self._names))
        hhi = np.divide(squares, line**2, out=np.full(line.size, np.nan), where=line > 0)
        return np.concatenate([total * _MT, hhi])


def _sums(code: NDArray[np.integer], values: FloatArray, n: int) -> FloatArray:
    """Return sums of values by code; floats even where there are none."""
    return np.asarray(np.bincount(code, values, minlength=n), dtype=np.float64)

"""Models of samples: a variant compiled once, and its numbers changed without reading tables again.

The long way is `drawn_case` and `corridor.planning.compile_model`: the cells are set in the tables.
`ScenarioCompiler.model` gives the same model in a fraction of the time. It is held against the long
way on one sample when it is made; where they differ (a data set may do what no patch foresees) it
goes the long way for all.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from corridor.border import FloorBreach, Posts, floor_breaches
from corridor.core.flows import Shortcuts
from corridor.core.queues import QueueDelay
from corridor.network import Demand, Network
from corridor.network.fills import FilledTables
from corridor.network.supernetwork import Supernetwork
from corridor.network.vehicles import payload_t, teu_per_t
from corridor.planning import Model, compile_model
from corridor.planning.costs import arc_costs
from corridor.planning.quantities import assemble_rows
from corridor.sovereignty import Floor, Territory
from corridor.study.studies import Case, Study
from corridor.study.uncertainty.inputs import FILLED, Cells, Inputs, filled_frames, variant_cells
from corridor.study.uncertainty.patches import (
    FillPatch,
    PostPatch,
    ServicePatch,
    TrafficPatch,
    set_cells,
    with_frames,
)
from corridor.study.uncertainty.pool_patches import PoolPatch
from corridor.study.uncertainty.rule_patches import RulePatch, Scale

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

_UNCOMPARED: Final = ("assumptions", "rules", "network")
_SAME: Final = 1e-9
"""Largest relative difference between the two ways that counts as rounding."""


def case_cells(study: Study, inputs: Inputs, case: Case, filled: FilledTables) -> Cells:
    """Return the cells of a variant's case that the inputs of a study move."""
    own = {name: case.network.table(name) for name in (*FILLED, "defaults", "background")}
    own["demand"] = case.demand.rows
    nominal = {**own, **filled_frames(filled)}
    return variant_cells(study, inputs, nominal, own)


def drawn_case(case: Case, cells: Cells, values: FloatArray) -> Case:
    """Return a case with the drawn cells set in its tables, as an editor of the files would do.

    Parameters
    ----------
    case
        A variant.
    cells
        Its cells that inputs move.
    values : ndarray of float64, shape (n_cells,)
        Their numbers.
    """
    names = {name for name in cells.table if name != "demand"}
    frames = {name: case.network.table(name) for name in sorted(names)}
    network = with_frames(case.network, set_cells(frames, cells, values))
    rows = set_cells({"demand": case.demand.rows}, cells, values).get("demand", case.demand.rows)
    return Case(network, Demand(table=rows, scenario=case.demand.scenario), case.rules)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScenarioCompiler:
    """Compiles samples of one variant.

    Attributes
    ----------
    case, nominal, cells
        The variant, its model, and the cells that are drawn.
    shortcuts
        The graph of its models made small, for searches.
    is_patched
        Whether the short way holds; else every sample is compiled from its tables.
    keeps_floors
        Whether no draw can break an inspection floor: none does with all shares at their lowest.
    """

    case: Case
    nominal: Model
    cells: Cells
    shortcuts: Shortcuts
    fills: FillPatch
    traffic: TrafficPatch
    posts: PostPatch
    services: ServicePatch
    rules: RulePatch
    pools: PoolPatch
    demand_cells: IntArray
    floors: tuple[tuple[str, tuple[Floor, ...]], ...]
    is_patched: bool = True
    keeps_floors: bool = False

    @classmethod
    def of(cls, study: Study, inputs: Inputs, variant: str) -> "ScenarioCompiler":
        """Return the compiler of a variant.

        Raises
        ------
        InputError
            If the variant's changes have faults.
        """
        case = study.case(variant)
        nominal = compile_model(*case)
        cells = above_floors(case_cells(study, inputs, case, nominal.filled), nominal)
        net = nominal.supernetwork
        services = ServicePatch.of(case.network, nominal.filled.services, net)
        compiler = cls(
            case=case,
            nominal=nominal,
            cells=cells,
            shortcuts=_shortcuts(nominal),
            fills=FillPatch.of(case.network, nominal.filled, cells),
            traffic=TrafficPatch.of(
                case.network, nominal.plain, net.n_arcs, case.demand.scenario, cells
            ),
            posts=PostPatch.of(nominal.posts, net, nominal.filled.stages),
            services=services,
            rules=RulePatch.of(nominal, case.demand),
            pools=PoolPatch.of(nominal, services.services(nominal.filled.services)),
            demand_cells=np.flatnonzero(np.array(cells.table, dtype=object) == "demand"),
            floors=tuple(_floors(nominal)),
        )
        lowest = np.maximum(cells.low, cells.least)
        is_bounded = cells.distribution[_are_shares(cells)] != "lognormal90"
        if is_bounded.all() and not compiler.model(lowest).breaches:
            compiler = replace(compiler, keeps_floors=True)
        middle = (cells.low + 3.0 * cells.high) / 4.0
        probe = np.where(cells.distribution == "integer_uniform", np.floor(middle), middle)
        if same_models(compiler.model(probe), compiler.compiled(probe)):
            return compiler
        return replace(compiler, is_patched=False)

    def compiled(self, values: FloatArray) -> Model:
        """Return the model of a sample, compiled from its tables."""
        return compile_model(*drawn_case(self.case, self.cells, values))

    def model(self, values: FloatArray) -> Model:
        """Return the model of a sample.

        Parameters
        ----------
        values : ndarray of float64, shape (n_cells,)
            Numbers of the cells.

        Raises
        ------
        InputError
            If the numbers do not make a model (every departure of a service canceled, say).
        """
        if not self.is_patched:
            return self.compiled(values)
        old = self.nominal
        filled = self.fills.tables(values)
        t_per_day = old.t_per_day.copy()
        t_per_day[self.cells.row[self.demand_cells]] = values[self.demand_cells]
        net = old.supernetwork
        length_km = np.append(filled.links["length_km"].to_numpy(float), 0.0)[net.arc_link]
        net = replace(net, arc_length_km=length_km * net.arc_share)
        plain = replace(old.plain, arc_length_km=net.arc_length_km[: old.plain.n_arcs])
        territory = replace(
            old.territory,
            supernetwork=plain,
            payload_t=payload_t(filled.layers, filled.commodities),
            teu_per_t=teu_per_t(filled.commodities),
        )
        vehicles = self.traffic.vehicles(values)
        posts = self.posts.posts(filled.stages, vehicles)
        services = self.services.services(filled.services)
        queues = _queues(old, posts, _vehicle_usd_per_h(filled, old, t_per_day))
        at_background = posts.wait_h(queues.wait_h(np.zeros(queues.n_pools)))
        costs = arc_costs(filled, net, posts, services, at_background)
        effects = self.rules.effects(self._scale(territory, net))
        pools = self.pools.pools(
            old, filled, posts, services, effects,
            queues=queues, vehicles=vehicles,
        )  # fmt: skip
        model = replace(
            old, filled=filled, supernetwork=net, posts=posts, effects=effects,
            territory=territory, t_per_day=t_per_day, costs=costs, background_vehicles=vehicles,
            service_wait_h=services.arc_wait_h,
            fee_usd_per_t=self.rules.fee_usd_per_t(effects, (len(old.classes), net.n_arcs)),
            pools=pools, rows=assemble_rows(effects, old.class_of, t_per_day),
        )  # fmt: skip
        return model if self.keeps_floors else replace(model, breaches=self._breaches(model))

    def _scale(self, territory: Territory, net: Supernetwork) -> Scale:
        """Return what rules count by, against the nominal model."""
        old = self.nominal
        before = replace(old.territory, supernetwork=old.supernetwork)
        return _scale(before, replace(territory, supernetwork=net))

    def _breaches(self, model: Model) -> list[FloorBreach]:
        """Return where posts inspect less than a floor demands."""
        found = [
            replace(breach, seal_id=seal)
            for seal, floors in self.floors
            for breach in floor_breaches(
                model.posts, model.network, model.filled, model.supernetwork, floors
            )
        ]
        return list(dict.fromkeys(found))


def _shortcuts(model: Model) -> Shortcuts:
    """Return the shortcuts between the ends of a model's shipments."""
    net, goods = model.supernetwork, model.shipments
    ends = (net.source[goods.origin], net.sink[goods.destination])
    return Shortcuts.between(net.graph, np.unique(np.concatenate(ends)))


def above_floors(cells: Cells, model: Model) -> Cells:
    """Return cells whose inspected shares are not drawn below a floor that they keep as they are.

    A range says how much posts may inspect in practice; the floor is the law there.
    """
    least = cells.least.copy()
    stages = model.filled.stages
    names, states = (stages[name].to_numpy(object) for name in ("stage", "country"))
    at = np.flatnonzero(_are_shares(cells))
    for floor in model.effects.floors:
        row = cells.row[at]
        held = (names[row] == floor.stage) & (states[row] == floor.country)
        held &= cells.nominal[at] >= floor.share
        least[at[held]] = np.maximum(least[at[held]], floor.share)
    return replace(cells, least=least)


def _are_shares(cells: Cells) -> NDArray[np.bool_]:
    """Return which cells are shares of vehicles sent to a stage."""
    places = zip(cells.table, cells.column, strict=True)
    return np.array([place == ("stages", "share") for place in places], dtype=np.bool_)


def _queues(old: Model, posts: Posts, usd_per_h: FloatArray) -> QueueDelay:
    """Return the queues of posts among all pools of a model, see `Posts.queue_delay`."""
    return replace(
        old.pools.queues,
        share=posts.stage_share,
        servers=posts.stage_servers,
        service_h=posts.stage_service_h,
        arrival_scv=posts.stage_arrival_scv,
        service_scv=posts.stage_service_scv,
        usd_per_vehicle_h=usd_per_h[posts.pool_layer[posts.stage_pool]],
        base_load=posts.pool_base[posts.stage_pool],
    )


def _floors(model: Model) -> Iterator[tuple[str, tuple[Floor, ...]]]:
    """Yield the floors of open traffic, and of the traffic under each seal that skips stages."""
    effects, classes = model.effects, model.classes
    open_traffic = ~model.sealed.any(axis=1)
    yield "", tuple(replace(floor, arcs=floor.arcs & open_traffic) for floor in effects.floors)
    for position, rule in enumerate(effects.paths):
        if not rule.skip:
            continue
        goods = np.zeros(classes.commodities.size, np.bool_)
        goods[classes.commodity[rule.start > 0]] = True
        yield (
            rule.rule_id,
            tuple(
                replace(
                    floor, arcs=floor.arcs & model.sealed[:, position], goods=floor.goods & goods
                )
                for floor in effects.floors
            ),
        )


def _vehicle_usd_per_h(filled: FilledTables, model: Model, t_per_day: FloatArray) -> FloatArray:
    """Return the value of an hour of a waiting vehicle by layer: its own, and mean cargo x load."""
    goods = model.shipments.commodity
    value = filled.commodities["value_of_time_usd_per_t_h"].to_numpy(float)[goods]
    weights = t_per_day if t_per_day.sum() > 0 else np.ones(goods.size)
    mean = float(np.average(value, weights=weights)) if goods.size else 0.0
    layers = filled.layers
    return (layers["vehicle_usd_per_h"] + mean * layers["t_per_vehicle"]).to_numpy(float)


def _scale(old: Territory, new: Territory) -> Scale:
    """Return what rules count by in a territory, against the nominal one."""
    teu, before = new.class_teu_per_t, old.class_teu_per_t
    km, km_before = new.supernetwork.arc_length_km, old.supernetwork.arc_length_km
    plain: FloatArray = np.where(
        km_before > 0.0, km / np.where(km_before > 0.0, km_before, 1.0), 1.0
    )
    return Scale(
        payload=old.payload_t / new.payload_t,
        teu=np.where(before > 0.0, teu / np.where(before > 0.0, before, 1.0), 1.0),
        length=plain,
    )


def same_models(one: Model, other: Model) -> bool:
    """Return whether two models of one structure have the same numbers, rounding apart."""
    return not model_differences(one, other)


def model_differences(one: Model, other: Model) -> list[str]:
    """Return the names of the numbers in which two models differ by more than rounding.

    Everything within the models is compared, whatever it may be, but for the list of assumptions,
    which no flow depends on.
    """
    a, b = dict(_numbers(one, "model")), dict(_numbers(other, "model"))
    return [
        name for name in {**a, **b} if not (name in a and name in b and _same(a[name], b[name]))
    ]


def _same(a: FloatArray, b: FloatArray) -> bool:
    if a.shape != b.shape:
        return False
    scale = np.maximum(np.abs(a), np.abs(b))
    with np.errstate(invalid="ignore"):
        close = (a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= _SAME * scale)
    return bool(close.all())


def _numbers(thing: object, name: str) -> Iterator[tuple[str, FloatArray]]:
    """Yield every number within something by its place."""
    values = _as_numbers(thing)
    if values is not None:
        yield name, values
        return
    for place, part in _parts(thing):
        yield from _numbers(part, f"{name}{place}")


def _as_numbers(thing: object) -> FloatArray | None:
    """Return a number or an array of numbers as floats; None for all else."""
    if sparse.issparse(thing):
        return _entries(thing)
    if isinstance(thing, (bool, int, float, np.number)):
        return np.array([float(thing)])
    if isinstance(thing, np.ndarray) and thing.dtype.kind in "biuf":
        return np.asarray(thing, dtype=np.float64)
    return None


def _parts(thing: object) -> Iterator[tuple[str, object]]:
    """Yield what something is made of: columns of numbers, entries of a list, fields."""
    if isinstance(thing, pd.DataFrame):
        for column in thing.select_dtypes("number").columns:
            yield f".{column}", thing[column].to_numpy(np.float64)
    elif isinstance(thing, (list, tuple)):
        for position, part in enumerate(thing):
            yield f"[{position}]", part
    elif is_dataclass(thing) and not isinstance(thing, (type, Network)):
        for field in fields(thing):
            if field.name not in _UNCOMPARED:
                yield f".{field.name}", getattr(thing, field.name)


def _entries(matrix: object) -> FloatArray:
    """Return the entries of a sparse matrix and their places, in one order."""
    ordered = sparse.csr_matrix(matrix, copy=True)  # type: ignore[call-overload]
    ordered.eliminate_zeros()
    ordered.sort_indices()
    parts = (ordered.data, ordered.indices, ordered.indptr)
    return np.concatenate([np.asarray(part, dtype=np.float64) for part in parts])

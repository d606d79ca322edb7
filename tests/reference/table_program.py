"""The plan without congestion as a linear program, from the tables by the contract's letter.

It shares nothing with the compiled model: plain loops over rows, one variable per flow and move.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array

from corridor.core.queues import mean_wait
from tests.planning.worlds import World

DAY_MIN = 1440.0
_INFEASIBLE = 2


@dataclass(frozen=True)
class Move:
    """One way to go on: along a link, through a terminal, out of an origin, into a destination."""

    kind: str
    tail: tuple[str, str]
    head: tuple[str, str]
    layer: str
    states: tuple[str, ...]
    row: pd.Series | None = None
    crossing: str = ""
    from_layer: str = ""

    @property
    def is_border(self) -> bool:
        return len(self.states) == 2


def moves(world: World) -> list[Move]:
    """Return every move of a world."""
    state = dict(
        zip(world.tables["nodes"]["node_id"], world.tables["nodes"]["country"], strict=True)
    )
    found = []
    for _, link in world.tables["links"].iterrows():
        ends = [link["from_node"], link["to_node"]]
        for a, b in (ends, ends[::-1]):
            states = (state[a], state[b]) if link["crossing_id"] else (state[a],)
            found.append(
                Move("link", (a, link["layer"]), (b, link["layer"]), link["layer"], states, link,
                     link["crossing_id"])
            )  # fmt: skip
    at = {(m.tail[0], m.layer) for m in found}
    for _, row in world.tables["terminals"].iterrows():
        node, a, b = row["node_id"], row["from_layer"], row["to_layer"]
        found.append(Move("terminal", (node, a), (node, b), b, (state[node],), row, "", a))
    for node, layer in sorted(at):
        found.append(Move("start", ("start", node), (node, layer), layer, (state[node],)))
        found.append(Move("end", (node, layer), ("end", node), layer, (state[node],)))
    return found


Entries = list[tuple[int, int, float]]
"""Flow, move, weight of a tonne."""


def _times(factor: float, entries: Entries) -> Entries:
    return [(f, m, factor * weight) for f, m, weight in entries]


class Letter:
    """The contract applied row by row to a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.moves = moves(world)
        tables = world.tables
        self.layers = tables["layers"].set_index("layer")
        self.goods = tables["commodities"].set_index("commodity_id")
        self.state = dict(zip(tables["nodes"]["node_id"], tables["nodes"]["country"], strict=True))
        self.a_side = dict(
            zip(tables["crossings"]["crossing_id"], tables["crossings"]["country_a"], strict=True)
        )
        carriers = zip(world.flows["flag"], world.flows["origin"], strict=True)
        self.flows = world.flows.assign(flag=[f or self.state[o] for f, o in carriers])

    def payload(self, layer: str, good: str) -> float:
        row, goods = self.layers.loc[layer], self.goods.loc[good]
        if not goods["containerised"]:
            return float(row["t_per_vehicle"])
        return float(min(row["t_per_vehicle"], row["teu_per_vehicle"] * goods["t_per_teu"]))

    def stages(self, crossing: str, state: str, layer: str, way: str) -> pd.DataFrame:
        rows = self.world.tables["stages"]
        rows = rows[(rows["country"] == state) & rows["direction"].isin([way, "both"])]
        own = rows[rows["crossing_id"] == crossing]
        template = rows[(rows["crossing_id"] == "*") & (rows["layer"] == layer)]
        return own if len(own) else template

    def background(self, crossing: str, state: str, ways: tuple[str, ...]) -> float:
        """Return background vehicles a day at the post of a state that leave or enter it."""
        total = 0.0
        for _, row in self.world.tables["background"].iterrows():
            if row["target"] == crossing:
                for way in ways:
                    along = (
                        "forward"
                        if (way == "out") == (self.a_side[crossing] == state)
                        else "backward"
                    )
                    part = {"both": 0.5, along: 1.0}.get(row["direction"], 0.0)
                    total += part * row["vehicles_per_day"]
        return total

    def posts(self, move: Move) -> list[tuple[str, str]]:
        return [(move.states[0], "out"), (move.states[1], "in")] if move.is_border else []

    def cost(self, move: Move, good: str) -> float:
        """Return generalized cost of a tonne, fees of rules aside."""
        goods, layer = self.goods.loc[good], self.layers.loc[move.layer]
        payload, value = self.payload(move.layer, good), goods["value_of_time_usd_per_t_h"]
        by_hour, by_spread = (
            value + layer["vehicle_usd_per_h"] / payload,
            goods["reliability_ratio"] * value,
        )
        boxed = goods["containerised"]
        if move.kind in ("start", "end"):
            return 0.0
        assert move.row is not None
        if move.kind == "terminal":
            hours = move.row["time_h"]
            money = (
                move.row["cost_usd_per_teu"] / goods["t_per_teu"]
                if boxed
                else move.row["cost_usd_per_t"]
            )
            return float(money + value * hours + by_spread * layer["time_cv"] * hours)
        km = move.row["length_km"]
        per_km = layer["cost_usd_per_t_km"]
        if boxed and move.row["cost_usd_per_teu_km"] > 0:
            per_km = move.row["cost_usd_per_teu_km"] / goods["t_per_teu"]
        money = per_km * km + np.nan_to_num(move.row["cost_usd_per_vehicle"]) / payload
        money += goods["empty_return_share"] * layer["empty_usd_per_km"] * km / payload
        hours = km / layer["speed_kmh"]
        spread = layer["time_cv"] * hours
        for state, way in self.posts(move):
            stages = self.stages(move.crossing, state, move.layer, way)
            clear = (stages["fixed_delay_h"] + stages["share"] * stages["service_min"] / 60).sum()
            wait = sum(
                s["share"] * self.wait(s, move.crossing, state, way) for _, s in stages.iterrows()
            )
            opposite = self.stages(
                move.crossing, state, move.layer, "in" if way == "out" else "out"
            )
            fees = stages["fee_usd"].sum() + goods["empty_return_share"] * opposite["fee_usd"].sum()
            hours, money = hours + clear + wait, money + fees / payload
            spread += np.hypot(layer["time_cv"] * clear, wait)
        return float(money + by_hour * hours + by_spread * spread)

    def wait(self, stage: pd.Series, crossing: str, state: str, way: str) -> float:
        ways = ("in", "out") if stage["direction"] == "both" else (way,)
        rate = stage["share"] * self.background(crossing, state, ways) / 24
        hours = stage["service_min"] / 60
        return float(mean_wait(rate, hours, stage["servers"], service_scv=stage["service_cv"] ** 2))

    def speaks_of(self, rule: dict[str, object], flow: pd.Series) -> bool:
        return (
            flow["commodity"] in rule.get("commodities", [flow["commodity"]])
            and flow["flag"] in rule.get("flags", [flow["flag"]])
            and self.state[flow["origin"]] in rule.get("origins", [self.state[flow["origin"]]])
        )

    def speaks_in(self, rule: dict[str, object], flow: pd.Series, state: str) -> bool:
        transit = state not in (self.state[flow["origin"]], self.state[flow["destination"]])
        named = state in rule.get("countries", [state])
        return named and (transit or rule.get("traffic") != ["transit"])

    def meets(self, rule: dict[str, object], flow: pd.Series, move: Move) -> bool:
        """Return whether a flow is within a rule's scope on a move."""
        if not self.speaks_of(rule, flow):
            return False
        if "crossings" in rule:
            return move.crossing in rule["crossings"]
        on_layer = move.layer in rule.get("layers", [move.layer])
        return on_layer and any(self.speaks_in(rule, flow, s) for s in move.states)

    def enters(self, rule: dict[str, object], flow: pd.Series, move: Move) -> bool:
        """Return whether a flow enters a rule's scope by a move."""
        if not self.meets(rule, flow, move):
            return False
        if "crossings" in rule:
            return True
        if move.kind == "start":
            return True
        if move.kind == "terminal":
            return "layers" in rule and move.from_layer not in rule["layers"]
        return move.is_border and self.speaks_in(rule, flow, move.states[1])

    def fees(self, flow: pd.Series, move: Move) -> float:
        total = 0.0
        for rule in self.world.rules:
            if rule["kind"] != "fee":
                continue
            if rule.get("per") == "t_km":
                if move.kind == "link" and self.meets(rule, flow, move):
                    assert move.row is not None
                    everywhere = "crossings" in rule
                    inside = [s for s in move.states if everywhere or self.speaks_in(rule, flow, s)]
                    km = move.row["length_km"] * len(inside) / len(move.states)
                    total += rule["usd_per_t"] * km
            elif self.enters(rule, flow, move):
                goods = self.goods.loc[flow["commodity"]]
                total += rule.get("usd_per_t", 0.0)
                total += rule.get("usd_per_vehicle", 0.0) / self.payload(
                    move.layer, flow["commodity"]
                )
                if goods["containerised"]:
                    total += rule.get("usd_per_teu", 0.0) / goods["t_per_teu"]
        return total

    def entering(self, scope: dict[str, object], unit: str) -> list[tuple[int, int, float]]:
        """Return (flow, move, units of a tonne) of what enters a scope."""
        return [
            (
                f,
                m,
                1.0 if unit == "t_per_day" else 1.0 / self.payload(move.layer, flow["commodity"]),
            )
            for f, (_, flow) in enumerate(self.flows.iterrows())
            for m, move in enumerate(self.moves)
            if self.enters(scope, flow, move)
        ]

    def relations(self) -> Iterator[tuple[float, list[Entries], list[float], bool]]:
        """Yield (most, weights of moves, weights of the unmet demand of each flow, once a flow)."""
        nothing = [0.0] * len(self.flows)
        for rule in self.world.rules:
            if rule["kind"] == "share_cap":
                share = np.array(
                    [rule["share"] * self.speaks_of(rule, row) for _, row in self.flows.iterrows()]
                )
                # F <= share x (demand - unmet)
                most = float(share @ self.flows["t_per_day"].to_numpy(float))
                yield most, [self.entering(rule, "t_per_day")], share.tolist(), False
            if rule["kind"] == "reciprocity":
                a, b = (self.entering(rule[name], rule["unit"]) for name in "ab")
                yield 0.0, [a, _times(-rule["high"], b)], nothing, True
                yield 0.0, [_times(-1.0, a), _times(rule["low"], b)], nothing, True
                yield -rule["floor"], [_times(-1.0, a)], nothing, True
                yield -rule["floor"], [_times(-1.0, b)], nothing, True

    def limits(self) -> Iterator[tuple[float, float, list[tuple[int, int, float]]]]:
        """Yield (capacity, price over it, entries (flow, move, load of a tonne))."""
        rows: dict[object, list[tuple[int, int, float]]] = defaultdict(list)
        capacity: dict[object, float] = {}
        taken: dict[object, float] = defaultdict(float)  # by background
        for m, move in enumerate(self.moves):
            if move.row is not None and move.row["capacity_t_per_day"] > 0:
                key = move.row.get("capacity_group") or ("own", m)
                capacity[key] = min(capacity.get(key, np.inf), move.row["capacity_t_per_day"])
                rows[key] += [(f, m, 1.0) for f in range(len(self.flows))]
                if move.is_border:
                    vehicles = self.background(move.crossing, move.states[0], ("out",))
                    taken[key] += vehicles * self.layers.loc[move.layer, "t_per_vehicle"]
            for state, way in self.posts(move):
                self._servers(m, move, state, way, rows, capacity)
        for key, entries in rows.items():
            yield max(capacity[key] - taken[key], 0.0), np.inf, entries
        for rule in self.world.rules:
            if rule["kind"] == "quota":
                entries = self.entering(rule, "vehicles_per_day")
                yield rule["limit"], rule.get("over_quota_usd_per_vehicle", np.inf), entries

    def _servers(
        self, m: int, move: Move, state: str, way: str,
        rows: dict[object, list[tuple[int, int, float]]], capacity: dict[object, float],
    ) -> None:  # fmt: skip
        """Let a border move load the servers it meets, and those its empties meet going back."""
        back = "in" if way == "out" else "out"
        for through, with_empties in ((way, False), (back, True)):
            for row, stage in self.stages(move.crossing, state, move.layer, through).iterrows():
                both = stage["direction"] == "both"
                key = (row, move.crossing, state, "both" if both else through)
                ways = ("in", "out") if both else (through,)
                passes = stage["servers"] * DAY_MIN * 0.95 / (stage["service_min"] * stage["share"])
                capacity[key] = max(passes - self.background(move.crossing, state, ways), 0.0)
                for f, (_, flow) in enumerate(self.flows.iterrows()):
                    load = 1.0 / self.payload(move.layer, flow["commodity"])
                    if with_empties:
                        load *= self.goods.loc[flow["commodity"], "empty_return_share"]
                    rows[key].append((f, m, load))


def least_cost(world: World, unmet_usd_per_t: float) -> float:
    """Return the least total cost of a world without congestion [USD/day], inf where none is."""
    letter = Letter(world)
    n_moves, n_flows = len(letter.moves), len(letter.flows)
    nodes = {node: i for i, node in enumerate({e for m in letter.moves for e in (m.tail, m.head)})}
    n_arcs = n_moves * n_flows
    cost, upper, balance = np.zeros(n_arcs), np.full(n_arcs, np.inf), []
    supply = np.zeros(n_flows * len(nodes))
    for f, (_, flow) in enumerate(letter.flows.iterrows()):
        for m, move in enumerate(letter.moves):
            x = f * n_moves + m
            cost[x] = letter.cost(move, flow["commodity"]) + letter.fees(flow, move)
            bans = (rule for rule in world.rules if rule["kind"] == "forbid")
            if any(letter.meets(rule, flow, move) for rule in bans):
                upper[x] = 0.0
            balance += [(f * len(nodes) + nodes[move.tail], x, 1.0)]
            balance += [(f * len(nodes) + nodes[move.head], x, -1.0)]
        # Unmet demand is one more way from origin to destination.
        start, end = nodes["start", flow["origin"]], nodes["end", flow["destination"]]
        balance += [(f * len(nodes) + start, n_arcs + f, 1.0)]
        balance += [(f * len(nodes) + end, n_arcs + f, -1.0)]
        supply[f * len(nodes) + start], supply[f * len(nodes) + end] = (
            flow["t_per_day"], -flow["t_per_day"],
        )  # fmt: skip
    limits = list(letter.limits())
    over = [price for _, price, _ in limits]
    soft = np.isfinite(over)
    cost = np.concatenate((cost, np.full(n_flows, unmet_usd_per_t), np.where(soft, over, 0.0)))
    upper = np.concatenate((upper, np.full(n_flows, np.inf), np.where(soft, np.inf, 0.0)))
    loads = [(i, f * n_moves + m, load) for i, (_, _, es) in enumerate(limits) for f, m, load in es]
    loads += [(i, n_arcs + n_flows + i, -1.0) for i in range(len(limits))]
    sizes = [size for size, _, _ in limits]
    for most, parts, unmet, once in letter.relations():
        assert not once, "moves know nothing of what a shipment did before"
        loads += [(len(sizes), f * n_moves + m, weight) for [e] in [parts] for f, m, weight in e]
        loads += [(len(sizes), n_arcs + f, weight) for f, weight in enumerate(unmet)]
        sizes.append(most)
    answer = linprog(
        cost,
        A_ub=_matrix(loads, (len(sizes), cost.size)),
        b_ub=sizes,
        A_eq=_matrix(balance, (supply.size, cost.size)),
        b_eq=supply,
        bounds=np.column_stack((np.zeros(cost.size), upper)),
        method="highs",
    )
    if answer.status == _INFEASIBLE:
        return float("inf")
    assert answer.status == 0, answer.message
    return float(answer.fun)


def simple_ways(letter: Letter, flow: pd.Series) -> Iterator[tuple[int, ...]]:
    """Yield the moves of every way that comes to no place in one layer twice for nothing.

    Whoever has entered one more of the scopes that must balance since may come again.
    """
    rules = [rule for rule in letter.world.rules if rule["kind"] == "reciprocity"]
    scopes = [rule[name] for rule in rules for name in "ab"]
    enters = [
        sum(letter.enters(scope, flow, move) << bit for bit, scope in enumerate(scopes))
        for move in letter.moves
    ]
    leaving: dict[tuple[str, str], list[int]] = defaultdict(list)
    for m, move in enumerate(letter.moves):
        leaving[move.tail].append(m)
    start, end = ("start", flow["origin"]), ("end", flow["destination"])
    stack: list[tuple[tuple[int, ...], int, frozenset[tuple[tuple[str, str], int]]]]
    stack = [((), 0, frozenset())]
    while stack:
        way, entered, seen = stack.pop()
        at = letter.moves[way[-1]].head if way else start
        if at == end:
            yield way
            continue
        for m in leaving[at]:
            head, since = letter.moves[m].head, entered | enters[m]
            if (head, since) not in seen and (head[0] != "end" or head == end):
                stack.append(((*way, m), since, seen | {(head, since)}))


def least_cost_by_ways(world: World, unmet_usd_per_t: float) -> float:
    """Return the same as `least_cost` over all simple ways: nobody goes in circles for a floor.

    One variable per flow and way, all of them enumerated.
    """
    letter = Letter(world)
    n_flows = len(letter.flows)
    cost: list[float] = []
    flow_of: list[int] = []
    ways: list[tuple[int, ...]] = []
    bans = [rule for rule in world.rules if rule["kind"] == "forbid"]
    for f, (_, flow) in enumerate(letter.flows.iterrows()):
        price = [letter.cost(m, flow["commodity"]) + letter.fees(flow, m) for m in letter.moves]
        shut = [any(letter.meets(rule, flow, m) for rule in bans) for m in letter.moves]
        for way in simple_ways(letter, flow):
            if not any(shut[m] for m in way):
                cost.append(sum(price[m] for m in way))
                flow_of.append(f)
                ways.append(way)
    n_moves, lengths = len(letter.moves), [len(way) for way in ways]
    columns = np.repeat(flow_of, lengths) * n_moves + np.concatenate(ways)
    on_move = csr_array(
        (np.ones(columns.size), columns, np.cumsum([0, *lengths])),
        shape=(len(ways), n_flows * n_moves),
    )
    relations = [
        (most, np.inf, entries, unmet, once) for most, entries, unmet, once in letter.relations()
    ]
    limits = [(size, price, [es], [0.0] * n_flows, False) for size, price, es in letter.limits()]
    rows, sizes, prices = [], [], []
    for size, price, parts, unmet, once in [*limits, *relations]:
        used = np.zeros(len(ways))
        for entries in parts:
            weight = np.zeros(n_flows * n_moves)
            for f, m, load in entries:
                weight[f * n_moves + m] += load
            if once:
                used += [
                    next((weight[f * n_moves + m] for m in way if weight[f * n_moves + m]), 0.0)
                    for f, way in zip(flow_of, ways, strict=True)
                ]
            else:
                used += on_move @ weight
        rows.append(np.concatenate([used, unmet]))
        sizes.append(size)
        prices.append(price)
    soft = np.isfinite(prices)
    served = np.zeros((n_flows, len(ways)))
    served[flow_of, np.arange(len(ways))] = 1.0
    answer = linprog(
        np.concatenate((cost, np.full(n_flows, unmet_usd_per_t), np.where(soft, prices, 0.0))),
        A_ub=np.hstack([np.array(rows), -np.eye(len(rows))]),
        b_ub=sizes,
        A_eq=np.hstack([served, np.eye(n_flows), np.zeros((n_flows, len(rows)))]),
        b_eq=letter.flows["t_per_day"].to_numpy(float),
        bounds=[(0, None)] * (len(ways) + n_flows) + [(0, None if s else 0) for s in soft],
        method="highs",
    )
    if answer.status == _INFEASIBLE:
        return float("inf")
    assert answer.status == 0, answer.message
    return float(answer.fun)


def _matrix(entries: list[tuple[int, int, float]], shape: tuple[int, int]) -> coo_array:
    rows, columns, values = (np.array(column) for column in zip(*entries, strict=True))
    return coo_array((values, (rows.astype(int), columns.astype(int))), shape=shape)

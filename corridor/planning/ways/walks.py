"""Ways under rules that look at them as a whole: copies of arcs for what a way has met before.

Rules such as ``require`` and ``sealed`` are automata that read the arcs of a way. The supernetwork
gets copies of its arcs for their states, behind its own arcs; each class of shipments must begin
with the access arcs of its own states. Every search then keeps the rules without knowing of them.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.border import Posts, compile_posts
from corridor.core.paths.products import product_graph
from corridor.network import Network
from corridor.network.fills import FilledTables
from corridor.network.supernetwork import Supernetwork, copy_arcs
from corridor.sovereignty.effects import Effects, skipped_stages, under_seal

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]
BoolArray: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Walks:
    """What the searches and the flow engine work on.

    Attributes
    ----------
    supernetwork, posts, effects, vehicles
        The supernetwork with its copies, and everything else on their arcs. Background vehicles
        stand on the arcs themselves, never on copies.
    may_start : ndarray of bool, shape (n_classes, n_arcs)
        False on the access arcs that are not those of a class.
    sealed : ndarray of bool, shape (n_arcs, n_paths)
        Arcs on which posts skip stages because of each of the rules on ways.
    """

    supernetwork: Supernetwork
    posts: Posts
    effects: Effects
    vehicles: FloatArray
    may_start: BoolArray
    sealed: BoolArray


def build_walks(
    network: Network,
    filled: FilledTables,
    plain: Supernetwork,
    posts: Posts,
    effects: Effects,
    *,
    regimes: list[str],
    vehicles: FloatArray,
    n_classes: int,
) -> Walks:
    """Return the supernetwork with copies of its arcs as the rules on ways need them.

    Without such rules everything is returned as it is.

    Parameters
    ----------
    network, filled
        The network and its filled tables.
    plain, posts, effects
        The supernetwork, its posts, and the effects of the rules on its arcs.
    regimes, vehicles
        Regime of each crossing, and background vehicles, with which the posts were compiled.
    n_classes
        Number of classes of shipments.

    Raises
    ------
    InputError
        If the rules have too many joint states.
    """
    hosted = replace(plain, arc_country=posts.arc_country)
    first = np.zeros((n_classes, 0), np.int32) if not effects.paths else effects.starts()
    if not first.any():
        return Walks(
            supernetwork=hosted,
            posts=posts,
            effects=effects,
            vehicles=vehicles,
            may_start=np.ones((1, 1), np.bool_),
            sealed=np.zeros((plain.n_arcs, len(effects.paths)), np.bool_),
        )
    nobody = np.zeros((1, first.shape[1]), np.int32)
    starts, row = np.unique(np.vstack((nobody, first)), axis=0, return_inverse=True)
    product = product_graph(
        plain.graph,
        [rule.automaton for rule in effects.paths],
        starts,
        plain.source[plain.source >= 0],
        plain.sink[plain.sink >= 0],
    )
    net = copy_arcs(plain, product.graph, product.arc, product.node)
    sealed = under_seal(effects.paths, product)
    skips = skipped_stages(effects.paths, sealed)
    loads = np.append(vehicles, np.zeros(net.n_arcs - plain.n_arcs))
    copied = compile_posts(network, filled, net, regimes, loads, skips)
    return Walks(
        supernetwork=replace(net, arc_country=posts.arc_country[product.arc]),
        posts=copied,
        effects=effects.lifted(product),
        vehicles=loads,
        may_start=(product.start < 0) | (product.start == row.reshape(-1)[1:, None]),
        sealed=sealed,
    )


def onto_plain(net: Supernetwork, values: FloatArray, n_plain: int) -> FloatArray:
    """Return values of arcs added up over all copies of an arc.

    Parameters
    ----------
    net
        A supernetwork.
    values : ndarray of float64, shape (..., n_arcs)
        What is added up.
    n_plain
        Number of arcs without copies.

    Returns
    -------
    ndarray of float64, shape (..., n_plain)
        The values themselves where there are no copies.
    """
    if net.n_arcs == n_plain:
        return values
    total = np.zeros((*values.shape[:-1], n_plain))
    np.add.at(total.T, net.arc_plain, values.T)
    return total


def with_copies(net: Supernetwork, arcs: IntArray) -> tuple[IntArray, IntArray]:
    """Return every copy of some arcs, the arcs themselves among them.

    Returns
    -------
    position, copy : ndarray of int32
        Which of the arcs, and the copy; in the order of the arcs.
    """
    if not net.is_copy.any():
        return np.arange(arcs.size, dtype=np.int32), arcs
    order = np.argsort(net.arc_plain, kind="stable").astype(np.int32)
    first = np.searchsorted(net.arc_plain[order], arcs, side="left")
    last = np.searchsorted(net.arc_plain[order], arcs, side="right")
    sizes = last - first
    position = np.repeat(np.arange(arcs.size), sizes)
    offset = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return position.astype(np.int32), order[first[position] + offset]

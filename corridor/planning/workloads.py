"""What every stage of every post has to do under a flow: the queue behind each crossing's row."""

import numpy as np
import pandas as pd

from corridor.border import Posts
from corridor.network.fills import FilledTables
from corridor.network.supernetwork import Supernetwork
from corridor.planning.answer import FlowAnswer

STAGE_KEY = ("crossing_id", "country", "direction", "regime", "order", "class")
"""Columns that name a stage where it is worked; a template's row is worked at many crossings."""


def stage_frame(
    posts: Posts, filled: FilledTables, net: Supernetwork, crossing_id: np.ndarray
) -> pd.DataFrame:
    """Return one row per stage and place where it is worked, in the order of ``posts.stage_*``.

    Parameters
    ----------
    posts, filled, net
        Compiled posts and what they were compiled from.
    crossing_id : ndarray of object (str)
        The ids of the crossings.

    Returns
    -------
    DataFrame
        `STAGE_KEY`, ``stage, host`` and the numbers of the stage: ``servers, service_min, share,
        service_scv, arrival_scv, open_h_per_day``; ``direction`` is ``both`` where one pool of
        servers serves both, and ``regime`` is blank where the row is worked under every regime.
    """
    rows = filled.stages.iloc[posts.stage_row]
    pool = posts.stage_pool
    return pd.DataFrame(
        {
            "crossing_id": crossing_id[posts.pool_crossing[pool]],
            "country": np.array(net.countries, dtype=object)[posts.pool_country[pool]],
            **{name: rows[name].to_numpy(object) for name in ("direction", "regime")},
            "order": rows["order"].to_numpy(float),
            **{name: rows[name].to_numpy(object) for name in ("class", "stage", "host")},
            "servers": posts.stage_servers,
            "service_min": rows["service_min"].to_numpy(float),
            "share": posts.stage_share,
            "service_scv": posts.stage_service_scv,
            "arrival_scv": posts.stage_arrival_scv,
            "open_h_per_day": posts.stage_open_h,
        }
    )


def workload_table(answer: FlowAnswer) -> pd.DataFrame:
    """Return what each stage at an open crossing has to do: one row a stage and place.

    Parameters
    ----------
    answer
        An evaluated flow.

    Returns
    -------
    DataFrame
        ``crossing_id, country, direction, regime, order, class, stage, servers``;
        ``vehicles_per_day`` (loaded and empty vehicles of the flow that the stage chooses from),
        ``background_vehicles_per_day``, ``utilization`` and ``wait_h`` (of a vehicle that is sent
        to the stage); ``capacity_price_usd_per_vehicle`` of the post's tightest stage.
    """
    model, posts = answer.model, answer.model.posts
    net, filled = model.supernetwork, model.filled
    ids = model.network.crossings["crossing_id"].to_numpy(object)
    frame = stage_frame(posts, filled, net, ids)
    pool = posts.stage_pool
    load = np.maximum(answer.pool_load[: posts.n_pools], 0.0)[pool]
    base = posts.pool_base[pool]
    work_h = (load + base) * posts.stage_share * posts.stage_service_h
    utilization = work_h / (posts.stage_servers * posts.stage_open_h)
    is_tightest = np.zeros(pool.size, np.bool_)
    is_tightest[posts.pool_bottleneck] = True
    price = np.where(is_tightest, answer.pool_price[: posts.n_pools][pool], 0.0)
    table = frame[[*STAGE_KEY, "stage", "servers"]].assign(
        vehicles_per_day=load,
        background_vehicles_per_day=base,
        utilization=utilization,
        wait_h=answer.stage_wait_h,
        capacity_price_usd_per_vehicle=price,
    )
    is_open = np.zeros(ids.size, np.bool_)
    border = net.arc_crossing >= 0
    is_open[net.arc_crossing[border & net.arc_open]] = True
    table = table[is_open[posts.pool_crossing[pool]]]
    return table.sort_values(list(STAGE_KEY), ignore_index=True)

"""What every stage of every post has to do under a flow: the queue behind each crossing's row."""

import numpy as np
import pandas as pd

from corridor.border.worksheets import STAGE_KEY, stage_frame
from corridor.planning.answer import FlowAnswer


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

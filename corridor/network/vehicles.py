"""How much of a commodity one vehicle of a layer carries."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def payload_t(layers: pd.DataFrame, commodities: pd.DataFrame) -> NDArray[np.float64]:
    """Return the load of one vehicle for every layer and commodity.

    A vehicle is full by weight, or, for containerised goods, by the places for containers:
    ``min(t_per_vehicle, teu_per_vehicle * t_per_teu)``.

    Parameters
    ----------
    layers
        Layers with ``t_per_vehicle`` [t] and ``teu_per_vehicle`` [TEU].
    commodities
        Commodities with ``containerised`` and ``t_per_teu`` [t].

    Returns
    -------
    payload_t : ndarray of float64, shape (n_layers, n_commodities)
        Tonnes in one loaded vehicle [t], > 0.

    Examples
    --------
    >>> layers = pd.DataFrame({"t_per_vehicle": [20.0], "teu_per_vehicle": [2.0]})
    >>> goods = pd.DataFrame({"containerised": [True, False], "t_per_teu": [9.0, np.nan]})
    >>> payload_t(layers, goods).tolist()
    [[18.0, 20.0]]
    """
    by_weight = layers["t_per_vehicle"].to_numpy(float)[:, None]
    places_teu = layers["teu_per_vehicle"].to_numpy(float)[:, None]
    in_boxes = commodities["containerised"].to_numpy(bool)
    t_per_teu = commodities["t_per_teu"].to_numpy(float)
    by_places = np.where(in_boxes, places_teu * t_per_teu, np.inf)
    return np.fmin(np.broadcast_to(by_weight, by_places.shape), by_places)

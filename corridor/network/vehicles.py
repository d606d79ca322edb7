"""How much of a commodity a vehicle of a layer and a container carry."""

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
    load: NDArray[np.float64] = np.fmin(by_weight, by_places)
    return load


def teu_per_t(commodities: pd.DataFrame) -> NDArray[np.float64]:
    """Return the TEU in a tonne of each commodity; 0 for goods that do not go in containers.

    Parameters
    ----------
    commodities
        Commodities with ``containerised`` and ``t_per_teu`` [t].

    Returns
    -------
    teu_per_t : ndarray of float64, shape (n_commodities,)
        TEU [TEU/t], >= 0.

    Examples
    --------
    >>> goods = pd.DataFrame({"containerised": [True, False], "t_per_teu": [8.0, 12.0]})
    >>> teu_per_t(goods).tolist()
    [0.125, 0.0]
    """
    in_boxes = commodities["containerised"].to_numpy(bool)
    load = np.where(in_boxes, commodities["t_per_teu"].to_numpy(float), 1.0)
    return np.where(in_boxes, 1.0 / load, 0.0)

"""One GeoPackage of a comparison: the network, and the flows of every variant to open in a GIS."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from corridor.arguments import check_type
from corridor.errors import InputError
from corridor.network import Network
from corridor.network.geopackages import SUFFIX
from corridor.planning import Plan
from corridor.report.files import map_styles as styles
from corridor.report.files.comparisons import require_plans
from corridor.report.files.fields import Field, describe_frame
from corridor.report.files.scratch import scratch_file
from corridor.report.maps.antimeridian import TURN, cut_lines, unroll_lines
from corridor.study import Comparison

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

Geometries: TypeAlias = NDArray[np.object_]

CRS = "EPSG:4326"
_SYNCHRONOUS = "OGR_SQLITE_SYNCHRONOUS"
_WAYS = ("forward", "backward")
_BY_WAY = {
    "t_per_day": "t_per_day",
    "teu_per_day": "teu_per_day",
    "vehicles_per_day": "vehicles_per_day",
    "utilization": "utilization",
    "shadow_price_usd_per_t": "price_usd_per_t",
}
_NEGLIGIBLE_T_PER_DAY = 1e-3


def write_geopackage(comparison: Comparison, path: str | Path) -> None:
    """Write a comparison as one GeoPackage, whole or not at all.

    Layers, all in EPSG:4326: ``nodes``, ``links`` (way points where they are known, else a straight
    line), ``crossings`` (midway on their links), and for each variant ``flows_<variant>``: one
    line per open link with flow, utilization (null where no capacity is known) and price of
    capacity by direction. Every variant but the base has ``differences_<variant>`` too: the links
    whose flow is not the base's [t/day]; it is empty where a variant has no plan. Lines over the
    180th meridian are cut there in two. QGIS opens each layer in the style that ``layer_styles``
    holds for it.

    Parameters
    ----------
    comparison
        What `corridor.compare` returned.
    path
        File to write, ``corridor.gpkg``; an existing file is replaced once the new one is complete.

    Raises
    ------
    InputError
        If the path does not end in ``.gpkg``, the folder does not exist, the path is a folder, the
        comparison is empty, or two variants differ in capitals only (table names of a GeoPackage
        do not tell them apart).
    OSError
        If the file cannot be written; nothing is left behind.

    Examples
    --------
    >>> import corridor
    >>> study = corridor.load_study("crossroads")
    >>> comparison = corridor.compare(study, variants=["status_quo"])  # doctest: +SKIP
    >>> write_geopackage(comparison, "corridor.gpkg")  # doctest: +SKIP
    """
    check_type("comparison", comparison, Comparison, advice="Make it with corridor.compare.")
    require_plans(comparison)
    check_type("path", path, str, Path, advice="Give the name of a file.")
    if Path(path).suffix != SUFFIX and not Path(path).is_dir():
        msg = f"A GeoPackage must end in {SUFFIX}; found {Path(path).name!r}. Rename it."
        raise InputError(msg)
    _check_names(list(comparison.plans))
    with scratch_file(path, "A GeoPackage") as part, _unsynchronized():
        styled = {}
        for layer in gis_layers(comparison):
            _append(layer, part)
            styled[layer.name] = layer.style
        _append_styles(styled, comparison, part)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GisLayer:
    """A table with a geometry.

    Attributes
    ----------
    name
        Name of the layer in a file.
    title
        What it shows.
    frame
        One row a feature; blank texts are null and dates ISO texts.
    kind
        ``point`` or ``line``.
    style
        QML for QGIS.
    fields
        What the columns hold.
    """

    name: str
    title: str
    frame: "GeoDataFrame"
    kind: Literal["point", "line"]
    style: str
    fields: tuple[Field, ...]


@contextmanager
def _unsynchronized() -> Iterator[None]:
    """Let SQLite write without waiting for the disk after every step, five times as fast.

    The file is scratch until it is complete; then it is synchronized once.
    """
    from pyogrio import get_gdal_config_option, set_gdal_config_options

    before = get_gdal_config_option(_SYNCHRONOUS)
    set_gdal_config_options({_SYNCHRONOUS: "OFF"})
    try:
        yield
    finally:
        set_gdal_config_options({_SYNCHRONOUS: before})


def _check_names(variants: list[str]) -> None:
    lower = [variant.lower() for variant in variants]
    twice = sorted({variant for variant in variants if lower.count(variant.lower()) > 1})
    if twice:
        msg = (
            f"Variants must differ in more than capitals to be layers of one file; "
            f"{', '.join(twice)} do not. Rename them."
        )
        raise InputError(msg)


def _append(layer: GisLayer, file: Path) -> None:
    from pyogrio import write_dataframe

    many = layer.frame.geometry.geom_type.eq("MultiLineString").any()
    geometry_type = "Point" if layer.kind == "point" else "LineString"
    try:
        write_dataframe(
            layer.frame,
            file,
            layer=layer.name,
            driver="GPKG",
            geometry_type="MultiLineString" if many else geometry_type,
            promote_to_multi=bool(many),
            append=file.exists(),
            layer_options={"DESCRIPTION": layer.title},
        )
    except RuntimeError as error:  # every error of GDAL, a full disk among them
        msg = f"The GeoPackage could not be written at layer {layer.name}: {error}"
        raise OSError(msg) from error


def _append_styles(styled: dict[str, str], comparison: Comparison, file: Path) -> None:
    from pyogrio import write_dataframe

    table = styles.style_table(styled, comparison.study.date)
    try:
        write_dataframe(table, file, layer=styles.TABLE, driver="GPKG", append=True)
    except RuntimeError as error:
        msg = f"The GeoPackage could not be written at the styles: {error}"
        raise OSError(msg) from error


def gis_layers(comparison: Comparison) -> Iterator[GisLayer]:
    """Yield the layers of a comparison, in the order in which a GIS lists them.

    Parameters
    ----------
    comparison
        What `corridor.compare` returned.

    Yields
    ------
    GisLayer
        ``nodes``, ``links``, ``crossings``, then flows and differences of each variant.
    """
    network = comparison.study.network
    lines = pd.Series(cut_lines(link_lines(network).to_numpy(object)), network.links["link_id"])
    yield from _network_layers(network, lines)
    changes = {
        variant: difference_frame(network, plan, comparison.base_of(variant))
        for variant, plan in comparison.plans.items()
        if variant != comparison.base
    }
    flows = {variant: flow_frame(network, plan) for variant, plan in comparison.plans.items()}
    # One scale for all variants, so that a line of one width means the same everywhere.
    most = max(
        (float(frame["t_per_day"].max()) for frame in flows.values() if len(frame)), default=0
    )
    for variant, plan in comparison.plans.items():
        title = f"{comparison.study.variant(variant).title} ({plan.status})"
        yield _variant_layer(
            "flows", variant, title, flows[variant], lines, styles.flow_style(most)
        )
        if variant in changes:
            style = styles.difference_style(most)
            yield _variant_layer("differences", variant, title, changes[variant], lines, style)


def _network_layers(network: Network, lines: pd.Series) -> Iterator[GisLayer]:
    layers = network.layers["layer"].tolist()
    for name, title, kind, geometry, style in (
        ("nodes", "Places", "point", node_points(network), styles.node_style()),
        (
            "links",
            "Stretches of a layer",
            "line",
            lines.to_numpy(object),
            styles.link_style(layers),
        ),
        ("crossings", "Borders", "point", crossing_points(network), styles.crossing_style()),
    ):
        frame = network.table(name).drop(columns="geometry", errors="ignore")
        yield GisLayer(
            name=name,
            title=title,
            frame=_with_geometry(frame, geometry),
            kind="point" if kind == "point" else "line",
            style=style,
            fields=tuple(describe_frame(frame, name)),
        )


def _variant_layer(
    noun: str, variant: str, title: str, frame: pd.DataFrame, lines: pd.Series, style: str
) -> GisLayer:
    return GisLayer(
        name=f"{noun}_{variant}",
        title=f"{noun.capitalize()}: {title}",
        frame=_with_geometry(frame, lines[frame["link_id"]].to_numpy(object)),
        kind="line",
        style=style,
        fields=tuple(describe_frame(frame)),
    )


def _with_geometry(frame: pd.DataFrame, geometry: Geometries) -> "GeoDataFrame":
    """Join a table and its geometry; blank texts become nulls, dates ISO texts."""
    from geopandas import GeoDataFrame
    from geopandas.array import from_shapely

    plain = frame.copy()
    for column in plain.columns:
        if pd.api.types.is_datetime64_any_dtype(plain[column]):
            plain[column] = plain[column].dt.strftime("%Y-%m-%d")
        if not pd.api.types.is_numeric_dtype(plain[column]):
            texts = plain[column].astype(object)
            plain[column] = texts.where(texts.notna() & (texts != ""), None)
    return GeoDataFrame(plain, geometry=from_shapely(geometry), crs=CRS)


def node_points(network: Network) -> Geometries:
    """Return the place of each node: shapely points, shape (n_nodes,)."""
    nodes = network.nodes
    points: Geometries = shapely.points(nodes["lon"].to_numpy(float), nodes["lat"].to_numpy(float))
    return points


def link_lines(network: Network) -> pd.Series:
    """Return the line of each link by id: its way points, else straight between its ends.

    Parameters
    ----------
    network
        The network.

    Returns
    -------
    Series of object, shape (n_links,)
        Shapely lines, from_node first; the index is ``link_id``.

    Examples
    --------
    >>> import corridor
    >>> lines = link_lines(corridor.load_network("crossroads"))
    >>> lines.iloc[0].geom_type
    'LineString'
    """
    links = network.links
    ends = np.stack([_ends(network, "from_node"), _ends(network, "to_node")], axis=1)
    lines: Geometries = shapely.linestrings(ends)
    drawn = (links["geometry"] != "").to_numpy(bool)
    lines[drawn] = shapely.from_wkt(links["geometry"].to_numpy(object)[drawn])
    return pd.Series(lines, index=links["link_id"].to_numpy(object), dtype=object)


def _ends(network: Network, column: str) -> NDArray[np.float64]:
    """Return lon, lat [degrees] of one end of each link, shape (n_links, 2)."""
    nodes = network.nodes.set_index("node_id")[["lon", "lat"]]
    return nodes.loc[network.links[column]].to_numpy(float)


def crossing_points(network: Network) -> Geometries:
    """Return a point midway on the link of each crossing, shape (n_crossings,).

    At sea it lies on the way, not on land between two ports. The mean of several, where more than
    one link names the crossing.
    """
    lines = unroll_lines(link_lines(network).to_numpy(object))
    halfway = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    middle = pd.DataFrame(shapely.get_coordinates(halfway), columns=["lon", "lat"])
    crossing = network.links["crossing_id"].to_numpy(object)
    # All on the side of the first one, so that the mean is between them.
    first = middle["lon"].groupby(crossing).transform("first")
    middle["lon"] += TURN * ((first - middle["lon"]) / TURN).round()
    mean = middle.groupby(crossing).mean()
    mean["lon"] -= TURN * (mean["lon"] / TURN).round()
    points: Geometries = shapely.points(mean.loc[network.crossings["crossing_id"]].to_numpy(float))
    return points


def flow_frame(network: Network, plan: Plan) -> pd.DataFrame:
    """Return one row per open link of a plan: flow, utilization and price, forward and backward.

    Parameters
    ----------
    network
        The network that the plan is for.
    plan
        A plan; without flows (infeasible) the frame has no rows.

    Returns
    -------
    DataFrame
        ``link_id, name, layer, from_node, to_node, t_per_day`` (both directions), then per
        direction ``t_per_day_forward`` [t/day], ``teu_per_day_*``, ``vehicles_per_day_*``,
        ``utilization_*`` (NaN where no capacity is known) and ``price_usd_per_t_*`` (what one tonne
        a day more capacity saves). A direction that is not open is NaN.
    """
    links = network.links[["link_id", "name", "layer", "from_node", "to_node"]]
    if not len(plan.links):
        numbers = [f"{title}_{way}" for title in _BY_WAY.values() for way in _WAYS]
        return links.iloc[:0].assign(
            **dict.fromkeys(["t_per_day", *numbers], pd.Series(dtype=float))
        )
    tables = {way: plan.links[plan.links["direction"] == way].set_index("link_id") for way in _WAYS}
    flows = links[links["link_id"].isin(plan.links["link_id"])].reset_index(drop=True)
    for column, title in _BY_WAY.items():
        for way, table in tables.items():
            flows[f"{title}_{way}"] = table[column].reindex(flows["link_id"]).to_numpy(float)
    total = flows[[f"t_per_day_{way}" for way in _WAYS]].sum(axis=1)
    flows.insert(links.shape[1], "t_per_day", total)
    return flows


def difference_frame(network: Network, plan: Plan, base: Plan) -> pd.DataFrame:
    """Return the links whose flow differs from the base's, with both flows and the change [t/day].

    Columns ``link_id, name, layer, from_node, to_node``, then ``t_per_day, base_t_per_day,
    change_t_per_day``.

    Links that are closed in one of the two carry 0 there. Without a plan on either side there are
    no rows: the change is unknown, not minus everything.
    """
    links = network.links[["link_id", "name", "layer", "from_node", "to_node"]]
    if not len(plan.links) or not len(base.links):
        columns = ["t_per_day", "base_t_per_day", "change_t_per_day"]
        return links.iloc[:0].assign(**dict.fromkeys(columns, pd.Series(dtype=float)))
    flows, before = (
        p.links.groupby("link_id")["t_per_day"]
        .sum()
        .reindex(links["link_id"], fill_value=0.0)
        .to_numpy(float)
        for p in (plan, base)
    )
    changes = links.assign(t_per_day=flows, base_t_per_day=before, change_t_per_day=flows - before)
    changed = changes["change_t_per_day"].abs() > _NEGLIGIBLE_T_PER_DAY
    return changes[changed].reset_index(drop=True)

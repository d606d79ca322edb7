"""The map: flows by mode, crossings by load and wait, and the difference from the base."""

from pathlib import Path
from typing import Any, Final

from corridor.report.colors import GAIN, LOADS, LOSS, mode_color
from corridor.report.maps.frames import BARRED, SHUT, flows_by_goods
from corridor.report.maps.interactive import (
    build_map,
    change_columns,
    network_box,
    outline_names,
)
from corridor.report.maps.layers import GROUND
from corridor.report.page.material import Material
from corridor.report.page.parts import Section
from corridor.report.records import Record, plain

_POST_COLUMNS: Final = (
    "flow",
    "vehicles",
    "utilization",
    "wait",
    "border",
    "size_h",
    "mark",
    "state",
    "why",
)
BUNDLED_VIEW: Final = (
    "Natural Earth 1:50m, public domain, boundaries as they are held on the ground"
)


def map_section(material: Material) -> Section:
    """Return the map with the flows of every variant.

    Parameters
    ----------
    material
        The comparison.
    """
    network = material.network
    frame, posts = material.frame, material.posts
    flows = {v: flows_by_goods(network, plan) for v, plan in material.plans.items()}
    steered = [variant for variant in flows if material.comparison.is_steered(variant)]
    widest = max((max(of["all"]["flow"], default=0.0) for of in flows.values()), default=0.0)
    at_base = flows[material.base]["all"]
    fig = build_map(
        frame,
        {**frame.links, **at_base, **change_columns(at_base, at_base)},
        {**frame.crossings, **posts[material.base]},
        outlines=material.outlines,
        widest_t_per_day=max(widest, 1.0),
        width_px=None,
    )
    data: Record = {
        "flows": {variant: _packed(of) for variant, of in flows.items()},
        "before": {
            v: _packed(flows_by_goods(network, material.comparison.base_of(v))) for v in steered
        },
        "posts": {name: plain({k: of[k] for k in _POST_COLUMNS}) for name, of in posts.items()},
        "whole": list(network_box(frame)),
        "focus": list(material.focus),
    }
    return Section(
        id="map",
        nav="Map",
        title="The map",
        template="map.html.j2",
        context={"legend": _legend(material, widest), "view": _point_of_view(material.outlines)},
        charts={"map": fig},
        data={"map": data},
    )


def _point_of_view(outlines: Path | None) -> str:
    """Say whose outlines the map shows, and how to have others."""
    named = BUNDLED_VIEW if outlines is None else ", ".join(outline_names(outlines))
    return (
        f"Outlines: {named}. The map takes no position; corridor compare --out DIR --outlines "
        "FOLDER draws another point of view."
    )


def _packed(flows: dict[str, dict[str, list[Any]]]) -> Record:
    """Return the flows of a variant: tonnes by goods, use and state once."""
    tonnes = {goods: {way: of[way] for way in ("forward", "backward")}
              for goods, of in flows.items()}  # fmt: skip
    first = flows["all"]
    packed = {"goods": tonnes, "utilization": first["utilization"], "state": first["state"]}
    return {name: plain(value) for name, value in packed.items()}


def _legend(material: Material, widest: float) -> dict[str, Any]:
    """Return what the legend shows: layers that can be hidden, colors and words."""
    modes = dict.fromkeys(material.network.layers["mode"])
    return {
        "modes": [{"name": mode, "color": mode_color(str(mode))} for mode in modes],
        "loads": [{"name": name, "color": color} for name, color in LOADS.items()],
        "closed": {"shut": SHUT, "barred": BARRED, "ground": GROUND},
        "gain": GAIN,
        "loss": LOSS,
        "widest": f"{widest:,.0f}",
    }

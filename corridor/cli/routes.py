"""Commands from door to door: ``route``."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from corridor.cli.app import BUNDLED, JsonOption, app, guarded
from corridor.cli.output import print_json, print_sheets
from corridor.errors import InputError, NoRouteError

if TYPE_CHECKING:
    from corridor.network import Network
    from corridor.planning.ways.fronts import FrontCriterion
    from corridor.sovereignty import Rules

_CRITERIA = "time_h,cost_usd_per_t,co2_kg_per_t"


@app.command("route")
@guarded()
def run_route(  # noqa: PLR0913 (each is an option of the command)
    *,
    origin: Annotated[str, typer.Argument(help="Node id, CN_XIAN.")],
    destination: Annotated[str, typer.Argument(help="Node id, TR_MERSIN.")],
    data: Annotated[str, typer.Option(help="Bundled data set, folder or GeoPackage.")] = BUNDLED,
    commodity: Annotated[str | None, typer.Option(help="Commodity id (default: the first)")] = None,
    minimize: Annotated[
        Literal["generalized_cost", "time", "money", "co2"],
        typer.Option(help="What the best way has least of."),
    ] = "generalized_cost",
    rules: Annotated[
        bool | None,
        typer.Option(
            "--rules/--no-rules", help="Obey rules.toml of the data (default: if it exists)"
        ),
    ] = None,
    variant: Annotated[
        str | None,
        typer.Option(
            help="Network and rules of this variant of the data's study, as of the study's date."
        ),
    ] = None,
    date: Annotated[
        str | None,
        typer.Option(
            help="Works and rules as of YYYY-MM-DD (default: the day of --depart, else the latest)"
        ),
    ] = None,
    depart: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Leave at 2026-07-03T20:00+08:00, or in local time without an offset; opening "
            "hours and timetables are then kept to the hour.",
        ),
    ] = None,
    k: Annotated[int, typer.Option("--k", min=1, help="Number of ways.")] = 1,
    max_overlap: Annotated[
        float | None, typer.Option(help="Most of their length that two ways share, 0.7 for 70 %.")
    ] = None,
    max_crossings: Annotated[int | None, typer.Option(help="Most borders.")] = None,
    max_time_h: Annotated[float | None, typer.Option(help="Most hours from door to door.")] = None,
    max_cost_usd_per_t: Annotated[float | None, typer.Option(help="Most money, USD/t.")] = None,
    max_km_in: Annotated[
        list[str] | None,
        typer.Option(metavar="STATE=KM", help="Most km in a state, RUS=300; may be repeated."),
    ] = None,
    avoid: Annotated[
        list[str] | None,
        typer.Option(metavar="STATE", help="State to stay out of, IRN; may be repeated."),
    ] = None,
    pareto: Annotated[
        bool, typer.Option("--pareto", help="Show all ways that no other beats in every criterion.")
    ] = False,
    criteria: Annotated[
        str | None,
        typer.Option(
            help="With --pareto: time_h, cost_usd_per_t, co2_kg_per_t, sd_h (risk), n_crossings, "
            "joined by commas (default: the first three)"
        ),
    ] = None,
    exposure: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STATE", help="With --pareto: its km are a criterion too; may be repeated."
        ),
    ] = None,
    epsilon: Annotated[
        float | None, typer.Option(help="With --pareto: 0.05 leaves out ways within 5 % of others.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Find the best ways from door to door, at the queues of today's traffic."""
    from corridor.network import load_network
    from corridor.planning import alternatives
    from corridor.planning import pareto as find_front
    from corridor.planning.ways.dated import parse_departure
    from corridor.report.records import itinerary_record
    from corridor.report.sheets.ways import front_sheet, itinerary_sheets

    of_ways = {
        "--minimize": minimize != "generalized_cost",
        "--k": k > 1,
        "--depart": depart,
        "--max-overlap": max_overlap is not None,
        "--max-crossings": max_crossings is not None,
        "--max-time-h": max_time_h is not None,
        "--max-cost-usd-per-t": max_cost_usd_per_t is not None,
        "--max-km-in": max_km_in,
    }
    of_front = {"--criteria": criteria, "--exposure": exposure, "--epsilon": epsilon is not None}
    _check_unused(of_ways if pareto else of_front, pareto=pareto)
    most_km = _km_by_state(max_km_in or [])
    if variant is not None:
        network, rulebook = _variant_of(data, variant, date, wanted=rules)
    else:
        network = load_network(data, date)
    leaves = None if depart is None else parse_departure(depart, network, origin)
    if variant is None:
        if leaves is not None and date is None:
            network = network.as_of(leaves.date())
        rulebook = _rules(data, network, wanted=rules)
    listed = (criteria or _CRITERIA).split(",")
    with _blocked_as_json("paths" if pareto else "itineraries", wanted=as_json):
        if pareto:
            front = find_front(
                network, origin, destination, cast("list[FrontCriterion]", listed), commodity,
                rulebook, exposure=exposure or (), avoid=avoid or (), epsilon=epsilon or 0.0,
            )  # fmt: skip
        else:
            ways = alternatives(
                network, origin, destination, k, commodity, rulebook, minimize, leaves, max_overlap,
                max_crossings=max_crossings, max_time_h=max_time_h,
                max_cost_usd_per_t=max_cost_usd_per_t, max_km_in=most_km, avoid=avoid or (),
            )  # fmt: skip
    if as_json and pareto:
        print_json({"paths": front, "reasons": []})
    elif as_json:
        print_json({"itineraries": [itinerary_record(way) for way in ways], "reasons": []})
    elif pareto:
        least = [*listed, *([f"km in {' and '.join(exposure)}"] if exposure else [])]
        title = f"{origin} to {destination}, least {', '.join(least)}"
        print_sheets([front_sheet(front, title)])
    else:
        print_sheets(itinerary_sheets(ways))


@contextmanager
def _blocked_as_json(name: str, *, wanted: bool) -> Iterator[None]:
    """Print the reasons why there is no way for machines, and let the error pass on."""
    try:
        yield
    except NoRouteError as error:
        if wanted:
            print_json({name: [], "reasons": error.reasons})
        raise


def _check_unused(options: Mapping[str, object], *, pareto: bool) -> None:
    """Refuse options that would be ignored."""
    given = [name for name, value in options.items() if value]
    if given and pareto:
        msg = f"--pareto shows all ways on the front; found {', '.join(given)} too. Drop one."
        raise InputError(msg)
    if given:
        msg = f"{', '.join(given)} must come with --pareto, which is missing. Add it."
        raise InputError(msg)


def _km_by_state(texts: Iterable[str]) -> dict[str, float]:
    """Return the limits that texts such as ``RUS=300`` say."""
    limits: dict[str, float] = {}
    for text in texts:
        state, _, km = text.partition("=")
        if state in limits:
            msg = f"--max-km-in must name a state once; {state} is there twice. Keep one of them."
            raise InputError(msg)
        try:
            limits[state] = float(km)
        except ValueError:
            msg = f"--max-km-in must be a state and a number of km, RUS=300; found {text!r}."
            raise InputError(msg) from None
    return limits


def _variant_of(
    data: str, variant: str, date: str | None, *, wanted: bool | None
) -> "tuple[Network, Rules | None]":
    """Return network and rules of a variant of a study."""
    from corridor.study import load_study

    if date is not None:
        msg = f"--date must not come with --variant, which has its own; found {date}. Drop one."
        raise InputError(msg)
    network, _, rulebook = load_study(data).case(variant)
    return network, None if wanted is False else rulebook


def _rules(data: str, network: "Network", *, wanted: bool | None) -> "Rules | None":
    """Return the rules of a data set; None where unwanted, or not there and not asked for."""
    from corridor import datasets
    from corridor.network.texts import find_text
    from corridor.sovereignty import load_rules

    if wanted is False:
        return None
    if wanted is None and find_text(datasets.path(data), "rules.toml") is None:
        return None
    return load_rules(data, network.date)

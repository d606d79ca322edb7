"""Commands that say why: ``explain``."""

import math
from typing import Annotated

import typer

from corridor.cli.app import BUNDLED, ExitCode, JsonOption, StudyArgument, app, fail, guarded
from corridor.cli.output import print_json, print_sheets
from corridor.errors import InputError


@app.command("explain")
@guarded()
def run_explain(
    *,
    study: StudyArgument = BUNDLED,
    variant: Annotated[
        str | None, typer.Option(help="Variant to explain (default: the base)")
    ] = None,
    congestion: Annotated[
        bool,
        typer.Option("--congestion/--no-congestion", help="Whether queues grow with the flow."),
    ] = True,
    weight: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RULE=W", help="How unwelcome a change of a rule is (default 1); repeatable."
        ),
    ] = None,
    frontier: Annotated[
        str | None,
        typer.Option(
            metavar="RULE:FIELD=V,V",
            help="Plan each value of a rule's field instead: floor_arm_scanner:share=0,0.5,1.",
        ),
    ] = None,
    crossing: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="With --frontier: crossings to look at, the only ones where an inspection floor "
            "is varied; repeatable (default: those of the rule).",
        ),
    ] = None,
    words: Annotated[
        bool, typer.Option("--words", help="Print sentences instead of tables.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say which rules bar a plan or goods, the least that would help, and what rules cost whom."""
    from corridor.planning import explain
    from corridor.report.records import explanation_record
    from corridor.report.sheets.principles import compliance_sheet, principles_sheet
    from corridor.report.sheets.reasons import explanation_sheets
    from corridor.study import load_study

    loaded = load_study(study)
    chosen = loaded.base if variant is None else variant
    network, demand, rules = loaded.case(chosen)
    unmet_usd_per_t = loaded.header.unmet_usd_per_t
    title = f"{chosen}: {loaded.variant(chosen).title}"
    if frontier is not None:
        from corridor.planning import rule_frontier
        from corridor.report.sheets.reasons import frontier_sheet

        rule_id, field, values = _values(frontier)
        swept = rule_frontier(
            network, demand, rules, rule_id, field, values, crossings=crossing,
            congestion=congestion, unmet_usd_per_t=unmet_usd_per_t,
        )  # fmt: skip
        if as_json:
            print_json({"rule_id": rule_id, "field": field, "frontier": swept.table})
        else:
            print_sheets([frontier_sheet(swept, title)])
        return
    if crossing:
        msg = "--crossing goes with --frontier. Leave it out, or give a frontier."
        raise InputError(msg)
    weights = _weights(weight or [], [rule.id for rule in rules.rules])
    found = explain(
        network, demand, rules, congestion=congestion, weights=weights,
        unmet_usd_per_t=unmet_usd_per_t,
    )  # fmt: skip
    if as_json:
        print_json(explanation_record(found))
    elif words:
        typer.echo("\n".join([title, *found.sentences]))
    else:
        sheets = explanation_sheets(found, title)
        if len(found.principles):
            sheets.append(principles_sheet(found))
        print_sheets([*sheets, compliance_sheet(found.compliance)])
    if found.status in ("infeasible", "unknown"):
        fail(f"Nothing can be carried: the plan is {found.status}.", ExitCode.NOTHING)


def _values(text: str) -> tuple[str, str, list[float]]:
    """Return the rule, the field and the values of a text RULE:FIELD=V,V."""
    name, _, numbers = text.partition("=")
    rule_id, _, field = name.rpartition(":")
    try:
        values = [float(number) for number in numbers.split(",")]
    except ValueError:
        values = []
    if not (rule_id and field and values and all(math.isfinite(value) for value in values)):
        msg = (
            f"--frontier must be RULE:FIELD=V,V with finite numbers; found {text!r}. Give "
            "floor_arm_scanner:share=0,0.5,1, say."
        )
        raise InputError(msg)
    return rule_id, field, values


def _weights(texts: list[str], known: list[str]) -> dict[str, float]:
    """Return the weights of rules from texts RULE=W."""
    weights: dict[str, float] = {}
    for text in texts:
        name, _, value = text.rpartition("=")
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if name not in known or not 0.0 < number < float("inf"):
            msg = (
                "--weight must be RULE=W with a rule of the variant and a finite weight > 0; found "
                f"{text!r}. Give tripp_front_office=2, say."
            )
            raise InputError(msg)
        weights[name] = number
    return weights

"""Common shocks, read off the data set: a state's posts, weather at sea, sanctions.

Nothing in a data set says how strongly the uncertainties of one state hang together. The shares
below are assumptions: a service worse than expected at one post of a state makes the same likelier
at its others.
"""

from collections.abc import Iterable
from typing import Final

from corridor.study.studies import Study
from corridor.study.uncertainty.inputs import Inputs, Keys
from corridor.study.uncertainty.samples import Factor

STATE_SHARE: Final = 0.25
WEATHER_SHARE: Final = 0.5
SANCTION_SHARE: Final = 0.25
_SANCTION: Final = "sanction"
_CANCEL: Final = "cancel_share"


def common_factors(study: Study, inputs: Inputs) -> tuple[Factor, ...]:
    """Return the shocks that a study's inputs share.

    - ``state X``: inputs that speak of the posts of state X alone (times, servers, shares, fees),
      where there are two or more.
    - ``weather``: inputs of the services that may be canceled, their headways and ships among them.
    - ``sanctions``: inputs of the posts of states that a rule on sanctions names.

    Shares are `STATE_SHARE`, `WEATHER_SHARE` and `SANCTION_SHARE` of the variance of each input.
    """
    return (*_state_factors(inputs), *_weather(study, inputs), *_sanctions(study, inputs))


def _state_factors(inputs: Inputs) -> Iterable[Factor]:
    single = [next(iter(states)) if len(states) == 1 else "" for states in inputs.states]
    for state in sorted(set(single) - {""}):
        members = tuple(i for i, name in enumerate(single) if name == state)
        if len(members) > 1:
            yield Factor(name=f"state {state}", inputs=members, share=STATE_SHARE)


def _weather(study: Study, inputs: Inputs) -> Iterable[Factor]:
    ranges = study.network.ranges
    at = ranges["table"].tolist(), ranges["key"].tolist(), ranges["column"].tolist()
    services = Keys.of("services", study.network.services)
    stopped: set[int] = set()
    touched: dict[int, set[int]] = {}
    for position, rows in enumerate(inputs.rows):
        for row in rows:
            if at[0][row] == "services":
                hit = set(services.matching(at[1][row]).tolist())
                touched.setdefault(position, set()).update(hit)
                stopped |= hit if at[2][row] == _CANCEL else set()
    members = tuple(position for position, hit in touched.items() if hit & stopped)
    if len(members) > 1:
        yield Factor(name="weather", inputs=members, share=WEATHER_SHARE)


def _sanctions(study: Study, inputs: Inputs) -> Iterable[Factor]:
    named: set[str] = set()
    for rule in study.rules.rules:
        if _SANCTION in f"{rule.id} {rule.title}".lower():
            for scope in rule.scopes:
                named |= {*(scope.countries or ()), *(scope.flags or ())}
    members = tuple(i for i, states in enumerate(inputs.states) if states and states <= named)
    if len(members) > 1:
        yield Factor(name="sanctions", inputs=members, share=SANCTION_SHARE)

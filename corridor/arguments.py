"""Arguments of the public verbs: of the type that they must be, or an error that says so."""

import operator
from collections.abc import Collection, Iterable
from typing import SupportsIndex

from corridor.errors import InputError


def check_type(name: str, value: object, *kinds: type, advice: str) -> None:
    """Refuse an argument of another type.

    Parameters
    ----------
    name
        Name of the argument.
    value
        What was given.
    *kinds
        Types that it may be of.
    advice
        What to do, one sentence.

    Raises
    ------
    InputError
        If it is of none of them.

    Examples
    --------
    >>> check_type("source", "crossroads", str, advice="Give its name.")
    """
    if isinstance(value, kinds):
        return
    names = [f"a {kind.__name__}" for kind in kinds if kind is not type(None)]
    names += ["None"] if type(None) in kinds else []
    found = repr(value) if isinstance(value, str | int | float) else f"a {type(value).__name__}"
    msg = f"{name} must be {' or '.join(names)}; found {found}. {advice}"
    raise InputError(msg)


def check_names(name: str, value: object, example: str, *, optional: str = "") -> None:
    """Refuse a text, or anything else that is no collection, where a list of names is meant.

    Parameters
    ----------
    name
        Name of the argument.
    value
        What was given.
    example
        A name that could stand in the list.
    optional
        What else can be said, such as ``"True for all"``.

    Raises
    ------
    InputError
        If it is no list of texts.

    Examples
    --------
    >>> check_names("variants", ["today"], "today")
    """
    listed = isinstance(value, Iterable) and not isinstance(value, str | bytes)
    # What can be read only once is read by the verb.
    if listed and not isinstance(value, Collection):
        return
    if isinstance(value, Collection) and listed and all(isinstance(item, str) for item in value):
        return
    found = f"the text {value!r}" if isinstance(value, str) else repr(value)[:80]
    other = f", or {optional}" if optional else ""
    msg = f"{name} must be given as a list, such as [{example!r}]{other}; found {found}."
    raise InputError(msg)


def check_count(name: str, value: object, least: int = 1) -> None:
    """Refuse what is no whole number, or too small.

    Parameters
    ----------
    name
        Name of the argument.
    value
        What was given.
    least
        Smallest number allowed.

    Raises
    ------
    InputError
        If it is no whole number >= `least`.

    Examples
    --------
    >>> check_count("workers", 2)
    """
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        found = least - 1
    else:
        found = operator.index(value)
    if found < least:
        msg = f"{name} must be a whole number >= {least}; found {value!r}."
        raise InputError(msg)

"""What must hold in a TOML file, said so that one need not know how it is read."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, Final

_PLAIN: Final = {
    "missing": "the key to be given",
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "a text in quotes",
    "tuple_type": "a list in brackets",
    "list_type": "a list in brackets",
    "dict_type": "a table of keys",
    "model_type": "a table of keys",
    "model_attributes_type": "a table of keys",
    "date_type": "a date, YYYY-MM-DD",
    "date_parsing": "a date, YYYY-MM-DD",
    "date_from_datetime_parsing": "a date, YYYY-MM-DD",
    "date_from_datetime_inexact": "a date without hours",
    "extra_forbidden": "a key that is known here",
    "too_short": "a list that is not empty",
}
_BOUNDED: Final = {
    "greater_than": ("gt", "a number >"),
    "greater_than_equal": ("ge", "a number >="),
    "less_than": ("lt", "a number <"),
    "less_than_equal": ("le", "a number <="),
}


def expected(item: Mapping[str, Any]) -> str:
    """Return what must hold at a place that does not fit its schema.

    Parameters
    ----------
    item
        One entry of the errors of a pydantic ``ValidationError``.

    Examples
    --------
    >>> expected({"type": "less_than_equal", "ctx": {"le": 1.0}})
    'a number <= 1'
    >>> expected({"type": "literal_error", "ctx": {"expected": "'entry' or 't_km'"}})
    "'entry' or 't_km'"
    >>> expected({"type": "value_error", "ctx": {"error": "low must be at most high"}})
    'this to hold: low must be at most high'
    """
    kind, context = item["type"], item.get("ctx", {})
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind in _BOUNDED:
        key, text = _BOUNDED[kind]
        return f"{text} {context[key]:g}"
    if kind == "literal_error":
        return str(context["expected"])
    if kind == "value_error":
        return f"this to hold: {context['error']}"
    message = str(item["msg"])
    return message[:1].lower() + message[1:]


def nearest(name: object, known: Collection[str]) -> str:
    """Return a hint at the known name nearest to one that is not, or a list of them all.

    Examples
    --------
    >>> nearest("reciprosity", ["forbid", "quota", "reciprocity"])
    "did you mean 'reciprocity'?"
    >>> nearest("escort", ["forbid", "quota"])
    'take one of forbid, quota'
    """
    close = get_close_matches(str(name), known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"take one of {', '.join(sorted(known))}"

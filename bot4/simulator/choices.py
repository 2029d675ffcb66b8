"""Switches that take one of a few values: what they may be is their annotation's Literal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints


def check_choices(venue: str, kind: type, values: Mapping[str, Any]) -> None:
    """Look at the given switches of a venue's class.

    Raises:
        ValueError: one has a value that it does not know.
    """
    hints = get_type_hints(kind)
    for name, value in values.items():
        choices = get_args(hints[name]) if get_origin(hints[name]) is Literal else ()
        if choices and value not in choices:
            known = ", ".join(str(choice) for choice in choices)
            raise ValueError(f"{venue}'s switch {name} is one of {known}, not {value!r}")

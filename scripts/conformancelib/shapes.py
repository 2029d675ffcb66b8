"""Whether a message has the documented shape: every field, of its kind, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

DECIMAL = re.compile(r"-?\d+(\.\d+)?")


def differences(shape: Any, value: Any, where: str = "") -> Iterator[str]:
    """Yield every difference between a documented shape and a message, in words.

    A shape is a kind ("text", "int", "bool", "decimal", "null", two of them with "or"), an object
    of shapes (names that end in "?" may be missing), or an array: of one shape for all its items,
    or of one shape for each.
    """
    here = where or "the message"
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            yield f"{here} is no object"
            return
        known = {name.removesuffix("?"): kind for name, kind in shape.items()}
        for name, kind in known.items():
            if name in value:
                yield from differences(kind, value[name], f"{where}.{name}")
            elif f"{name}?" not in shape:
                yield f"{here} has no {name}"
        for name in value.keys() - known.keys():
            yield f"{here} has an undocumented {name}"
    elif isinstance(shape, list):
        if not isinstance(value, list) or not value:
            yield f"{here} is no array with something in it"
            return
        if len(shape) > 1 and len(shape) != len(value):
            yield f"{here} has {len(value)} items, not {len(shape)}"
        kinds = shape * len(value) if len(shape) == 1 else shape
        for number, (kind, item) in enumerate(zip(kinds, value, strict=False)):
            yield from differences(kind, item, f"{where}[{number}]")
    elif not any(_is(kind, value) for kind in shape.split(" or ")):
        yield f"{here} is {value!r}, not {shape}"


def _is(kind: str, value: object) -> bool:
    match kind:
        case "text":
            return isinstance(value, str)
        case "int":
            return type(value) is int
        case "bool":
            return isinstance(value, bool)
        case "decimal":
            return isinstance(value, str) and DECIMAL.fullmatch(value) is not None
        case _:
            return value is None

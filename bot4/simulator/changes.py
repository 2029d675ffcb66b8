"""The fault ``api_change``: from now on a venue says something that no client has a word for.

Its ``what`` is ``schema`` (public books: another binary schema), ``type`` (public books: numbers
where texts were) or ``enum`` (private orders: a status nobody knows).
"""

from __future__ import annotations

import struct
from typing import Any, Final

from bot4.simulator.faults import FaultMenu

NEW_SCHEMA: Final = 2
NEW_STATUS: Final = "PARKED"
_SCHEMA_AT: Final = 4
"""Bytes of an SBE header before its schema."""


def changes(faults: FaultMenu, venue: str, what: str, **occasion: Any) -> bool:
    """Whether this message is one of the changed ones."""
    fault = faults.take(
        venue, "api_change", where=lambda args: args.get("what") == what, **occasion
    )
    return fault is not None


def other_schema(frame: bytes) -> bytes:
    """Return a binary frame as of another schema."""
    return frame[:_SCHEMA_AT] + struct.pack("<H", NEW_SCHEMA) + frame[_SCHEMA_AT + 2 :]


def other_types(value: Any) -> Any:
    """Return a JSON value whose decimal texts became numbers."""
    if isinstance(value, dict):
        return {name: other_types(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [other_types(inner) for inner in value]
    return float(value) if isinstance(value, str) and value[:1].isdigit() else value


def other_status(body: Any) -> Any:
    """Return a private event whose order has a status that is new."""
    if isinstance(body, dict) and "status" in body:
        return {**body, "status": NEW_STATUS}
    if isinstance(body, dict):
        return {name: other_status(inner) for name, inner in body.items()}
    return body

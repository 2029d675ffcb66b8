"""See the package."""

from __future__ import annotations


def find_account(*_: object, **__: object) -> None:
    """There is no hardware wallet here."""
    raise NotImplementedError

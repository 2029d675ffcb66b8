"""See the package."""

from __future__ import annotations


def init_dongle(*_: object, **__: object) -> None:
    """There is no hardware wallet here."""
    raise NotImplementedError

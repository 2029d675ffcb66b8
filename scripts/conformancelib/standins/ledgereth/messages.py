"""See the package."""

from __future__ import annotations


def sign_typed_data_draft(*_: object, **__: object) -> None:
    """There is no hardware wallet here."""
    raise NotImplementedError

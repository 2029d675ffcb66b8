"""A value that cannot be printed, compared, pickled or logged by accident."""

from __future__ import annotations

from typing import Any, NoReturn, final

MASK = "<secret>"


@final
class Secret:
    """Holds one secret text; only ``reveal`` gives it back.

    Raises:
        TypeError: on any attempt to compare, hash, copy or pickle it.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the secret itself. Called where it is signed or sent, nowhere else."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        msg = "secrets are not compared"
        raise TypeError(msg)

    __hash__ = None  # type: ignore[assignment]

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        msg = "secrets are not copied or pickled"
        raise TypeError(msg)

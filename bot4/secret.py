"""A value that cannot be printed, compared, pickled or logged by accident."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, final

MASK = "<secret>"

_masks: list[Callable[[str], str]] = []


def mask(text: str) -> str:
    """Return a text of somebody else's without the secrets that this process knows by now.

    For where such a text enters: from there it goes into the journal, its copy and on the screen.
    """
    for take_out in _masks:
        text = take_out(text)
    return text


def mask_with(take_out: Callable[[str], str]) -> None:
    """Let ``mask`` use this from now on: whoever learns the secrets knows how to find them."""
    _masks.append(take_out)


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

"""Which version of the binary schema the sockets ask for, and what comes after a refused one.

What production serves is not known: the documents serve 0 and 1, clients ask for 2 and 3, and what
is not served is answered with HTTP 400. Source: Paradex docs, Binary Encoding, seen 2026-09.
"""

from __future__ import annotations

from bot4.config.schema import ParadexConfig


class Encoding:
    """Shared by all sockets of a venue: what one of them was refused, none asks for again soon.

    From the configured version down to 0, then JSON, then from the top again: a refusal that was
    something else must not cost the feed for good.
    """

    def __init__(self, config: ParadexConfig) -> None:
        versions: tuple[int | None, ...] = tuple(range(config.sbe_version, -1, -1))
        sbe = config.book_encoding == "sbe"
        self._ways = (*versions, None) if sbe else (None, *versions)
        self._at = 0

    @property
    def version(self) -> int | None:
        """The version to ask for next; None is JSON."""
        return self._ways[self._at]

    @property
    def words(self) -> str:
        """The same as a person reads it."""
        return words_of(self.version)

    def step(self, refused: int | None) -> None:
        """Go to the next way, unless another socket did so since this one was asked for."""
        if refused == self.version:
            self._at = (self._at + 1) % len(self._ways)


def words_of(version: int | None) -> str:
    """Return how a version is written."""
    return "json" if version is None else f"sbe 1:{version}"

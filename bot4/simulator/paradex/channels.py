"""Channel names of the Paradex WebSocket, read and judged.

Source: Paradex docs, WebSocket channels and Binary Encoding (SBE), and a live probe, 2026-10.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

import attrs

from bot4.simulator.paradex.refusal import invalid_channel

PRIVATE_FAMILIES: Final = frozenset(
    {
        "orders",
        "fills",
        "positions",
        "account",
        "balance_events",
        "funding_payments",
        "tradebusts",
        "transaction",
        "transfers",
    }
)
_BY_MARKET: Final = frozenset({"orders", "fills", "trades", "bbo", "funding_payments"})
_BARE: Final = frozenset(PRIVATE_FAMILIES - _BY_MARKET)
_OPTIONAL: Final = frozenset({"markets_summary", "funding_data", "markets"})
ALL: Final = "ALL"

_BOOK: Final = re.compile(
    r"order_book\.(?P<market>[^.@]+)\."
    r"(?P<style>deltas|snapshot|interactive|interactive_deltas)(?P<suffix>@.*)?"
)
_SUFFIX: Final = re.compile(r"@15@(50|100|200|400)ms(@[0-9_]+)?")


@attrs.frozen
class Channel:
    """One channel: its full name, what it carries and for which market ("ALL" for every one)."""

    name: str
    family: str
    market: str = ALL
    style: str = ""
    """Order books: "deltas" or "snapshot"."""
    scope: frozenset[str] | None = None
    """The markets of a scoped subscription; None is all of ``market``."""

    @property
    def is_private(self) -> bool:
        """Whether it needs a logged-in session."""
        return self.family in PRIVATE_FAMILIES

    def carries(self, market: str) -> bool:
        """Whether an event of this market goes out on it."""
        return self.market in (ALL, market) and (self.scope is None or market in self.scope)


def read_channel(name: object, markets: Container[str], *, binary: bool) -> Channel:
    """Read a channel name on a JSON or an SBE session.

    Raises:
        RpcRefused: there is no such channel, or not on this kind of session.
    """
    if not isinstance(name, str):
        raise invalid_channel("invalid channel")
    channel = _read_book(name, binary=binary) if name.startswith("order_book.") else _read(name)
    if channel.market != ALL and channel.market not in markets:
        raise invalid_channel("invalid channel")
    return channel


def _read_book(name: str, *, binary: bool) -> Channel:
    match = _BOOK.fullmatch(name)
    if match is None:
        raise invalid_channel("invalid channel")
    style, suffix = match["style"], match["suffix"] or ""
    if style.endswith("deltas") and binary and suffix:
        raise invalid_channel(f"no parameters expected for {style} topic.")
    needs_suffix = not style.endswith("deltas")
    if (needs_suffix or suffix) and not _SUFFIX.fullmatch(suffix):
        raise invalid_channel("invalid channel parameters")
    kind = "deltas" if style.endswith("deltas") else "snapshot"
    return Channel(name, "order_book", match["market"], kind)


def _read(name: str) -> Channel:
    family, _, rest = name.partition(".")
    market = rest.removesuffix(".interactive") if family == "bbo" else rest
    if family in _BARE and not rest:
        return Channel(name, family)
    if family in _BY_MARKET and market:
        return Channel(name, family, market)
    if family in _OPTIONAL:
        return Channel(name, family, market or ALL)
    raise invalid_channel("invalid channel")

"""One finished trade as it is told, and what many come to. USDC, decimals throughout."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import attrs

from bot4.domain.units import plain

ZERO: Final = Decimal(0)
COUNTS: Final = ("attempts", "closed", "won", "missed")
_OLD: Final = {"attempts": "trades"}
"""Names of counts in archives written before there was ``missed``."""
MONEY: Final = ("gross", "fees", "funding", "net")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@attrs.frozen
class Account:
    """A trade that is over."""

    trade_id: str
    pair: str
    long: str
    short: str
    outcome: str
    """``closed``: it was hedged once; ``unwound``: taken back; ``missed``: nothing filled."""
    closed_ms: int
    size: Decimal
    target_percent: Decimal | None
    detected_percent: Decimal | None
    entry_percent: Decimal | None
    exit_percent: Decimal | None
    entry_slippage_bps: Decimal | None
    """Detected less earned: positive is worse."""
    exit_slippage_bps: Decimal | None
    gross: Decimal
    fees: Decimal
    funding: Decimal | None
    """None where it was not measured."""
    net: Decimal
    mended: bool
    naked_usd_s: Decimal
    naked_s: Decimal
    latency_ms: Mapping[str, Any]

    @property
    def closed_at(self) -> datetime:
        """When it was over, UTC."""
        return moment(self.closed_ms)

    @property
    def day(self) -> str:
        """The day it was over, UTC."""
        return self.closed_at.date().isoformat()

    @property
    def direction(self) -> str:
        """Where it bought and where it sold."""
        return direction(self.long, self.short)


def account_of(trade_id: str, body: Mapping[str, Any]) -> Account:
    """Read the account that the journal keeps of a trade.

    Raises:
        ValueError: it is not one.
    """
    try:
        return Account(
            trade_id=trade_id,
            pair=str(body["pair"]),
            long=str(body["long"]),
            short=str(body["short"]),
            outcome=str(body["outcome"]),
            closed_ms=int(body["closed_ms"]),
            size=Decimal(body["size"]),
            target_percent=_percent(body, "target_percent"),
            detected_percent=_percent(body, "detected_spread_percent"),
            entry_percent=_percent(body, "entry_spread_percent"),
            exit_percent=_percent(body, "exit_spread_percent"),
            entry_slippage_bps=_number(body, "entry_slippage_bps"),
            exit_slippage_bps=_number(body, "exit_slippage_bps"),
            gross=Decimal(body["gross_usdc"]),
            fees=Decimal(body["fees_usdc"]),
            funding=_number(body, "funding_usdc"),
            net=Decimal(body["net_usdc"]),
            mended=bool(body.get("mended", False)),
            naked_usd_s=_number(body, "naked_usd_s") or ZERO,
            naked_s=_number(body, "naked_s") or ZERO,
            latency_ms=dict(body.get("latency_ms", {})),
        )
    except (KeyError, TypeError, ArithmeticError, ValueError) as fault:
        raise ValueError(f"trade {trade_id} has no readable account: {fault!r}") from None


@attrs.frozen
class Totals:
    """Many trades added up."""

    name: str
    attempts: int = 0
    closed: int = 0
    """Those that were hedged once."""
    won: int = 0
    """Those that earned something."""
    missed: int = 0
    """Those of which nothing filled."""
    gross: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    net: Decimal = ZERO

    @property
    def trades(self) -> int:
        """Attempts of which something filled: closed, or taken back."""
        return self.attempts - self.missed

    def plus(self, other: Totals) -> Totals:
        """Add other totals; the name stays."""
        return Totals(
            self.name,
            self.attempts + other.attempts,
            self.closed + other.closed,
            self.won + other.won,
            self.missed + other.missed,
            self.gross + other.gross,
            self.fees + other.fees,
            self.funding + other.funding,
            self.net + other.net,
        )


def read_totals(texts: Mapping[str, Any]) -> Totals:
    """Read totals as the archive keeps them."""
    gross, fees, funding, net = (Decimal(texts[name]) for name in MONEY)
    counts = {name: int(texts.get(name, texts.get(_OLD.get(name, ""), 0))) for name in COUNTS}
    return Totals("", **counts, gross=gross, fees=fees, funding=funding, net=net)


def write_totals(totals: Totals) -> dict[str, str]:
    """Write totals as plain texts."""
    money = {name: plain(getattr(totals, name)) for name in MONEY}
    return {**{name: str(getattr(totals, name)) for name in COUNTS}, **money}


GROUPS: Final[Mapping[str, Callable[[Day], str]]] = {
    "day": lambda day: day.day,
    "pair": lambda day: day.pair,
    "direction": lambda day: direction(day.long, day.short),
}
"""What ``bot4 pnl --by`` may name."""


@attrs.frozen
class Day:
    """What one pair earned on one day in one direction."""

    day: str
    pair: str
    long: str
    short: str
    totals: Totals


def day_of(trade_id: str, body: Mapping[str, Any]) -> Day:
    """Return what one trade adds to its day, without reading the rest of its account.

    Raises:
        ValueError: it is none.
    """
    try:
        net, outcome = Decimal(body["net_usdc"]), str(body["outcome"])
        return Day(
            moment(int(body["closed_ms"])).date().isoformat(),
            str(body["pair"]),
            str(body["long"]),
            str(body["short"]),
            Totals(
                "",
                attempts=1,
                closed=int(outcome == "closed"),
                won=int(net > 0),
                missed=int(outcome == "missed"),
                gross=Decimal(body["gross_usdc"]),
                fees=Decimal(body["fees_usdc"]),
                funding=_number(body, "funding_usdc") or ZERO,
                net=net,
            ),
        )
    except (KeyError, TypeError, ArithmeticError, ValueError) as fault:
        raise ValueError(f"trade {trade_id} has no readable account: {fault!r}") from None


def merged(days: Iterable[Day]) -> list[Day]:
    """Add days up by day, pair and direction, in order."""
    found: dict[tuple[str, str, str, str], Totals] = {}
    for one in days:
        name = (one.day, one.pair, one.long, one.short)
        found[name] = found.get(name, Totals("")).plus(one.totals)
    return [Day(*name, totals) for name, totals in sorted(found.items(), key=lambda item: item[0])]


def add_up(days: Iterable[Day], by: str) -> list[Totals]:
    """Add days up by ``day``, ``pair`` or ``direction``; the last line is all of it."""
    name_of = GROUPS[by]
    groups: dict[str, Totals] = {}
    total = Totals("total")
    for day in days:
        name = name_of(day)
        groups[name] = groups.get(name, Totals(name)).plus(day.totals)
        total = total.plus(day.totals)
    return [*(groups[name] for name in sorted(groups)), total]


def direction(long: str, short: str) -> str:
    """Return where it bought and where it sold, as one word."""
    return f"{long}>{short}"


def moment(ms: int) -> datetime:
    """Return a time in ms since the epoch as a date, UTC."""
    return _EPOCH + timedelta(milliseconds=ms)


def _percent(body: Mapping[str, Any], name: str) -> Decimal | None:
    text = body.get(name)
    return None if text is None else Decimal(str(text).removesuffix("%"))


def _number(body: Mapping[str, Any], name: str) -> Decimal | None:
    text = body.get(name)
    return None if text is None else Decimal(str(text))

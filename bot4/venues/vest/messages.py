"""Vest's JSON: exact texts out; orders, positions, accounts, markets and errors in.

Source: Vest API docs (v2), seen 2025-11, and what public clients saw live, as noted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

import attrs

from bot4.domain.market import VEST, Market, MarketKey
from bot4.domain.position import Account, Position
from bot4.domain.units import floor_step
from bot4.errors import AddressRefused, AuthRefused, VenueRefused
from bot4.ports import Answer, Unread
from bot4.venues.blocking import WORDS, is_block_page
from bot4.venues.reading import (
    FAULTS,
    MAX_ANSWER_BYTES,
    NewToUs,
    Row,
    Unreadable,
    as_row,
    read_aside,
    read_flag,
    read_json,
    read_number,
    read_positive,
    read_text,
    read_whole,
    violation,
    words,
)
from bot4.venues.rows import as_list, read_rows
from bot4.venues.vest import rules

T = TypeVar("T")

_MOST_DECIMALS: Final = 18
_MOST_BOOK_DECIMALS: Final = 8
_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)


@attrs.frozen
class Fault:
    """An answer that is an error. ``code`` is None when it names none that we can read."""

    code: int | None
    why: str


def exact_text(number: Decimal, decimals: int) -> str:
    """Write a number with exactly so many decimals, as Vest's 1111 BAD_DECIMALS demands.

    Raises:
        ValueError: it has more decimals than that; nothing is ever rounded here.
    """
    if not number.is_finite() or number != floor_step(number, Decimal(1).scaleb(-decimals)):
        raise ValueError(f"{number} has more than {decimals} decimals")
    return f"{number:.{decimals}f}"


def read_fault(answer: Answer) -> Fault | None:
    """Read an answer as an error; None when it is not one.

    Errors come as {code, msg}, as the same under ``detail``, as ``detail`` alone (a text or a
    list), as a page of HTML, and some with HTTP 200. Source: the docs and two TypeScript clients.
    """
    try:
        body = read_json(answer.body, MAX_ANSWER_BYTES)
    except FAULTS:
        body = None
    row = body if isinstance(body, dict) else {}
    detail = row.get("detail")
    row = detail if isinstance(detail, dict) else row
    code = row.get("code")
    # An order's own "code" field sits inside an array, so a top-level one is an error's.
    known = code if type(code) is int and "id" not in row else None
    if 200 <= answer.status < 300 and known is None:
        return None
    said = words(row.get("msg")) or words(detail) or _complaints(detail)
    name = rules.reason(known) if known is not None else f"HTTP {answer.status}"
    return Fault(known, f"{name}: {said}" if said else name)


def _complaints(detail: object) -> str:
    """Return what the web framework found wrong with a request: "query time: Field required"."""
    rows = [row for row in detail if isinstance(row, dict)] if isinstance(detail, list) else []
    said = []
    for row in rows:
        place = row.get("loc")
        where = " ".join(str(part) for part in place) if isinstance(place, list) else ""
        said.append(": ".join(filter(None, (words(where), words(row.get("msg"))))))
    return words("; ".join(filter(None, said)))


def read_answer(answer: Answer, what: str, read: Callable[[Any], T]) -> T:
    """Read the answer to a question.

    Raises:
        AddressRefused: it comes from in front of the venue.
        AuthRefused: our API key is not valid (any more).
        VenueRefused: it is another error of the venue's.
        ProtocolViolation: it is none and cannot be read either.
    """
    fault = read_fault(answer)
    if fault is not None:
        if is_block_page(answer):
            raise AddressRefused(VEST, f"{what}: {WORDS}: {fault.why}", status=answer.status)
        if rules.is_signed_out(answer, fault.code):
            raise AuthRefused(VEST, f"{what}: {fault.why}")
        code = "" if fault.code is None else str(fault.code)
        raise VenueRefused(VEST, f"{what}: {fault.why}", code=code, status=answer.status)
    try:
        return read(read_json(answer.body, MAX_ANSWER_BYTES))
    except FAULTS as error:
        raise violation(VEST, what, error) from None


def read_http_date(text: str) -> int:
    """Read an HTTP date as ms since the epoch: ``Sun, 06 Nov 1994 08:49:37 GMT``.

    Raises:
        Unreadable: it is not one.
    """
    try:
        _, day, month, year, clock = text.removesuffix(" GMT").split()
        hour, minute, second = clock.split(":")
        when = (year, _MONTHS.index(month) + 1, day, hour, minute, second)
        moment = datetime(*(int(part) for part in when), tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError:
        raise Unreadable("no Date in the answer") from None
    return int(moment.timestamp()) * 1000


def read_market(row: Row) -> tuple[Market, int, int]:
    """Read one symbol of ``/exchangeInfo``: the market, its size and its price decimals.

    Minimum size and size step are one unit of the last decimal; there is no minimum notional.

    Raises:
        Unreadable: it is no market.
    """
    symbol = read_text(row, "symbol")
    size_decimals = read_whole(row, "sizeDecimals")
    price_decimals = read_whole(row, "priceDecimals")
    for decimals in (size_decimals, price_decimals):
        if not 0 <= decimals <= _MOST_DECIMALS:
            raise Unreadable("decimals out of range")
    margin = read_positive(row, "initMarginRatio")
    lot = Decimal(1).scaleb(-size_decimals)
    status = read_text(row, "tradingStatus", "TRADING")  # absent in the docs, seen live
    market = Market(
        key=MarketKey(VEST, symbol),
        # Of shares and currencies it names the quote as well: AAPL-USD. Seen live, 2026.
        base=read_text(row, "base").partition("-")[0],
        tick=Decimal(1).scaleb(-price_decimals),
        lot=lot,
        min_size=lot,
        min_notional=Decimal(0),
        taker_fee=read_number(row, "takerFee"),
        max_leverage=max(floor_step(1 / margin, Decimal(1)), Decimal(1)),
        trading=status == "TRADING" and max(size_decimals, price_decimals) <= _MOST_BOOK_DECIMALS,
        quote=read_text(row, "quote", ""),
    )
    return market, size_decimals, price_decimals


def read_markets(value: object) -> tuple[Sequence[Market], dict[str, tuple[int, int]]]:
    """Read ``/exchangeInfo``: the markets, and by symbol the decimals of sizes and of prices.

    Raises:
        Unreadable: it is no list of symbols, or of none that is readable.
    """
    known: list[Market] = []
    decimals: dict[str, tuple[int, int]] = {}
    rows = as_list(as_row(value).get("symbols"))
    for row in rows:
        try:
            market, of_sizes, of_prices = read_market(as_row(row))
        except Unreadable:
            continue
        decimals[market.key.symbol] = (of_sizes, of_prices)
        known.append(market)
    if rows and not known:
        raise NewToUs("no symbol is readable")
    return tuple(known), decimals


def read_account(value: object, ours: str = "") -> Account:
    """Read ``/account``. Free collateral is what could be withdrawn now.

    ``ours`` is the address that it should be of, "" for any: under a wrong account group it was
    another's. Source: one client, 2026.

    Raises:
        Unreadable: it is no account.
    """
    row = as_row(value)
    address = words(row.get("address"))
    told = read_rows(VEST, "leverage", as_list(row.get("leverages") or []), _leverage)
    return Account(
        venue=VEST,
        equity=read_number(row, "totalAccountValue"),
        free_collateral=read_number(row, "withdrawable"),
        maintenance_margin=read_number(row, "totalMaintMargin"),
        leverages=tuple(one for one in told if not isinstance(one, Unread)),
        venue_time_ms=read_whole(row, "time", 0) or None,
        stranger=address if ours and address and address.lower() != ours.lower() else "",
    )


def _leverage(row: Row) -> tuple[str, int]:
    return read_text(row, "symbol"), read_whole(row, "value")


def read_balances(value: object) -> tuple[tuple[str, Decimal], ...]:
    """Read the balances of ``/account``: (asset, total); what cannot be read of it is left out.

    Raises:
        Unreadable: they are none.
    """

    def read(row: Row) -> tuple[str, Decimal]:
        return read_text(row, "asset"), read_number(row, "total")

    found = read_rows(VEST, "balance", as_list(as_row(value).get("balances")), read)
    return tuple(one for one in found if not isinstance(one, Unread))


def read_positions(value: object) -> Sequence[Position | Unread]:
    """Read the positions of ``/account``, row by row; flat ones are left out.

    Raises:
        Unreadable: they are not positions.
    """
    return read_rows(VEST, "position", as_list(as_row(value).get("positions")), _position)


def _position(row: Row) -> Position | None:
    if read_number(row, "size") == 0:
        return None
    size = read_positive(row, "size")  # unsigned; the side is isLong
    held = size if read_flag(row, "isLong") else -size
    entry, mark = read_aside(row, "entryPrice"), read_aside(row, "markPrice")
    pnl = read_aside(row, "unrealizedPnl")  # with the funding that is not settled
    funding = None
    if entry is not None and mark is not None and pnl is not None:
        funding = pnl - held * (mark - entry)
    return Position(
        key=MarketKey(VEST, read_text(row, "symbol")),
        size=held,
        entry_price=entry,
        liquidation_price=read_aside(row, "liqPrice") or None,
        funding=funding,
    )

"""What an open trade is worth at the books as last seen: from its own fills, fees included."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from bot4.domain.book import Book
from bot4.domain.fill import Fill
from bot4.domain.market import PARADEX, MarketKey
from bot4.domain.order import Side
from bot4.domain.quote import QuoteRate
from bot4.domain.units import from_e8, to_e8
from bot4.strategy.depth import take_shown

_ZERO = Decimal(0)

Fee = Callable[[MarketKey, Side, Decimal], Decimal]
"""A taker's rate on a market, for a side and a notional in USDC; a ratio."""


def middle(book: Book) -> Decimal:
    """Return the price halfway between bid and ask, in the venue's currency."""
    return from_e8(book.bid + book.ask) / 2


def close_price(book: Book, held: Decimal) -> Decimal:
    """Return the average price of closing a position, in the venue's currency.

    What the book does not show is priced as the worst that it shows.

    Args:
        book: of the position's market.
        held: signed base units, not 0.
    """
    size = to_e8(abs(held))
    taken = take_shown(book.bids if held > 0 else book.asks, size)
    beyond = size - taken.size
    return (taken.average * taken.size + from_e8(taken.marginal) * beyond) / size


def if_closed(
    opening: Iterable[Fill],
    closing: Iterable[Fill],
    held: Mapping[MarketKey, Decimal],
    books: Mapping[MarketKey, Book],
    fee: Fee,
    entry_rate: Decimal,
    rate: QuoteRate,
) -> Decimal:
    """Return what a trade would have earned if all that is left of it was closed now, USDC.

    Every fee is in it, those of closing too; funding is not.

    Args:
        opening: fills that opened.
        closing: fills that closed part of it.
        held: signed base units by market; books has each that is not 0.
        books: as last seen.
        fee: of closing.
        entry_rate: USD per USDC when it was opened.
        rate: now.
    """
    total = _ZERO
    for fills, usd in ((opening, entry_rate), (closing, rate.rate)):
        for fill in fills:
            price = fill.price / usd if fill.venue == PARADEX else fill.price
            total -= fill.signed * price + (fill.fee or _ZERO)
    for key, size in held.items():
        if size:
            price = rate.price_in_usdc(key.venue, close_price(books[key], size))
            side = Side.SELL if size > 0 else Side.BUY
            notional = abs(size) * price
            total += size * price - notional * fee(key, side, notional)
    return total


def exit_spread(
    long: MarketKey,
    short: MarketKey,
    held: Mapping[MarketKey, Decimal],
    books: Mapping[MarketKey, Book],
    rate: QuoteRate,
) -> Decimal | None:
    """Return what closing both legs now earns, gross, a ratio; None unless both are held."""
    if held[long] <= 0 or held[short] >= 0:
        return None
    sell, buy = (
        rate.price_in_usdc(key.venue, close_price(books[key], held[key])) for key in (long, short)
    )
    return sell / buy - 1

"""The figures of what is held: size without a hedge, value, result if closed now, liquidation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

import attrs
import structlog
import trio

from bot4.domain.book import Book
from bot4.domain.market import VEST, MarketKey
from bot4.domain.order import Side
from bot4.domain.quote import QuoteRate
from bot4.domain.units import percent, plain
from bot4.invocation import command
from bot4.strategy.margin import distance
from bot4.strategy.saga import Trade
from bot4.strategy.valuation import exit_spread, if_closed, middle
from bot4.tasks.accounts import Accounts
from bot4.tasks.books import Books
from bot4.tasks.fills import collect
from bot4.tasks.judge import Judge

log = structlog.get_logger()

CENT: Final = Decimal("0.01")
FINE: Final = Decimal("0.0001")
_ZERO: Final = Decimal(0)
OLD_S: Final = 3.0
"""Prices older than this are called old."""


@attrs.frozen
class Figures:
    """One open trade in numbers; None is "not known"."""

    trade: Trade
    held: dict[MarketKey, Decimal]
    """Signed base units by market."""
    unhedged: Decimal | None
    """Signed base units; not known while an order is in doubt."""
    value: Decimal | None
    """Of the larger leg, USDC."""
    if_closed: Decimal | None
    """What the trade would have earned, every fee and the funding told so far included, USDC."""
    exit_spread: Decimal | None
    target: Decimal | None
    funding: Decimal | None
    """Not settled yet, as far as the venues tell, USDC; received is positive."""
    nearest: tuple[str, Decimal] | None
    """The venue whose leg is nearest to its liquidation, and how far, a ratio of the price."""
    prices_age_s: float | None
    """Of the older of the two books."""


@attrs.frozen
class Sight:
    """What figures are made of."""

    books: Books
    accounts: Accounts
    rate: QuoteRate
    judges: Mapping[str, Judge]
    """By pair; a trade of another one has no exit target, and Vest's premium is left out."""
    taker_fee: Callable[[MarketKey], Decimal | None]
    """None while a venue has not told it."""

    def of(self, trade: Trade) -> Figures:
        """Return a trade's figures of now. Plain, quick."""
        keys = (trade.plan.long, trade.plan.short)
        held = {key: trade.position(key.venue) for key in keys}
        books = {key: book for key in keys if (book := self.books.last(key)) is not None}
        funding = self.accounts.funding(keys)
        value = closed = spread = None
        judge = self.judges.get(trade.plan.pair)
        if all(key in books or not size for key, size in held.items()):
            worth = [
                abs(size) * self.rate.price_in_usdc(key.venue, middle(books[key]))
                for key, size in held.items()
                if size
            ]
            value = max(worth, default=_ZERO)
            closed = self._if_closed(trade, held, books, funding or _ZERO)
            spread = exit_spread(*keys, held, books, self.rate)
        times = [books[key].received_at for key, size in held.items() if size and key in books]
        return Figures(
            trade=trade,
            held=held,
            unhedged=None if trade.open_legs() else trade.net,
            value=value,
            if_closed=closed,
            exit_spread=spread,
            target=None if judge is None else judge.exit_target(trade),
            funding=funding,
            nearest=self._nearest(keys),
            prices_age_s=trio.current_time() - min(times) if times else None,
        )

    def _if_closed(
        self,
        trade: Trade,
        held: Mapping[MarketKey, Decimal],
        books: Mapping[MarketKey, Book],
        funding: Decimal,
    ) -> Decimal | None:
        rates = {key.venue: self.taker_fee(key) for key in held}
        known = {venue: rate for venue, rate in rates.items() if rate is not None}
        if len(known) < len(rates) or trade.open_legs():
            return None
        told = collect(trade, lambda venue: known[venue])
        if told.unknown:
            return None
        judge = self.judges.get(trade.plan.pair)

        def fee(key: MarketKey, side: Side, notional: Decimal) -> Decimal:
            if judge is None or key.venue != VEST:
                return known[key.venue]
            return known[key.venue] + judge.premium.ratio(side, notional, closing=True)

        entry_rate = trade.plan.quote_rate
        fills = told.opening, told.fills
        return if_closed(*fills, held, books, fee, entry_rate, self.rate) + funding

    def _nearest(self, keys: tuple[MarketKey, ...]) -> tuple[str, Decimal] | None:
        found = []
        for key in keys:
            reading, book = self.accounts.get(key.venue), self.books.last(key)
            if reading is None or book is None:
                continue
            for one in reading.positions:
                far = distance(one, middle(book)) if one.key == key else None
                if far is not None:
                    found.append((key.venue, far))
        return min(found, key=lambda one: one[1], default=None)


def row_of(one: Figures) -> dict[str, Any]:
    """Return a trade with its figures, by name: decimals are texts, None is "not known"."""
    return {
        **trade_row(one.trade),
        "opened_ms": one.trade.plan.decided_ms,
        "unhedged": _text(one.unhedged),
        "value_usdc": _text(one.value, CENT),
        "if_closed_usdc": _text(one.if_closed, CENT),
        "exit_spread_percent": _percent(one.exit_spread),
        "exit_target_percent": _percent(one.target),
        "funding_usdc": _text(one.funding, FINE),
        "liquidation_venue": None if one.nearest is None else one.nearest[0],
        "liquidation_percent": None if one.nearest is None else _percent(one.nearest[1]),
        "prices_age_s": None if one.prices_age_s is None else round(one.prices_age_s, 1),
    }


def trade_row(trade: Trade) -> dict[str, Any]:
    """Return one unfinished trade."""
    return {
        "trade_id": trade.plan.trade_id,
        "pair": trade.plan.pair,
        "state": trade.state.value,
        "held": {venue: plain(trade.position(venue)) for venue in trade.venues},
        "in_doubt": [leg.order.client_order_id for leg in trade.open_legs()],
    }


def say_left_open(one: Figures) -> None:
    """Log that a pair stays open at the venues: its size, worth and risk, and that nobody watches.

    The last line of a run that ends with a pair on.
    """
    plan = one.trade.plan
    size = max(abs(held) for held in one.held.values())
    words = [f"{plain(size)} long on {plan.long.venue}, short on {plan.short.venue}"]
    old = one.prices_age_s is not None and one.prices_age_s > OLD_S
    by = f" by the last prices, {one.prices_age_s:.0f} s old" if old else ""
    if one.value is None:
        words.append("value not known: no prices were seen")
    else:
        words.append(f"worth {one.value.quantize(CENT)} USDC a leg")
    if one.if_closed is None:
        words.append("the result if closed now is not known")
    else:
        words.append(f"closed now{by} it would have earned {one.if_closed.quantize(CENT):+z} USDC")
    if one.nearest is None:
        words.append("the distance to liquidation is not known")
    else:
        words.append(f"{one.nearest[0]} is {percent(one.nearest[1], 1)} from its liquidation")
    log.warning(
        "shutdown.held",
        message=f"[SHUTDOWN] {plan.pair} is STILL OPEN: {', '.join(words)}; "
        "nothing watches it until the next start",
        **row_of(one),
        why="on_stop: hold keeps a hedged pair, and the bot that would close it has ended",
        do=f"start the bot again, or close it: {command('flatten')}",
    )


def _text(number: Decimal | None, step: Decimal | None = None) -> str | None:
    if number is None:
        return None
    return plain(number if step is None else number.quantize(step))


def _percent(ratio: Decimal | None) -> str | None:
    return None if ratio is None else plain(round(ratio * 100, 4))

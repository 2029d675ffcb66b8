"""Whether a venue takes orders at all, and whether its markets still are what we think."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Final

import attrs
import structlog
import trio

from bot4.domain.market import Market
from bot4.domain.units import percent, plain
from bot4.tasks.gate import Gate
from bot4.tasks.gateway import Gateway

log = structlog.get_logger()

STATE_EVERY_S: Final = 10.0
MARKETS_EVERY_S: Final = 3600.0
AGAIN_S: Final = 10.0
"""While a market of ours is closed or odd, the markets are read this often."""
FRESH_S: Final = 1.0
"""How old an answer may be that lets a leg of a hedged pair be closed. Source: ours."""
STEPS: Final = ("tick", "lot", "min_size", "min_notional")
"""What a pair is built on: a change of these needs a new start."""
LIMITS: Final = ("max_order", "max_position", "max_open_orders")
"""What sizes keep to; they may change under a running bot, as fees may."""


@attrs.define
class Upkeep:
    """Asks what is due and tells the gate; ``markets`` is kept up to date where it may be.

    Fees change under a running bot; steps do not: orders of a trade that is open were cut to the
    old ones.
    """

    gateway: Gateway
    gate: Gate
    markets: MutableMapping[str, Market]
    """By symbol: those we trade, as first read."""
    unlisted: set[str] = attrs.field(factory=set)
    """Those that the venue does not list now."""
    markets_at: float = attrs.field(factory=trio.current_time)
    """Trio time when they were read last."""
    back: bool = False
    """Whether one of them is listed again since somebody looked."""
    _state_at: float = float("-inf")
    _odd: set[str] = attrs.field(factory=set)

    async def run_due(self) -> None:
        """Ask for the system's state and for the markets, where it is time.

        Raises:
            As ``Gateway.ask``; it is due again then.

        Cancellation: waits for the question under way.
        """
        now = trio.current_time()
        self.gateway.refused_markets.expire()
        self.gateway.refused_sizes.expire()
        if now - self._state_at >= STATE_EVERY_S:
            self._judge_state(await self.gateway.state())
            self._state_at = now
        every_s = AGAIN_S if self._odd else MARKETS_EVERY_S
        if self.gateway.refused_sizes.unread or now - self.markets_at >= every_s:
            await self._read_markets(now)

    async def look_now(self) -> None:
        """Ask what may have changed since a moment ago, before a leg is closed by choice.

        Raises:
            As ``Gateway.ask``.

        Cancellation: waits for the question under way.
        """
        now = trio.current_time()
        self.gateway.refused_markets.expire()
        if now - self._state_at >= FRESH_S:
            self._judge_state(await self.gateway.state())
            self._state_at = now
        tells = self.gateway.codec.tells_halts and now - self.markets_at >= FRESH_S
        if tells or self.gateway.refused_sizes.unread:
            await self._read_markets(now)

    async def _read_markets(self, now: float) -> None:
        listed = {market.key.symbol: market for market in await self.gateway.markets()}
        self.markets_at = now
        for symbol in self.markets:
            self.compare(symbol, listed.get(symbol))

    def _judge_state(self, why: str) -> None:
        venue = self.gateway.venue
        words = why and f"{venue}: {why}"
        self.gate.judge(f"{venue} state", words, "wait: it is asked again", on=venue, shut=True)

    def miss(self, symbol: str) -> None:
        """The venue does not list it at the start: it is looked for again and again."""
        self.unlisted.add(symbol)
        self._odd.add(symbol)

    def compare(self, symbol: str, read: Market | None) -> None:
        """Take what the venue says of one market now; None is that it no longer lists it."""
        known, name = self.markets[symbol], f"{self.gateway.venue} {symbol}"
        away = changes = ""
        self.back = self.back or (read is not None and symbol in self.unlisted)
        (self.unlisted.add if read is None else self.unlisted.discard)(symbol)
        if read is not None and not known.listed:
            known = self.markets[symbol] = read  # nothing was built on its steps yet
        if read is None:
            away = f"{name} is no longer listed"
        elif not read.trading:
            away = f"{name} is not trading"
        wait = "wait, or remove the pair from bot4.yaml"
        self.gate.judge(name, away, wait, on=known.key, shut=True)
        if read is not None:
            changed = [step for step in STEPS if getattr(known, step) != getattr(read, step)]
            if changed:
                steps = ", ".join(
                    f"{step} {plain(getattr(known, step))} to {plain(getattr(read, step))}"
                    for step in changed
                )
                changes = f"{symbol} changed its steps: {steps}"
            again = "start the bot again: it reads the new ones"
            self.gate.judge(f"{name} steps", changes, again, on=known.key)
            self._take_rates(known, read)
        (self._odd.add if away or changes else self._odd.discard)(symbol)

    def _take_rates(self, known: Market, read: Market) -> None:
        if known.taker_fee != read.taker_fee:
            was, now = percent(known.taker_fee, 4), percent(read.taker_fee, 4)
            log.warning(
                "market.changed",
                message=f"[VENUE] {known.key}: the taker fee is {now} now, was {was}",
                venue=known.key.venue,
                market=known.key.symbol,
                taker_fee=now,
                was=was,
                why="the venue changed its fees, or our fee tier",
                do="look whether spread_entry still pays",
            )
        changed = any(getattr(known, limit) != getattr(read, limit) for limit in LIMITS)
        self.gateway.refused_sizes.read(known.key.symbol, changed=changed)
        self.markets[known.key.symbol] = attrs.evolve(
            known,
            **{limit: getattr(read, limit) for limit in LIMITS},
            taker_fee=read.taker_fee,
            max_leverage=read.max_leverage,
            price_band=read.price_band,
            trading=read.trading,
        )

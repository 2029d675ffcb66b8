"""Times and exposure of one trade: where its milliseconds went. Trio time throughout."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import attrs

from bot4.domain.order import Order, Side
from bot4.strategy.saga import Trade


@attrs.define
class OrderTimes:
    """One order's way out and back."""

    intended_at: float
    first_byte_at: float | None = None
    last_byte_at: float | None = None
    answered_at: float | None = None
    filled_at: float | None = None


@attrs.define
class Stopwatch:
    """Kept beside a trade while it lives; a restart begins a new one."""

    detected_at: float | None = None
    """When the frame that made the decision arrived."""
    decided_at: float | None = None
    signed_at: float | None = None
    durable_at: float | None = None
    orders: dict[str, OrderTimes] = attrs.field(factory=dict)
    exposure: list[tuple[float, Decimal]] = attrs.field(factory=list)
    """(time, net signed base) at each change."""
    _backdated: set[str] = attrs.field(factory=set, init=False)
    seen: dict[str, Decimal] = attrs.field(factory=dict)
    """By client order id: the average price that the book promised when it was decided."""

    def order(self, client_order_id: str, now: float) -> OrderTimes:
        """The order's times, begun now when new."""
        return self.orders.setdefault(client_order_id, OrderTimes(now))

    def promised(self, orders: Iterable[Order], *, buy: Decimal, sell: Decimal) -> None:
        """Note what the books promised for two planned orders."""
        for order in orders:
            self.seen[order.client_order_id] = buy if order.side is Side.BUY else sell

    def exposed(self, trade: Trade, now: float) -> None:
        """Note the trade's net exposure when it changed; what cannot be traded away is none."""
        net = trade.net if abs(trade.net) >= trade.plan.dust else Decimal(0)
        if not self.exposure or self.exposure[-1][1] != net:
            self.exposure.append((now, net))

    def backdate(self, fill_id: str, at: float) -> None:
        """Let the exposure that a fill caused begin when it did, not when we heard of it."""
        if fill_id in self._backdated:
            return
        self._backdated.add(fill_id)
        before = float("-inf")
        for place, (since, net) in enumerate(self.exposure):
            if since > at and net and (place == 0 or not self.exposure[place - 1][1]):
                self.exposure[place] = (max(at, before), net)
                return
            before = since

    @property
    def any_left(self) -> bool:
        """Whether an order was on its way to a venue: one that stayed here cost nothing."""
        return any(times.first_byte_at is not None for times in self.orders.values())

    @property
    def naked_since(self) -> float | None:
        """When the exposure that lasts now began; None when there is none."""
        since = None
        for at, net in reversed(self.exposure):
            if not net:
                break
            since = at
        return since

    def stages_ms(self) -> dict[str, float]:
        """Milliseconds by stage of the first two orders, for the log; absent when unknown."""
        first = list(self.orders.values())[:2]
        begun = _last([times.first_byte_at for times in first])
        sent = _last([times.last_byte_at for times in first])
        answered = _last([times.answered_at for times in first])
        filled = _last([times.filled_at for times in first])
        stages = {
            "decide_ms": _gap(self.detected_at, self.decided_at),
            "sign_ms": _gap(self.decided_at, self.signed_at),
            "journal_ms": _gap(self.signed_at, self.durable_at),
            "first_byte_ms": _gap(self.durable_at, begun),
            "send_ms": _gap(self.durable_at, sent),
            "answer_ms": _gap(sent, answered),
            "detected_to_sent_ms": _gap(self.detected_at, sent),
            "sent_to_filled_ms": _gap(sent, filled),
        }
        return {name: round(value, 2) for name, value in stages.items() if value is not None}

    def naked(self, price: Decimal, until: float) -> tuple[Decimal, float]:
        """Return the exposure as (USD seconds, seconds not neutral) up to a time."""
        total, seconds = Decimal(0), 0.0
        if not self.exposure:
            return total, seconds  # begun after a restart, and nothing changed since
        ends = [at for at, _ in self.exposure[1:]] + [until]
        for (at, net), end in zip(self.exposure, ends, strict=True):
            if net:
                total += abs(net) * price * Decimal(str(round(max(0.0, end - at), 6)))
                seconds += max(0.0, end - at)
        return total, seconds


def _gap(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else (end - start) * 1000


def _last(times: list[float | None]) -> float | None:
    known = [time for time in times if time is not None]
    return max(known) if known and len(known) == len(times) else None

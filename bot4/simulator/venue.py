"""What the two simulated venues have in common: one account, orders, landings, private events.

A face (Vest, Paradex) derives from ``SimVenue``, speaks the wire, and decides what an order does
when it lands. Everything here is plain functions but ``run`` and ``settle``: a face changes the
world between two awaits, so a request is either wholly done or not done.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, Final

import trio

from bot4.simulator.agenda import Agenda
from bot4.simulator.faults import Fault
from bot4.simulator.forced import close_by_hand, delist, liquidate_by_force
from bot4.simulator.history import History, Rate
from bot4.simulator.ledger import Ledger, SimFill
from bot4.simulator.links import Links
from bot4.simulator.marketview import MarketView
from bot4.simulator.orders import ZERO, Level, Side, SimOrder
from bot4.simulator.private import PrivateEvents
from bot4.simulator.setup import VenueSetup


class SimVenue(MarketView, ABC):
    """One venue. ``run`` must run while connections are served."""

    provides_fees: ClassVar[bool] = False
    """See ``Ledger``."""

    def __init__(self, setup: VenueSetup) -> None:
        super().__init__(setup)
        self.latency: Final = setup.latency
        self.orders: Final[dict[str, SimOrder]] = {}
        fees = self.provides_fees
        self.ledger: Final = Ledger(setup.markets, orders=self.orders, provides_fees=fees)
        self.agenda: Final = Agenda()
        self.links: Final = Links()
        self.histories: Final = {symbol: History() for symbol in setup.markets}
        events = PrivateEvents(setup.name, setup.faults, self.agenda)
        self.subscribe_private: Final = events.subscribe
        self.publish: Final = events.publish
        self._saved_fills = 0
        self._serial = 0
        self._told_at = 0.0
        self.faults.on_immediate(self.name, "cut", self._cut)
        self.faults.on_immediate(self.name, "manual_close", partial(close_by_hand, self))
        self.faults.on_immediate(self.name, "liquidate", partial(liquidate_by_force, self))
        self.faults.on_immediate(self.name, "delist", partial(delist, self))
        self.faults.on_immediate(self.name, "expire_token", self.expire_tokens)

    # What a face must give.

    @abstractmethod
    def credentials(self) -> dict[str, str]:
        """Return what a client needs, under the names of the announced JSON line."""

    @abstractmethod
    def land(self, order: SimOrder) -> None:
        """Let an accepted order meet the market: called once, when its landing is due."""

    @abstractmethod
    def rest(self, order: SimOrder) -> None:
        """Look again at an order that rests; called at every tick."""

    @abstractmethod
    def house_order(self, symbol: str, side: Side, size: Decimal, kind: str) -> None:
        """Execute an order of the venue itself or of a human hand, and tell the client.

        ``kind`` is one of ``forced.TAKEN_AS``, "SETTLE_MARKET" or "MANUAL". It fills whole at
        whatever price.
        """

    @property
    @abstractmethod
    def settles_delisted(self) -> bool:
        """Whether positions of a market that is delisted are settled at the mark."""

    @abstractmethod
    def withdraw(self, order: SimOrder) -> None:
        """End a resting order whose market is gone, and tell the client."""

    @abstractmethod
    def check_health(self) -> None:
        """Liquidate by the venue's own rule if need be; called while there are positions."""

    @abstractmethod
    def expire_tokens(self, fault: Fault) -> None:
        """Make every session key invalid now."""

    @abstractmethod
    async def serve_rest(self, stream: trio.abc.Stream) -> None:
        """Serve one HTTP connection."""

    @abstractmethod
    async def serve_ws(self, stream: trio.abc.Stream) -> None:
        """Serve one WebSocket connection."""

    def truth_order(self, order: SimOrder) -> dict[str, Any]:
        """Return what the truth says of an order beyond what every venue says."""
        del order
        return {}

    async def services(self) -> None:
        """Run what the face needs besides landings, such as public pushes, for ever."""
        await trio.sleep_forever()

    def wall_ms(self) -> int:
        """Return the venue's own clock: the world's, off by the fault ``clock_skew`` (``ms``)."""
        fault = self.faults.active(self.name, "clock_skew")
        return self.setup.wall_ms() + (0 if fault is None else int(fault.number("ms", 0)))

    def shown_until_ms(self) -> int:
        """Return up to which time private reads know what happened.

        The fault ``stale`` (``ms``): a replica that lags so much answers them.
        """
        fault = self.faults.active(self.name, "stale")
        return 1 << 62 if fault is None else self.wall_ms() - int(fault.number("ms", 1000))

    # Orders.

    def next_serial(self) -> int:
        """Return a number never returned before in this world, restarts included."""
        self._serial += 1
        return self._serial

    def accept(self, order: SimOrder) -> None:
        """Take an order in: durable at once, landing after the venue's latency."""
        self.orders[order.id] = order
        self.save(order)
        fault = self.faults.take(
            self.name,
            "delay_landing",
            symbol=order.symbol,
            side=order.side,
            reduce_only=order.reduce_only,
        )
        extra_s = fault.number("ms", 0) / 1000 if fault is not None else 0.0
        self.agenda.put(self.latency.draw("landing") + extra_s, self._land, order.id)

    def book_fills(
        self,
        order: SimOrder,
        fills: tuple[Level, ...],
        fee: Callable[[Decimal, Decimal], Decimal],
        extra: dict[str, Any] | None = None,
    ) -> list[SimFill]:
        """Book executions on order and account; ``fee`` gives USDC for a price and a size."""
        now_ms = self.wall_ms()
        done = [
            self.ledger.fill(
                order,
                price,
                size,
                fee(price, size),
                fill_id=self.fill_id(),
                time_ms=now_ms,
                extra=extra,
            )
            for price, size in fills
        ]
        maker = (extra or {}).get("liquidity") == "MAKER"
        taker: Side = order.side if not maker else "sell" if order.side == "buy" else "buy"
        kind = str((extra or {}).get("fill_type", "FILL"))
        for fill in done:
            tape = self.histories[order.symbol]
            tape.trade(taker, fill.price, fill.size, now_ms, name=fill.id, kind=kind)
        return done

    def fill_id(self) -> str:
        """Return a new fill id. A face may use its venue's shape."""
        return str(self.next_serial())

    def save(self, order: SimOrder | None = None) -> None:
        """Make the venue, and an order that changed, durable: survives kill -9 on return."""
        fresh = self.ledger.fills[self._saved_fills :]
        self._saved_fills = len(self.ledger.fills)
        self.setup.save(self.name, order, fresh, self.dump())

    def tell_later(self, events: Sequence[tuple[str, Any]]) -> None:
        """Publish private events together, late as they come, never before those of earlier."""
        due = trio.current_time() + self.latency.draw("event")
        self._told_at = max(self._told_at, due)
        self.agenda.put_at(self._told_at, self._publish_all, tuple(events))

    def _publish_all(self, events: Sequence[tuple[str, Any]]) -> None:
        for kind, body in events:
            self.publish(kind, body)

    # Life.

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run landings, resting orders, funding and the face's services, for ever.

        Cancellation: safe; orders still flying land after the next start.
        """
        async with trio.open_nursery() as services:
            services.start_soon(self.agenda.run)
            services.start_soon(self._keep_ticking)
            services.start_soon(self.services)
            task_status.started()

    async def settle(self) -> None:
        """Block until orders in flight have landed and their events are told, then save.

        Needs ``run`` to be running. Cancellation: safe.
        """
        await self.agenda.wait_idle()
        self.save()

    def dump(self) -> dict[str, Any]:
        """Return the state as JSON values, without orders and fills. A face adds its own keys."""
        return {"ledger": self.ledger.dump(), "serial": self._serial}

    def load(
        self,
        state: dict[str, Any],
        orders: list[dict[str, Any]],
        fills: list[dict[str, Any]],
    ) -> None:
        """Take over a saved world; orders that were still flying land again, at once."""
        self.ledger.load(state["ledger"])
        self._serial = int(state["serial"])
        self.ledger.fills.extend(SimFill.load(row) for row in fills)
        self._saved_fills = len(self.ledger.fills)
        for row in orders:
            order = SimOrder.load(row)
            self.orders[order.id] = order
            if not order.done and not order.resting:
                self.agenda.put(0, self._land, order.id)

    def _land(self, order_id: str) -> None:
        order = self.orders[order_id]
        if order.done or order.resting:
            return  # Cancelled on its way.
        self.land(order)

    def _cut(self, fault: Fault) -> None:
        code = fault.args.get("code")
        self.links.cut(str(fault.args.get("which", "all")), None if code is None else int(code))

    @property
    def being_liquidated(self) -> bool:
        """Whether the venue is taking positions away, bite by bite, or may at its next look."""
        if self.faults.active(self.name, "liquidate") is not None:
            return True
        return self.ledger.equity(self.mark) < self.ledger.maintenance_margin(self.mark)

    def largest(self) -> str:
        """Return the symbol of the largest position by notional, empty when there is none."""
        held = self.ledger.positions
        return max(held, key=lambda one: abs(held[one].size) * self.mark(one), default="")

    async def _keep_ticking(self) -> None:
        before = trio.current_time()
        while True:
            await trio.sleep(self.setup.tick_s)
            now = trio.current_time()
            hourly = {symbol: self.hourly_funding(symbol) for symbol in self.markets}
            self._accrue_funding(hourly, Decimal(str(now - before)))
            before = now
            for order in [o for o in self.orders.values() if o.resting and not o.done]:
                if "foreign" not in order.extra:
                    self.rest(order)
            self._remember(hourly)
            if self.ledger.positions:
                self.check_health()

    def _accrue_funding(self, hourly: Mapping[str, Decimal], seconds: Decimal) -> None:
        index = self.ledger.funding_index
        for symbol, rate in hourly.items():
            growth = self.index(symbol) * rate * seconds / 3600
            index[symbol] = index.get(symbol, ZERO) + growth

    def _remember(self, hourly: Mapping[str, Decimal]) -> None:
        now_ms = self.wall_ms()
        for symbol, history in self.histories.items():
            history.see(self.mark(symbol), now_ms)
            index = self.ledger.funding_index.get(symbol, ZERO)
            history.rate(Rate(now_ms, hourly[symbol], index))

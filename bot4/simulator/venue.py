"""What the two simulated venues have in common: one account, orders, landings, private events.

A face (Vest, Paradex) derives from ``SimVenue``, speaks the wire, and decides what an order does
when it lands. Everything here is plain functions but ``run`` and ``settle``: a face changes the
world between two awaits, so a request is either wholly done or not done.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import trio

from bot4.simulator.agenda import Agenda
from bot4.simulator.faults import Fault, UnknownFault
from bot4.simulator.ledger import Ledger, SimFill
from bot4.simulator.links import Links
from bot4.simulator.marketview import MarketView
from bot4.simulator.orders import ZERO, Level, Side, SimOrder
from bot4.simulator.setup import VenueSetup

TICK_S: Final = 0.1
"""How often resting orders, funding and margins are looked at. Source: ours."""

PrivateCallback = Callable[[str, Any], None]


class SimVenue(MarketView, ABC):
    """One venue. ``run`` must run while connections are served."""

    def __init__(self, setup: VenueSetup) -> None:
        super().__init__(setup)
        self.latency: Final = setup.latency
        self.wall_ms: Final = setup.wall_ms
        self.ledger: Final = Ledger(setup.markets)
        self.orders: Final[dict[str, SimOrder]] = {}
        self.agenda: Final = Agenda()
        self.links: Final = Links()
        self._callbacks: list[PrivateCallback] = []
        self._saved_fills = 0
        self._serial = 0
        self.faults.on_immediate(self.name, "cut", self._cut)
        self.faults.on_immediate(self.name, "manual_close", self._close_by_hand)
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
        """Look again at an order that rests; called every ``TICK_S`` seconds."""

    @abstractmethod
    def house_order(self, symbol: str, side: Side, size: Decimal, kind: str) -> None:
        """Execute an order of the venue itself or of a human hand, and tell the client.

        ``kind`` is "LIQUIDATION" or "MANUAL". It fills whole at whatever price.
        """

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
        return [
            self.ledger.fill(
                order,
                price,
                size,
                fee(price, size),
                fill_id=self.fill_id(),
                time_ms=self.wall_ms(),
                extra=extra,
            )
            for price, size in fills
        ]

    def fill_id(self) -> str:
        """Return a new fill id. A face may use its venue's shape."""
        return str(self.next_serial())

    def save(self, order: SimOrder | None = None) -> None:
        """Make the venue, and an order that changed, durable: survives kill -9 on return."""
        fresh = self.ledger.fills[self._saved_fills :]
        self._saved_fills = len(self.ledger.fills)
        self.setup.save(self.name, order, fresh, self.dump())

    # Private events.

    def subscribe_private(self, callback: PrivateCallback) -> Callable[[], None]:
        """Call ``callback(kind, body)`` for each private event; return how to stop it."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def publish(self, kind: str, body: Any) -> None:
        """Tell the subscribers, in order, from the agenda: never inside the caller's step.

        Takes the faults ``mute_private``, ``delay_event`` and ``double_event``.
        """
        if self.faults.take(self.name, "mute_private") is not None:
            return
        late = self.faults.take(self.name, "delay_event")
        delay_s = late.number("ms", 0) / 1000 if late is not None else 0.0
        self.agenda.put(delay_s, self._tell, kind, body)
        if self.faults.take(self.name, "double_event") is not None:
            self.agenda.put(delay_s, self._tell, kind, body)

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

    def _tell(self, kind: str, body: Any) -> None:
        for callback in list(self._callbacks):
            callback(kind, body)

    def _cut(self, fault: Fault) -> None:
        self.links.cut(str(fault.args.get("which", "all")))

    def _close_by_hand(self, fault: Fault) -> None:
        symbol = str(fault.args.get("market", next(iter(self.markets))))
        if symbol not in self.markets:
            raise UnknownFault(f"{self.name} has no market {symbol!r}")
        self._close(symbol, "MANUAL", Decimal(1))

    def _close(self, symbol: str, kind: str, share: Decimal) -> None:
        held = self.ledger.position(symbol).size
        lot = self.markets[symbol].lot
        size = min(-(-abs(held) * share // lot) * lot, abs(held))
        if size > 0:
            self.house_order(symbol, "sell" if held > 0 else "buy", size, kind)

    async def _keep_ticking(self) -> None:
        before = trio.current_time()
        while True:
            await trio.sleep(TICK_S)
            now = trio.current_time()
            self._accrue_funding(Decimal(str(now - before)))
            before = now
            for order in [o for o in self.orders.values() if o.resting and not o.done]:
                self.rest(order)
            if self.ledger.positions:
                self._liquidate_if_needed()

    def _accrue_funding(self, seconds: Decimal) -> None:
        for symbol in self.markets:
            growth = self.index(symbol) * self.hourly_funding(symbol) * seconds / 3600
            index = self.ledger.funding_index
            index[symbol] = index.get(symbol, ZERO) + growth

    def _liquidate_if_needed(self) -> None:
        if self.ledger.equity(self.mark) >= self.ledger.maintenance_margin(self.mark):
            return
        held = self.ledger.positions
        worst = max(held, key=lambda symbol: abs(held[symbol].size) * self.mark(symbol))
        self._close(worst, "LIQUIDATION", Decimal("0.5"))

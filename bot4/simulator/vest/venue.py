"""Vest as a venue: what becomes of an accepted order, and what the client is told.

Source: Vest API docs, Orders and Trading, seen 2025-11. The engine is the only counterparty: an
order fills whole at the engine's price for its size on arrival, or is rejected with a code.
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any, Final

import trio

from bot4.simulator.faults import Fault
from bot4.simulator.forced import SETTLE, TAKEN_AS
from bot4.simulator.orders import ZERO, Execution, Side, SimOrder
from bot4.simulator.setup import VenueSetup
from bot4.simulator.venue import SimVenue
from bot4.simulator.vest.digests import address_of, keccak256
from bot4.simulator.vest.feed import keep_publishing
from bot4.simulator.vest.foreign import odd_fill, place_foreign
from bot4.simulator.vest.health import liquidate_if_needed
from bot4.simulator.vest.premium import premium, worsened
from bot4.simulator.vest.refusals import from_engine
from bot4.simulator.vest.rest import VestRest
from bot4.simulator.vest.risk import rejection, triggered, within
from bot4.simulator.vest.sessions import Sessions, derived
from bot4.simulator.vest.shapes import MONEY, fixed, order_event
from bot4.simulator.vest.switches import VestSwitches
from bot4.simulator.vest.ws import serve_socket

CANCEL_SHARE: Final = 0.4
"""How long a cancel takes to land, as a share of an order's time. Source: ours."""


class VestVenue(SimVenue):
    """The Vest face of the simulator."""

    zero: Final = ZERO

    def __init__(self, setup: VenueSetup) -> None:
        super().__init__(setup)
        self.switches: Final = VestSwitches.read(setup.switches)
        self._primary_key = derived(setup.seed, "primary_key")
        self._signing_key = derived(setup.seed, "signing_key")
        self.sessions: Final = Sessions(setup.seed, address_of(self._primary_key), self.switches)
        self._rest = VestRest(self)
        self.faults.on_immediate(self.name, "foreign_order", partial(place_foreign, self))

    def credentials(self) -> dict[str, str]:
        """Return the account's key and a signing key, both throwaway."""
        return {
            "vest.primary_key": f"0x{self._primary_key.hex()}",
            "vest.signing_key": f"0x{self._signing_key.hex()}",
        }

    async def serve_rest(self, stream: trio.abc.Stream) -> None:
        """Serve one HTTP connection."""
        await self._rest.serve(stream)

    async def serve_ws(self, stream: trio.abc.Stream) -> None:
        """Serve one WebSocket connection."""
        await serve_socket(self, stream)

    def truth_order(self, order: SimOrder) -> dict[str, Any]:
        """Return what the truth says of an order beyond what every venue says."""
        return {"nonce": order.extra["nonce"], "code": order.reason}

    async def services(self) -> None:
        """Publish depth and tickers, and close sockets whose listen key lapsed, for ever."""
        await keep_publishing(self)

    # Orders.

    def place(self, order: SimOrder) -> None:
        """Accept a checked order: durable, announced as NEW, landing later."""
        fault = self.faults.take(
            self.name,
            "refuse",
            symbol=order.symbol,
            side=order.side,
            reduce_only=order.reduce_only,
            request="order",
            where=from_engine,
        )
        if fault is not None:
            order.extra["refuse"] = int(fault.args.get("code", 3001))
        order.extra["mark"] = str(self.mark(order.symbol))
        self.accept(order)
        self._announce(order)

    def land(self, order: SimOrder) -> None:
        """Let an order meet the engine: filled whole, rejected, or left to rest as a trigger."""
        order.updated_ms = self.wall_ms()
        code = rejection(self, order)
        if code:
            self.reject(order, code)
        elif order.kind == "LIMIT" and not triggered(self, order):
            self._wait_or_kill(order)
        else:
            self._fill(order)

    def rest(self, order: SimOrder) -> None:
        """Trigger a resting LIMIT when the index has reached its price."""
        if self.halted(order.symbol) is not None:
            return
        if not triggered(self, order) or not within(self, order):
            return
        order.updated_ms = self.wall_ms()
        code = rejection(self, order)
        if code:
            self.reject(order, code)
        else:
            self._fill(order)

    def cancel(self, order_id: str) -> None:
        """Queue a cancel of an open order; the order may still fill before it lands."""
        order = self.orders[order_id]
        order.extra["cancel_asked"] = True
        self.save(order)
        self.agenda.put(CANCEL_SHARE * self.latency.draw("landing"), self._land_cancel, order_id)

    def house_order(self, symbol: str, side: Side, size: Decimal, kind: str) -> None:
        """Execute for the venue, or for a human hand, and tell the client as of any order."""
        number = self.next_serial()
        now_ms = self.wall_ms()
        order = SimOrder(
            id="0x" + keccak256(f"{self.setup.seed}/house/{number}".encode()).hex(),
            handle=str(now_ms),
            symbol=symbol,
            side=side,
            size=size,
            limit=None,
            kind="LIQUIDATION" if kind in TAKEN_AS else "MARKET",
            time_in_force="FOK",
            reduce_only=True,
            sent_ms=now_ms,
            received_ms=now_ms,
            updated_ms=now_ms,
            extra={"nonce": now_ms, "house": kind},
        )
        self.orders[order.id] = order
        mark = self.mark(symbol) // self.markets[symbol].tick * self.markets[symbol].tick
        settled = Execution(((mark, size),)) if kind == SETTLE else None
        self._book(order, settled or self.quote(symbol, side, size), ZERO)

    @property
    def settles_delisted(self) -> bool:
        """Whether positions of a delisted market are settled, as the switch says."""
        return self.switches.settles_delisted

    def withdraw(self, order: SimOrder) -> None:
        """End a resting order whose market is gone, and tell."""
        self._end(order, "CANCELLED")

    def check_health(self) -> None:
        """Liquidate when the value is below the maintenance margin."""
        liquidate_if_needed(self)

    def expire_tokens(self, fault: Fault) -> None:
        """Make keys invalid now; ``which`` is api_key, listen_key, signer or all."""
        self.sessions.expire(str(fault.args.get("which", "all")))
        self.save()

    def _wait_or_kill(self, order: SimOrder) -> None:
        if order.time_in_force == "GTC":
            order.resting = True
            self.save(order)
        else:
            self._kill(order)

    def _kill(self, order: SimOrder) -> None:
        if self.switches.limit_killed == "REJECTED":
            self.reject(order, 3001)
        else:
            self._end(order, "CANCELLED")

    def _fill(self, order: SimOrder) -> None:
        execution = self.execute(
            order.symbol, order.side, order.size, order.limit, reduce_only=order.reduce_only
        )
        if execution.fills:
            self._charge(order, execution)
        elif order.kind == "LIMIT":
            self._wait_or_kill(order)
        else:
            self.reject(order, 3001)

    def _charge(self, order: SimOrder, execution: Execution) -> None:
        # What the fill adds to the position pays a premium; closing does not.
        room = self.ledger.reducible(order.symbol, order.side)
        added = max(execution.size - room, ZERO)
        in_fees, in_price = premium(self.switches, added * execution.average)
        tick = self.markets[order.symbol].tick
        execution = worsened(execution, order.side, in_price, tick)
        worst = max if order.side == "buy" else min
        last = worst(price for price, _ in execution.fills)
        if order.limit is not None and in_price and worst(last, order.limit) != order.limit:
            self.reject(order, 3001)
        else:
            self._book(order, execution, in_fees)

    def _book(self, order: SimOrder, execution: Execution, charge: Decimal) -> None:
        taker = self.markets[order.symbol].taker_fee
        order.updated_ms = self.wall_ms()
        order.extra |= odd_fill(self, order)
        funding = self.ledger.settle_funding(order.symbol)
        settled = Decimal(order.extra.get("settled_funding", "0")) + funding
        order.extra["settled_funding"] = fixed(settled, MONEY)
        order.realized_pnl += funding
        self.book_fills(
            order,
            execution.fills,
            lambda price, size: price * size * taker + charge,
            {"premium": fixed(charge, MONEY), "realized_funding": f"{funding:f}"},
        )
        if order.remaining == 0:
            self._end(order, "FILLED")
            return
        # Only by a fault: the real engine fills whole. The rest is dropped, and both are told.
        order.status = "PARTIALLY_FILLED"
        part = order_event(self, order)
        order.status, order.done, order.resting = "CANCELLED", True, False
        self.save(order)
        self._tell_later(part, order_event(self, order))

    def reject(self, order: SimOrder, code: int) -> None:
        """End an accepted order with a code, and tell."""
        order.reason = str(code)
        self._end(order, "REJECTED")

    def _end(self, order: SimOrder, status: str) -> None:
        order.status, order.done, order.resting = status, True, False
        self.save(order)
        self._announce(order)

    def _land_cancel(self, order_id: str) -> None:
        order = self.orders[order_id]
        if not order.done:
            order.updated_ms = self.wall_ms()
            self._end(order, "CANCELLED")

    # Telling the client.

    def _announce(self, order: SimOrder) -> None:
        self._tell_later(order_event(self, order))

    def _tell_later(self, *frames: dict[str, Any]) -> None:
        self.tell_later([("account_private", frame) for frame in frames])

    # Life.

    def dump(self) -> dict[str, Any]:
        """Return the venue's state as JSON values, sessions included."""
        return {**super().dump(), "sessions": self.sessions.dump()}

    def load(
        self,
        state: dict[str, Any],
        orders: list[dict[str, Any]],
        fills: list[dict[str, Any]],
    ) -> None:
        """Take over a saved world; cancels that were accepted still happen."""
        super().load(state, orders, fills)
        self.sessions.load(state["sessions"])
        for order in self.orders.values():
            if not order.done and order.extra.get("cancel_asked"):
                self.agenda.put(0, self._land_cancel, order.id)

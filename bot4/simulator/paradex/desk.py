"""The desk of the simulated Paradex: its keys, tokens and stamps, and what it tells the account."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

import attrs

from bot4.simulator.faults import Fault
from bot4.simulator.ledger import SimFill
from bot4.simulator.orders import ZERO, Depth, MarketLimits, SimOrder
from bot4.simulator.paradex import curve, shapes
from bot4.simulator.paradex.limits import RateLimits
from bot4.simulator.paradex.signatures import Notary
from bot4.simulator.paradex.subkeys import Subkeys
from bot4.simulator.paradex.switches import Switches
from bot4.simulator.paradex.tokens import Tokens
from bot4.simulator.sampling import Sampled
from bot4.simulator.setup import VenueSetup
from bot4.simulator.venue import SimVenue

ORDER_NODE: Final = "20170"
"""Middle digits of order ids seen on production. Source: Paradex docs, Orders, seen 2026-11."""

LIMIT_NAMES: Final = ("order", "position", "open_orders")
MOST_RECORDS: Final = 1000
"""Payments and liquidations remembered."""

EventKind = str
"""orders, fills, positions, account...: the first word of the channel that carries it."""


def derive(seed: int, purpose: str, limit: int) -> int:
    """Return a throwaway number from 1 to ``limit`` - 1, the same for the same seed."""
    digest = sha256(f"{seed}/paradex/{purpose}".encode()).digest()
    return int.from_bytes(digest, "big") % (limit - 1) + 1


@attrs.define
class Holding:
    """What the venue remembers of a market's position beyond the ledger. Decimals as text."""

    side: str = "LONG"
    last_fill_id: str = ""
    realized: str = "0"
    funding: str = "0"
    exit_price: str = "0"
    created_ms: int = 0
    closed_ms: int = 0
    updated_ms: int = 0


class ParadexDesk(SimVenue):
    """State and stamps shared by the engine, REST and WebSocket faces."""

    provides_fees = True

    def __init__(self, setup: VenueSetup) -> None:
        super().__init__(setup)
        self.switches: Final = Switches.read(setup.switches)
        self._private_key: Final = derive(setup.seed, "key", curve.CURVE_ORDER)
        public_key = curve.public_key_of(self._private_key)
        self.public_key: Final = hex(public_key)
        self.account: Final = hex(curve.account_address(public_key))
        self.sampled: Final = Sampled(self.switches.verify_every)
        self.notary: Final = Notary(self.switches.chain_id, int(self.account, 16), [public_key])
        self.subkeys: Final = Subkeys(self.notary, public_key, self.switches.subkeys)
        self.tokens: Final = Tokens(
            self.wall_ms, derive(setup.seed, "issuer", 2**255), self.switches.token_life_s
        )
        self.limits: Final = RateLimits()
        self.holdings: Final[dict[str, Holding]] = {}
        self.payments: Final[deque[dict[str, Any]]] = deque(maxlen=MOST_RECORDS)
        """Funding realised with fills, as GET /funding/payments shows it, oldest first."""
        self.liquidations: Final[deque[dict[str, Any]]] = deque(maxlen=MOST_RECORDS)
        """As GET /liquidations shows them, oldest first."""
        self.public_books: Final[dict[str, tuple[Depth, int]]] = {}
        """What the stream last showed of each market, and its sequence number."""
        self._last_stamp = 0

    def credentials(self) -> dict[str, str]:
        """Return the account's address and its main private key."""
        return {"paradex.account": self.account, "paradex.private_key": hex(self._private_key)}

    def expire_tokens(self, fault: Fault) -> None:
        """Make every token issued so far expired."""
        self.tokens.expire_all()

    # Stamps.

    def stamp(self) -> int:
        """Return a seq_no: nanosecond clock, unique, rising. Source: docs, Orders, 2026-11."""
        self._last_stamp = max(self._last_stamp + 1, self.wall_ms() * 1_000_000)
        return self._last_stamp

    def order_id(self) -> str:
        """Return a new order id: 28 digits, the first 13 are milliseconds."""
        return f"{self.wall_ms():013d}{ORDER_NODE}{self.next_serial():010d}"

    def fill_id(self) -> str:
        """Return a new fill id: digits of one int64."""
        return f"{self.wall_ms():013d}{self.next_serial() % 1_000_000:06d}"

    def system_state(self) -> str:
        """Return ok, maintenance, cancel_only or post_only, each a fault of its own.

        ``maintenance`` may also name one of them (``state``).
        """
        for kind in ("maintenance", "cancel_only", "post_only"):
            if (fault := self.faults.active(self.name, kind)) is not None:
                return str(fault.args.get("state", kind))
        return "ok"

    def limits_of(self, symbol: str) -> MarketLimits:
        """Return the limits in force of a market.

        They are its own unless a switch says otherwise, or the fault ``limits`` (``order``,
        ``position``, ``open_orders``) while it lasts. With ``told: false`` nobody announces that.
        """
        found = self.markets[symbol].limits.narrowed(self.switches.limits())
        fault = self.faults.active(self.name, "limits", symbol=symbol)
        if fault is None:
            return found
        return found.narrowed({name: fault.args.get(name) for name in LIMIT_NAMES})

    def told_limits(self, symbol: str) -> MarketLimits:
        """Return the limits that GET /markets announces."""
        fault = self.faults.active(self.name, "limits", symbol=symbol)
        if fault is not None and fault.args.get("told", True):
            return self.limits_of(symbol)
        return self.markets[symbol].limits.narrowed(self.switches.limits())

    def public_book(self, symbol: str) -> tuple[Depth, int]:
        """Return the book and sequence number REST shows: the stream's, while it speaks."""
        shown, seq_no = self.public_books.get(symbol, (None, 0))
        if shown is None or self.faults.active(self.name, "silence") is not None:
            return self.published(symbol), seq_no
        return shown, seq_no

    # What a fill leaves behind, and who hears of it.

    def note_fill(self, order: SimOrder, fill: SimFill, funding: Decimal) -> None:
        """Remember on the market's holding what the ledger forgets, and the funding paid."""
        now_ms = self.wall_ms()
        size = self.ledger.position(order.symbol).size
        holding = self.holdings.get(order.symbol)
        if holding is None or holding.closed_ms:
            holding = self.holdings[order.symbol] = Holding(created_ms=now_ms)
        holding.last_fill_id = fill.id
        holding.realized = str(Decimal(holding.realized) + fill.realized_pnl)
        holding.funding = str(Decimal(holding.funding) + funding)
        holding.updated_ms = now_ms
        self.note_payment(fill, funding)
        if fill.realized_pnl != 0 or size == 0:
            holding.exit_price = str(fill.price)
        if size == 0:
            holding.closed_ms = now_ms
        else:
            holding.side = "LONG" if size > 0 else "SHORT"

    def note_payment(self, fill: SimFill, funding: Decimal) -> None:
        """Remember funding that was realised with a fill, if there was any."""
        if funding != 0:
            index = self.ledger.funding_index.get(fill.symbol, ZERO)
            self.payments.append(shapes.payment(self, fill, funding, index))

    def tell(self, events: list[tuple[EventKind, dict[str, Any]]]) -> None:
        """Publish events together and in order, after the latency of private events."""
        self.tell_later(events)

    def order_event(self, order: SimOrder) -> tuple[EventKind, dict[str, Any]]:
        """Return an order as it is now, for the orders channel."""
        return "orders", shapes.order(self, order)

    def money_events(
        self, order: SimOrder, fills: list[SimFill]
    ) -> list[tuple[EventKind, dict[str, Any]]]:
        """Return what follows executions: the fills, the position and the account."""
        if not fills:
            return []
        mine = {fill.id for fill in fills}
        paid = (payment for payment in self.payments if payment["fill_id"] in mine)
        return [
            *(("fills", shapes.fill(self, fill)) for fill in fills),
            *(("funding_payments", payment) for payment in paid),
            *(("balance_events", event) for event in shapes.balance_events(self, fills)),
            *self.standing_events(order.symbol),
        ]

    def standing_events(self, symbol: str) -> list[tuple[EventKind, dict[str, Any]]]:
        """Return a market's position and the account, as they are now."""
        return [
            ("positions", shapes.position(self, symbol)),
            ("account", shapes.account(self)),
        ]

    # Keeping.

    def dump(self) -> dict[str, Any]:
        """Return the state as JSON values, without orders and fills."""
        held = {symbol: attrs.asdict(holding) for symbol, holding in self.holdings.items()}
        return {
            **super().dump(),
            "holdings": held,
            "subkeys": self.subkeys.dump(),
            "payments": list(self.payments),
            "liquidations": list(self.liquidations),
        }

    def load(
        self, state: dict[str, Any], orders: list[dict[str, Any]], fills: list[dict[str, Any]]
    ) -> None:
        """Take over a saved world; orders that were still flying land again, at once."""
        super().load(state, orders, fills)
        for symbol, values in state.get("holdings", {}).items():
            self.holdings[symbol] = Holding(**values)
        self.subkeys.load(state.get("subkeys", []))
        self.payments.extend(state.get("payments", []))
        self.liquidations.extend(state.get("liquidations", []))

    def live_orders(self, symbol: str | None = None) -> list[SimOrder]:
        """Return the orders that are not done, oldest first, of one market or of all."""
        return [
            order
            for order in self.orders.values()
            if not order.done and symbol in (None, order.symbol)
        ]

    def fee_rate(self, symbol: str, *, maker: bool, interactive: bool) -> Decimal:
        """Return the share of notional an execution pays."""
        if interactive:
            return ZERO
        return self.switches.maker_fee if maker else self.markets[symbol].taker_fee

    def fee_of(
        self, symbol: str, *, maker: bool, interactive: bool
    ) -> Callable[[Decimal, Decimal], Decimal]:
        """Return the fee of an execution as a function of price and size, USDC."""
        rate = self.fee_rate(symbol, maker=maker, interactive=interactive)
        return lambda price, size: price * size * rate

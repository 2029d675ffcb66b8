"""From wanted orders to bytes: number, sign, make durable, hand over; and the answers back."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal

import attrs
import trio

from bot4.domain.market import MarketKey
from bot4.domain.order import Order, Purpose, Side
from bot4.errors import JournalFault
from bot4.ports import Accepted, Errand, InDoubt, Journal, NotSent, PlaceOutcome, Refused, Retry
from bot4.strategy.events import Answered, Sent, Verdict
from bot4.strategy.interactive import LONGEST_S, InteractiveUse
from bot4.strategy.receiving import MOST_MS
from bot4.strategy.risk import Bucket, spend
from bot4.tasks.gateway import Gateway
from bot4.tasks.ledger import Ledger
from bot4.tasks.line import SAID
from bot4.tasks.parcel import Parcel
from bot4.tasks.stopwatch import Stopwatch

LONG, SHORT = "L", "S"
GET_READY_S = 1.5
"""What a lost session or a doubted clock may hold up an order that closes."""


@attrs.frozen
class Wanted:
    """One order as the strategy wants it."""

    key: MarketKey
    side: Side
    size: Decimal
    limit: Decimal
    purpose: Purpose
    attempt: int
    reduce_only: bool
    leg: str
    """``L`` or ``S``: part of the order's name."""


@attrs.frozen
class Signed:
    """An order ready to leave."""

    order: Order
    errand: Errand[PlaceOutcome]
    slept: int
    """How often the machine had slept when the books were last looked at."""


class Dispatcher:
    """Numbers, signs and sends orders; tells the ledger what became of the sending."""

    def __init__(
        self,
        gateways: Mapping[str, Gateway],
        ledger: Ledger,
        journal: Journal,
        orders_per_second: int,
        interactive: Collection[str] = (),
    ) -> None:
        """Prepare.

        Args:
            gateways: by venue.
            ledger: told what became of every sending.
            journal: gives the numbers of orders.
            orders_per_second: at most so many, per venue.
            interactive: venues whose planned orders count against a Retail token's caps.
        """
        self.gateways = gateways
        self._ledger = ledger
        self._journal = journal
        self.sent_on: set[str] = set()
        """Venues that this run may have sent an order to."""
        self._retry: dict[str, Retry] = {}
        self._spare = 0
        self._per_second = orders_per_second
        self._buckets = dict.fromkeys(gateways, Bucket(float(orders_per_second), 0.0))
        self._interactive = dict.fromkeys(interactive, InteractiveUse())

    @property
    def ready(self) -> bool:
        """Whether both venues would take an order's token and time."""
        return all(gateway.ready for gateway in self.gateways.values())

    async def get_ready(self, venues: Iterable[str]) -> None:
        """Renew the sessions lost and clocks doubted at these venues, all at once. Never raises.

        Takes a moment at most. Cancellation: waits for the exchange under way.
        """
        lost = [gateway for venue in venues if not (gateway := self.gateways[venue]).ready]

        async def renew(gateway: Gateway) -> None:
            with contextlib.suppress(*SAID):
                await gateway.get_ready()

        with trio.move_on_after(GET_READY_S):
            async with trio.open_nursery() as renewing:
                for gateway in lost:
                    renewing.start_soon(renew, gateway)

    def new_trade_id(self) -> str:
        """A name for a trade, never used before."""
        return f"{self._journal.tag}-{self._journal.next_number('trade')}"

    def spend(self, venues: Iterable[str], *, closing: bool) -> bool:
        """Take a token of each venue's order rate; False when an opening order has to wait.

        A third is kept back for orders that close; those go in any case.
        """
        now, granted = trio.current_time(), True
        for venue in venues:
            bucket, allowed = spend(self._buckets[venue], now, self._per_second, closing=closing)
            self._buckets[venue] = bucket
            granted = granted and allowed
            if venue in self._interactive and not closing:
                granted = granted and self._interactive[venue].allows(now)
        return granted or closing

    def remember(self, orders: Iterable[Order]) -> None:
        """Count what earlier runs sent: a day's cap outlives a restart."""
        sent: dict[str, list[float]] = {venue: [] for venue in self._interactive}
        for order in orders:
            if _is_planned(order) and order.key.venue in sent:
                age_s = (self.gateways[order.key.venue].now_ms() - order.signed_ms) / 1000
                if 0 <= age_s < LONGEST_S:
                    sent[order.key.venue].append(trio.current_time() - age_s)
        for venue, times in sent.items():
            self._interactive[venue] = InteractiveUse.of(times)

    def sign(
        self, trade_id: str, wanted: Sequence[Wanted], later_ms: int = 0
    ) -> tuple[Signed, ...]:
        """Name and sign orders, with the venue's own time. Nothing is written or sent.

        Args:
            trade_id: whose they are.
            wanted: in the order of their numbers.
            later_ms: how much later than now they may leave.

        Raises:
            ValueError: a key is unusable.
            JournalFault: no number could be had for an order that opens.
        """
        row = self._number(closing=all(want.purpose.closes for want in wanted))
        signed = []
        for want in wanted:
            gateway = self.gateways[want.key.venue]
            now_ms = gateway.now_ms()
            order = Order(
                client_order_id=gateway.codec.next_handle(now_ms, row, want.leg, want.attempt),
                trade_id=trade_id,
                key=want.key,
                side=want.side,
                size=want.size,
                limit=want.limit,
                purpose=want.purpose,
                attempt=want.attempt,
                reduce_only=want.reduce_only,
            )
            window_ms = min(gateway.window.ms + later_ms, MOST_MS)
            named, errand = gateway.codec.sign(order, now_ms, window_ms)
            signed.append(Signed(named, errand, gateway.suspend.times))
        return tuple(signed)

    def _number(self, *, closing: bool) -> int:
        try:
            return self._journal.next_number("order")
        except JournalFault:
            if not closing:
                raise
            # A full disk must not keep a leg on: milliseconds lie far above every count, and rise.
            now_ms = max(gateway.now_ms() for gateway in self.gateways.values())
            self._spare = max(now_ms, self._spare + 1)
            return self._spare

    def post(
        self,
        signed: Sequence[Signed],
        deadline: float,
        watch: Stopwatch,
        wait: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        """Hand durable orders to their gateways, all in one go.

        Args:
            signed: orders that the ledger already knows.
            deadline: Trio time after which opening orders stay home.
            watch: notes when each byte left and each answer came.
            wait: asked before they leave, see ``Parcel.wait``.
        """
        for one in signed:
            order = one.order

            def sent(order: Order = order) -> None:
                times_of = watch.order(order.client_order_id, trio.current_time())
                times_of.first_byte_at = trio.current_time()
                self.sent_on.add(order.key.venue)
                self._happen(order, Sent(order.client_order_id))

            def answered(
                outcome: PlaceOutcome, last_byte_at: float | None, order: Order = order
            ) -> None:
                times_of = watch.order(order.client_order_id, trio.current_time())
                times_of.last_byte_at = last_byte_at
                times_of.answered_at = trio.current_time()
                self._happen(order, self._read(order, outcome))

            parcel = Parcel(
                order=order,
                errand=one.errand,
                opens=not order.closes,
                deadline=deadline,
                wait=wait,
                slept=one.slept,
                sent=sent,
                answered=answered,
            )
            if _is_planned(order) and order.key.venue in self._interactive:
                use = self._interactive[order.key.venue]
                self._interactive[order.key.venue] = use.after(trio.current_time())
            try:
                self.gateways[order.key.venue].post(parcel)
            except trio.WouldBlock:
                answered(NotSent("too many orders are waiting to be sent"), None)

    def retry_of(self, client_order_id: str) -> Retry:
        """What the refusal of this order allows."""
        return self._retry.get(client_order_id, Retry.REQUOTE)

    def _happen(self, order: Order, event: Sent | Answered) -> None:
        if self._ledger.get(order.trade_id) is not None:
            self._ledger.happen(order.trade_id, event)

    def _read(self, order: Order, outcome: PlaceOutcome) -> Answered:
        name = order.client_order_id
        match outcome:
            case Accepted(venue_order_id):
                return Answered(name, Verdict.ACCEPTED, venue_order_id)
            case Refused(code, why, retry):
                self._retry[name] = retry
                told = why if why.startswith(code) else f"{code} {why}"
                return Answered(name, Verdict.REFUSED, why=told.strip())
            case NotSent(why):
                self._retry[name] = Retry.WAIT
                return Answered(name, Verdict.NOT_SENT, why=f"not sent: {why}")
            case InDoubt(why):
                return Answered(name, Verdict.IN_DOUBT, why=why)


def _is_planned(order: Order) -> bool:
    """Whether it goes with the Retail token, if there is one: what repairs uses the other."""
    return order.purpose in (Purpose.ENTER, Purpose.EXIT)

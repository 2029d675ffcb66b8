"""One venue's line: the session and the clock kept good, and one question asked at a time.

A session that was refused is renewed, and a clock that a venue refused or that jumped is measured
again, before anything else is signed.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

import structlog
import trio

from bot4.errors import ApiChanged, AuthRefused, ProtocolViolation, Unreachable, VenueRefused
from bot4.ports import (
    Answer,
    Errand,
    FillPage,
    HttpDoor,
    PaymentPage,
    Retry,
    Unread,
    VenueCodec,
    World,
)
from bot4.tasks.allowance import Allowance
from bot4.tasks.backoff import Pause
from bot4.tasks.gate import Gate
from bot4.tasks.health import Health

log = structlog.get_logger()
T = TypeVar("T")
P = TypeVar("P", FillPage, PaymentPage)

PAGES = 20
"""Of one list at most: two thousand fills at Paradex, twenty thousand orders at Vest."""
TOLD_KEPT: Final = 256
"""Rows that could not be read, remembered so that each is told once."""
ASK_TIMEOUT_S = 3.0
RENEW_FIRST_S: Final = 1.0
RENEW_MOST_S: Final = 10.0
"""Between two sessions asked for because the last one was refused as well: doubled each time, so
that a venue that refuses them all is not asked for one with every question. Source: ours."""
WARM_CONNECTIONS = 3
"""An order's, a question's, and one more."""
SAID: tuple[type[Exception], ...] = (Unreachable, VenueRefused, AuthRefused, ProtocolViolation)
"""What a question to a venue may end in; each proves nothing about orders or positions."""


class Line:
    """The way to one venue's REST side: whoever it knows us as, and what time it has there."""

    def __init__(
        self,
        codec: VenueCodec,
        door: HttpDoor,
        world: World,
        *,
        health: Health | None = None,
        gate: Gate | None = None,
        hide: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            codec: how the venue speaks.
            door: the way to its REST side.
            world: for the wall clock.
            health: its error budget, where opening depends on it.
            gate: stops opening for what answers say of limits; None where nothing opens.
            hide: told of every token, so that no log line shows it.
        """
        self.codec = codec
        self.venue = codec.venue
        self.offset_ms = 0
        """The venue's clock minus ours."""
        self.clock_error_ms = 0
        self.on_trouble: Callable[[], None] = lambda: None
        """Called when the session was lost or the clock is doubted: whoever keeps them mends it."""
        self._door = door
        self._world = world
        self._health = health
        self.gate = gate or Gate()
        self.allowance = Allowance(codec.venue, self.gate)
        self._hide = hide
        self._login_lock = trio.Lock()
        self._login_due_ms = 0
        self._clock_doubted = False
        self._renewal = Pause(RENEW_FIRST_S, RENEW_MOST_S)
        self._told: OrderedDict[tuple[str, ...], None] = OrderedDict()

    def now_ms(self) -> int:
        """The venue's wall clock, as we estimate it."""
        return self._world.wall_ms() + self.offset_ms

    def until(self, venue_ms: int) -> float:
        """Seconds until the venue's clock is past this for certain; negative when it is."""
        return (venue_ms + self.clock_error_ms - self.now_ms()) / 1000

    async def ask(self, errand: Errand[T], *, timeout_s: float = ASK_TIMEOUT_S) -> T:
        """Run one errand that is not an order.

        Raises:
            Unreachable: no readable answer; it proves nothing.
            VenueRefused, AuthRefused, ProtocolViolation: what the answer says.

        Waits first for as long as the venue asked us to.

        Cancellation: waits for the exchange to end, at most ``timeout_s``.
        """
        await self.allowance.wait(errand.pool)
        outcome = await self._door.send(errand.request, timeout_s=timeout_s)
        if not isinstance(outcome, Answer):
            self._note(good=False)
            raise Unreachable(self.venue, outcome.why)
        self.allowance.note(errand.pool, outcome)
        try:
            value = errand.read(outcome)
        except ProtocolViolation as fault:
            self._note(good=False)
            if isinstance(fault, ApiChanged) and self._health:
                self._health.changed(fault.why)
            raise
        self._note(good=True)
        return value

    async def ask_signed_in(self, make: Callable[[int], Errand[T]]) -> T:
        """Run an errand that needs the session; sign in again once when it was lost.

        Where the new session is refused too, the next one is asked for after a pause.

        Raises:
            As ``ask``.
        """
        await self.get_ready()
        try:
            return await self.ask(make(self.now_ms()))
        except AuthRefused:
            if not self._renewal.over:
                raise
            self.codec.session_lost()
            self._login_due_ms = 0
        except VenueRefused as refused:
            if self.codec.retry(refused.code) is not Retry.RESIGN:
                raise
            self.doubt_clock()
        await self.get_ready()
        try:
            value = await self.ask(make(self.now_ms()))
        except AuthRefused:
            self._renewal.begin()
            raise
        self._renewal.reset()
        return value

    async def ask_pages(self, ask: Callable[[str, int], Errand[P]]) -> list[P]:
        """Read every page of a list, ``PAGES`` at most. Raises as ``ask``."""
        pages, page = list[P](), ""
        while len(pages) < PAGES and (page or not pages):
            pages.append(await self.ask_signed_in(partial(ask, page)))
            page = pages[-1].next
        return pages

    @property
    def ready(self) -> bool:
        """Whether an order sent now would carry a session and a time that nobody refused."""
        return self.clock_known and self._login_due_ms > 0 and self.codec.holds_session()

    async def get_ready(self) -> None:
        """Measure a doubted clock, then sign in where it is due. A clock not told stays doubted.

        Raises:
            As ``ask``.
        """
        if self._clock_doubted:
            with contextlib.suppress(*SAID):
                await self.sync_clock()
        await self.sign_in()

    def lose_session(self) -> None:
        """An answer said that the session is no longer good: it is renewed at once."""
        self.codec.session_lost()
        self._login_due_ms = 0
        self.on_trouble()

    @property
    def clock_known(self) -> bool:
        """Whether the offset was measured since it was last doubted."""
        return not self._clock_doubted

    def doubt_clock(self) -> None:
        """The venue refused our time, or ours jumped: it is measured before the next order."""
        self._clock_doubted = True
        self.on_trouble()

    async def sign_in(self) -> None:
        """Make sure that the session is good, renewing it when it is due.

        Raises:
            As ``ask``.
        """
        async with self._login_lock:
            if self.now_ms() < min(self._login_due_ms, self.codec.login_due_ms()):
                return
            for errand in self.codec.logins(self.now_ms()):
                if said := await self.ask(errand):
                    log.warning(
                        "profile.refused",
                        message=f"[VENUE] {self.venue}: {said}",
                        venue=self.venue,
                        why=said,
                        do="set profile: pro in bot4.yaml; look whether spread_entry pays for it",
                    )
                for secret in self.codec.secrets():
                    self._hide(secret.reveal())
            self._login_due_ms = self.codec.login_due_ms()

    async def greet(self) -> None:
        """Measure the clock and sign in, before anything else is asked.

        The clock first: signatures and tokens depend on it. Once more after it: a venue whose clock
        can only be read when signed in answered with the coarse public one.

        Raises:
            As ``ask``.
        """
        await self.sync_clock()
        await self.sign_in()
        await self.sync_clock()

    async def sync_clock(self) -> None:
        """Measure the venue's clock against ours.

        Raises:
            As ``ask``.
        """
        self._clock_doubted, was = False, self._clock_doubted
        before = self._world.wall_ms()
        try:
            venue_ms = await self.ask(self.codec.clock())
        except SAID:
            self._clock_doubted = self._clock_doubted or was
            raise
        after = self._world.wall_ms()
        self.offset_ms = venue_ms - (before + after) // 2
        self.clock_error_ms = (after - before + 1) // 2

    def tell(self, unread: Unread, *, ours: bool = False) -> None:
        """Say once that a row or an event could not be read.

        One order of our own that is of a kind that we do not know is as if the whole API were.
        """
        if ours and unread.new and unread.what == "order" and self._health is not None:
            self._health.changed(unread.why)
        name = (unread.what, unread.row_id, unread.symbol)
        if name in self._told:
            return
        self._told[name] = None
        while len(self._told) > TOLD_KEPT:
            self._told.popitem(last=False)
        where = f" of {unread.symbol}" if unread.symbol else ""
        what = f"{unread.what} {unread.row_id or 'without a name'}{where}"
        log.warning(
            "row.unread",
            message=f"[VENUE] {self.venue}: {what} cannot be read: {unread.why}",
            venue=self.venue,
            market=unread.symbol,
            kind=unread.what,
            row_id=unread.row_id,
            why=f"{what}: {unread.why}",
            do=f"look at it on {self.venue}'s page; everything else goes on",
        )

    def hurry(self, at: float) -> None:
        """Have every exchange with the venue end by this Trio time: we are leaving."""
        self._door.hurry(at)

    async def warm(self) -> None:
        """Have some connections open, so that no order waits for a handshake. Never raises."""
        request = self.codec.clock().request
        async with trio.open_nursery() as asking:
            for _ in range(WARM_CONNECTIONS):
                asking.start_soon(partial(self._door.send, request, timeout_s=ASK_TIMEOUT_S))

    def _note(self, *, good: bool) -> None:
        if self._health is not None:
            self._health.good() if good else self._health.bad()

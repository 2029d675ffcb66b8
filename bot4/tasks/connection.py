"""One WebSocket of a venue, kept for ever: dial, greet, read, and dial again.

Used for the public feed and for the private one; what differs is the codec and the ``hear``
function that takes the notices.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

import attrs
import structlog
import trio

from bot4.errors import RECONNECTABLE, ApiChanged, ConnectionLost, HandshakeRefused, leaves
from bot4.ports import Acknowledged, Connect, Notice, Pong, StreamCodec, Wire
from bot4.tasks.backoff import Backoff
from bot4.tasks.stop import StopSign

log = structlog.get_logger()

STEADY_S = 3.0
"""A link useful for so long is dialled again at once. One that is closed as soon as it is greeted,
as by a venue under maintenance, is not: that would be a storm of dials."""

TOLD_EVERY_S = 60.0
"""A link that stays away is told of this often."""


class Listener(Protocol):
    """What a connection feeds."""

    useful_when_greeted: bool
    """Whether every greeting acknowledged is enough to be useful."""

    def hear(self, notice: Notice, at: float) -> bool:
        """Take one notice; True when the connection has become useful by it.

        ``at`` is when the frame arrived, or for a ``Pong`` when its PING was sent (Trio time).

        Raises:
            BadBook, ProtocolViolation: the connection must be dropped.
        """

    def lost(self) -> None:
        """The connection ended: what it kept true is true no longer. Called on every end."""

    async def prepare(self) -> None:
        """Called before each dial: renew what the URL or the greeting carries.

        Raises:
            VenueError: it could not; the dial is put off.
        """


@attrs.define
class Uptime:
    """How long a feed was useful, for the exit line."""

    since: float | None = None
    total_s: float = 0.0

    def up(self) -> None:
        """The feed is useful from now on."""
        if self.since is None:
            self.since = trio.current_time()

    @property
    def lasted_s(self) -> float:
        """How long it has been useful now."""
        return 0.0 if self.since is None else trio.current_time() - self.since

    def down(self) -> None:
        """The feed ended."""
        if self.since is not None:
            self.total_s += trio.current_time() - self.since
            self.since = None


@attrs.define
class Connection:
    """The settings and the state of one kept connection."""

    name: str
    """``vest public``: for the log."""
    codec: StreamCodec
    connect: Connect
    listener: Listener
    backoff: Backoff
    silence_s: float
    ping_every_s: float | None = None
    changed: Callable[[str], None] = lambda _: None
    """Told when the venue said something that this version has no word for."""
    needed: Callable[[], bool] = lambda: True
    """Whether there is anything to hear on it."""
    uptime: Uptime = attrs.field(factory=Uptime)
    useful: bool = False
    slept: Callable[[], int] = lambda: 0
    """How often the machine has slept: what comes over a connection of before is not taken."""
    _pings: deque[float] = attrs.field(factory=deque, init=False)
    _greetings: int = attrs.field(default=0, init=False)
    _acknowledged: int = attrs.field(default=0, init=False)
    _reading: trio.CancelScope | None = attrs.field(default=None, init=False)
    _dropped: str = attrs.field(default="", init=False)
    _wanted: trio.Event = attrs.field(factory=trio.Event, init=False)
    """Set when there is something to hear at last."""
    _failed: int = attrs.field(default=0, init=False)
    """How often it was lost since it was useful last."""
    _told_at: float = attrs.field(default=float("-inf"), init=False)

    async def keep(
        self,
        closing: StopSign,
        *,
        waited_for: bool = True,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Stay connected until the closing sign.

        Started: useful for the first time; at once when it is not ``waited_for``.

        Cancellation: the link is dropped rudely; raise the sign for a polite close.
        """
        announced = not waited_for
        if announced:
            task_status.started()

        def on_useful() -> None:
            nonlocal announced
            self.uptime.up()
            if not self.useful:
                self.useful = True
                again = f" after {self._failed} failed attempts" if self._failed > 1 else ""
                log.info(
                    "feed.ready",
                    message=f"[FEED] {self.name} ready{again}",
                    venue=self.codec.venue,
                    feed=self.name,
                    failed=self._failed,
                )
                self._failed = 0
            if not announced:
                announced = True
                task_status.started()

        if not self.needed():
            announced = True
            task_status.started()
            with closing.while_running():
                await self._wanted.wait()
        while not closing.raised:
            try:
                await self._session(closing, on_useful)
            except* RECONNECTABLE as lost:
                for one in leaves(lost):
                    if isinstance(one, ApiChanged):
                        self.changed(one.why)
                    if isinstance(one, HandshakeRefused):
                        self._ask_otherwise(one.status)
                why = "; ".join(dict.fromkeys(str(e) for e in leaves(lost)))
                self._tell_lost(why)
            finally:
                if self.uptime.lasted_s >= STEADY_S:
                    self.backoff.succeeded()
                self.useful = False
                self.uptime.down()
                self.listener.lost()
            with closing.while_running():
                await trio.sleep(self.backoff.next_delay_s())

    def drop(self, why: str) -> None:
        """Have the connection opened anew; what it kept true is forgotten at once."""
        self._dropped, self.useful = why, False
        self._wanted.set()
        self.listener.lost()
        if self._reading is not None:
            self._reading.cancel(reason=why)

    def _tell_lost(self, why: str) -> None:
        """Say the first loss; of a link that stays away say now and then how often it failed."""
        self._failed += 1
        now = trio.current_time()
        if self._failed > 1 and now - self._told_at < TOLD_EVERY_S:
            return
        self._told_at = now
        often = f" ({self._failed} failed attempts)" if self._failed > 1 else ""
        log.warning(
            "feed.lost",
            message=f"[FEED] {self.name} lost, reconnecting{often}: {why}",
            venue=self.codec.venue,
            feed=self.name,
            failed=self._failed,
            why=why,
            do="nothing: it reconnects by itself; check your network if it stays away",
        )

    def _ask_otherwise(self, status: int) -> None:
        if said := self.codec.refused(status):
            log.warning(
                "feed.stepped_down",
                message=f"[FEED] {self.name}: {said}",
                venue=self.codec.venue,
                feed=self.name,
                why=f"the venue refused the connection with HTTP {status}",
                do="nothing: it is the same data in another form",
            )

    async def _session(self, closing: StopSign, on_useful: Callable[[], None]) -> None:
        slept, self._dropped = self.slept(), ""
        with closing.while_running():
            await self.listener.prepare()
        if closing.raised:
            return
        async with self.connect(self.codec.url()) as wire:
            # Inside, so that the stop sign leaves the block above normally: close code 1000.
            with closing.while_running():
                greetings = self.codec.hello()
                self._greetings, self._acknowledged = len(greetings), 0
                self._pings.clear()
                for text in greetings:
                    await wire.send(text)
                async with trio.open_nursery() as session:
                    if self.ping_every_s is not None:
                        session.start_soon(self._keep_pinging, wire)
                    await self._read(wire, on_useful, slept)

    async def _read(self, wire: Wire, on_useful: Callable[[], None], slept: int) -> None:
        # One scope whose deadline moves: to enter one for every frame costs as much as to read it.
        with trio.CancelScope() as self._reading:
            while not self._dropped:
                self._reading.deadline = trio.current_time() + self.silence_s
                frame = await wire.receive()
                if self.slept() != slept or self._dropped:
                    break
                for notice in self.codec.read(frame):
                    self._hear(notice, frame.received_at, on_useful)
        cut, self._reading = self._reading.cancelled_caught, None
        if self._dropped or self.slept() != slept:
            raise ConnectionLost(self.codec.venue, self._dropped or "of before a sleep")
        if cut:
            raise ConnectionLost(self.codec.venue, f"silent for {self.silence_s:g} s")

    def _hear(self, notice: Notice, at: float, on_useful: Callable[[], None]) -> None:
        if isinstance(notice, Pong) and self._pings:
            at = self._pings.popleft()
        useful = self.listener.hear(notice, at)
        if isinstance(notice, Acknowledged):
            self._acknowledged += 1
            greeted = self._acknowledged >= self._greetings
            useful = useful or (greeted and self.listener.useful_when_greeted)
        if useful:
            on_useful()

    async def _keep_pinging(self, wire: Wire) -> None:
        every = self.ping_every_s or 0.0
        while True:
            text = self.codec.ping()
            if text is None:
                return
            self._pings.append(trio.current_time())
            try:
                await wire.send(text)
            except ConnectionLost:
                return  # the reader finds out and says why
            await trio.sleep(every)

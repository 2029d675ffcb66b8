"""One kept connection: dialled, greeted, watched for silence, dropped, and dialled again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import attrs
import pytest
import trio

from bot4.errors import (
    AuthRefused,
    ConnectionLost,
    ProtocolViolation,
    Unreachable,
    VenueRefused,
)
from bot4.ports import Acknowledged, Frame, Pong
from bot4.tasks.backoff import Backoff
from bot4.tasks.connection import Connection
from bot4.tasks.stop import StopSign

SILENCE_S = 5.0


@attrs.define
class Wire:
    """An open link; the test puts frames, or an error, into it."""

    frames: Any
    sent: list[str] = attrs.field(factory=list)
    sends_fail: bool = False
    ended: str = ""

    async def send(self, text: str) -> None:
        await trio.lowlevel.checkpoint()
        if self.sends_fail:
            raise ConnectionLost("vest", "broken pipe")
        self.sent.append(text)

    async def receive(self) -> Frame:
        found = await self.frames.receive()
        if isinstance(found, Exception):
            raise found
        return Frame(found, trio.current_time())


@attrs.define
class Codec:
    """Reads a frame as what its text names."""

    venue: str = "vest"
    greetings: tuple[str, ...] = ("hello", "subscribe")
    pings: bool = False

    def url(self) -> str:
        return "wss://vest.ws"

    def hello(self) -> tuple[str, ...]:
        return self.greetings

    def ping(self) -> str | None:
        return "ping" if self.pings else None

    def read(self, frame: Frame) -> list[Any]:
        if frame.data == "garbage":
            raise ProtocolViolation("vest", "cannot be read")
        known = {"ack": Acknowledged(1), "pong": Pong()}
        return [known.get(str(frame.data), frame.data)]


@attrs.define
class Listener:
    """Becomes useful by the notice ``book``."""

    useful_when_greeted: bool = False
    heard: list[tuple[Any, float]] = attrs.field(factory=list)
    lost_at: list[float] = attrs.field(factory=list)
    prepared: int = 0
    trouble: list[Exception] = attrs.field(factory=list)
    prepare_s: float = 0.0

    def hear(self, notice: Any, at: float) -> bool:
        self.heard.append((notice, at))
        return bool(notice == "book")

    def lost(self) -> None:
        self.lost_at.append(trio.current_time())

    async def prepare(self) -> None:
        self.prepared += 1
        await trio.sleep(self.prepare_s)
        if self.trouble:
            raise self.trouble.pop(0)


@attrs.define
class Far:
    """The venue's side: every dial gives a new wire, or the next error."""

    wires: list[Wire] = attrs.field(factory=list)
    puts: list[Any] = attrs.field(factory=list)
    dialled_at: list[float] = attrs.field(factory=list)
    errors: list[Exception] = attrs.field(factory=list)

    @asynccontextmanager
    async def connect(self, url: str) -> AsyncIterator[Wire]:
        assert url == "wss://vest.ws"
        self.dialled_at.append(trio.current_time())
        if self.errors:
            raise self.errors.pop(0)
        put, get = trio.open_memory_channel[Any](100)
        wire = Wire(get)
        self.wires.append(wire)
        self.puts.append(put)
        try:
            yield wire
            wire.ended = "politely"
        except BaseException:
            wire.ended = "rudely"
            raise

    def say(self, *texts: Any) -> None:
        for text in texts:
            self.puts[-1].send_nowait(text)


@attrs.define
class Rig:
    far: Far
    codec: Codec
    listener: Listener
    connection: Connection
    closing: StopSign = attrs.field(factory=StopSign)


@pytest.fixture
def rig(lines: Any) -> Rig:
    far, codec, listener = Far(), Codec(), Listener()
    backoff = Backoff(Random(1))
    connection = Connection("vest public", codec, far.connect, listener, backoff, SILENCE_S)
    return Rig(far, codec, listener, connection)


async def settle() -> None:
    await trio.testing.wait_all_tasks_blocked()


async def test_it_has_started_when_it_is_useful_for_the_first_time(
    rig: Any, nursery: Any, autojump_clock: Any, lines: Any
):
    started = trio.Event()

    async def start() -> None:
        await nursery.start(rig.connection.keep, rig.closing)
        started.set()

    nursery.start_soon(start)
    await settle()
    assert rig.far.wires[0].sent == ["hello", "subscribe"]
    assert not started.is_set()
    rig.far.say("book")
    await settle()

    assert started.is_set()
    assert rig.connection.useful
    assert [line["event"] for line in lines] == ["feed.ready"]


async def test_a_greeting_acknowledged_in_full_is_enough_where_it_is_said_to_be(
    rig: Any, nursery: Any, autojump_clock: Any
):
    rig.listener.useful_when_greeted = True
    nursery.start_soon(rig.connection.keep, rig.closing)
    await settle()
    rig.far.say("ack")
    await settle()
    assert not rig.connection.useful
    rig.far.say("ack")
    await settle()

    assert rig.connection.useful


async def test_acknowledgements_are_not_enough_for_a_feed(
    rig: Any, nursery: Any, autojump_clock: Any
):
    nursery.start_soon(rig.connection.keep, rig.closing)
    await settle()
    rig.far.say("ack", "ack", "ack")
    await settle()

    assert not rig.connection.useful


@pytest.mark.parametrize(
    "end",
    [ConnectionLost("vest", "closed"), "garbage", VenueRefused("vest", "no")],
    ids=["cut", "unreadable", "refused"],
)
async def test_whatever_ends_it_the_books_are_forgotten_and_it_dials_again_at_once(
    rig: Any, nursery: Any, autojump_clock: Any, lines: Any, end: Any
):
    nursery.start_soon(rig.connection.keep, rig.closing)
    await settle()
    rig.far.say("book", end)
    await settle()
    assert not rig.connection.useful
    assert rig.listener.lost_at == [0.0]
    await trio.sleep(0.01)

    assert rig.far.dialled_at == [0.0, 0.0]
    assert [line["event"] for line in lines] == ["feed.ready", "feed.lost"]
    rig.far.say("book")
    await settle()
    assert rig.connection.useful


async def test_a_silent_link_is_dropped_after_its_limit(
    rig: Any, nursery: Any, autojump_clock: Any, lines: Any
):
    nursery.start_soon(rig.connection.keep, rig.closing)
    await settle()
    rig.far.say("book")
    await trio.sleep(SILENCE_S - 0.1)
    rig.far.say("book")
    await trio.sleep(SILENCE_S + 0.1)

    assert rig.far.dialled_at == [0.0, 2 * SILENCE_S - 0.1]
    assert "silent for 5 s" in lines[-1]["why"]


async def test_a_link_that_greets_and_closes_is_not_dialled_in_a_storm(
    rig: Any, nursery: Any, autojump_clock: Any
):
    nursery.start_soon(rig.connection.keep, rig.closing)
    await settle()
    greeted = 0
    for _ in range(200):
        if len(rig.far.dialled_at) > greeted:
            greeted = len(rig.far.dialled_at)
            rig.far.say("book", ConnectionLost("vest", "closed with 1012"))
        await trio.sleep(0.05)

    # Ten seconds of a venue that takes every connection and drops it at once.
    assert len(rig.far.dialled_at) < 20


async def test_failed_dials_are_spaced_out_and_success_resets_that(
    rig: Any, nursery: Any, autojump_clock: Any
):
    rig.far.errors = [ConnectionLost("vest", "refused") for _ in range(5)]
    nursery.start_soon(rig.connection.keep, rig.closing)
    await trio.sleep(30)
    gaps = [b - a for a, b in zip(rig.far.dialled_at, rig.far.dialled_at[1:], strict=False)][:5]
    assert gaps[0] == 0.0
    assert all(later > 0 for later in gaps[1:])
    assert max(gaps) <= 4.0
    for _ in range(3):
        rig.far.say("book")
        await trio.sleep(2)
    rig.far.say(ConnectionLost("vest", "cut"))
    await settle()
    cut_at = trio.current_time()
    await trio.sleep(0.01)

    assert rig.far.dialled_at[-1] == cut_at


@pytest.mark.parametrize(
    "error", [Unreachable("vest", "down"), VenueRefused("vest", "busy")], ids=repr
)
async def test_a_preparation_that_fails_puts_the_dial_off(
    rig: Any, nursery: Any, autojump_clock: Any, error: Exception
):
    rig.listener.trouble = [error]
    nursery.start_soon(rig.connection.keep, rig.closing)
    await trio.sleep(1)

    assert rig.listener.prepared == 2
    assert len(rig.far.wires) == 1


async def test_what_no_new_dial_can_mend_is_raised(rig: Any, autojump_clock: Any):
    rig.listener.trouble = [AuthRefused("vest", "no such key")]

    with pytest.raises(AuthRefused):
        await rig.connection.keep(rig.closing)

    assert rig.listener.lost_at == [0.0]


async def test_pings_are_timed_by_their_sending(rig: Any, nursery: Any, autojump_clock: Any):
    rig.codec.pings, rig.connection.ping_every_s = True, 1.0
    nursery.start_soon(rig.connection.keep, rig.closing)
    await settle()
    assert rig.far.wires[0].sent == ["hello", "subscribe", "ping"]
    await trio.sleep(0.4)
    rig.far.say("pong")
    await settle()
    rig.far.say("pong")  # nobody asked: it is as old as it is young
    await settle()

    assert [at for notice, at in rig.listener.heard] == [0.0, 0.4]


async def test_a_protocol_without_pings_sends_none(rig: Any, nursery: Any, autojump_clock: Any):
    rig.connection.ping_every_s = 1.0
    nursery.start_soon(rig.connection.keep, rig.closing)
    await trio.sleep(3)

    assert rig.far.wires[0].sent == ["hello", "subscribe"]


async def test_a_ping_that_cannot_be_sent_leaves_the_verdict_to_the_reader(
    rig: Any, nursery: Any, autojump_clock: Any, lines: Any
):
    rig.codec.pings, rig.connection.ping_every_s = True, 1.0
    nursery.start_soon(rig.connection.keep, rig.closing)
    await settle()
    rig.far.wires[0].sends_fail = True
    await trio.sleep(2)
    assert lines == []
    rig.far.say(ConnectionLost("vest", "reset"))
    await settle()

    assert "reset" in lines[-1]["why"]


@pytest.mark.parametrize("stage", ["preparing", "greeted", "useful", "waiting to dial"])
async def test_the_closing_sign_ends_it_politely_at_any_stage(
    rig: Any, nursery: Any, autojump_clock: Any, stage: str
):
    if stage == "preparing":
        rig.listener.prepare_s = 10
    if stage == "waiting to dial":
        rig.far.errors = [ConnectionLost("vest", "refused") for _ in range(50)]
    ended = trio.Event()

    async def keep() -> None:
        await rig.connection.keep(rig.closing)
        ended.set()

    nursery.start_soon(keep)
    await settle()
    if stage == "useful":
        rig.far.say("book")
    await trio.sleep(1)
    rig.closing.raise_sign("test")
    with trio.fail_after(0.1):
        await ended.wait()

    assert [wire.ended for wire in rig.far.wires] == (
        ["politely"] if stage in ("greeted", "useful") else []
    )
    assert rig.listener.lost_at


async def test_a_cancel_drops_the_link_and_forgets_the_books(rig: Any, autojump_clock: Any):
    with trio.move_on_after(1):
        await rig.connection.keep(rig.closing)

    assert [wire.ended for wire in rig.far.wires] == ["rudely"]
    assert rig.listener.lost_at == [1.0]


async def test_the_uptime_counts_the_useful_time_only(rig: Any, nursery: Any, autojump_clock: Any):
    nursery.start_soon(rig.connection.keep, rig.closing)
    await trio.sleep(2)
    rig.far.say("book")
    await trio.sleep(3)
    rig.far.say(ConnectionLost("vest", "cut"))
    await trio.sleep(2)

    assert rig.connection.uptime.total_s == 3.0
    rig.connection.uptime.down()
    assert rig.connection.uptime.total_s == 3.0


async def test_a_link_that_stays_away_is_told_once_then_every_minute_with_a_count_and_when_back(
    rig: Any, nursery: Any, autojump_clock: Any, lines: Any
):
    rig.far.errors = [ConnectionLost("vest", "refused") for _ in range(60)]
    nursery.start_soon(rig.connection.keep, rig.closing)
    await trio.sleep(100)

    lost = [line for line in lines if line["event"] == "feed.lost"]
    assert len(lost) == 2
    assert "failed attempts" not in lost[0]["message"]
    assert f"({lost[1]['failed']} failed attempts)" in lost[1]["message"]
    rig.far.errors.clear()
    await trio.sleep(10)
    rig.far.say("book")
    await settle()
    [ready] = [line for line in lines if line["event"] == "feed.ready"]
    assert f"after {len(rig.far.dialled_at) - 1} failed attempts" in ready["message"]

    rig.far.say(ConnectionLost("vest", "cut"))
    await settle()
    assert lines[-1]["event"] == "feed.lost"
    assert "cut" in lines[-1]["why"]

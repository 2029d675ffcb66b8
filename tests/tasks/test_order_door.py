"""Which way an order goes, and what is known of it when the socket misbehaves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio

from bot4.errors import ConnectionLost
from bot4.ports import Acknowledged, Answer, Frame, InDoubt, Notice, Replied, Request
from bot4.tasks.order_door import SUSPECT_S, WsOrderDoor

ORDER = Request("POST", "/orders", {}, b"{}")
QUESTION = Request("GET", "/orders", {})


class Codec:
    """Speaks calls as ``number method path``."""

    venue = "paradex"
    greetings = 2

    def url(self) -> str:
        return "wss://x"

    def hello(self) -> Sequence[str]:
        return ("a", "b")

    def ping(self) -> str | None:
        return None

    def read(self, frame: Frame) -> Sequence[Notice]:
        raise NotImplementedError

    def call(self, request: Request, number: int) -> str | None:
        return None if request.method == "GET" else f"{number} {request.path}"


@attrs.define
class FakeWire:
    """Writes into a list; ``stuck`` and ``broken`` say what else it does."""

    written: list[str] = attrs.field(factory=list)
    stuck: bool = False
    broken: bool = False

    async def send(self, text: str) -> None:
        await trio.lowlevel.checkpoint()
        if self.broken:
            raise ConnectionLost("paradex", "the link broke")
        self.written.append(text)
        if self.stuck:
            await trio.sleep_forever()

    async def receive(self) -> Frame:
        await trio.sleep_forever()
        raise AssertionError


@attrs.define
class Rest:
    sent: list[tuple[Request, float]] = attrs.field(factory=list)
    hurried: list[float] = attrs.field(factory=list)

    def hurry(self, at: float) -> None:
        self.hurried.append(at)

    async def send(self, request: Request, *, timeout_s: float) -> Any:
        await trio.lowlevel.checkpoint()
        self.sent.append((request, timeout_s))
        return Answer(201, {}, b"rest", 0.0, 0.0)


@attrs.define
class Scene:
    """A door, the wire it dialled, and REST behind it."""

    door: WsOrderDoor
    wire: FakeWire
    rest: Rest
    listened: Any = None
    outcomes: list[Any] = attrs.field(factory=list)

    async def order(self, request: Request = ORDER, timeout_s: float = 8.0) -> Any:
        outcome = await self.door.send(request, timeout_s=timeout_s)
        self.outcomes.append(outcome)
        return outcome

    def reply(self, call: str, status: int = 200, body: bytes = b"ok") -> None:
        number = int(call.split(maxsplit=1)[0])
        self.door.hear(Replied(number, status, body), trio.current_time())


@asynccontextmanager
async def opened(*, greeted: bool = True, **wire: bool) -> AsyncIterator[Scene]:
    link, rest = FakeWire(**wire), Rest()

    @asynccontextmanager
    async def connect(url: str) -> AsyncIterator[FakeWire]:
        await trio.lowlevel.checkpoint()
        yield link

    door = WsOrderDoor(Codec(), connect, rest)  # type: ignore[arg-type]
    scene = Scene(door, link, rest)
    async with door.dial("wss://x") as scene.listened:
        for number in (1, 2) if greeted else (1,):
            door.hear(Acknowledged(number), 0.0)
        yield scene


async def test_an_order_goes_over_the_socket_and_its_reply_is_its_answer(autojump_clock: Any):
    async with opened() as scene, trio.open_nursery() as nursery:
        nursery.start_soon(scene.order)
        await trio.sleep(0.2)
        (call,) = scene.wire.written
        scene.reply(call, body=b"yes")

    (answer,) = scene.outcomes
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (200, b"yes")
    assert (answer.sent_at, answer.received_at) == (0.0, 0.2)
    assert scene.rest.sent == []


async def test_replies_find_their_orders_in_any_order(autojump_clock: Any):
    async with opened() as scene, trio.open_nursery() as nursery:
        for name in "abc":
            nursery.start_soon(scene.order, Request("POST", f"/{name}", {}))
        await trio.sleep(0.2)
        for call in sorted(scene.wire.written, key=lambda text: text[-1], reverse=True):
            scene.reply(call, body=call[-1].encode())

    assert sorted(answer.body for answer in scene.outcomes) == [b"a", b"b", b"c"]
    assert len({call.split()[0] for call in scene.wire.written}) == 3


@pytest.mark.parametrize("request_", [QUESTION])
async def test_what_the_socket_does_not_speak_goes_by_rest(autojump_clock: Any, request_: Request):
    async with opened() as scene:
        answer = await scene.order(request_)

    assert answer.body == b"rest"
    assert scene.wire.written == []


async def test_before_every_greeting_is_acknowledged_orders_go_by_rest(autojump_clock: Any):
    async with opened(greeted=False) as scene:
        assert not scene.door.up
        assert (await scene.order()).body == b"rest"


async def test_without_a_connection_orders_go_by_rest(autojump_clock: Any):
    async with opened() as scene:
        assert scene.door.up
    assert not scene.door.up

    assert (await scene.order()).body == b"rest"
    assert scene.wire.written == []


async def test_a_connection_that_ends_leaves_its_orders_in_doubt(autojump_clock: Any):
    async with trio.open_nursery() as nursery:
        async with opened() as scene:
            nursery.start_soon(scene.order)
            await trio.sleep(0.2)

    (outcome,) = scene.outcomes
    assert outcome == InDoubt("the connection was lost before the reply", 0.0)
    assert scene.rest.sent == []


async def test_a_reply_that_never_comes_is_doubt_and_the_connection_is_given_up(
    autojump_clock: Any,
):
    async with opened() as scene:
        assert await scene.order() == InDoubt("no reply in time", 0.0)

        assert trio.current_time() == pytest.approx(8.0)
        assert not scene.door.up
        with pytest.raises(ConnectionLost, match="a reply did not come in time"):
            await scene.listened.receive()


async def test_giving_up_wakes_whoever_reads(autojump_clock: Any):
    async with opened() as scene:
        woken: list[str] = []

        async def read() -> None:
            try:
                await scene.listened.receive()
            except ConnectionLost as lost:
                woken.append(lost.why)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            nursery.start_soon(scene.order)

    assert woken == ["opened anew: a reply did not come in time"]


async def test_a_late_reply_is_nobody_s(autojump_clock: Any):
    async with opened() as scene:
        await scene.order(timeout_s=1.0)
        (call,) = scene.wire.written

        with pytest.raises(ConnectionLost):
            scene.reply(call)

    assert isinstance(scene.outcomes[0], InDoubt)


async def test_an_order_after_one_unanswered_for_a_second_goes_by_rest(autojump_clock: Any):
    async with opened() as scene, trio.open_nursery() as nursery:
        nursery.start_soon(scene.order)
        await trio.sleep(SUSPECT_S + 0.1)

        assert (await scene.order()).body == b"rest"

        scene.reply(scene.wire.written[0])
        await trio.sleep(0.1)
        assert scene.door.up

    assert len(scene.wire.written) == 1


async def test_a_link_that_breaks_while_an_order_is_written_leaves_it_in_doubt(
    autojump_clock: Any,
):
    async with opened(broken=True) as scene:
        outcome = await scene.order()

        assert outcome == InDoubt("lost while it was sent: the link broke")
        assert not scene.door.up
    assert scene.rest.sent == []


async def test_a_second_order_does_not_wait_for_one_that_cannot_be_written(autojump_clock: Any):
    async with opened(stuck=True) as scene, trio.open_nursery() as nursery:
        nursery.start_soon(scene.order)
        await trio.sleep(0.2)
        begun = trio.current_time()

        answer = await scene.order()

        assert answer.body == b"rest"
        assert trio.current_time() - begun < 0.5

    assert scene.outcomes[1] == InDoubt("no reply in time")


async def test_a_refused_token_answers_the_order_and_opens_the_connection_anew(
    autojump_clock: Any,
):
    async with opened() as scene, trio.open_nursery() as nursery:
        nursery.start_soon(scene.order)
        nursery.start_soon(scene.order)
        await trio.sleep(0.2)
        first, second = scene.wire.written
        scene.reply(first, 401)

        assert not scene.door.up
        with pytest.raises(ConnectionLost, match="its token was refused"):
            scene.reply(second, 401)

    assert [answer.status for answer in scene.outcomes] == [401, 401]


async def test_a_cancelled_caller_still_waits_for_the_outcome(autojump_clock: Any):
    async with opened() as scene, trio.open_nursery() as nursery:
        nursery.start_soon(scene.order)
        await trio.sleep(0.2)
        nursery.cancel_scope.cancel()
        scene.reply(scene.wire.written[0])
        with trio.CancelScope(shield=True, deadline=trio.current_time() + 5):
            while not scene.outcomes:  # noqa: ASYNC110 - nothing else tells
                await trio.sleep(0.01)

    assert scene.outcomes[0].status == 200


async def test_a_closed_door_gives_up_what_is_under_way(autojump_clock: Any):
    async with opened() as scene, trio.open_nursery() as nursery:
        nursery.start_soon(scene.order)
        await trio.sleep(0.2)
        await scene.door.aclose()

    assert scene.outcomes == [InDoubt("the door was closed", 0.0)]


async def test_it_signs_in_before_each_dial(autojump_clock: Any):
    async with opened() as scene:
        renewed: list[int] = []

        async def renew() -> None:
            await trio.lowlevel.checkpoint()
            renewed.append(1)

        scene.door.renew = renew
        await scene.door.prepare()

    assert renewed == [1]

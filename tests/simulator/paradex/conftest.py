"""A simulated Paradex with a still market over memory streams, and a small client of our own."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import attrs
import fast_stark_crypto
import h11
import pytest
import trio
import trio_websocket

from bot4.simulator.faults import FaultMenu
from bot4.simulator.latency import Latency
from bot4.simulator.orders import Depth, Execution, SimMarket
from bot4.simulator.paradex.venue import ParadexVenue
from bot4.simulator.setup import VenueSetup

WALL_MS = 1_770_000_000_000
ETH = "ETH-USD-PERP"


class StillModel:
    """One price per base that only the test moves."""

    def __init__(self) -> None:
        self.prices = {"ETH": Decimal(2900), "BTC": Decimal(83000)}

    def mid(self, venue: str, base: str) -> Decimal:
        return self.prices[base]

    picture = mid

    def index(self, base: str) -> Decimal:
        return self.prices[base]

    def hourly_funding(self, venue: str, base: str) -> Decimal:
        return Decimal("0.00001")


class StillLiquidity:
    """A book the test writes, around the price; what is taken does not come back."""

    def __init__(self) -> None:
        self.asks = [(Decimal("0.5"), Decimal(1)), (Decimal("1.5"), Decimal(2))]
        self.bids = [(Decimal("0.5"), Decimal(1)), (Decimal("1.5"), Decimal(2))]
        self.budget = Decimal(1_000_000)
        """Base units that may still be taken."""

    def depth(self, market: SimMarket, mid: Decimal, *, retail: bool = False) -> Depth:
        return Depth(
            tuple((mid - away, size) for away, size in self.bids),
            tuple((mid + away, size) for away, size in self.asks),
        )

    def execute(self, market, side, size, limit, mid, *, retail=False) -> Execution:
        book = self.depth(market, mid)
        fills = []
        left = wanted = min(size, self.budget)
        for price, shown in book.asks if side == "buy" else book.bids:
            beyond = limit is not None and (price > limit if side == "buy" else price < limit)
            if left > 0 and not beyond:
                fills.append((price, min(left, shown)))
                left -= min(left, shown)
        self.budget -= wanted - left
        return Execution(tuple(fills))


@attrs.frozen
class Answer:
    """What the REST client got."""

    status: int
    headers: dict[str, str]
    body: Any


@attrs.define
class Rig:
    """The venue and everything a test does to it."""

    venue: ParadexVenue
    model: StillModel
    liquidity: StillLiquidity
    faults: FaultMenu
    nursery: trio.Nursery
    saved: list[Any]
    token: str = ""
    names: int = 0
    inbox: dict[Any, deque[Any]] = attrs.field(factory=dict)

    @property
    def now_ms(self) -> int:
        return self.venue.wall_ms()

    def key(self) -> int:
        return int(self.venue.credentials()["paradex.private_key"], 16)

    def signature(self, message_hash: int, key: int | None = None) -> str:
        r, s = fast_stark_crypto.sign(key or self.key(), message_hash)
        return json.dumps([str(r), str(s)])

    def order(self, *, key: int | None = None, signed: dict[str, Any] | None = None, **over: Any):
        """A signed LIMIT IOC buy of 0.1 ETH at 2901, with changes."""
        self.names += 1
        body = {
            "market": ETH,
            "side": "BUY",
            "type": "LIMIT",
            "size": "0.1",
            "price": "2901",
            "instruction": "IOC",
            "client_id": f"b4-test-{self.names}",
            "signature_timestamp": self.now_ms,
            "recv_window": 2000,
            **over,
        }
        body = {name: value for name, value in body.items() if value is not None}
        facts = {**body, **(signed or {})}
        message = self.venue.notary.order_hash(
            timestamp_ms=facts["signature_timestamp"],
            market=facts["market"],
            side=facts["side"],
            kind=facts["type"],
            size=Decimal(facts["size"]),
            price=Decimal(facts.get("price") or 0),
        )
        return {**body, "signature": self.signature(message, key)}

    def login_headers(self, **over: str) -> dict[str, str]:
        now_s = self.now_ms // 1000
        message = self.venue.notary.auth_hash(now_s, now_s + 600)
        return {
            "PARADEX-STARKNET-ACCOUNT": self.venue.account,
            "PARADEX-STARKNET-SIGNATURE": self.signature(message),
            "PARADEX-TIMESTAMP": str(now_s),
            "PARADEX-SIGNATURE-EXPIRATION": str(now_s + 600),
            **over,
        }

    async def log_in(self, query: str = "") -> str:
        answer = await self.rest(
            "POST", f"/v1/auth/{self.venue.public_key}{query}", headers=self.login_headers()
        )
        self.token = answer.body["jwt_token"]
        return self.token

    async def rest(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own; EOFError when it is cut."""
        token = self.token if token is None else token
        sent = {"Host": "localhost", **(headers or {})}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        payload = b"" if body is None else json.dumps(body).encode()
        sent["Content-Length"] = str(len(payload))
        ours, theirs = trio.testing.memory_stream_pair()
        self.nursery.start_soon(self.venue.serve_rest, theirs)
        client = h11.Connection(h11.CLIENT)
        request = h11.Request(method=method, target=path, headers=list(sent.items()))
        data = client.send(request) + client.send(h11.Data(data=payload))
        await ours.send_all(data + client.send(h11.EndOfMessage()))
        head, parts = None, []
        while True:
            event = client.next_event()
            if event is h11.NEED_DATA:
                received = await ours.receive_some()
                if not received:
                    raise EOFError
                client.receive_data(received)
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                parts.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                break
            else:
                raise EOFError
        await ours.aclose()
        raw = b"".join(parts)
        shown = {name.decode(): value.decode() for name, value in head.headers}
        as_json = shown.get("content-type") == "application/json"
        return Answer(head.status_code, shown, json.loads(raw) if as_json and raw else raw)

    async def place(self, **over: Any) -> Answer:
        return await self.rest("POST", "/v1/orders", self.order(**over))

    async def landed(self, answer: Answer) -> dict[str, Any]:
        """Let an order land; return it from the history."""
        await trio.sleep(1)
        page = await self.rest("GET", f"/v1/orders-history?client_id={answer.body['client_id']}")
        return page.body["results"][0]

    @asynccontextmanager
    async def ws(self, query: str = "") -> AsyncIterator[trio_websocket.WebSocketConnection]:
        ours, theirs = trio.testing.memory_stream_pair()
        self.nursery.start_soon(self.venue.serve_ws, theirs)
        async with trio.open_nursery() as tasks:
            connection = await trio_websocket.wrap_client_stream(
                tasks, ours, "localhost", f"/v1{query}", message_queue_size=1000
            )
            yield connection
            with trio.move_on_after(1):
                await connection.aclose()
            tasks.cancel_scope.cancel()

    async def call(self, connection: Any, method: str, call_id: Any = 7, **params: Any) -> Any:
        """One JSON-RPC request; frames that come before the reply stay for ``event``."""
        return await self.ask(connection, method, params, call_id)

    async def ask(self, connection: Any, method: str, params: Any, call_id: Any = 7) -> Any:
        """The same with parameters of any shape."""
        request = {"jsonrpc": "2.0", "method": method, "params": params, "id": call_id}
        await connection.send_message(json.dumps(request))
        waiting = self.inbox.setdefault(connection, deque())
        while True:
            frame = await connection.get_message()
            if isinstance(frame, str) and json.loads(frame).get("id") == call_id:
                return json.loads(frame)
            waiting.append(frame)

    async def event(self, connection: Any, channel: str | None = None) -> Any:
        """The next frame; with a channel, the data of its next JSON event."""
        waiting = self.inbox.setdefault(connection, deque())
        while True:
            frame = waiting.popleft() if waiting else await connection.get_message()
            if channel is None:
                return frame
            params = json.loads(frame).get("params", {}) if isinstance(frame, str) else {}
            if params.get("channel") == channel:
                return params["data"]


class Cursor:
    """Reads a binary frame from left to right; independent of the encoder."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        assert self.at + count <= len(self.data), "frame too short"
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, count: int, *, signed: bool = False) -> int:
        return int.from_bytes(self.take(count), "little", signed=signed)

    def decimal(self) -> Decimal | None:
        value = self.number(8, signed=True)
        return None if value == -(1 << 63) else Decimal(value).scaleb(-8)

    def text(self) -> str:
        return self.take(self.number(1)).decode()

    def rest(self) -> list[str]:
        texts = []
        while self.at < len(self.data):
            texts.append(self.text())
        return texts


def read_header(frame: bytes) -> tuple[int, int, int, Cursor]:
    """Template, version, where the block ends, and a cursor at its start."""
    cursor = Cursor(frame)
    length, template, schema, version = (cursor.number(2) for _ in range(4))
    assert schema == 1
    return template, version, cursor.at + length, cursor


def read_book(frame: bytes) -> dict[str, Any]:
    """An order book frame."""
    template, version, end, cursor = read_header(frame)
    assert template == 3
    book = {"version": version, "time_us": cursor.number(8), "seq_no": cursor.number(8)}
    book["whole"] = cursor.number(1) == 0
    book["best"] = [cursor.decimal() for _ in range(9)]
    assert cursor.at == end
    for side in ("bids", "asks"):
        width, count = cursor.number(2), cursor.number(2)
        assert width == 16
        book[side] = [(cursor.decimal(), cursor.decimal()) for _ in range(count)]
    book["market"] = cursor.text()
    assert cursor.at == len(frame)
    return book


@pytest.fixture
def header_of():
    return read_header


@pytest.fixture
def book_of():
    return read_book


@pytest.fixture
def switches() -> dict[str, Any]:
    """Override in a module, or fill by ``pytest.mark.parametrize``."""
    return {}


@pytest.fixture
async def rig(switches, nursery) -> Rig:
    """A running venue, nobody logged in. The test itself must ask for ``autojump_clock``."""
    model, liquidity, faults, saved = StillModel(), StillLiquidity(), FaultMenu(), []
    markets = {
        symbol: SimMarket(
            symbol=symbol,
            base=base,
            tick=Decimal(tick),
            lot=Decimal(lot),
            min_notional=Decimal(10),
            initial_margin=Decimal("0.02"),
            maintenance_margin=Decimal("0.01"),
            taker_fee=Decimal("0.00045"),
        )
        for symbol, base, tick, lot in (
            (ETH, "ETH", "0.01", "0.0001"),
            ("BTC-USD-PERP", "BTC", "0.1", "0.00001"),
        )
    }
    setup = VenueSetup(
        name="paradex",
        seed=5,
        markets=markets,
        model=model,
        liquidity=liquidity,
        faults=faults,
        latency=Latency("paradex", 5),
        wall_ms=lambda: WALL_MS + int(trio.current_time() * 1000),
        save=lambda *what: saved.append(what),
        switches=switches,
    )
    venue = ParadexVenue(setup)
    await nursery.start(venue.run)
    return Rig(venue, model, liquidity, faults, nursery, saved)


@pytest.fixture
async def logged_in(rig) -> Rig:
    """The same, with a Pro token."""
    await rig.log_in()
    return rig

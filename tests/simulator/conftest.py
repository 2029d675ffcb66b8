"""A client of the test's own for the simulated venues, over memory streams and a mock clock."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import attrs
import coincurve
import h11
import pytest
import trio
from Crypto.Hash import keccak
from eth_abi import encode
from trio.testing import memory_stream_pair
from trio_websocket import WebSocketConnection, wrap_client_stream

from bot4.simulator.box import TwoVenues
from bot4.simulator.options import Options

EPOCH_MS = 1_790_000_000_000
CONTROL_TOKEN = "opens-the-control-endpoint"
DEV_CONTRACT = "0x8E4D87AEf4AC4D5415C35A12319013e34223825B"


def wall_ms() -> int:
    return EPOCH_MS + int(trio.current_time() * 1000)


def keccak256(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


def sign(private_key: str, digest: bytes) -> str:
    key = coincurve.PrivateKey(bytes.fromhex(private_key.removeprefix("0x")))
    raw = key.sign_recoverable(digest, hasher=None)
    return f"0x{raw[:64].hex()}{raw[64] + 27:02x}"


def address(private_key: str) -> str:
    key = coincurve.PrivateKey(bytes.fromhex(private_key.removeprefix("0x")))
    return f"0x{keccak256(key.public_key.format(compressed=False)[1:])[12:].hex()}"


@attrs.frozen
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@attrs.define
class Client:
    """Speaks to a box; every request has a connection of its own."""

    box: TwoVenues
    nursery: trio.Nursery
    api_key: str = ""
    nonce: int = 0

    def dial(self, endpoint: str) -> trio.abc.Stream:
        ours, theirs = memory_stream_pair()
        self.nursery.start_soon(self.box.serve, endpoint, theirs)
        return ours

    async def request(
        self, endpoint: str, method: str, target: str, body: Any = None, **headers: str
    ) -> Reply | None:
        """Return the answer, None when the connection was cut."""
        if endpoint == "control":
            headers = {"Authorization": f"Bearer {CONTROL_TOKEN}"} | headers
        return await exchange(self.dial(endpoint), method, target, body, **headers)

    # Vest.

    async def vest(self, method: str, path: str, body: Any = None, **more: str) -> Reply | None:
        headers = {"xrestservermm": "restserver0", "X-API-KEY": self.api_key} | more
        return await self.request("vest.rest", method, f"/v2{path}", body, **headers)

    def registration(self, **changes: Any) -> dict[str, Any]:
        keys = self.box.credentials()
        body: dict[str, Any] = {
            "signingAddr": address(keys["vest.signing_key"]),
            "primaryAddr": address(keys["vest.primary_key"]),
            "expiryTime": wall_ms() + 86_400_000,
            "networkType": 0,
        } | changes
        domain = keccak256(
            encode(
                ["bytes32", "bytes32", "bytes32", "address"],
                [
                    keccak256(
                        b"EIP712Domain(string name,string version,address verifyingContract)"
                    ),
                    keccak256(b"VestRouterV2"),
                    keccak256(b"0.0.1"),
                    changes.get("contract", DEV_CONTRACT),
                ],
            )
        )
        proof = keccak256(
            encode(
                ["bytes32", "address", "uint256"],
                [
                    keccak256(b"SignerProof(address approvedSigner,uint256 signerExpiry)"),
                    body["signingAddr"],
                    body["expiryTime"],
                ],
            )
        )
        digest = keccak256(b"\x19\x01" + domain + proof)
        body.setdefault("signature", sign(keys["vest.primary_key"], digest))
        body.pop("contract", None)
        return body

    async def register(self, *, leverage: int | None = 10) -> None:
        reply = await self.vest("POST", "/register", self.registration())
        assert reply is not None
        assert reply.status == 200, reply.body
        self.api_key = reply.json["apiKey"]
        if leverage is not None:
            for symbol in self.box.vest.markets:
                body = {"time": wall_ms(), "symbol": symbol, "value": leverage}
                reply = await self.vest("POST", "/account/leverage", body)
                assert reply is not None
                assert reply.status == 200, reply.body

    def order(self, *, window: int | None = 60_000, **changes: Any) -> dict[str, Any]:
        self.nonce = max(wall_ms(), self.nonce + 1)
        order: dict[str, Any] = {
            "time": wall_ms(),
            "nonce": self.nonce,
            "symbol": "BTC-PERP",
            "isBuy": True,
            "size": "0.0100",
            "orderType": "MARKET",
            "limitPrice": "84000.00",
            "reduceOnly": False,
        } | changes
        inner = keccak256(
            encode(
                ["uint256", "uint256", "string", "string", "bool", "string", "string", "bool"],
                [
                    order["time"],
                    order["nonce"],
                    order["orderType"],
                    order["symbol"],
                    order["isBuy"],
                    order["size"],
                    order["limitPrice"],
                    order["reduceOnly"],
                ],
            )
        )
        body: dict[str, Any] = {"order": order, "signature": self.personal(inner)}
        if window is not None:
            body["recvWindow"] = window
        return body

    def personal(self, inner: bytes, key: str = "vest.signing_key") -> str:
        digest = keccak256(b"\x19Ethereum Signed Message:\n32" + inner)
        return sign(self.box.credentials()[key], digest)

    async def place(self, **changes: Any) -> str:
        """Place a Vest order that must be accepted; return its id."""
        reply = await self.vest("POST", "/orders", self.order(**changes))
        assert reply is not None
        assert reply.status == 200, reply.body
        return str(reply.json["id"])

    async def cancel(self, order_id: str, query: str | None = None) -> Reply | None:
        self.nonce = max(wall_ms(), self.nonce + 1)
        order = {"time": wall_ms(), "nonce": self.nonce, "id": order_id}
        inner = keccak256(
            encode(["uint256", "uint256", "string"], [order["time"], order["nonce"], order_id])
        )
        body = {"order": order, "recvWindow": 60_000, "signature": self.personal(inner)}
        query = f"?time={wall_ms()}" if query is None else query
        return await self.vest("POST", f"/orders/cancel{query}", body)

    async def settled(self, order_id: str) -> dict[str, Any]:
        """Wait until the order is known to have landed; return its row of GET /orders."""
        await trio.sleep(1)
        reply = await self.vest("GET", f"/orders?id={order_id}&time={wall_ms()}")
        assert reply is not None
        assert reply.status == 200, reply.body
        [row] = reply.json
        return dict(row)

    async def listen_key(self) -> str:
        reply = await self.vest("POST", "/account/listenKey")
        assert reply is not None
        return str(reply.json["listenKey"])

    @asynccontextmanager
    async def socket(
        self, target: str, endpoint: str = "vest.ws"
    ) -> AsyncIterator[WebSocketConnection]:
        async with trio.open_nursery() as session:
            stream = self.dial(endpoint)
            connection = await wrap_client_stream(session, stream, "localhost", target)
            yield connection
            await connection.aclose()

    @asynccontextmanager
    async def vest_socket(
        self, *channels: str, key: str = ""
    ) -> AsyncIterator[WebSocketConnection]:
        target = "/ws-api?version=1.0&xwebsocketserver=restserver0"
        async with self.socket(target + (f"&listenKey={key}" if key else "")) as connection:
            asked = {"method": "SUBSCRIBE", "params": list(channels), "id": 1}
            await connection.send_message(json.dumps(asked))
            assert json.loads(await connection.get_message()) == {"result": None, "id": 1}
            yield connection

    @staticmethod
    async def next_event(connection: WebSocketConnection, channel: str = "account_private") -> Any:
        """Wait for the next frame of a channel; return its data, or the order of an event."""
        while True:
            frame = json.loads(await connection.get_message())
            if frame.get("channel") == channel:
                return frame["data"]["args"] if channel == "account_private" else frame["data"]

    @property
    def now_ms(self) -> int:
        return wall_ms()

    def fault(self, kind: str, **args: Any) -> None:
        self.box.faults.add({"venue": "vest", "kind": kind, **args})

    def truth(self, venue: str = "vest") -> dict[str, Any]:
        return dict(self.box.truth()[venue])

    def position(self, symbol: str = "BTC-PERP") -> Decimal:
        return Decimal(self.truth()["positions"].get(symbol, "0"))


async def exchange(
    stream: trio.abc.Stream, method: str, target: str, body: Any = None, **headers: str
) -> Reply | None:
    """Send one request over an open stream; None when it was cut before the answer."""
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    connection = h11.Connection(h11.CLIENT)
    sent = {"Host": "localhost", "Content-Length": str(len(raw)), **headers}
    out = connection.send(h11.Request(method=method, target=target, headers=list(sent.items())))
    data = connection.send(h11.Data(data=raw)) or b""
    await stream.send_all((out or b"") + data + (connection.send(h11.EndOfMessage()) or b""))
    head: h11.Response | None = None
    received = b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            try:
                data = bytes(await stream.receive_some(65536))
            except trio.BrokenResourceError:
                return None
            if not data and head is None:
                return None
            connection.receive_data(data)
        elif isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            received += event.data
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            names = {n.decode(): v.decode() for n, v in head.headers}
            return Reply(head.status_code, names, received)
        else:
            return None


@pytest.fixture
def make_client(nursery) -> Callable[..., Any]:
    """Build a running box and a client: ``await make_client(profile="calm")``.

    The test itself must ask for ``autojump_clock``: pytest-trio looks for it there only.
    """

    async def make(**changes: Any) -> Client:
        options = Options(**({"seed": 7, "profile": "calm", "bases": ("BTC",)} | changes))
        box = TwoVenues(options, wall_ms=wall_ms, control_token=CONTROL_TOKEN)
        await nursery.start(box.run)
        return Client(box, nursery)

    return make


@pytest.fixture
async def client(make_client) -> Client:
    """A registered client of a calm market, leverage set."""
    made: Client = await make_client()
    await made.register()
    return made

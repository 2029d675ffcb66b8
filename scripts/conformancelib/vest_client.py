"""A small Vest client of its own, after the documents alone: it shares no code with the bot.

Source: Vest API docs (v2), Signing, Register and WebSocket, seen 2025-11.
"""

from __future__ import annotations

import json
import ssl
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import coincurve
import httpx
import trio
from Crypto.Hash import keccak
from eth_abi import encode  # type: ignore[attr-defined]
from timeouts import CLIENT_ANSWER_S, REQUEST_S
from trio_websocket import WebSocketConnection, open_websocket_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CONTRACT: Final = "0x8E4D87AEf4AC4D5415C35A12319013e34223825B"
"""Of the development network."""
DAY_MS: Final = 86_400_000
ORDER: Final = {
    "time": "uint256",
    "nonce": "uint256",
    "orderType": "string",
    "symbol": "string",
    "isBuy": "bool",
    "size": "string",
    "limitPrice": "string",
    "reduceOnly": "bool",
}
CANCEL: Final = {"time": "uint256", "nonce": "uint256", "id": "string"}


def now_ms() -> int:
    """Return the wall clock in milliseconds."""
    return time.time_ns() // 1_000_000


def _keccak(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


def _key(text: str) -> coincurve.PrivateKey:
    return coincurve.PrivateKey(bytes.fromhex(text.removeprefix("0x")))


def _address(key: coincurve.PrivateKey) -> str:
    return f"0x{_keccak(key.public_key.format(compressed=False)[1:])[12:].hex()}"


def _sign(key: coincurve.PrivateKey, digest: bytes) -> str:
    raw = key.sign_recoverable(digest, hasher=None)
    return f"0x{raw[:64].hex()}{raw[64] + 27:02x}"


class VestClient:
    """Speaks to one venue over HTTPS and WebSocket.

    Args:
        said: the simulator's announcement.
    """

    def __init__(self, said: dict[str, str]) -> None:
        self._base = said["vest.rest"]
        self._socket_base = said["vest.ws"]
        self._context = ssl.create_default_context(cafile=said["ca_file"])
        self._primary, self._signing = (_key(said[f"vest.{k}_key"]) for k in ("primary", "signing"))
        self._http = httpx.Client(verify=self._context, trust_env=False, timeout=REQUEST_S)
        self._nonce = 0
        self.api_key = ""

    def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Send a request with the headers every private call needs."""
        headers = {"xrestservermm": "restserver0", "X-API-KEY": self.api_key}
        return self._http.request(method, self._base + path, json=body, headers=headers)

    def registration(self) -> dict[str, Any]:
        """Return a registration: an EIP-712 proof by the primary key."""
        expiry, signer = now_ms() + 7 * DAY_MS, _address(self._signing)
        domain = (
            _keccak(b"EIP712Domain(string name,string version,address verifyingContract)"),
            _keccak(b"VestRouterV2"),
            _keccak(b"0.0.1"),
            CONTRACT,
        )
        proof = (
            _keccak(b"SignerProof(address approvedSigner,uint256 signerExpiry)"),
            signer,
            expiry,
        )
        hashed = _keccak(encode(["bytes32", "bytes32", "bytes32", "address"], domain))
        struct = _keccak(encode(["bytes32", "address", "uint256"], proof))
        return {
            "signingAddr": signer,
            "primaryAddr": _address(self._primary),
            "signature": _sign(self._primary, _keccak(b"\x19\x01" + hashed + struct)),
            "expiryTime": expiry,
            "networkType": 0,
        }

    def order(self, **fields: object) -> dict[str, Any]:
        """Return a signed order: MARKET buy of 0.01 BTC, with changes."""
        order: dict[str, Any] = {
            **self._stamp(),
            "symbol": "BTC-PERP",
            "isBuy": True,
            "size": "0.0100",
            "orderType": "MARKET",
            "limitPrice": "99000.00",
            "reduceOnly": False,
            **fields,
        }
        return self._signed(order, ORDER)

    def cancel(self, order_id: str) -> dict[str, Any]:
        """Return a signed cancel."""
        return self._signed({**self._stamp(), "id": order_id}, CANCEL)

    @asynccontextmanager
    async def socket(self, *channels: str, key: str = "") -> AsyncIterator[WebSocketConnection]:
        """Open a WebSocket and subscribe; the acknowledgement is left to be read."""
        url = f"{self._socket_base}&xwebsocketserver=restserver0"
        url += f"&listenKey={key}" if key else ""
        async with open_websocket_url(url, ssl_context=self._context) as socket:
            asked = {"method": "SUBSCRIBE", "params": list(channels), "id": 1}
            await socket.send_message(json.dumps(asked))
            yield socket

    def _stamp(self) -> dict[str, int]:
        self._nonce = max(now_ms(), self._nonce + 1)
        return {"time": now_ms(), "nonce": self._nonce}

    def _signed(self, order: dict[str, Any], types: dict[str, str]) -> dict[str, Any]:
        inner = _keccak(encode(list(types.values()), [order[name] for name in types]))
        digest = _keccak(b"\x19Ethereum Signed Message:\n32" + inner)
        return {"order": order, "recvWindow": 60_000, "signature": _sign(self._signing, digest)}


async def next_message(socket: WebSocketConnection, wanted: Any) -> Any:
    """Return the next message for which ``wanted`` holds; text and binary alike.

    Raises:
        trio.TooSlowError: none came within ``CLIENT_ANSWER_S``.
    """
    with trio.fail_after(CLIENT_ANSWER_S):
        while True:
            message = json.loads(await socket.get_message())
            if wanted(message):
                return message

"""The venues as a real process, over real TLS on loopback."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from contextlib import asynccontextmanager, suppress
from functools import partial

import coincurve
import httpx
import pytest
import trio
from Crypto.Hash import keccak
from eth_abi import encode
from timeouts import LOOPBACK_S, QUIET_S, REQUEST_S, VENUES_S
from trio_websocket import open_websocket_url

from bot4.simulator.child import simulate, wait_for_end_of_input
from bot4.simulator.options import Options
from bot4.simulator.persist import WorldBusy, WorldStore

DOMAIN = ["bytes32", "bytes32", "bytes32", "address"]
PROOF = ["bytes32", "address", "uint256"]
ORDER = ["uint256", "uint256", "string", "string", "bool", "string", "string", "bool"]


def keccak256(data):
    return keccak.new(digest_bits=256, data=data).digest()


def sign(key, digest):
    raw = coincurve.PrivateKey(bytes.fromhex(key[2:])).sign_recoverable(digest, hasher=None)
    return f"0x{raw[:64].hex()}{raw[64] + 27:02x}"


def address(key):
    public = coincurve.PrivateKey(bytes.fromhex(key[2:])).public_key.format(compressed=False)
    return f"0x{keccak256(public[1:])[12:].hex()}"


def now_ms():
    return time.time_ns() // 1_000_000


class Person:
    """Somebody with httpx and trio-websocket and the announced line."""

    def __init__(self, said):
        self.said = said
        self.tls = ssl.create_default_context(cafile=said["ca_file"])
        self.headers = {"xrestservermm": "restserver0"}

    def http(self):
        return httpx.AsyncClient(verify=self.tls, headers=self.headers, timeout=REQUEST_S)

    async def register(self):
        signer, expiry = address(self.said["vest.signing_key"]), now_ms() + 86_400_000
        contract = "0x8E4D87AEf4AC4D5415C35A12319013e34223825B"
        domain_type = b"EIP712Domain(string name,string version,address verifyingContract)"
        names = [keccak256(part) for part in (domain_type, b"VestRouterV2", b"0.0.1")]
        proof_type = keccak256(b"SignerProof(address approvedSigner,uint256 signerExpiry)")
        digest = keccak256(
            b"\x19\x01"
            + keccak256(encode(DOMAIN, [*names, contract]))
            + keccak256(encode(PROOF, [proof_type, signer, expiry]))
        )
        body = {
            "signingAddr": signer,
            "primaryAddr": address(self.said["vest.primary_key"]),
            "signature": sign(self.said["vest.primary_key"], digest),
            "expiryTime": expiry,
            "networkType": 0,
        }
        answer = await self.post("/register", body)
        self.headers = {"xrestservermm": "restserver0", "X-API-KEY": answer["apiKey"]}
        await self.post("/account/leverage", {"time": now_ms(), "symbol": "BTC-PERP", "value": 5})

    async def post(self, path, body=None):
        async with self.http() as client:
            answer = await client.post(self.said["vest.rest"] + path, json=body)
            answer.raise_for_status()
            return answer.json()

    async def buy(self, nonce):
        values = [now_ms(), nonce, "MARKET", "BTC-PERP", True, "0.0010", "99000.00", False]
        inner = keccak256(encode(ORDER, values))
        digest = keccak256(b"\x19Ethereum Signed Message:\n32" + inner)
        names = (
            "time",
            "nonce",
            "orderType",
            "symbol",
            "isBuy",
            "size",
            "limitPrice",
            "reduceOnly",
        )
        body = {
            "order": dict(zip(names, values, strict=True)),
            "recvWindow": 5000,
            "signature": sign(self.said["vest.signing_key"], digest),
        }
        return (await self.post("/orders", body))["id"]

    async def truth(self):
        async with httpx.AsyncClient(timeout=REQUEST_S) as client:
            answer = await client.get(self.said["control"] + "/truth", headers=opened(self.said))
            return answer.json()["vest"]


def opened(said):
    """Headers for the control endpoint."""
    return {"Authorization": f"Bearer {said.get('control_token', '')}"}


@asynccontextmanager
async def child(state_dir, *args, code=0):
    """Start the venues; leaving the block closes their standard input and waits for the end."""
    command = [sys.executable, "-m", "bot4.simulator", "--state-dir", str(state_dir), *args]
    process = await trio.lowlevel.open_process(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        line = b""
        while not line.endswith(b"\n"):
            part = await process.stdout.receive_some()
            assert part, "the child ended without saying where it is"
            line += part
        yield process, json.loads(line)
        await process.stdin.aclose()
        assert await process.wait() == code
    finally:
        if process.poll() is None:
            process.kill()
            await process.wait()
        await process.stdout.aclose()
        await process.stdin.aclose()


@pytest.mark.slow
async def test_a_client_trades_over_loopback_tls_and_the_truth_is_written(tmp_path):
    with trio.fail_after(VENUES_S):
        async with child(tmp_path, "--seed", "3", "--profile", "calm") as (_, said):
            person = Person(said)
            await person.register()
            key = (await person.post("/account/listenKey"))["listenKey"]
            url = f"{said['vest.ws']}&xwebsocketserver=restserver0&listenKey={key}"
            async with open_websocket_url(url, person.tls) as socket:
                channels = ["BTC-PERP@depth", "account_private"]
                await socket.send_message(
                    json.dumps({"method": "SUBSCRIBE", "params": channels, "id": 1})
                )
                order_id = await person.buy(now_ms())
                seen = {}
                while seen.get("status") != "FILLED":
                    frame = json.loads(await socket.get_message())
                    if frame.get("channel") == "account_private":
                        seen = frame["data"]["args"]
        truth = json.loads((tmp_path / "truth.json").read_text())

    assert seen["id"] == order_id
    assert truth["vest"]["positions"] == {"BTC-PERP": "0.001"}
    assert truth["vest"]["open_orders"] == []


@pytest.mark.slow
async def test_kill_nine_loses_no_acknowledged_order(tmp_path):
    with trio.fail_after(VENUES_S):
        async with child(tmp_path, "--profile", "calm", code=-9) as (process, said):
            person = Person(said)
            await person.register()
            ids = [await person.buy(now_ms() + number) for number in range(2)]
            async with httpx.AsyncClient(timeout=REQUEST_S) as control:
                fault = {"venue": "vest", "kind": "delay_landing", "ms": 60_000}
                await control.post(said["control"] + "/fault", json=fault, headers=opened(said))
            ids.append(await person.buy(now_ms() + 9))
            process.send_signal(signal.SIGKILL)
            await process.wait()
        async with child(tmp_path, "--profile", "calm", "--seed", "9") as (_, again):
            assert again["vest.primary_key"] == said["vest.primary_key"]
            person.said = again
            truth = await person.truth()
            while truth["open_orders"]:
                await trio.sleep(0.05)
                truth = await person.truth()

    assert [order["id"] for order in truth["orders"]] == ids
    assert {order["status"] for order in truth["orders"]} == {"FILLED"}
    assert truth["positions"] == {"BTC-PERP": "0.003"}
    assert len(truth["fills"]) == 3


@pytest.mark.slow
async def test_a_signal_ends_the_child_in_order(tmp_path):
    with trio.fail_after(VENUES_S):
        async with child(tmp_path) as (process, _):
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0

    assert (tmp_path / "truth.json").exists()
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


async def test_the_venues_can_be_served_inside_a_process(tmp_path):
    stop, announced, lines = trio.Event(), trio.Event(), []

    def announce(line):
        lines.append(line)
        announced.set()

    with trio.fail_after(VENUES_S):
        async with trio.open_nursery() as serving:
            serving.start_soon(
                partial(simulate, Options(), state_dir=tmp_path / "a", announce=announce, stop=stop)
            )
            await announced.wait()
            said = json.loads(lines[0])
            person = Person(said)
            async with person.http() as client:
                info = await client.get(said["vest.rest"] + "/exchangeInfo")
                config = await client.get(said["paradex.rest"] + "/system/config")
            # A client that does not speak TLS is dropped, and nobody else notices.
            port = int(said["vest.rest"].split(":")[2].split("/")[0])
            async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
                await stream.send_all(b"GET / HTTP/1.1\r\n\r\n")
                with suppress(trio.BrokenResourceError):
                    while await stream.receive_some(100):
                        pass
            truth = await person.truth()
            async with httpx.AsyncClient(timeout=REQUEST_S) as stranger:
                unopened = await stranger.get(said["control"] + "/truth")
            stop.set()

    assert {row["symbol"] for row in info.json()["symbols"]} == {"BTC-PERP", "ETH-PERP", "SOL-PERP"}
    assert "starknet_chain_id" in config.json()
    assert truth["balance"] == "10000"
    assert (unopened.status_code, set(unopened.json())) == (401, {"error"})
    assert (tmp_path / "a" / "control.token").read_text() == said.get("control_token")
    assert set(said) == {
        "vest.rest",
        "vest.ws",
        "paradex.rest",
        "paradex.ws",
        "ca_file",
        "control",
        "control_token",
        "vest.primary_key",
        "vest.signing_key",
        "paradex.account",
        "paradex.private_key",
    }
    assert (tmp_path / "a" / "truth.json").exists()
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


def test_a_world_is_open_once_only(tmp_path, monkeypatch):
    monkeypatch.setattr("bot4.simulator.persist.LOCK_WAIT_S", 0.05)
    first = WorldStore(tmp_path / "venue.db")

    with pytest.raises(WorldBusy):
        WorldStore(tmp_path / "venue.db")

    first.close()
    WorldStore(tmp_path / "venue.db").close()


async def test_the_end_of_input_is_seen(monkeypatch):
    reading, writing = os.pipe()
    saved = os.dup(0)
    os.dup2(reading, 0)
    try:
        with trio.move_on_after(QUIET_S) as waiting:
            await wait_for_end_of_input()
        os.close(writing)
        with trio.fail_after(LOOPBACK_S):
            await wait_for_end_of_input()
    finally:
        os.dup2(saved, 0)
        os.close(saved)
        os.close(reading)

    assert waiting.cancelled_caught


def test_an_unknown_profile_is_named():
    with pytest.raises(ValueError, match="demo"):
        Options(profile="wild").market_profile()

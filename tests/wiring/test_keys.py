"""Deriving a key from the command line: nothing is shown, written or guessed in silence."""

from __future__ import annotations

import io
import json
import os
import pty
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from timeouts import TYPED_S

from bot4.config.options import DeriveOptions
from bot4.config.schema import Config, Mode
from bot4.errors import ConfigError
from bot4.logs.redact import REDACTOR
from bot4.ports import Answer, NotSent
from bot4.wiring import keys
from bot4.wiring.universe import plain_config

ETHEREUM_KEY = "0xf8e4d1d772cdd44e5e77615ad11cc071c94e4c06dc21150d903f28e6aa6abdff"
ACCOUNT = "0x129c135ed63df9353885e292be4426b8ed6122b13c6c0e1bb787288a1f5adfa"
CONFIG = "mode: simulation\npairs:\n  - {name: BTC, vest: BTC-PERP, paradex: BTC-USD-PERP}\n"
SYSTEM = {
    "l1_chain_id": "1",
    "paraclear_account_proxy_hash": "0x1",
    "paraclear_account_hash": "0x2",
}


@pytest.fixture
def options(tmp_path: Path) -> Iterator[DeriveOptions]:
    (tmp_path / "bot4.yaml").write_text(CONFIG)
    yield DeriveOptions(config=tmp_path / "bot4.yaml")
    REDACTOR.clear()


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    path = tmp_path / "stdin"
    path.touch()
    with path.open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield path.write_text


@pytest.mark.parametrize("text", [ETHEREUM_KEY, f" {ETHEREUM_KEY[2:].upper()}\r\n"])
async def test_a_key_on_standard_input_is_enough(options: DeriveOptions, typed: Any, text: str):
    typed(text)

    told = await keys.run_derive(options)

    assert told.derived.account == ACCOUNT
    assert "asked nobody" in told.remark


async def test_a_key_in_a_variable_is_enough(
    options: DeriveOptions, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MY_KEY", ETHEREUM_KEY)

    told = await keys.run_derive(attrs.evolve(options, env="MY_KEY"))

    assert told.derived.account == ACCOUNT


@pytest.mark.parametrize("text", ["", "\n", "hello", ETHEREUM_KEY[:-1], ETHEREUM_KEY + "0", "0x"])
async def test_what_is_no_key_is_refused_and_not_repeated(
    options: DeriveOptions, typed: Any, text: str
):
    typed(text)

    with pytest.raises(ConfigError) as caught:
        await keys.run_derive(options)

    assert len(text.strip()) < 3 or text.strip() not in str(caught.value)


async def test_a_variable_that_is_not_set_is_named(options: DeriveOptions):
    with pytest.raises(ConfigError, match="NO_SUCH_KEY is not set"):
        await keys.run_derive(attrs.evolve(options, env="NO_SUCH_KEY"))


async def test_at_a_terminal_what_is_typed_is_not_shown(
    options: DeriveOptions, monkeypatch: pytest.MonkeyPatch
):
    ours, theirs = pty.openpty()
    asked = io.StringIO()
    monkeypatch.setattr(sys, "stderr", asked)

    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)

        async def type_it() -> None:
            while not asked.getvalue():  # noqa: ASYNC110 - a terminal has no event to wait for
                await trio.sleep(0.01)
            os.write(ours, ETHEREUM_KEY.encode() + b"\n")

        told = []
        with trio.fail_after(TYPED_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(type_it)
                told.append(await keys.run_derive(options))
    os.set_blocking(ours, False)
    try:
        shown = os.read(ours, 1000)
    except OSError:
        shown = b""
    os.close(ours)

    assert told[0].derived.account == ACCOUNT
    assert ETHEREUM_KEY.encode() not in shown
    assert ETHEREUM_KEY not in asked.getvalue()


@attrs.define
class FakeDoor:
    """Answers one question."""

    outcome: Any
    asked: list[str] = attrs.field(factory=list)

    async def send(self, request: Any, *, timeout_s: float) -> Any:
        await trio.lowlevel.checkpoint()
        self.asked.append(request.path)
        return self.outcome

    def hurry(self, at: float) -> None:
        raise AssertionError(at)

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


@pytest.fixture
def live(tmp_path: Path) -> Config:
    return attrs.evolve(plain_config(tmp_path, 1), mode=Mode.LIVE)


def door(monkeypatch: pytest.MonkeyPatch, outcome: Any) -> FakeDoor:
    fake = FakeDoor(outcome)
    monkeypatch.setattr(keys, "HttpxDoor", lambda world, url: fake)
    return fake


def said(body: object, status: int = 200) -> Answer:
    return Answer(status, {}, json.dumps(body).encode(), 0.0, 0.0)


async def test_the_venue_says_which_contracts_it_uses(
    live: Config, monkeypatch: pytest.MonkeyPatch
):
    fake = door(monkeypatch, said(SYSTEM))

    network, remark = await keys.find_network(live, None)  # type: ignore[arg-type]

    assert fake.asked == ["/system/config"]
    assert (network.l1_chain_id, network.proxy_class, network.account_class) == (1, 1, 2)
    assert live.paradex.rest_url in remark


@pytest.mark.parametrize(
    "outcome", [NotSent("no network"), said({}), said("x"), said({"error": "X"}, 503)]
)
async def test_a_venue_that_does_not_say_makes_the_account_a_guess(
    live: Config, monkeypatch: pytest.MonkeyPatch, outcome: Any
):
    door(monkeypatch, outcome)

    network, remark = await keys.find_network(live, None)  # type: ignore[arg-type]

    assert network.l1_chain_id == 1
    assert "a guess" in remark


async def test_a_venue_on_another_chain_is_refused(live: Config, monkeypatch: pytest.MonkeyPatch):
    door(monkeypatch, said({**SYSTEM, "l1_chain_id": "11155111"}))

    with pytest.raises(ConfigError, match="11155111"):
        await keys.find_network(live, None)  # type: ignore[arg-type]

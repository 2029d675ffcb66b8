"""Fixtures of both codecs' tests: golden files, answers, orders."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from bot4.config.schema import ParadexConfig, VestConfig
from bot4.domain.market import MarketKey
from bot4.domain.order import Order, Purpose, Side
from bot4.ports import Answer
from bot4.secret import Secret
from bot4.venues.paradex.codec import ParadexCodec
from bot4.venues.vest.codec import VestCodec

GOLDEN = Path(__file__).parent.parent / "golden"
NOW_MS = 1_770_000_000_000


def golden(name: str) -> Any:
    return json.loads((GOLDEN / name).read_text())


def make_answer(body: Any, status: int = 200, **headers: str) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status=status, headers=headers, body=data, sent_at=1.0, received_at=2.0)


@pytest.fixture
def answer() -> Callable[..., Answer]:
    return make_answer


@pytest.fixture
def now_ms() -> int:
    return NOW_MS


@pytest.fixture(scope="session")
def vest_golden() -> Any:
    return golden("vest_signatures.json")


@pytest.fixture(scope="session")
def paradex_golden() -> Any:
    return golden("paradex_signatures.json")


@pytest.fixture(scope="session")
def sbe_golden() -> Any:
    return golden("paradex_sbe_frames.json")["frames"]


@pytest.fixture(scope="session")
def error_codes() -> Any:
    return golden("paradex_error_codes.json")["codes"]


VEST_ORDER = Order(
    client_order_id="1770000000001",
    trade_id="t1",
    key=MarketKey("vest", "BTC-PERP"),
    side=Side.BUY,
    size=Decimal("0.01"),
    limit=Decimal(78500),
    purpose=Purpose.ENTER,
    attempt=1,
    reduce_only=False,
)


@pytest.fixture
def vest_order() -> Order:
    return VEST_ORDER


@pytest.fixture
def paradex_order() -> Order:
    return attrs.evolve(
        VEST_ORDER,
        client_order_id="b4-abc123-7-short1",
        key=MarketKey("paradex", "BTC-USD-PERP"),
        side=Side.SELL,
        size=Decimal("0.0100"),
        limit=Decimal("78510.10"),
    )


EXCHANGE_INFO = {
    "symbols": [
        {
            "symbol": "BTC-PERP",
            "displayName": "BTC-PERP",
            "base": "BTC",
            "quote": "USDC",
            "sizeDecimals": 4,
            "priceDecimals": 2,
            "initMarginRatio": "0.040000",
            "maintMarginRatio": "0.02",
            "takerFee": "0.0001",
            "isolated": False,
            "tradingStatus": "TRADING",
        },
        {
            "symbol": "AAPL-USD-PERP",
            "base": "AAPL-USD",
            "quote": "USDC",
            "sizeDecimals": 2,
            "priceDecimals": 2,
            "initMarginRatio": "0.3",
            "takerFee": "0.0001",
            "tradingStatus": "HALT",
        },
        {"symbol": "ODD-PERP", "sizeDecimals": "many"},
    ],
    "exchange": {"lp": "1.0", "insurance": "1.0", "collateralDecimals": 6},
}


@pytest.fixture
def exchange_info() -> Any:
    return EXCHANGE_INFO


@pytest.fixture
def make_vest(vest_golden: Any) -> Callable[..., VestCodec]:
    def make(config: VestConfig | None = None) -> VestCodec:
        keys = vest_golden["keys"]
        made = VestCodec(config or VestConfig(), Secret(keys["primary"]), Secret(keys["signing"]))
        made.markets().read(make_answer(EXCHANGE_INFO))
        return made

    return make


@pytest.fixture
def fresh_vest(make_vest: Callable[..., VestCodec]) -> VestCodec:
    """Markets known, not signed in."""
    return make_vest()


@pytest.fixture
def vest(fresh_vest: VestCodec) -> VestCodec:
    """Markets known, signed in on account group 3."""
    register, listen = fresh_vest.logins(NOW_MS)
    register.read(make_answer({"apiKey": "key-1", "accGroup": 3}))
    listen.read(make_answer({"listenKey": "579e1280448d4843b190c50fbd170078"}))
    return fresh_vest


@pytest.fixture
def make_paradex(paradex_golden: Any) -> Callable[..., ParadexCodec]:
    def make(config: ParadexConfig | None = None) -> ParadexCodec:
        account, key = Secret(paradex_golden["account"]), Secret(paradex_golden["private_key"])
        return ParadexCodec(config or ParadexConfig(), account, key, "abc123")

    return make


@pytest.fixture
def fresh_paradex(make_paradex: Callable[..., ParadexCodec]) -> ParadexCodec:
    """Not signed in."""
    return make_paradex()


@pytest.fixture
def paradex(fresh_paradex: ParadexCodec) -> ParadexCodec:
    """Signed in."""
    for errand in fresh_paradex.logins(NOW_MS):
        errand.read(make_answer({"jwt_token": "a.b-c_d"}))
    return fresh_paradex

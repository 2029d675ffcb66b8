"""Open orders require margin: openOrderMargin, and 3002 for what does not fit beside them."""

from __future__ import annotations

from decimal import Decimal

import trio

D = Decimal
WAITING = {"orderType": "LIMIT", "timeInForce": "GTC", "limitPrice": "70000.00"}


async def account(client):
    return (await client.vest("GET", f"/account?time={client.now_ms}")).json


async def landed_code(client, **order):
    return (await client.settled(await client.place(**order)))["code"]


async def test_a_waiting_order_requires_margin_and_its_fee(autojump_clock, client):
    assert D((await account(client))["openOrderMargin"]) == 0

    await client.place(size="0.1000", **WAITING)
    await trio.sleep(1)

    shown = await account(client)
    notional = D("0.1") * client.box.vest.mark("BTC-PERP")
    assert abs(D(shown["openOrderMargin"]) - notional * D("0.1001")) < 1
    assert D(shown["withdrawable"]) < 10_000 - notional * D("0.1")


async def test_what_a_waiting_order_requires_another_cannot_have(autojump_clock, client):
    # Ten times 10 000 USDC at leverage 10 carry 1.2 BTC.
    await client.place(size="0.8000", **WAITING)
    await trio.sleep(1)

    assert await landed_code(client, size="0.5000", limitPrice="90000.00") == 3002
    assert await landed_code(client, size="0.3000", limitPrice="90000.00") is None


async def test_a_waiting_order_that_only_reduces_requires_nothing(autojump_clock, client):
    assert await landed_code(client, size="0.5000", limitPrice="90000.00") is None
    await client.place(isBuy=False, size="0.5000", **{**WAITING, "limitPrice": "99000.00"})
    await trio.sleep(1)

    assert D((await account(client))["openOrderMargin"]) == 0

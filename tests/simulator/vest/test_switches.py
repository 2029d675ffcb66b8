"""What one source says of Vest, or none, and a switch decides."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio

from bot4.simulator.vest.switches import VestSwitches


@pytest.mark.parametrize(
    "given",
    [{"dead_key": 403}, {"errors": "Plain"}, {"frames": None}, {"ended_cancel_status": 404}],
)
def test_a_value_that_its_switch_does_not_know_is_an_error(given):
    with pytest.raises(ValueError, match=f"Vest's switch {next(iter(given))} is one of"):
        VestSwitches.read(given)


@pytest.mark.parametrize(
    ("how", "status", "body"),
    [
        ("401", 401, {"code": 1002, "msg": "UNAUTHORIZED"}),
        ("403", 403, {"code": 1002, "msg": "UNAUTHORIZED"}),
        ("401_plain", 401, {"detail": "Unauthorized"}),
        ("403_plain", 403, {"detail": "Forbidden"}),
    ],
)
async def test_a_dead_or_missing_key_is_told_in_four_ways(
    autojump_clock, make_client, how, status, body
):
    client = await make_client(vest={"dead_key": how})
    await client.register(leverage=None)
    client.fault("expire_token", which="api_key")

    dead = await client.vest("GET", f"/account?time={client.now_ms}")
    client.api_key = ""
    missing = await client.vest("POST", "/orders", client.order())

    assert (dead.status, dead.json) == (missing.status, missing.json) == (status, body)


@pytest.mark.parametrize(
    ("how", "other", "survives"),
    [("one", False, 200), ("another", True, 200), ("newest", True, 401)],
)
async def test_an_old_key_survives_a_new_registration_or_does_not(
    autojump_clock, make_client, how, other, survives
):
    client = await make_client(vest={"keys": how})
    await client.register(leverage=None)
    old = client.api_key
    await client.register(leverage=None)
    new, client.api_key = client.api_key, old

    answer = await client.vest("GET", f"/account?time={client.now_ms}")
    newer = await client.vest("GET", f"/account?time={client.now_ms}", **{"X-API-KEY": new})

    assert (new != old, answer.status, newer.status) == (other, survives, 200)


async def test_a_cancel_wants_the_time_in_its_query(autojump_clock, make_client):
    client = await make_client(vest={"cancel_needs_time": True})
    await client.register()
    order_id = await client.place(orderType="LIMIT", limitPrice="60000.00")

    missing = await client.cancel(order_id, query="")
    nonsense = await client.cancel(order_id, query="?time=soon")
    named = await client.cancel(order_id, query=f"?time={client.now_ms}")

    assert (missing.status, nonsense.status, named.status) == (422, 422, 200)
    [fault] = missing.json["detail"]
    assert (fault["type"], fault["loc"], fault["msg"]) == (
        "missing",
        ["query", "time"],
        "Field required",
    )
    assert (await client.settled(order_id))["status"] == "CANCELLED"


async def test_the_nonce_is_told_to_those_who_name_the_time(autojump_clock, client):
    without = await client.vest("GET", "/account/nonce")
    named = await client.vest("GET", f"/account/nonce?time={client.now_ms}")

    assert (without.status, without.json["detail"][0]["loc"]) == (422, ["query", "time"])
    assert (named.status, named.json) == (200, {"lastNonce": 0})


async def test_a_list_of_statuses_is_refused(autojump_clock, client):
    listed = await client.vest("GET", f"/orders?status=NEW,FILLED&time={client.now_ms}")
    single = await client.vest("GET", f"/orders?status=FILLED&time={client.now_ms}")

    assert (listed.status, listed.json["code"]) == (400, 1130)
    assert (single.status, single.json) == (200, [])


@pytest.mark.parametrize("status", [200, 400])
async def test_the_cancel_of_an_ended_order_says_so(autojump_clock, make_client, status):
    client = await make_client(vest={"ended_cancel_status": status})
    await client.register()
    order_id = await client.place()
    assert (await client.settled(order_id))["status"] == "FILLED"

    answer = await client.cancel(order_id)

    assert answer.status == status
    assert answer.json == {"code": 3017, "msg": "Order already processed or cancelled"}


@pytest.mark.parametrize(("kept", "sizes"), [(True, ["0.0000"]), (False, [])])
async def test_a_flat_position_stays_as_a_row_or_goes(autojump_clock, make_client, kept, sizes):
    client = await make_client(vest={"flat_positions": kept})
    await client.register()
    held = (await client.vest("GET", f"/account?time={client.now_ms}")).json["positions"]
    await client.settled(await client.place())
    opened = (await client.vest("GET", f"/account?time={client.now_ms}")).json["positions"]
    await client.settled(await client.place(isBuy=False, limitPrice="80000.00", reduceOnly=True))

    flat = (await client.vest("GET", f"/account?time={client.now_ms}")).json["positions"]

    assert held == []
    assert [row["size"] for row in opened] == ["0.0100"]
    assert [row["size"] for row in flat] == sizes
    assert all(set(row) == set(opened[0]) for row in flat)


async def test_the_time_of_the_account_is_now_or_its_last_change_or_wrong(
    autojump_clock, make_client
):
    async def told(**switches):
        client = await make_client(vest=switches)
        await client.register()
        placed = await client.settled(await client.place())
        await trio.sleep(30)
        time_ms = (await client.vest("GET", f"/account?time={client.now_ms}")).json["time"]
        return time_ms, client.now_ms, placed["lastFilledTime"]

    now, clock, _ = await told()
    changed, later, filled = await told(account_time="changed")
    off, latest, _ = await told(account_time="off", account_time_off_ms=-7000)

    assert abs(now - clock) < 1000
    assert changed == filled < later - 25_000
    assert abs(off - (latest - 7000)) < 1000


async def test_another_address_is_a_switch(autojump_clock, make_client):
    other = "0x" + "ab" * 20
    client = await make_client(vest={"account_address": other})
    await client.register()

    account = (await client.vest("GET", f"/account?time={client.now_ms}")).json

    assert account["address"] == other


@pytest.mark.parametrize("path", ["/trades?symbol=BTC-PERP", "/funding/history?symbol=BTC-PERP"])
async def test_lists_give_a_thousand_at_most_counted_back(autojump_clock, client, path):
    if "trades" in path:
        for number in range(1200):
            client.box.vest.histories["BTC-PERP"].trade(
                "buy", Decimal(83_000), Decimal(1), client.now_ms + number
            )
    else:
        await trio.sleep(130)

    rows = (await client.vest("GET", path)).json
    three = (await client.vest("GET", f"{path}&limit=3")).json
    more = await client.vest("GET", f"{path}&limit=1001")

    assert 3 <= len(rows) <= 1000
    assert three == rows[-3:]
    assert (more.status, more.json["code"]) == (400, 1130)


@pytest.mark.parametrize("code", [429, 1003])
async def test_too_many_says_when_to_come_back(autojump_clock, make_client, code):
    client = await make_client(vest={"requests_per_s": 1, "too_many_code": code})
    await client.register(leverage=None)

    answers = [await client.vest("GET", f"/account?time={client.now_ms}") for _ in range(20)]

    [refused, *_] = [answer for answer in answers if answer.status == 429]
    assert refused.headers["retry-after"] == "1"
    assert all("retry-after" not in answer.headers for answer in answers if answer.status == 200)


async def test_a_blocked_address_gets_a_page_for_a_while(autojump_clock, client):
    client.fault("blocked", seconds=5)

    asked = await client.vest("GET", f"/account?time={client.now_ms}")
    ordered = await client.vest("POST", "/orders", client.order())
    with pytest.raises(Exception) as refused:  # noqa: PT011 - the group of a nursery
        async with client.vest_socket("tickers"):
            pass
    await trio.sleep(6)
    again = await client.vest("GET", f"/account?time={client.now_ms}")

    for answer in (asked, ordered):
        assert (answer.status, answer.headers["content-type"]) == (403, "text/html")
        assert b"Cloudflare" in answer.body
    assert "403" in repr(refused.value)
    assert again.status == 200
    assert client.truth()["orders"] == []

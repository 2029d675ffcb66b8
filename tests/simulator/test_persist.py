from __future__ import annotations

from decimal import Decimal

import trio

from bot4.simulator.box import TwoVenues
from bot4.simulator.options import Options
from bot4.simulator.orders import SimOrder
from bot4.simulator.persist import WorldStore

EPOCH_MS = 1_790_000_000_000


def wall_ms():
    return EPOCH_MS + int(trio.current_time() * 1000)


def open_box(path, **changes):
    store = WorldStore(path / "venue.db")
    options = Options(**({"profile": "calm", "bases": ("BTC",)} | changes))
    return store, TwoVenues(options, wall_ms=wall_ms, store=store)


async def test_a_world_keeps_its_seed_keys_prices_and_money(autojump_clock, tmp_path):
    store, box = open_box(tmp_path, seed=4)
    await trio.sleep(30)
    box.vest.ledger.leverage["BTC-PERP"] = 7
    box.vest.save()
    price = box.model.index("BTC")
    store.close()

    store, again = open_box(tmp_path, seed=5, bases=("ETH",))
    store.close()

    assert again.credentials() == box.credentials()
    assert again.model.index("BTC") == price
    assert again.vest.ledger.leverage == {"BTC-PERP": 7}
    assert set(again.vest.markets) == {"BTC-PERP", "ETH-PERP"}


async def test_every_order_event_is_in_the_file_at_once(autojump_clock, tmp_path, nursery):
    store, box = open_box(tmp_path)
    await nursery.start(box.run)
    box.vest.ledger.leverage["BTC-PERP"] = 5
    order = make_order()
    box.vest.place(order)
    assert [row["status"] for row in store.orders("vest")] == ["NEW"]

    await trio.sleep(1)

    [row] = store.orders("vest")
    [fill] = store.fills("vest")
    assert (row["status"], row["filled"]) == ("FILLED", "0.0100")
    assert fill["order_id"] == "0x1"
    assert store.value("vest")["ledger"]["positions"]["BTC-PERP"]["size"] == "0.0100"
    store.close()


async def test_a_flying_order_lands_in_the_next_life(autojump_clock, tmp_path, nursery):
    store, box = open_box(tmp_path)
    box.vest.ledger.leverage["BTC-PERP"] = 5
    box.vest.place(make_order())
    store.close()

    store, again = open_box(tmp_path)
    await nursery.start(again.run)
    await trio.sleep(0.1)

    assert again.truth()["vest"]["positions"] == {"BTC-PERP": "0.01"}
    assert again.truth()["vest"]["open_orders"] == []
    store.close()


async def test_a_forgotten_world_begins_anew(autojump_clock, tmp_path):
    store, box = open_box(tmp_path, seed=4)
    store.forget()
    store.close()
    store, again = open_box(tmp_path, seed=5)
    store.close()

    assert again.credentials() != box.credentials()
    assert (tmp_path / "venue.db").stat().st_mode & 0o777 == 0o600


def make_order():
    return SimOrder(
        "0x1",
        "5",
        "BTC-PERP",
        "buy",
        Decimal("0.0100"),
        Decimal("90000.00"),
        "MARKET",
        "FOK",
        False,
        wall_ms(),
        wall_ms(),
        extra={"nonce": 5},
    )

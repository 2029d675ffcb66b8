from __future__ import annotations

from decimal import Decimal

import pytest

from bot4.simulator.faults import Fault
from bot4.simulator.ghosts import haunted
from bot4.simulator.options import Options
from bot4.simulator.orders import Depth

D = Decimal
MARKET = Options().markets("paradex")["BTC-USD-PERP"]
BOOK = Depth(
    bids=((D(82990), D(1)), (D(82980), D(2))),
    asks=((D(83010), D(1)), (D(83020), D(2))),
)


def fault(**args):
    return Fault("paradex", "ghost", args=args)


def test_without_the_fault_the_book_is_as_it_is():
    assert haunted(BOOK, MARKET, None) is BOOK


def test_a_ghost_shows_more_at_the_best_price_than_there_is():
    shown = haunted(BOOK, MARKET, fault(side="asks"))

    assert shown.asks == ((D(83010), D(20)), (D(83020), D(2)))
    assert shown.bids == BOOK.bids


@pytest.mark.parametrize("side", ["bids", "asks"])
def test_a_better_ghost_hides_what_it_would_cross(side):
    shown = haunted(BOOK, MARKET, fault(side=side, bps=30, size="0.5"))

    best_bid, best_ask = shown.bids[:1], shown.asks[:1]
    near = best_ask if side == "asks" else best_bid
    assert near[0][1] == D("0.5")
    assert near[0][0] % MARKET.tick == 0
    assert abs(near[0][0] / (83010 if side == "asks" else 82990) - 1) > D("0.0029")
    assert not best_bid or not best_ask or best_bid[0][0] < best_ask[0][0]
    assert (shown.bids if side == "asks" else shown.asks) == ()


def test_an_empty_side_has_no_ghost():
    empty = Depth(bids=BOOK.bids, asks=())

    assert haunted(empty, MARKET, fault(side="asks")) == empty


async def test_a_ghost_is_shown_and_cannot_be_met(autojump_clock, client):
    client.fault("ghost", side="asks", bps=20, size="5", seconds=60)
    shown = (await client.vest("GET", "/depth?symbol=BTC-PERP")).json
    real = client.box.vest.book("BTC-PERP").asks[0][0]

    row = await client.settled(await client.place())

    assert D(shown["asks"][0][0]) < real * D("0.9985")
    assert shown["asks"][0][1] == "5.0000"
    assert D(row["avgFilledPrice"]) >= real * D("0.9995")


async def test_a_ghost_haunts_its_own_market_only(autojump_clock, make_client):
    client = await make_client(bases=("BTC", "ETH"))
    client.fault("ghost", side="asks", bps=20, symbol="ETH-PERP")

    book = client.box.vest.published("BTC-PERP")

    assert book.asks[0][0] >= client.box.vest.mark("BTC-PERP")
    assert client.box.vest.published("ETH-PERP").bids == ()

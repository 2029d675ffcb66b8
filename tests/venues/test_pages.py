"""Lists of more than one page are read to their end."""

from __future__ import annotations

import json
from decimal import Decimal
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import trio

from bot4.ports import Answer, Request
from bot4.tasks.gateway import Gateway

ROWS = {
    "fills": {"market": "BTC-USD-PERP", "side": "SELL", "price": "78500", "size": "0.01"},
    "payments": {"market": "BTC-USD-PERP", "payment": "0.5"},
}


class Door:
    """A Paradex whose lists have three pages; the second repeats a row of the first."""

    def __init__(self, client_id: str) -> None:
        self._own = {"client_id": client_id, "fee": "0.1", "created_at": 5}

    async def send(self, request: Request, *, timeout_s: float) -> Answer:
        del timeout_s
        parts = urlsplit(request.path)
        now, kind = trio.current_time(), parts.path.rpartition("/")[2]
        body: dict[str, Any] = {"jwt_token": "a.b-c_d"}
        if kind in ROWS:
            page = int(parse_qs(parts.query).get("cursor", ["0"])[0])
            names = [f"{kind}{number}" for number in (2 * page - bool(page), 2 * page + 1)]
            rows = [ROWS[kind] | self._own | {"id": one, "fill_id": one} for one in names]
            body = {"results": rows, "next": str(page + 1) if page < 2 else None}
        return Answer(200, {}, json.dumps(body).encode(), now, now)


class World:
    random = Random(1)

    def suspended_s(self) -> float:
        return 0.0

    def wall_ms(self) -> int:
        return 1_770_000_000_000


async def test_fills_and_payments_of_an_order_are_read_page_by_page(
    paradex: Any, paradex_order: Any, autojump_clock: Any
):
    gateway = Gateway(paradex, Door(paradex_order.client_order_id), World())  # type: ignore[arg-type]

    fills = {fill.fill_id for fill in await gateway.fills(paradex_order)}
    funding = await gateway.funding(paradex_order)

    assert fills == {"fills0", "fills1", "fills3", "fills5"}
    assert funding == dict.fromkeys(
        ("payments0", "payments1", "payments3", "payments5"), Decimal("0.5")
    )

"""Our orders and cancels at Paradex: as sent, and as answered."""

from __future__ import annotations

import json
from decimal import Decimal

import attrs
import pytest

from bot4.config.schema import ParadexConfig
from bot4.domain.order import OrderReport, OrderState, Side
from bot4.errors import AuthRefused, VenueRefused
from bot4.ports import Accepted, InDoubt, Pool, Refused, Retry

FILL = {
    "id": "f1",
    "order_id": "1748665803430201709269690001",
    "client_id": "b4-abc123-7-short1",
    "market": "BTC-USD-PERP",
    "side": "SELL",
    "price": "78520",
    "size": "0.01",
    "fee": "0.35",
    "fill_type": "FILL",
    "created_at": 1748665803440,
}
OPEN = OrderReport("paradex", "b4-1", "17", OrderState.OPEN, symbol="BTC-USD-PERP")


def body_of(errand):
    return json.loads(errand.request.body)


def test_an_order_is_sent_as_it_is_signed(paradex, paradex_order, paradex_golden, now_ms):
    from starknet_py.hash.utils import verify_message_signature

    from bot4.secret import Secret
    from bot4.venues.paradex.signing import StarkSigner

    signed, errand = paradex.sign(paradex_order, now_ms, 2000)

    body = body_of(errand)
    signature = [int(number) for number in json.loads(body.pop("signature"))]
    assert signed == attrs.evolve(paradex_order, signed_ms=now_ms, window_ms=2000)
    assert (errand.request.method, errand.request.path) == ("POST", "/orders")
    assert errand.request.headers["authorization"] == "Bearer a.b-c_d"
    assert body == {
        "market": "BTC-USD-PERP",
        "side": "SELL",
        "type": "LIMIT",
        "size": "0.01",
        "price": "78510.1",
        "instruction": "IOC",
        "client_id": "b4-abc123-7-short1",
        "stp": "EXPIRE_TAKER",
        "recv_window": 2000,
        "signature_timestamp": now_ms,
    }
    account, key = Secret(paradex_golden["account"]), Secret(paradex_golden["private_key"])
    message = StarkSigner(account, key, ParadexConfig().chain_id).order_hash(
        now_ms, "BTC-USD-PERP", "LIMIT", 1000000, 7851010000000, buy=False
    )
    assert verify_message_signature(message, signature, int(paradex_golden["public_key"], 16))


def test_a_reducing_order_says_so_and_goes_first(paradex, paradex_order, now_ms):
    _, errand = paradex.sign(
        attrs.evolve(paradex_order, reduce_only=True, side=Side.BUY), now_ms, 2000
    )

    assert body_of(errand)["flags"] == ["REDUCE_ONLY"]
    assert body_of(errand)["side"] == "BUY"
    assert errand.pool is Pool.SAFETY


@pytest.mark.parametrize(
    "change",
    [
        {"size": Decimal("0.000000001")},
        {"size": Decimal(0)},
        {"limit": Decimal(-1)},
        {"client_order_id": ""},
        {"client_order_id": "x" * 65},
    ],
)
def test_an_order_that_does_not_fit_is_not_signed(paradex, paradex_order, now_ms, change):
    with pytest.raises(ValueError, match=r"decimal|above zero|characters"):
        paradex.sign(attrs.evolve(paradex_order, **change), now_ms, 2000)


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({"id": "17", "status": "NEW"}, 201, Accepted("17")),
        ({"id": "17", "received_at": 1795000000123}, 201, Accepted("17", 1_795_000_000_123)),
        ({"error": "INVALID_ORDER_SIZE", "message": "x"}, 400, Retry.LIMIT),
        ({"error": "INVALID_TIMESTAMP", "message": "late"}, 400, Retry.RESIGN),
        ({"error": "SYSTEM_STATUS_POST_ONLY"}, 400, Retry.SHUT),
        ({"error": "RATE_LIMITED"}, 429, Retry.WAIT),
        (b"", 429, Retry.WAIT),
        ({"error": "INVALID_TOKEN"}, 401, Retry.RESIGN),
        (b"<html>", 401, Retry.RESIGN),
        ({"error": "DUPLICATED_CLIENT_ID"}, 400, InDoubt),
        ({"error": "INTERNAL_ERROR"}, 500, InDoubt),
        ({"error": "VALIDATION_ERROR"}, 503, InDoubt),
        ({"error": "BRAND_NEW"}, 400, InDoubt),
        (b"<html>502</html>", 502, InDoubt),
        (b"", 201, InDoubt),
        (b"", 302, InDoubt),
        ({"id": ""}, 201, InDoubt),
        ({"id": 17}, 201, InDoubt),
        ([], 201, InDoubt),
        (b"\xff", 400, InDoubt),
    ],
)
def test_the_first_answer_accepts_refuses_or_proves_nothing(
    paradex, paradex_order, answer, now_ms, body, status, expected
):
    _, errand = paradex.sign(paradex_order, now_ms, 2000)

    outcome = errand.read(answer(body, status))

    if isinstance(expected, Retry):
        assert isinstance(outcome, Refused)
        assert outcome.retry is expected
    elif expected is InDoubt:
        assert isinstance(outcome, InDoubt)
        assert outcome.sent_at == 1.0
    else:
        assert outcome == expected


def test_an_order_refused_for_its_token_ends_the_session(paradex, paradex_order, answer, now_ms):
    _, errand = paradex.sign(paradex_order, now_ms, 2000)

    errand.read(answer({"error": "INVALID_TOKEN"}, 401))

    assert paradex.login_due_ms() == 0


@pytest.mark.parametrize(
    ("report", "path"),
    [
        (OPEN, "/orders/17"),
        (attrs.evolve(OPEN, venue_order_id=""), "/orders/by_client_id/b4-1?market=BTC-USD-PERP"),
        (attrs.evolve(OPEN, venue_order_id="", symbol=""), "/orders/by_client_id/b4-1"),
        (attrs.evolve(OPEN, venue_order_id="a/../b"), "/orders/a%2F..%2Fb"),
    ],
)
def test_a_cancel_goes_by_the_venues_id_or_else_by_ours(paradex, now_ms, report, path):
    errand = paradex.cancel(report, now_ms, 2000)

    assert (errand.request.method, errand.request.path) == ("DELETE", path)
    assert errand.pool is Pool.SAFETY


def test_a_cancel_of_what_has_ended_is_fine(paradex, answer, now_ms):
    errand = paradex.cancel(OPEN, now_ms, 2000)

    errand.read(answer(b"", 204))
    errand.read(answer({"error": "ORDER_IS_CLOSED", "message": "x"}, 400))
    errand.read(answer({"error": "ORDER_ID_NOT_FOUND"}, 404))
    with pytest.raises(VenueRefused):
        errand.read(answer({"error": "INTERNAL_ERROR"}, 500))
    with pytest.raises(AuthRefused):
        errand.read(answer({"error": "INVALID_TOKEN"}, 401))
    assert paradex.login_due_ms() == 0
    with pytest.raises(ValueError, match="nothing to cancel by"):
        paradex.cancel(attrs.evolve(OPEN, venue_order_id="", client_order_id=""), now_ms, 2000)


def test_everything_is_cancelled_in_one_request(paradex, answer, now_ms):
    errand = paradex.cancel_all(now_ms)

    assert errand is not None
    assert (errand.request.method, errand.request.path) == ("DELETE", "/orders")
    errand.read(answer(b"", 200))
    with pytest.raises(VenueRefused):
        errand.read(answer({"error": "ORDER_IS_CLOSED"}, 400))


def test_handles_carry_the_journals_tag_and_row(paradex, now_ms):
    paradex.seen_handle("b4-abc123-8-long1")

    assert paradex.next_handle(now_ms, 7, "short", 2) == "b4-abc123-7-short2"


def test_a_later_refusal_says_what_may_be_tried_next(paradex):
    assert paradex.retry("NOT_ENOUGH_MARGIN") is Retry.NEVER

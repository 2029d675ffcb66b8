"""Paradex's REST codec: its session, its questions and its orders."""

from __future__ import annotations

import json
from decimal import Decimal

import attrs
import pytest

from bot4.config.schema import ParadexConfig
from bot4.domain.order import OrderReport, OrderState, Purpose, Side
from bot4.errors import AuthRefused, ProtocolViolation, VenueRefused
from bot4.ports import Accepted, InDoubt, Pool, Refused, Retry

OURS = {
    "id": "1748665803430201709269690001",
    "market": "BTC-USD-PERP",
    "side": "SELL",
    "size": "0.01",
    "remaining_size": "0",
    "status": "CLOSED",
    "cancel_reason": "",
    "client_id": "b4-abc123-7-short1",
    "avg_fill_price": "78520",
    "last_updated_at": 1748665803448,
}
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
RETAIL = ParadexConfig(profile="retail")


def body_of(errand):
    return json.loads(errand.request.body)


# ------------------------------------------------------------------------------ session


def test_signing_in_signs_the_path_and_names_the_key(fresh_paradex, paradex_golden, answer, now_ms):
    from starknet_py.hash.utils import verify_message_signature

    from bot4.secret import Secret
    from bot4.venues.paradex.signing import StarkSigner

    (errand,) = fresh_paradex.logins(now_ms)

    headers = errand.request.headers
    public_key = paradex_golden["public_key"]
    assert (errand.request.method, errand.request.path) == ("POST", f"/auth/{public_key}")
    assert (errand.request.body, errand.pool) == (b"", Pool.AUTH)
    assert headers["paradex-starknet-account"] == paradex_golden["account"]
    assert headers["paradex-timestamp"] == str(now_ms // 1000)
    assert headers["paradex-signature-expiration"] == str(now_ms // 1000 + 300)
    account, key = Secret(paradex_golden["account"]), Secret(paradex_golden["private_key"])
    message = StarkSigner(account, key, ParadexConfig().chain_id).auth_hash(
        now_ms // 1000, now_ms // 1000 + 300
    )
    signature = [int(number) for number in json.loads(headers["paradex-starknet-signature"])]
    assert verify_message_signature(message, signature, int(public_key, 16))


def test_a_token_is_renewed_after_three_minutes(fresh_paradex, answer, now_ms):
    assert fresh_paradex.login_due_ms() == 0

    for errand in fresh_paradex.logins(now_ms):
        errand.read(answer({"jwt_token": "a.b.c"}))

    assert fresh_paradex.login_due_ms() == now_ms + 180_000
    fresh_paradex.session_lost()
    assert fresh_paradex.login_due_ms() == 0


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"error": "INVALID_STARKNET_SIGNATURE"}, 401, AuthRefused),
        ({"error": "NOT_ONBOARDED", "message": "never called /onboarding"}, 400, AuthRefused),
        ({"error": "INVALID_TIMESTAMP"}, 401, VenueRefused),
        (b"<html>", 503, VenueRefused),
        ({"jwt_token": "a\nb"}, 200, ProtocolViolation),
        ({}, 200, ProtocolViolation),
    ],
)
def test_a_log_in_refused_for_the_keys_sake_is_final(
    fresh_paradex, answer, now_ms, body, status, error
):
    (errand,) = fresh_paradex.logins(now_ms)

    with pytest.raises(error):
        errand.read(answer(body, status))
    assert fresh_paradex.login_due_ms() == 0


def test_the_retail_profile_has_a_token_of_each_class(make_paradex, paradex_order, answer, now_ms):
    codec = make_paradex(RETAIL)
    pro, interactive = codec.logins(now_ms)
    assert interactive.request.path.endswith("?token_usage=interactive")

    pro.read(answer({"jwt_token": "pro"}))
    assert codec.login_due_ms() == 0
    interactive.read(answer({"jwt_token": "slow"}))
    assert codec.login_due_ms() == now_ms + 180_000

    tokens = {
        purpose: codec.sign(attrs.evolve(paradex_order, purpose=purpose), now_ms, 2000)[
            1
        ].request.headers["authorization"]
        for purpose in Purpose
    }
    assert {purpose for purpose, said in tokens.items() if said == "Bearer slow"} == {
        Purpose.ENTER,
        Purpose.EXIT,
    }
    assert codec.cancel(OPEN, now_ms, 2000).request.headers["authorization"] == "Bearer pro"
    assert [token.reveal() for token in codec.session.secrets()] == ["pro", "slow"]


def test_a_refused_token_ends_the_session_but_not_the_one_after_it(paradex, answer, now_ms):
    before, late = paradex.account(now_ms), paradex.positions(now_ms)
    body = {"error": "INVALID_TOKEN", "message": "expired"}

    with pytest.raises(AuthRefused):
        before.read(answer(body, 401))
    assert paradex.login_due_ms() == 0

    for errand in paradex.logins(now_ms):
        errand.read(answer({"jwt_token": "new"}))
    with pytest.raises(AuthRefused):
        late.read(answer(body, 401))
    assert paradex.login_due_ms() > 0
    assert len(paradex.session.secrets()) == 1


# ---------------------------------------------------------------------------- questions


def test_the_clock_is_read_from_its_text(fresh_paradex, answer):
    errand = fresh_paradex.clock()

    assert (errand.request.path, errand.pool) == ("/system/time", Pool.PUBLIC)
    assert errand.read(answer({"server_time": "1681493415023"})) == 1681493415023


def test_markets_are_all_those_that_can_be_read(fresh_paradex, make_paradex, answer):
    good = {
        "symbol": "BTC-USD-PERP",
        "base_currency": "BTC",
        "order_size_increment": "0.00001",
        "price_tick_size": "0.1",
        "delta1_cross_margin_params": {"imf_base": "0.02"},
    }
    rows = {"results": [{"symbol": "BTC-USD-99-C"}, good]}

    (market,) = fresh_paradex.markets().read(answer(rows))
    (retail,) = make_paradex(RETAIL).markets().read(answer(rows))

    assert market.taker_fee == Decimal("0.00045")
    assert retail.taker_fee == 0
    with pytest.raises(ProtocolViolation):
        fresh_paradex.markets().read(answer({"results": [{"symbol": "X"}]}))


def test_a_book_is_asked_for_as_a_snapshot(fresh_paradex, answer):
    errand = fresh_paradex.book("BTC-USD-PERP")
    update = errand.read(
        answer(
            {
                "market": "BTC-USD-PERP",
                "seq_no": "20784",
                "last_updated_at": 5,
                "bids": [["78500.1", "0.5"], ["78500", "0"]],
                "asks": [["78501", "1"]],
            }
        )
    )

    assert errand.request.path == "/orderbook/BTC-USD-PERP?depth=50"
    assert (update.symbol, update.sequence, update.venue_time_ms) == ("BTC-USD-PERP", 20784, 5)
    assert (update.bids, update.asks) == ([(7850010000000, 50000000)], [(7850100000000, 100000000)])


def test_account_and_positions_carry_the_token(paradex, answer, now_ms):
    account, positions = paradex.account(now_ms), paradex.positions(now_ms)

    assert (account.request.path, positions.request.path) == ("/account", "/positions")
    assert account.request.headers["authorization"] == "Bearer a.b-c_d"
    assert "a.b-c_d" not in repr(account)
    assert positions.read(answer({"results": []})) == ()


def test_leverage_is_set_and_checked(paradex, answer, now_ms):
    errand = paradex.leverage("BTC-USD-PERP", 10, now_ms)

    assert errand.request.path == "/account/margin/BTC-USD-PERP"
    assert body_of(errand) == {"leverage": 10, "margin_type": "CROSS"}
    errand.read(answer({"leverage": 10, "margin_type": "CROSS"}))
    with pytest.raises(ProtocolViolation):
        errand.read(answer({"leverage": 5}))


def test_an_order_is_found_in_every_status_by_its_client_id(paradex, paradex_order, answer, now_ms):
    errand = paradex.find(paradex_order, now_ms)
    older = OURS | {"status": "NEW", "remaining_size": "0.01", "last_updated_at": 1}

    assert errand.request.path == "/orders-history?client_id=b4-abc123-7-short1"
    report = errand.read(answer({"results": [older, OURS], "next": None}))
    assert (report.state, report.filled) == (OrderState.CLOSED, Decimal("0.01"))
    assert errand.read(answer({"results": [], "next": None})) is None


@pytest.mark.parametrize(
    "body", [{"results": [OURS | {"client_id": "x"}]}, {"results": [], "next": "more"}, {}, []]
)
def test_a_list_of_something_else_is_no_proof_of_absence(
    paradex, paradex_order, answer, now_ms, body
):
    with pytest.raises(ProtocolViolation):
        paradex.find(paradex_order, now_ms).read(answer(body))


def test_the_fills_of_an_order_are_picked_from_its_time(paradex, paradex_order, answer, now_ms):
    order, _ = paradex.sign(paradex_order, now_ms, 2000)
    errand = paradex.fills(order, now_ms)

    assert errand.request.path == (
        f"/fills?market=BTC-USD-PERP&start_at={now_ms - 5000}&end_at={now_ms + 62_000}"
    )
    rows = [FILL | {"client_id": "another", "price": "bad"}, FILL]
    (fill,) = errand.read(answer({"results": rows}))
    assert (fill.fill_id, fill.size, fill.side) == ("f1", Decimal("0.01"), Side.SELL)


def test_open_orders_are_listed(paradex, answer, now_ms):
    errand = paradex.open_orders(now_ms)

    assert errand.request.path == "/orders"
    (report,) = errand.read(
        answer({"results": [OURS | {"status": "NEW", "remaining_size": "0.01"}]})
    )
    assert report.state is OrderState.ACCEPTED


# ------------------------------------------------------------------------------- orders


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
        ({"error": "INVALID_ORDER_SIZE", "message": "x"}, 400, Retry.NEVER),
        ({"error": "INVALID_TIMESTAMP", "message": "late"}, 400, Retry.RESIGN),
        ({"error": "SYSTEM_STATUS_POST_ONLY"}, 400, Retry.WAIT),
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

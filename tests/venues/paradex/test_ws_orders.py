"""REST requests as JSON-RPC calls, and replies as REST answers."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4.config.schema import ParadexConfig
from bot4.domain.order import OrderReport, OrderState, Purpose
from bot4.errors import ProtocolViolation
from bot4.ports import (
    Accepted,
    Acknowledged,
    Answer,
    Frame,
    InDoubt,
    Pong,
    Refused,
    Replied,
    Request,
    Retry,
)
from bot4.venues.paradex import placing
from bot4.venues.paradex.encoding import Encoding
from bot4.venues.paradex.ws_orders import ParadexOrders

NUMBER = 1007


@pytest.fixture
def stream(paradex: Any) -> ParadexOrders:
    return ParadexOrders(paradex)


def frame(message: Any) -> Frame:
    return Frame(message if isinstance(message, (str, bytes)) else json.dumps(message), 1.0)


def reply(**fields: Any) -> Frame:
    envelope = {"jsonrpc": "2.0", "id": NUMBER, "usIn": 1, "usDiff": 2, "usOut": 3}
    return frame({**envelope, **fields})


def outcome(stream: ParadexOrders, **fields: Any) -> Any:
    """What an order's errand reads in the reply."""
    (told,) = stream.read(reply(**fields))
    assert isinstance(told, Replied)
    assert told.id == NUMBER
    return placing.read_placed(Answer(told.status, {}, told.body, 0.0, 1.0))


def test_the_greeting_signs_in_arms_the_switch_and_subscribes(stream: ParadexOrders):
    auth, switch, quiet = map(json.loads, stream.hello())

    assert (auth["id"], auth["method"], auth["params"]) == (1, "auth", {"bearer": "a.b-c_d"})
    assert (switch["id"], switch["method"]) == (2, "order.cancel_on_disconnect")
    assert switch["params"] == {"enabled": True}
    assert (quiet["id"], quiet["params"]) == (3, {"channel": "account"})
    assert stream.greetings == 3


def test_without_a_token_there_is_no_greeting(fresh_paradex: Any):
    with pytest.raises(ProtocolViolation):
        ParadexOrders(fresh_paradex).hello()


def test_an_order_is_the_same_order_on_both_ways(
    stream: ParadexOrders, paradex: Any, paradex_order: Any, now_ms: int
):
    _, errand = paradex.sign(paradex_order, now_ms, 2000)

    call = json.loads(stream.call(errand.request, NUMBER) or "")

    assert (call["jsonrpc"], call["id"], call["method"]) == ("2.0", NUMBER, "order.create")
    assert call["params"] == json.loads(errand.request.body)
    assert call["params"]["client_id"] == paradex_order.client_order_id


def cancel_call(stream: ParadexOrders, paradex: Any, now_ms: int, **fields: Any) -> Any:
    report = OrderReport("paradex", state=OrderState.OPEN, **fields)
    return stream.call(paradex.cancel(report, now_ms, 2000).request, NUMBER)


def test_cancels_become_calls(stream: ParadexOrders, paradex: Any, now_ms: int):
    by_id = cancel_call(stream, paradex, now_ms, client_order_id="", venue_order_id="1/7")
    named = {"client_order_id": "b4-x y", "venue_order_id": ""}
    by_name = cancel_call(stream, paradex, now_ms, **named, symbol="BTC-USD-PERP")
    everything = stream.call(paradex.cancel_all(now_ms).request, NUMBER)

    methods = [json.loads(text)["method"] for text in (by_id, by_name, everything)]
    assert methods == ["order.cancel", "order.cancel", "order.cancel_all"]
    assert json.loads(by_id)["params"] == {"id": "1/7"}
    assert json.loads(by_name)["params"] == {"client_id": "b4-x y", "market": "BTC-USD-PERP"}
    assert json.loads(everything or "")["params"] == {}


def test_a_cancel_by_name_alone_has_no_call(stream: ParadexOrders, paradex: Any, now_ms: int):
    assert cancel_call(stream, paradex, now_ms, client_order_id="b4-1", venue_order_id="") is None


@pytest.mark.parametrize(
    "asked",
    [
        Request("GET", "/orders"),
        Request("GET", "/orders/1"),
        Request("POST", "/auth/0x1"),
        Request("POST", "/orders/batch"),
        Request("DELETE", "/account"),
        Request("DELETE", "/ordersx"),
        Request("PUT", "/orders/1"),
    ],
)
def test_everything_else_goes_by_rest(stream: ParadexOrders, asked: Request):
    assert stream.call(asked, NUMBER) is None


def test_what_needs_a_retail_token_goes_by_rest(
    make_paradex: Any, paradex_order: Any, now_ms: int, answer: Any
):
    import attrs

    retail = make_paradex(ParadexConfig(profile="retail"))
    for number, errand in enumerate(retail.logins(now_ms)):
        errand.read(answer({"jwt_token": f"a.b.{number}"}))
    stream = ParadexOrders(retail)
    urgent = attrs.evolve(paradex_order, purpose=Purpose.UNWIND, reduce_only=True)

    planned, taken_back = (
        stream.call(retail.sign(order, now_ms, 2000)[1].request, NUMBER)
        for order in (paradex_order, urgent)
    )

    assert planned is None
    assert taken_back is not None
    assert json.loads(stream.hello()[0])["params"] == {"bearer": "a.b.0"}


def test_a_created_order_is_accepted(stream: ParadexOrders):
    order = {"id": "1748665803430201709269690001", "status": "NEW"}

    said = outcome(stream, result={"order": order, "created_at": 1, "received_at": 2})

    assert said == Accepted(order["id"])


@pytest.mark.parametrize("result", [{}, None, [], {"order": {}}, {"order": None}, "ok", 7])
def test_a_result_without_an_order_is_doubt(stream: ParadexOrders, result: Any):
    assert isinstance(outcome(stream, result=result), InDoubt)


REFUSALS = [
    ({"code": 100, "message": "size", "data": "INVALID_ORDER_SIZE"}, "INVALID_ORDER_SIZE", "limit"),
    (
        {"code": 100, "message": "x", "data": {"error": "MARKET_NOT_OPEN"}},
        "MARKET_NOT_OPEN",
        "shut",
    ),
    ({"code": 100, "message": "VALIDATION_ERROR"}, "VALIDATION_ERROR", "never"),
    ({"code": 100, "message": "old", "data": "INVALID_TOKEN"}, "INVALID_TOKEN", "resign"),
    ({"code": 42901, "message": "rate limit exceeded"}, "RATE_LIMIT_EXCEEDED", "wait"),
    ({"code": 40110, "message": "malformed"}, "INVALID_TOKEN", "resign"),
    ({"code": 40111, "message": "invalid"}, "INVALID_TOKEN", "resign"),
    ({"code": 40300, "message": "not authenticated"}, "INVALID_TOKEN", "resign"),
    ({"code": 40112, "message": "where you are"}, "GEO_IP_BLOCK", "shut"),
    ({"code": -32601, "message": "no such method"}, "INVALID_REQUEST_PARAMETER", "never"),
    ({"code": -32602, "message": "bad params"}, "INVALID_REQUEST_PARAMETER", "never"),
]


@pytest.mark.parametrize(("error", "code", "retry"), REFUSALS)
def test_definite_errors_are_refusals_as_over_rest(
    stream: ParadexOrders, error: Any, code: str, retry: str
):
    said = outcome(stream, error=error)

    assert isinstance(said, Refused)
    assert (said.code, said.retry) == (code, Retry(retry))


@pytest.mark.parametrize(
    "error",
    [
        {"code": -32603, "message": "internal error"},
        {"code": -32600, "message": "invalid request"},
        {"code": 100, "message": "something new"},
        {"code": 100, "data": "DUPLICATED_CLIENT_ID"},
        {"code": 100, "data": "INTERNAL_ERROR"},
        {"code": 99999},
        {"code": "100", "data": "INVALID_ORDER_SIZE"},
        "text",
        [],
        7,
    ],
)
def test_errors_that_prove_nothing_are_doubt(stream: ParadexOrders, error: Any):
    assert isinstance(outcome(stream, error=error), InDoubt)


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        (200, {"result": {"order_id": "1", "status": "QUEUED_FOR_CANCELLATION"}}),
        (400, {"error": {"code": 100, "message": "closed", "data": "ORDER_IS_CLOSED"}}),
    ],
)
def test_a_cancel_that_is_queued_or_too_late_is_done(
    stream: ParadexOrders, paradex: Any, now_ms: int, status: int, fields: Any
):
    report = OrderReport("paradex", "b4-1", "17", OrderState.OPEN)
    (told,) = stream.read(reply(**fields))
    assert isinstance(told, Replied)
    assert told.status == status

    paradex.cancel(report, now_ms, 2000).read(Answer(told.status, {}, told.body, 0.0, 1.0))


def test_greetings_are_acknowledged_one_by_one(stream: ParadexOrders):
    for number in (1, 2, 3):
        assert stream.read(reply(id=number, result={})) == (Acknowledged(number),)


def test_a_refused_greeting_ends_the_connection_and_a_refused_token_the_session(
    stream: ParadexOrders, paradex: Any
):
    with pytest.raises(ProtocolViolation, match="refused with -32602"):
        stream.read(reply(id=2, error={"code": -32602, "message": "no"}))
    assert paradex.session.token is not None

    with pytest.raises(ProtocolViolation, match="refused with 40111"):
        stream.read(reply(id=1, error={"code": 40111, "message": "no"}))
    assert paradex.session.token is None


def test_a_refusal_of_what_the_venue_could_not_read_ends_the_connection(stream: ParadexOrders):
    with pytest.raises(ProtocolViolation):
        stream.read(reply(id=None, error={"code": -32700, "message": "parse error"}))


def test_events_are_somebody_else_s(stream: ParadexOrders, sbe_golden: Any):
    event = {"jsonrpc": "2.0", "method": "subscription", "params": {"channel": "account"}}

    assert stream.read(frame(event)) == ()
    assert stream.read(frame({"jsonrpc": "2.0", "id": None, "result": {}})) == ()
    heartbeat = (0).to_bytes(2, "little") + (40).to_bytes(2, "little") + b"\1\0\2\0"
    assert stream.read(frame(heartbeat)) == (Pong(),)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "nonsense", "1", '{"id": 1001, "error": ' + "[" * 5000, "x" * 2_000_000]
)
def test_what_is_no_message_is_a_violation(stream: ParadexOrders, text: str):
    with pytest.raises(ProtocolViolation):
        stream.read(frame(text))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["code", "message", "data", "error", "order", "id"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["id", "result", "error", "method"]), json_values, max_size=4)
    | st.binary(max_size=60)
    | st.text(max_size=60)
)
def test_whatever_comes_is_read_or_a_violation(message: Any):
    class Paradex:
        config = ParadexConfig()
        encoding = Encoding(config)

        class session:  # noqa: N801 - stands for an attribute
            token = None
            wants_interactive = False

            @staticmethod
            def lose() -> None:
                """Nothing to lose."""

    data = msgspec.json.encode(message).decode() if isinstance(message, dict) else message
    try:
        told = ParadexOrders(Paradex()).read(Frame(data, 0.0))  # type: ignore[arg-type]
    except ProtocolViolation:
        return
    for one in told:
        assert isinstance(one, Replied | Acknowledged | Pong)
        if isinstance(one, Replied):
            placing.read_placed(Answer(one.status, {}, one.body, 0.0, 1.0))

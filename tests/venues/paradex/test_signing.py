"""Paradex's signatures, against golden vectors and against starknet-py."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot4.secret import Secret
from bot4.venues.paradex import signing
from bot4.venues.paradex.signing import CURVE_ORDER, FIELD_PRIME, StarkSigner, short_string

TESTNET = "PRIVATE_SN_POTC_SEPOLIA"
FELT = {"type": "felt"}


@pytest.fixture(scope="module")
def make_signer(paradex_golden):
    def make(chain=TESTNET, account=None, key=None):
        return StarkSigner(
            Secret(paradex_golden["account"] if account is None else account),
            Secret(paradex_golden["private_key"] if key is None else key),
            chain,
        )

    return make


def order_hash(signer, case):
    return signer.order_hash(
        case["time_ms"],
        case["market"],
        case["type"],
        case["size"],
        case["price"],
        buy=case["side"] == "BUY",
    )


def wire(case):
    return [str(int(case["r"], 16)), str(int(case["s"], 16))]


def test_golden_orders_are_hashed_and_signed_bit_for_bit(make_signer, paradex_golden):
    assert len(paradex_golden["orders"]) == 8
    for case in paradex_golden["orders"]:
        signer = make_signer(case["chain"])
        message = order_hash(signer, case)
        assert hex(message) == case["hash"]
        assert json.loads(signer.sign(message)) == wire(case)


def test_golden_log_ins_are_hashed_and_signed_bit_for_bit(make_signer, paradex_golden):
    for case in paradex_golden["auth"]:
        signer = make_signer(case["chain"])
        message = signer.auth_hash(case["time_s"], case["expiration_s"])
        assert hex(message) == case["hash"]
        assert json.loads(signer.sign(message)) == wire(case)


def test_the_public_key_follows_from_the_private_one(make_signer, paradex_golden):
    signer = make_signer()

    assert signer.public_key == paradex_golden["public_key"]
    assert signer.account == paradex_golden["account"]


def typed_data(chain, primary, fields, message):
    return {
        "domain": {"name": "Paradex", "chainId": hex(short_string(chain)), "version": "1"},
        "primaryType": primary,
        "types": {
            "StarkNetDomain": [FELT | {"name": n} for n in ("name", "chainId", "version")],
            primary: [FELT | {"name": name} for name in fields],
        },
        "message": message,
    }


@given(
    time=st.integers(1, 2**50),
    size=st.integers(1, 10**20),
    price=st.integers(1, 10**20),
    buy=st.booleans(),
)
@settings(max_examples=8, deadline=None)
def test_any_order_is_hashed_as_starknet_py_hashes_it(
    make_signer, paradex_golden, time, size, price, buy
):
    from starknet_py.utils.typed_data import TypedData

    data = typed_data(
        TESTNET,
        "Order",
        ("timestamp", "market", "side", "orderType", "size", "price"),
        {
            "timestamp": str(time),
            "market": "ETH-USD-PERP",
            "side": "1" if buy else "2",
            "orderType": "LIMIT",
            "size": str(size),
            "price": str(price),
        },
    )

    expected = TypedData.from_dict(data).message_hash(int(paradex_golden["account"], 16))

    assert make_signer().order_hash(time, "ETH-USD-PERP", "LIMIT", size, price, buy=buy) == expected


def test_a_signature_verifies_with_starknet_py(make_signer, paradex_golden):
    from starknet_py.hash.utils import verify_message_signature

    signer = make_signer()
    message = signer.auth_hash(1770000000, 1770000300)
    signature = [int(number) for number in json.loads(signer.sign(message))]

    assert verify_message_signature(message, signature, int(paradex_golden["public_key"], 16))
    assert not verify_message_signature(
        message + 1, signature, int(paradex_golden["public_key"], 16)
    )


@pytest.mark.parametrize("key", ["", "0x0", "xyz", "-0x5", hex(CURVE_ORDER), "0x" + "f" * 80])
def test_a_key_out_of_range_never_reaches_the_library(make_signer, key):
    with pytest.raises(ValueError, match="the Paradex private key") as caught:
        make_signer(key=key)
    assert not key or key not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("account", ["", "0x0", hex(FIELD_PRIME), "account"])
def test_an_account_out_of_range_is_refused(make_signer, account):
    with pytest.raises(ValueError, match="the Paradex account"):
        make_signer(account=account)


@pytest.mark.parametrize("numbers", [(-1, 1, 1), (1, -1, 1), (1, 1, 2**200)])
def test_absurd_numbers_of_an_order_never_reach_the_library(make_signer, numbers):
    time, size, price = numbers

    with pytest.raises(ValueError, match="out of range"):
        make_signer().order_hash(time, "BTC-USD-PERP", "LIMIT", size, price, buy=True)


@pytest.mark.parametrize("text", ["x" * 32, "é"])
def test_a_market_that_is_no_short_text_is_refused(make_signer, text):
    with pytest.raises(ValueError, match="short ASCII"):
        make_signer().order_hash(1, text, "LIMIT", 1, 1, buy=True)


def test_a_panic_of_the_library_is_a_value_error_that_says_nothing():
    class PanicException(BaseException):
        pass

    def panics(*values):
        raise PanicException(values)

    with pytest.raises(ValueError, match="refused its input") as caught:
        signing._rust(panics, 0xDEADBEEF)
    assert caught.value.__suppress_context__


def test_an_interrupt_in_the_library_stays_an_interrupt():
    def interrupted(*values):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        signing._rust(interrupted, 1)

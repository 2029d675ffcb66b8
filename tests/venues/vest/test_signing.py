"""Vest's signatures, against golden vectors and against eth-account."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from bot4.secret import Secret
from bot4.venues.vest.signing import (
    OrderText,
    VestSigner,
    abi_encode,
    address_of,
    hashed,
)

ORDER_TYPES = ["uint256", "uint256", "string", "string", "bool", "string", "string", "bool"]
DEV_CONTRACT = "0x8E4D87AEf4AC4D5415C35A12319013e34223825B"


@pytest.fixture
def signer(vest_golden):
    keys = vest_golden["keys"]
    return VestSigner(Secret(keys["primary"]), Secret(keys["signing"]), vest_golden["contract"])


def cases(vest_golden, kind):
    return [case for case in vest_golden["cases"] if case["kind"] == kind]


def order_of(values):
    return OrderText(*values)


def test_addresses_follow_from_the_keys(signer, vest_golden):
    assert signer.primary_address == vest_golden["addresses"]["primary"]
    assert signer.signing_address == vest_golden["addresses"]["signing"]
    assert address_of(Secret(vest_golden["keys"]["primary"])) == signer.primary_address


def test_golden_orders_are_signed_bit_for_bit(signer, vest_golden):
    found = cases(vest_golden, "order")
    assert len(found) == 3
    for case in found:
        order = order_of(case["values"])
        assert "0x" + hashed(abi_encode(order.values())).hex() == case["keccak"]
        assert signer.order(order) == case["signature"]


def test_the_golden_cancel_and_proof_are_signed_bit_for_bit(signer, vest_golden):
    (cancel,) = cases(vest_golden, "cancel")
    (proof,) = cases(vest_golden, "proof")

    assert signer.cancel(*cancel["values"]) == cancel["signature"]
    assert "0x" + signer.proof_digest(proof["expiry_ms"]).hex() == proof["digest"]
    assert signer.proof(proof["expiry_ms"]) == proof["signature"]


@given(
    time=st.integers(0, 2**64),
    nonce=st.integers(0, 2**256 - 1),
    symbol=st.text(max_size=80),
    size=st.text(max_size=40),
    flags=st.tuples(st.booleans(), st.booleans()),
)
@settings(max_examples=40, deadline=None)
def test_the_encoding_is_that_of_the_abi(time, nonce, symbol, size, flags):
    values = (time, nonce, "MARKET", symbol, flags[0], size, "1.00", flags[1])

    assert abi_encode(values) == encode(ORDER_TYPES, values)


def test_any_order_is_signed_as_eth_account_signs_it(signer, vest_golden):
    key = vest_golden["keys"]["signing"]
    order = OrderText(1770000000001, 5, "LIMIT", "ETH-PERP", False, "1.250", "2300.5", True)

    digest = hashed(encode(ORDER_TYPES, order.values()))
    expected = Account.sign_message(encode_defunct(primitive=digest), key).signature

    assert bytes.fromhex(signer.order(order)[2:]) == bytes(expected)


def test_the_proof_is_eip_712_for_whatever_contract(vest_golden):
    keys = vest_golden["keys"]
    signer = VestSigner(Secret(keys["primary"]), Secret(keys["signing"]), DEV_CONTRACT)
    message = encode_typed_data(
        domain_data={
            "name": "VestRouterV2",
            "version": "0.0.1",
            "verifyingContract": DEV_CONTRACT,
        },
        message_types={
            "SignerProof": [
                {"name": "approvedSigner", "type": "address"},
                {"name": "signerExpiry", "type": "uint256"},
            ]
        },
        message_data={
            "approvedSigner": vest_golden["addresses"]["signing"],
            "signerExpiry": 1770604800000,
        },
    )

    expected = Account.sign_message(message, keys["primary"]).signature

    assert bytes.fromhex(signer.proof(1770604800000)[2:]) == bytes(expected)


@pytest.mark.parametrize("key", ["", "0x12", "zz" * 32, "00" * 32, "ff" * 32, "0x" + "1" * 65])
def test_an_unusable_key_is_named_but_not_quoted(key, vest_golden):
    good = Secret(vest_golden["keys"]["primary"])

    with pytest.raises(ValueError, match="the Vest signing key") as caught:
        VestSigner(good, Secret(key), vest_golden["contract"])
    assert not key or key not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_unusable_contract_is_refused(vest_golden):
    good = Secret(vest_golden["keys"]["primary"])

    with pytest.raises(ValueError, match="address"):
        VestSigner(good, good, "0x1234")

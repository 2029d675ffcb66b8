"""Hashes and checks against values computed with starknet-py 0.30 for a throwaway key."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot4.simulator.paradex import curve
from bot4.simulator.paradex.signatures import Notary, quantums, read_signature

CHAIN = "PRIVATE_SN_POTC_SEPOLIA"
KEY = 0x1234567890ABCDEF1234567890ABCDEF
PUBLIC = 0x31B88D91E173D70B5BD284F7A898D99005D9ADE236EE671E0DB0078996AA599
ACCOUNT = 0x5F0E1D2C3B4A59687766554433221100FFEEDDCCBBAA998877665544332211
ADDRESS = 0x3CA3878D9C0358C9ABE2B8EEDE50BC08B33A189B7C8F1B3C344B52FCB48406E
ORDER_HASH = 0x5110B9855B8CA7C00C60356C11A428DC0A6E3C4CDEBECDF35A93E4BBE918E0
MODIFY_HASH = 0x5E44FC7AAF6DCC9FB5B7D9F565EDD4430A59BCAB8943C1FAD3BFF773A5A5E9C
AUTH_HASH = 0x3CCCF3C34660B27256166814ED8742D635405353E3B952F328A3750580B9C5C
ONBOARDING_HASH = 0x2DDBE3CF361BA9B7B37C9E633FC53337631D243C68FA10FF7FA59784D411BF5
ORDER_SIGNATURE = (
    0x6ED51F2E778D736BBB7E6772751B57EF3B6380F1C44CA50C9D4AA66CD8BF36B,
    0x33C26EBF25A5F018C4AB8AD7222A36B6020213EE38D4724B1AE175F5DE8A7CE,
)
ORDER = {
    "timestamp_ms": 1_770_000_000_123,
    "market": "ETH-USD-PERP",
    "side": "SELL",
    "kind": "LIMIT",
    "size": Decimal("0.125"),
    "price": Decimal("2900.12"),
}


@pytest.fixture(scope="module")
def notary():
    return Notary(CHAIN, ACCOUNT, [PUBLIC])


def test_keys_and_addresses_match_starknet_py():
    assert curve.public_key_of(KEY) == PUBLIC
    assert curve.account_address(PUBLIC) == ADDRESS


def test_message_hashes_match_starknet_py(notary):
    assert notary.order_hash(**ORDER) == ORDER_HASH
    assert notary.order_hash(**ORDER, order_id=1770000000123201700000000042) == MODIFY_HASH
    assert notary.auth_hash(1_770_000_000, 1_770_001_800) == AUTH_HASH
    assert notary.onboarding_hash() == ONBOARDING_HASH


@pytest.mark.parametrize("base", ["{}", "0x{:x}"])
def test_a_signature_is_read_in_decimal_and_in_hexadecimal(notary, base):
    text = '["' + '","'.join(base.format(part) for part in ORDER_SIGNATURE) + '"]'

    assert read_signature(text) == ORDER_SIGNATURE
    assert notary.signed(ORDER_HASH, read_signature(text))


@pytest.mark.parametrize(
    "change",
    [
        {"timestamp_ms": 1_770_000_000_124},
        {"market": "ETH-USD-PERQ"},
        {"side": "BUY"},
        {"kind": "MARKET"},
        {"size": Decimal("0.1250001")},
        {"price": Decimal("2900.11")},
    ],
)
def test_every_signed_field_changes_the_hash(notary, change):
    message = notary.order_hash(**{**ORDER, **change})

    assert message != ORDER_HASH
    assert not notary.signed(message, ORDER_SIGNATURE)


@pytest.mark.parametrize(
    ("r", "s"),
    [
        (0, ORDER_SIGNATURE[1]),
        (ORDER_SIGNATURE[0], 0),
        (curve.CURVE_ORDER, ORDER_SIGNATURE[1]),
        (ORDER_SIGNATURE[0], curve.CURVE_ORDER + ORDER_SIGNATURE[1]),
        (-ORDER_SIGNATURE[0], ORDER_SIGNATURE[1]),
        (2**300, 2**300),
    ],
)
def test_numbers_outside_the_curve_are_no_signature(notary, r, s):
    assert not notary.signed(ORDER_HASH, (r, s))


def test_another_key_or_another_account_does_not_verify():
    stranger = Notary(CHAIN, ACCOUNT, [curve.public_key_of(7)])
    elsewhere = Notary("PRIVATE_SN_PARACLEAR_MAINNET", ACCOUNT, [PUBLIC])

    assert not stranger.signed(ORDER_HASH, ORDER_SIGNATURE)
    assert elsewhere.order_hash(**ORDER) != ORDER_HASH


def test_an_x_without_a_point_is_no_public_key():
    on_curve = [x for x in range(1, 40) if curve.is_public_key(x)]

    assert 0 < len(on_curve) < 39
    assert not curve.is_public_key(0)
    assert not curve.verifies(ORDER_HASH, *ORDER_SIGNATURE, curve.FIELD_PRIME)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0.000000009", 0), ("1.000000019", 100_000_001), ("-1.9999999999", -199_999_999)],
)
def test_quantums_are_cut_towards_zero(value, expected):
    assert quantums(Decimal(value)) == expected


@pytest.mark.parametrize("text", [None, 5, "", "[]", '["1"]', '["a","b"]', '["1","2","3"]', "{"])
def test_a_malformed_signature_is_told_apart(text):
    with pytest.raises((ValueError, TypeError)):
        read_signature(text)

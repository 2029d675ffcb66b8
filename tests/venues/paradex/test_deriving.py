"""Keys from Ethereum keys: as the official clients derive them."""

from __future__ import annotations

import pytest

from bot4.secret import Secret
from bot4.venues.paradex.deriving import ACCOUNT_CLASS, PROXY_CLASS, Network, derive, read_network
from bot4.venues.paradex.signing import CURVE_ORDER
from bot4.venues.reading import Unreadable

SEPOLIA = 11155111
# Source: the test account of the official Python client, its tests, seen 2026-11.
ETHEREUM_KEY = "0xf8e4d1d772cdd44e5e77615ad11cc071c94e4c06dc21150d903f28e6aa6abdff"
PRIVATE_KEY = "0x543b6cf6c91817a87174aaea4fb370ac1c694e864d7740d728f8344d53e815"
PUBLIC_KEY = "0x2c144d2f2d4fc61b6f8967f3ba0012a87d90140bcfe5a3e92e8df83258c960f"
ACCOUNT = "0x129c135ed63df9353885e292be4426b8ed6122b13c6c0e1bb787288a1f5adfa"


def test_the_official_clients_test_account_is_derived():
    derived = derive(Secret(ETHEREUM_KEY), Network(SEPOLIA))

    assert derived.private_key.reveal() == PRIVATE_KEY
    assert derived.public_key == PUBLIC_KEY
    assert derived.account == ACCOUNT
    assert PRIVATE_KEY[2:] not in repr(derived)


def test_another_network_gives_another_key_and_another_class_another_account():
    mainnet = derive(Secret(ETHEREUM_KEY), Network(1))
    other_class = derive(Secret(ETHEREUM_KEY), Network(SEPOLIA, account_class=ACCOUNT_CLASS + 1))

    assert mainnet.public_key != PUBLIC_KEY
    assert other_class.public_key == PUBLIC_KEY
    assert other_class.account != ACCOUNT


def test_a_derived_key_is_one_of_the_curve_s():
    for last in range(1, 6):
        derived = derive(Secret("0x" + "11" * 31 + f"{last:02x}"), Network(1))

        assert 0 < int(derived.private_key.reveal(), 16) < CURVE_ORDER


@pytest.mark.parametrize("key", ["0x" + "0" * 64, "0x" + "f" * 64, "0x12", "words", ""])
def test_a_key_that_is_none_is_refused_without_quoting_it(key: str):
    with pytest.raises(ValueError, match="not a usable Ethereum key") as caught:
        derive(Secret(key), Network(1))

    assert len(key) < 3 or key not in str(caught.value)


CONFIG = {
    "l1_chain_id": "1",
    "paraclear_account_proxy_hash": hex(PROXY_CLASS),
    "paraclear_account_hash": hex(ACCOUNT_CLASS),
    "more": [],
}


def test_the_venue_names_chain_and_classes():
    assert read_network(CONFIG) == Network(1)


@pytest.mark.parametrize(
    "change",
    [
        {"l1_chain_id": None},
        {"l1_chain_id": "one"},
        {"paraclear_account_hash": "zz"},
        {"paraclear_account_hash": "0x0"},
        {"paraclear_account_proxy_hash": "0x" + "f" * 70},
        {"paraclear_account_proxy_hash": 7},
    ],
)
def test_what_is_no_network_is_unreadable(change: dict[str, object]):
    with pytest.raises(Unreadable):
        read_network({**CONFIG, **change})


@pytest.mark.parametrize("value", [None, [], "x"])
def test_something_else_is_unreadable(value: object):
    with pytest.raises(Unreadable):
        read_network(value)

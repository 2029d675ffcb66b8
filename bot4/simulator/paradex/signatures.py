"""What a Paradex client signs, rebuilt on the venue's side and checked.

SNIP-12 revision 0: ``hash = H("StarkNet Message", domain, account, struct)`` with Pedersen. The
parts that never change for an account are hashed once, which keeps one check near 2 ms.
Source: Paradex API docs, Authentication and Signing, seen 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal
from typing import Final

from bot4.simulator.paradex import curve

QUANTUM: Final = Decimal(10) ** 8
"""Sizes and prices are signed x 10^8, cut towards zero. Source: Paradex docs, seen 2026-11."""

SIDE_FELTS: Final = {"BUY": 1, "SELL": 2}
CHAIN_IDS: Final = (
    "PRIVATE_SN_PARACLEAR_MAINNET",
    "PRIVATE_SN_POTC_SEPOLIA",
    "PRIVATE_SN_POTC_MOCK_SEPOLIA",
    "PRIVATE_SN_PARACLEAR_TESTNET",
)
"""The chains the official client accepts. Source: paradex-py 0.8.2."""

_DOMAIN: Final = "StarkNetDomain(name:felt,chainId:felt,version:felt)"
_ORDER: Final = "Order(timestamp:felt,market:felt,side:felt,orderType:felt,size:felt,price:felt)"
_MODIFY: Final = (
    "ModifyOrder(timestamp:felt,market:felt,side:felt,orderType:felt,size:felt,price:felt,id:felt)"
)
_REQUEST: Final = "Request(method:felt,path:felt,body:felt,timestamp:felt,expiration:felt)"
_CONSTANT: Final = "Constant(action:felt)"


def quantums(value: Decimal) -> int:
    """Return a decimal x 10^8, cut towards zero."""
    return int((value * QUANTUM).to_integral_value(rounding=ROUND_DOWN))


def read_signature(text: object) -> tuple[int, int]:
    """Read the wire form ``["r","s"]``: decimal or 0x-hexadecimal.

    Raises:
        ValueError: not two numbers.
    """
    if not isinstance(text, str):
        raise TypeError("the signature is not a string")
    parts = json.loads(text)
    if not isinstance(parts, list) or len(parts) != 2:
        raise ValueError("the signature is not a list of two")
    numbers = [int(part, 0) if isinstance(part, str) else int(part) for part in parts]
    return numbers[0], numbers[1]


class Notary:
    """Checks the signatures of one account on one chain.

    Args:
        chain_id: one of ``CHAIN_IDS``.
        account: the main account's address; a subkey signs over it too.
        public_keys: the main key and the registered subkeys, as x coordinates.
    """

    def __init__(self, chain_id: str, account: int, public_keys: Iterable[int]) -> None:
        if chain_id not in CHAIN_IDS:
            raise ValueError(f"unknown chain {chain_id}")
        self.account = account
        self.public_keys = set(public_keys)
        domain = curve.array_hash(
            curve.type_hash(_DOMAIN),
            curve.short_string("Paradex"),
            curve.short_string(chain_id),
            1,
        )
        self._prefix = curve.chain(0, (curve.short_string("StarkNet Message"), domain, account))
        self._starts = {
            name: curve.pedersen(0, curve.type_hash(name))
            for name in (_ORDER, _MODIFY, _REQUEST, _CONSTANT)
        }

    def order_hash(
        self,
        *,
        timestamp_ms: int,
        market: str,
        side: str,
        kind: str,
        size: Decimal,
        price: Decimal,
        order_id: int | None = None,
    ) -> int:
        """Return the message hash of an order, or of its modification when ``order_id`` is given.

        Raises:
            KeyError: an unknown side.
            ValueError: a text or number that is no field element.
        """
        fields = [
            timestamp_ms,
            curve.short_string(market),
            SIDE_FELTS[side],
            curve.short_string(kind),
            quantums(size),
            quantums(price),
        ]
        if order_id is None:
            return self._message(_ORDER, fields)
        return self._message(_MODIFY, [*fields, order_id])

    def auth_hash(self, timestamp_s: int, expiration_s: int) -> int:
        """Return the message hash of a request for a token."""
        fields = [
            curve.short_string("POST"),
            curve.short_string("/v1/auth"),
            0,
            timestamp_s,
            expiration_s,
        ]
        return self._message(_REQUEST, fields)

    def onboarding_hash(self) -> int:
        """Return the message hash of the onboarding constant."""
        return self._message(_CONSTANT, [curve.short_string("Onboarding")])

    def signed(
        self, message_hash: int, signature: tuple[int, int], public_key: int | None = None
    ) -> bool:
        """Whether one of the account's keys, or that very one, signed the hash."""
        keys = self.public_keys if public_key is None else self.public_keys & {public_key}
        return any(curve.verifies(message_hash, *signature, key) for key in keys)

    def _message(self, name: str, fields: list[int]) -> int:
        struct = curve.pedersen(curve.chain(self._starts[name], fields), len(fields) + 1)
        return curve.pedersen(curve.pedersen(self._prefix, struct), 4)

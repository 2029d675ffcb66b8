"""A Paradex key and account from an Ethereum key, as the venue's own page makes them.

Source: Paradex API docs, Authentication (L2 key derivation), and the official clients, seen
2026-11. The libraries are slow to import and never needed to trade: they are imported here alone.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

import attrs

from bot4.secret import Secret
from bot4.venues.paradex.signing import CURVE_ORDER
from bot4.venues.reading import Unreadable, as_row, read_text, read_whole

PROXY_CLASS: Final = 0x3530CC4759D78042F1B543BF797F5F3D647CDE0388C33734CF91B7F7B9314A9
ACCOUNT_CLASS: Final = 0x41CB0280EBADAA75F996D8D92C6F265F6D040BB3BA442E5F86A554F1765244E
"""Classes of an account's contract. Source: the official clients' tests, seen 2026-11."""

_WORD: Final = 2**256
_R_BYTES: Final = 32
_LARGEST_FELT: Final = 2**251 + 17 * 2**192 + 1


@attrs.frozen
class Network:
    """What an account's address depends on."""

    l1_chain_id: int
    """1 is Ethereum, 11155111 its test network Sepolia."""
    proxy_class: int = PROXY_CLASS
    account_class: int = ACCOUNT_CLASS


@attrs.frozen
class Derived:
    """A Paradex key, its public half and the address of its account."""

    private_key: Secret
    public_key: str
    account: str


def derive(ethereum_key: Secret, network: Network) -> Derived:
    """Derive the key and the account that belong to an Ethereum key.

    Raises:
        ValueError: the key is unusable. The text never quotes it.
    """
    from starknet_py.hash.address import compute_address
    from starknet_py.hash.selector import get_selector_from_name
    from starknet_py.hash.utils import private_to_stark_key

    private = grind(_sign(ethereum_key, network.l1_chain_id))
    public = int(private_to_stark_key(private))
    account = compute_address(
        class_hash=network.proxy_class,
        constructor_calldata=[
            network.account_class,
            get_selector_from_name("initialize"),
            2,
            public,
            0,
        ],
        salt=public,
    )
    return Derived(Secret(hex(private)), hex(public), hex(account))


def grind(r_bytes: bytes) -> int:
    """Return the key that follows from a signature's first half.

    Hashes are drawn until one is below the largest multiple of the curve's order, so that every
    key is equally likely.
    """
    highest = _WORD - _WORD % CURVE_ORDER
    seed = _shortest(int.from_bytes(r_bytes, "big"))
    index = 0
    while True:
        drawn = int.from_bytes(sha256(seed + _shortest(index)).digest(), "big")
        if drawn < highest:
            return drawn % CURVE_ORDER
        index += 1


def read_network(value: object) -> Network:
    """Read what matters here of ``/system/config``.

    Raises:
        Unreadable: it is something else.
    """
    row = as_row(value)
    return Network(
        l1_chain_id=read_whole(row, "l1_chain_id"),
        proxy_class=_felt(row, "paraclear_account_proxy_hash"),
        account_class=_felt(row, "paraclear_account_hash"),
    )


def _sign(ethereum_key: Secret, l1_chain_id: int) -> bytes:
    """Sign the fixed message and return the first half of the signature."""
    from eth_account import Account

    try:
        signed = Account.sign_typed_data(
            ethereum_key.reveal(),
            domain_data={"name": "Paradex", "version": "1", "chainId": l1_chain_id},
            message_types={"Constant": [{"name": "action", "type": "string"}]},
            message_data={"action": "STARK Key"},
        )
    except Exception as error:  # noqa: BLE001 - of any kind; its words may quote the key
        raise ValueError(f"not a usable Ethereum key ({type(error).__name__})") from None
    return bytes(signed.signature[:_R_BYTES])


def _shortest(number: int) -> bytes:
    return number.to_bytes(max((number.bit_length() + 7) // 8, 1), "big")


def _felt(row: Any, name: str) -> int:
    text = read_text(row, name)
    try:
        number = int(text, 16)
    except ValueError:
        raise Unreadable(f"{name} is not hexadecimal") from None
    if not 0 < number < _LARGEST_FELT:
        raise Unreadable(f"{name} is out of range")
    return number

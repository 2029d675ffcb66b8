"""What Vest wants signed: the registration proof, orders and cancels.

The proof is EIP-712 typed data, signed with the primary key. Orders and cancels are not: their
values are ABI-encoded as a tuple, hashed, and the hash is signed as an EIP-191 personal message
with the signing key. Nothing here keeps a key in a form that prints.

Source: Vest API docs (v2), Signing, seen 2025-11; type strings also in Vest's published Solidity.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
from coincurve import PrivateKey
from Crypto.Hash import keccak

from bot4.secret import Secret

_WORD: Final = 32
_KEY_DIGITS: Final = 64
_ADDRESS_BYTES: Final = 20
_ADDRESS_DIGITS: Final = 40
_PERSONAL: Final = b"\x19Ethereum Signed Message:\n32"
_TYPED: Final = b"\x19\x01"
_V_BASE: Final = 27
"""Source: Ethereum yellow paper; Vest takes 27 or 28 only."""

_DOMAIN_TYPE: Final = b"EIP712Domain(string name,string version,address verifyingContract)"
_PROOF_TYPE: Final = b"SignerProof(address approvedSigner,uint256 signerExpiry)"
_DOMAIN_NAME: Final = b"VestRouterV2"
_DOMAIN_VERSION: Final = b"0.0.1"


def hashed(data: bytes) -> bytes:
    """Return the Keccak-256 of the data, as Ethereum uses it."""
    return keccak.new(digest_bits=256, data=data).digest()


def _word(number: int) -> bytes:
    return number.to_bytes(_WORD, "big")


def abi_encode(values: Sequence[int | bool | str]) -> bytes:
    """Encode a tuple of uint256, bool and string the standard way: heads, then tails.

    Raises:
        OverflowError: a number is negative or longer than 256 bits.
    """
    heads: list[bytes] = []
    tails: list[bytes] = []
    offset = _WORD * len(values)
    for value in values:
        if isinstance(value, str):
            text = value.encode()
            tail = _word(len(text)) + text + bytes(-len(text) % _WORD)
            heads.append(_word(offset))
            tails.append(tail)
            offset += len(tail)
        else:
            heads.append(_word(value))
    return b"".join(heads + tails)


@attrs.frozen
class OrderText:
    """An order as Vest reads it. One object is signed and sent: both see the same texts."""

    time_ms: int
    nonce: int
    order_type: str
    symbol: str
    is_buy: bool
    size: str
    limit_price: str
    reduce_only: bool

    def values(self) -> tuple[int | bool | str, ...]:
        """Return what the signature covers, in its order."""
        return (
            self.time_ms,
            self.nonce,
            self.order_type,
            self.symbol,
            self.is_buy,
            self.size,
            self.limit_price,
            self.reduce_only,
        )


def _key(secret: Secret, name: str) -> PrivateKey:
    digits = secret.reveal().strip().removeprefix("0x")
    try:
        if len(digits) == _KEY_DIGITS:
            return PrivateKey(bytes.fromhex(digits))
    except ValueError:
        pass  # the library's words may quote the key
    raise ValueError(f"{name} is not a private key of 64 hex digits")


def _address(key: PrivateKey) -> str:
    point = key.public_key.format(compressed=False)
    return "0x" + hashed(point[1:])[-_ADDRESS_BYTES:].hex()


def address_of(secret: Secret) -> str:
    """Return the account of a private key: 0x and 40 lower-case hex digits, public.

    Raises:
        ValueError: it is no private key. The text never quotes it.
    """
    return _address(_key(secret, "the Vest primary key"))


def _address_word(address: str) -> bytes:
    digits = address.removeprefix("0x")
    if len(digits) != _ADDRESS_DIGITS:
        raise ValueError("not an address of 40 hex digits")
    return bytes(_WORD - _ADDRESS_BYTES) + bytes.fromhex(digits)


def _signature(key: PrivateKey, digest: bytes) -> str:
    signed = key.sign_recoverable(digest, hasher=None)
    return f"0x{signed[:-1].hex()}{_V_BASE + signed[-1]:02x}"


class VestSigner:
    """Signs with the owner's primary key and with the delegated signing key.

    Args:
        primary: the wallet that holds the money; signs only the registration proof.
        signing: the delegate; signs orders and cancels. May be the same key.
        contract: EIP-712 verifying contract, 0x and 40 hex digits.

    Raises:
        ValueError: a key or the contract is not one. The text never quotes it.
    """

    def __init__(self, primary: Secret, signing: Secret, contract: str) -> None:
        self._primary = _key(primary, "the Vest primary key")
        self._signing = _key(signing, "the Vest signing key")
        self.primary_address = _address(self._primary)
        self.signing_address = _address(self._signing)
        self._domain = hashed(
            hashed(_DOMAIN_TYPE)
            + hashed(_DOMAIN_NAME)
            + hashed(_DOMAIN_VERSION)
            + _address_word(contract)
        )

    def proof_digest(self, expiry_ms: int) -> bytes:
        """Return the EIP-712 digest that lets the signing key act until ``expiry_ms``."""
        struct = hashed(
            hashed(_PROOF_TYPE) + _address_word(self.signing_address) + _word(expiry_ms)
        )
        return hashed(_TYPED + self._domain + struct)

    def proof(self, expiry_ms: int) -> str:
        """Sign the registration proof: r, s and v (27 or 28) as 0x hex."""
        return _signature(self._primary, self.proof_digest(expiry_ms))

    def order(self, order: OrderText) -> str:
        """Sign an order exactly as it will be written."""
        return self._personal(order.values())

    def cancel(self, time_ms: int, nonce: int, order_id: str) -> str:
        """Sign the cancelling of one order by the venue's id."""
        return self._personal((time_ms, nonce, order_id))

    def _personal(self, values: Sequence[int | bool | str]) -> str:
        return _signature(self._signing, hashed(_PERSONAL + hashed(abi_encode(values))))

"""What Vest's clients sign, rebuilt and verified with other libraries than the bot signs with.

Source: Vest API docs, Register and Signing, seen 2025-11. The curve is eth-keys' own pure Python,
named at every key and signature: its default silently becomes coincurve, which the bot signs with,
and a ``KeyAPI`` does not pass its own backend on to what it makes.
"""

from __future__ import annotations

from typing import Final

from Crypto.Hash import keccak
from eth_abi import encode  # type: ignore[attr-defined]
from eth_keys.backends.native.main import NativeECCBackend
from eth_keys.datatypes import PrivateKey, Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

CONTRACTS: Final = {
    "prod": "0x919386306C47b2Fe1036e3B4F7C40D22D2461a23",
    "dev": "0x8E4D87AEf4AC4D5415C35A12319013e34223825B",
}
"""Verifying contracts. Source: Vest API docs, Environments, seen 2025-11."""

DOMAIN_TYPE: Final = b"EIP712Domain(string name,string version,address verifyingContract)"
PROOF_TYPE: Final = b"SignerProof(address approvedSigner,uint256 signerExpiry)"
DOMAIN_NAME: Final = b"VestRouterV2"
DOMAIN_VERSION: Final = b"0.0.1"
PERSONAL_PREFIX: Final = b"\x19Ethereum Signed Message:\n32"
ORDER_TYPES: Final = (
    "uint256",
    "uint256",
    "string",
    "string",
    "bool",
    "string",
    "string",
    "bool",
)
"""time, nonce, orderType, symbol, isBuy, size, limitPrice, reduceOnly."""
CANCEL_TYPES: Final = ("uint256", "uint256", "string")
"""time, nonce, id as text."""
SIGNATURE_BYTES: Final = 65

CURVE: Final = NativeECCBackend()


def keccak256(data: bytes) -> bytes:
    """Return the Keccak-256 hash, 32 bytes."""
    return keccak.new(digest_bits=256, data=data).digest()


def proof_digest(contract: str, approved_signer: str, signer_expiry: int) -> bytes:
    """Return the EIP-712 digest of a registration proof; expiry in milliseconds."""
    domain = encode(
        ["bytes32", "bytes32", "bytes32", "address"],
        [keccak256(DOMAIN_TYPE), keccak256(DOMAIN_NAME), keccak256(DOMAIN_VERSION), contract],
    )
    proof = encode(
        ["bytes32", "address", "uint256"], [keccak256(PROOF_TYPE), approved_signer, signer_expiry]
    )
    return keccak256(b"\x19\x01" + keccak256(domain) + keccak256(proof))


def personal_digest(types: tuple[str, ...], values: tuple[object, ...]) -> tuple[bytes, bytes]:
    """Return the Keccak hash of the ABI encoding, and the EIP-191 digest that is signed."""
    inner = keccak256(encode(list(types), list(values)))
    return inner, keccak256(PERSONAL_PREFIX + inner)


def recover(digest: bytes, signature: str) -> str | None:
    """Return the lower-case address that signed, None when the text is no such signature.

    The text is 0x and 65 bytes r, s, v in hex, with v 27 or 28.
    """
    if not signature.startswith("0x"):
        return None
    try:
        raw = bytes.fromhex(signature[2:])
        if len(raw) != SIGNATURE_BYTES or raw[64] not in (27, 28):
            return None
        parsed = Signature(raw[:64] + bytes([raw[64] - 27]), backend=CURVE)
        return parsed.recover_public_key_from_msg_hash(digest).to_address()
    except (ValueError, BadSignature, ValidationError):
        return None


def address_of(private_key: bytes) -> str:
    """Return the lower-case address of a private key."""
    return PrivateKey(private_key, backend=CURVE).public_key.to_address()

"""The Stark curve for the simulated Paradex: hashes, checks and keys.

The bot signs with a Rust library; this side checks with another one, StarkWare's own C++ (the
shared library inside ``crypto_cpp_py``). It is called directly, because importing that package
pulls in a computer algebra system and costs two seconds of start-up.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from Crypto.Hash import keccak

FIELD_PRIME: Final = 2**251 + 17 * 2**192 + 1
CURVE_ORDER: Final = 0x800000000000010FFFFFFFFFFFFFFFFB781126DCAE7B2321E66A241ADC64D2F
"""Source: Starknet documentation, STARK curve, seen 2026-11."""

CURVE_BETA: Final = 0x6F21413EFBE40DE150E596D72F7A8C5609AD26C15C915C1F4CDFCB99CEE9E89
HASH_LIMIT: Final = 2**251
"""The C++ verifier accepts hashes and r below this only. Source: crypto-cpp, ecdsa.cc."""

ADDRESS_MODULUS: Final = 2**251 - 256
PROXY_CLASS_HASH: Final = 0x3530CC4759D78042F1B543BF797F5F3D647CDE0388C33734CF91B7F7B9314A9
ACCOUNT_CLASS_HASH: Final = 0x41CB0280EBADAA75F996D8D92C6F265F6D040BB3BA442E5F86A554F1765244E
"""Source: Paradex API docs, GET /system/config on testnet, seen 2026-11."""

_BUFFER_BYTES: Final = 1024
_WORD_BYTES: Final = 32
_SHORT_STRING_CHARS: Final = 31


@cache
def _library() -> ctypes.CDLL:
    spec = find_spec("crypto_cpp_py")
    if spec is None or spec.origin is None:
        raise RuntimeError("crypto_cpp_py is not installed: the simulator cannot check signatures")
    folder = Path(spec.origin).parent.parent
    names = sorted(folder.glob("libcrypto_c_exports*"))
    if not names:
        raise RuntimeError(f"no libcrypto_c_exports beside crypto_cpp_py in {folder}")
    library = ctypes.CDLL(str(names[0]))
    library.Hash.argtypes = [ctypes.c_char_p] * 3
    library.Hash.restype = ctypes.c_int
    library.GetPublicKey.argtypes = [ctypes.c_char_p] * 2
    library.GetPublicKey.restype = ctypes.c_int
    library.Verify.argtypes = [ctypes.c_char_p] * 4
    library.Verify.restype = ctypes.c_bool
    return library


def _word(value: int) -> bytes:
    return value.to_bytes(_WORD_BYTES, "little")


@lru_cache(maxsize=1024)
def pedersen(left: int, right: int) -> int:
    """Return the Pedersen hash of two field elements (about 60 us).

    Raises:
        ValueError: an input is not a field element.
    """
    out = ctypes.create_string_buffer(_BUFFER_BYTES)
    if not (0 <= left < FIELD_PRIME and 0 <= right < FIELD_PRIME):
        raise ValueError("not a field element")
    if _library().Hash(_word(left), _word(right), out) != 0:
        raise ValueError("the curve library refused the input")
    return int.from_bytes(out.raw[:_WORD_BYTES], "little")


def chain(start: int, values: Iterable[int]) -> int:
    """Fold ``values`` into ``start`` one Pedersen hash at a time."""
    for value in values:
        start = pedersen(start, value)
    return start


def array_hash(*values: int) -> int:
    """Return the Starknet array hash: the chain from 0, then the length."""
    return pedersen(chain(0, values), len(values))


def short_string(text: str) -> int:
    """Return the felt of an ASCII text of at most 31 characters.

    Raises:
        ValueError: longer, or not ASCII.
    """
    if len(text) > _SHORT_STRING_CHARS:
        raise ValueError(f"{len(text)} characters do not fit in a felt")
    return int.from_bytes(text.encode("ascii"), "big")


def type_hash(encoded: str) -> int:
    """Return keccak-256 of a type string, cut to 250 bits."""
    digest = keccak.new(digest_bits=256, data=encoded.encode("ascii")).digest()
    return int.from_bytes(digest, "big") % 2**250


@cache
def public_key_of(private_key: int) -> int:
    """Return the x coordinate of the public point.

    Raises:
        ValueError: the private key is outside the curve's order.
    """
    if not 0 < private_key < CURVE_ORDER:
        raise ValueError("private key outside the curve's order")
    out = ctypes.create_string_buffer(_BUFFER_BYTES)
    if _library().GetPublicKey(_word(private_key), out) != 0:
        raise ValueError("the curve library refused the key")
    return int.from_bytes(out.raw[:_WORD_BYTES], "little")


def is_public_key(x: int) -> bool:
    """Whether some point of the curve has this x coordinate."""
    if not 0 < x < FIELD_PRIME:
        return False
    square = (pow(x, 3, FIELD_PRIME) + x + CURVE_BETA) % FIELD_PRIME
    return square == 0 or pow(square, (FIELD_PRIME - 1) // 2, FIELD_PRIME) == 1


def verifies(message_hash: int, r: int, s: int, public_key: int) -> bool:
    """Whether (r, s) signs the hash with the key of that x coordinate (about 1.3 ms).

    Values outside the curve's ranges are refused here: the libraries crash or panic on them.
    """
    if not (0 < r < min(CURVE_ORDER, HASH_LIMIT) and 0 < s < CURVE_ORDER):
        return False
    w = pow(s, -1, CURVE_ORDER)
    if not (0 <= message_hash < HASH_LIMIT and w < HASH_LIMIT and is_public_key(public_key)):
        return False
    return bool(_library().Verify(_word(public_key), _word(message_hash), _word(r), _word(w)))


def account_address(public_key: int) -> int:
    """Return the address Paradex gives to the account of a public key.

    Source: Starknet contract address rule with Paradex's proxy class; checked against paradex-py.
    """
    initialize = type_hash("initialize")
    calldata = array_hash(ACCOUNT_CLASS_HASH, initialize, 2, public_key, 0)
    prefix = short_string("STARKNET_CONTRACT_ADDRESS")
    return array_hash(prefix, 0, public_key, PROXY_CLASS_HASH, calldata) % ADDRESS_MODULUS

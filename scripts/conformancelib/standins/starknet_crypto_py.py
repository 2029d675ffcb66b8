"""A stand-in for a package that has no build for this Python: the same four functions.

The official Paradex client needs starknet-crypto-py, which is built for Python 3.10 only. The same
curve comes from fast-stark-crypto; its nonces differ, its signatures are as good.
"""

from __future__ import annotations

import fast_stark_crypto


def get_public_key(private_key: int) -> int:
    """Return the x coordinate of the public point."""
    return fast_stark_crypto.get_public_key(private_key)


def pedersen_hash(left: int, right: int) -> int:
    """Return the Pedersen hash of two field elements."""
    return fast_stark_crypto.pedersen_hash(left, right)


def sign(private_key: int, msg_hash: int, seed: int = 32) -> tuple[int, int]:
    """Sign a hash; ``seed`` would choose another nonce, and is not needed."""
    del seed
    return fast_stark_crypto.sign(private_key, msg_hash)


def verify(msg_hash: int, r: int, s: int, public_key: int) -> bool:
    """Tell whether the key signed the hash."""
    return fast_stark_crypto.verify(public_key, msg_hash, r, s)

"""Vest's signatures, against vectors made with eth-account and ethers from throwaway keys."""

from __future__ import annotations

import coincurve
import pytest
from eth_keys.backends.coincurve import CoinCurveECCBackend

from bot4.simulator.vest.digests import (
    CANCEL_TYPES,
    CONTRACTS,
    ORDER_TYPES,
    address_of,
    keccak256,
    personal_digest,
    proof_digest,
    recover,
)

PRIMARY = "0xc68cf431459e0864b845d8b332cee24bbcd28d52"
SIGNING = "0x71bebb603d844a58b878608736649dfa3efca6fe"


def test_addresses_follow_from_keys():
    assert address_of(keccak256(b"bot4/vest/test-vectors/primary")) == PRIMARY
    assert address_of(keccak256(b"bot4/vest/test-vectors/signing")) == SIGNING


def test_a_registration_proof_recovers_to_the_primary_key():
    digest = proof_digest(CONTRACTS["prod"], SIGNING, 1_770_604_800_000)

    assert digest.hex() == "f1587f24084cf08ae3ec428377d52111480f0b81ca7c88c2c485a2feb04fbaa2"
    signature = (
        "0xb2d685681e0944311b95f829eb42368a5504c9f6403ddf40e639f0354fd1e00f"
        "243f6886435779f3aaea700117a9d4be5e9d26ade63db396d25cb391b297a0dc1c"
    )
    assert recover(digest, signature) == PRIMARY
    other = proof_digest(CONTRACTS["dev"], SIGNING, 1_770_604_800_000)
    assert recover(other, signature) != PRIMARY


def test_an_order_recovers_to_the_signing_key():
    time = 1_770_000_000_000
    values = (time, time, "MARKET", "BTC-PERP", True, "0.0100", "78500.00", False)

    inner, digest = personal_digest(ORDER_TYPES, values)

    assert inner.hex() == "77b4684d5005aa57a8d5ee45cfcc3f9ef7683eb1e625bafd655f3cc9afd96b09"
    assert digest.hex() == "8ffe402a93b02dffdd78c6865e194a589de6558108ed3929c7191e078dc4114f"
    signature = (
        "0x742c30c040a85d8b5918e4129154ea3515afb18efdb8991a1585bffe190da646"
        "661988cd24b5c6af1f97b2f284b7777f3f626c890c8ad4562cf56f5ba369628d1c"
    )
    assert recover(digest, signature) == SIGNING
    padded = (time, time, "MARKET", "BTC-PERP", True, "0.01", "78500.00", False)
    assert recover(personal_digest(ORDER_TYPES, padded)[1], signature) != SIGNING


def test_a_cancel_recovers_to_the_signing_key():
    time = 1_770_000_008_000
    order_id = "0x70339d6f184ea022860912892806e8c2f451976e510cc4cd4b0a19dc6d2b896f"

    inner, digest = personal_digest(CANCEL_TYPES, (time, time, order_id))

    assert inner.hex() == "49aba668df83c10aaa9d64cf5835debd297a7e1cd2076ee4f67b6d84932663c4"
    signature = (
        "0x3f889e57bf4dc69263fbb0f1debf82f974b5f7079e8bbc05563519884bcfe324"
        "5fb1da7b64963b4557aaf7dd2be50f73f3d51d632bf7c900135ea5276acbc8b11c"
    )
    assert recover(digest, signature) == SIGNING


def test_no_signature_is_verified_by_the_library_that_made_it(monkeypatch):
    def refuse(*_args: object) -> None:
        pytest.fail("the simulated venue used coincurve", pytrace=False)

    for name in ("ecdsa_recover", "ecdsa_verify", "private_key_to_public_key"):
        monkeypatch.setattr(CoinCurveECCBackend, name, refuse)
    key, digest = bytes([7] * 32), bytes([9] * 32)
    made = coincurve.PrivateKey(key).sign_recoverable(digest, hasher=None)
    signature = "0x" + (made[:64] + bytes([made[64] + 27])).hex()

    assert recover(digest, signature) == address_of(key)

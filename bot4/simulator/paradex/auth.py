"""Who may come in: the login and onboarding headers, and the bearer token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot4.simulator.paradex.refusal import Refused, invalid_token
from bot4.simulator.paradex.signatures import Notary, read_signature

SIGNATURE_LIFE_S: Final = 1800
SIGNATURE_LIFE_MAX_S: Final = 7 * 24 * 3600
"""Default and longest life of a login signature. Source: Paradex docs, POST /auth, 2026-11."""

CLOCK_ALLOWANCE_S: Final = 60
"""How far in the future a login may be signed. Source: ours."""


def bearer_of(headers: Mapping[str, str]) -> str:
    """Return the token of the Authorization header.

    Raises:
        Refused: 401, there is none.
    """
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise invalid_token("missing value in request header")
    return token.strip()


def check_login(headers: Mapping[str, str], notary: Notary, now_s: int, key: int) -> None:
    """Check the signed headers of POST /auth.

    Args:
        headers: lower-case names.
        notary: checks signatures of the only account there is.
        now_s: wall clock, seconds.
        key: whose signature counts: the one named in the path, else the main one.

    Raises:
        Refused: a header is missing, too old, from another account or wrongly signed.
    """
    _check_account(headers, notary)
    signed_s = _seconds(headers, "paradex-timestamp", None)
    until_s = _seconds(headers, "paradex-signature-expiration", signed_s + SIGNATURE_LIFE_S)
    if signed_s > now_s + CLOCK_ALLOWANCE_S or not now_s <= until_s <= now_s + SIGNATURE_LIFE_MAX_S:
        raise Refused("INVALID_TIMESTAMP", "signature timestamp or expiration out of range")
    if key not in notary.public_keys:
        raise Refused("INVALID_SUBKEY", "unknown public key", status=401)
    hashes = [notary.auth_hash(signed_s, until_s)]
    if "paradex-signature-expiration" not in headers:
        hashes.append(notary.auth_hash(signed_s, 0))
    _check_signature(headers, notary, hashes, key)


def check_onboarding(headers: Mapping[str, str], notary: Notary) -> None:
    """Check the signed headers of POST /onboarding.

    Raises:
        Refused: a header is missing, from another account or wrongly signed.
    """
    if not headers.get("paradex-ethereum-account"):
        raise Refused("INVALID_ETHEREUM_ADDRESS", "PARADEX-ETHEREUM-ACCOUNT is missing")
    _check_account(headers, notary)
    _check_signature(headers, notary, [notary.onboarding_hash()], None)


def _check_account(headers: Mapping[str, str], notary: Notary) -> None:
    text = headers.get("paradex-starknet-account", "")
    try:
        account = int(text, 16)
    except ValueError as error:
        raise Refused("INVALID_STARKNET_ADDRESS", "not a Starknet address") from error
    if account != notary.account:
        raise Refused("NOT_ONBOARDED", "User has never called /onboarding endpoint")


def _seconds(headers: Mapping[str, str], name: str, default: int | None) -> int:
    text = headers.get(name)
    if text is None and default is not None:
        return default
    try:
        return int(text or "")
    except ValueError as error:
        raise Refused("INVALID_TIMESTAMP", f"{name} is not a unix time in seconds") from error


def _check_signature(
    headers: Mapping[str, str], notary: Notary, hashes: list[int], key: int | None
) -> None:
    try:
        signature = read_signature(headers.get("paradex-starknet-signature"))
    except (ValueError, TypeError) as error:
        raise Refused("INVALID_STARKNET_SIGNATURE", "signature is malformed") from error
    if not any(notary.signed(message, signature, key) for message in hashes):
        raise Refused(
            "STARKNET_SIGNATURE_VERIFICATION_FAILED", "signature does not verify", status=401
        )

"""The tokens of the simulated Paradex: ES256 JWTs that live five minutes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, Final

import attrs
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from bot4.simulator.paradex.refusal import invalid_token

LIFE_S: Final = 300.0
"""Source: Paradex API docs, Authentication, seen 2026-11."""

ISSUER: Final = "Paradex simulation"
INTERACTIVE: Final = "interactive"
_HALF_BYTES: Final = 32
_BELIEVED_AT_MOST: Final = 64
_ECDSA: Final = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
"""Deterministic, so that one seed gives one byte stream."""


@attrs.frozen
class Token:
    """What a valid token says."""

    account: str
    interactive: bool
    """Retail class: no fee, 300 ms speed bump."""
    expires_ms: int
    subkey: bool = False
    """Signed in with a subkey: may trade, may not manage keys."""


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Tokens:
    """Issues and reads tokens.

    Args:
        wall_ms: the venue's wall clock.
        secret: private P-256 scalar of the issuer, 1 to 2^255.
        life_s: how long a token lives, seconds.
    """

    def __init__(self, wall_ms: Callable[[], int], secret: int, life_s: float = LIFE_S) -> None:
        self._wall_ms = wall_ms
        self._life_s = life_s
        self._key = ec.derive_private_key(secret, ec.SECP256R1())
        self._public = self._key.public_key()
        self._issued = 0
        self._revoked_to = 0
        self._believed: dict[str, dict[str, Any]] = {}
        """Claims of tokens whose signature was checked: each comes with every request."""

    def issue(self, account: str, *, interactive: bool = False, subkey: bool = False) -> str:
        """Return a fresh token of an account."""
        now_ms = self._wall_ms()
        # A clock rather than a count: tokens outlive a restart, and so must their order.
        self._issued = max(self._issued + 1, now_ms)
        header = {"alg": "ES256", "typ": "at+JWT"}
        claims: dict[str, Any] = {
            "exp": int(now_ms / 1000 + self._life_s),
            "iat": now_ms // 1000,
            "iss": ISSUER,
            "sub": account,
            "jti": self._issued,
        }
        if interactive:
            claims["token_usage"] = INTERACTIVE
        if subkey:
            claims["subkey"] = True
        signed = ".".join(_encode(json.dumps(part).encode()) for part in (header, claims))
        r, s = decode_dss_signature(self._key.sign(signed.encode(), _ECDSA))
        halves = (half.to_bytes(_HALF_BYTES, "big") for half in (r, s))
        return f"{signed}.{_encode(b''.join(halves))}"

    def read(self, token: str) -> Token:
        """Check a token and return what it says.

        Raises:
            Refused: 401 INVALID_TOKEN: forged, malformed, expired or revoked.
        """
        try:
            claims = self._claims(token)
            expires_ms = int(claims["exp"]) * 1000
            issued = int(claims["jti"])
            account = str(claims["sub"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise invalid_token("malformed token") from error
        except InvalidSignature as error:
            raise invalid_token("signature is invalid") from error
        if self._wall_ms() >= expires_ms or issued <= self._revoked_to:
            raise invalid_token("token is expired")
        interactive = claims.get("token_usage") == INTERACTIVE
        return Token(account, interactive, expires_ms, claims.get("subkey") is True)

    def expire_all(self) -> None:
        """Make every token issued so far expired."""
        self._issued = self._revoked_to = max(self._issued, self._wall_ms())

    def key_set(self) -> dict[str, Any]:
        """Return the public key as GET /jwks.json shows it."""
        numbers = self._public.public_numbers()
        x, y = (_encode(n.to_bytes(_HALF_BYTES, "big")) for n in (numbers.x, numbers.y))
        key = {"alg": "ES256", "crv": "P-256", "kty": "EC", "use": "sig", "kid": x[:16]}
        return {"keys": [{**key, "x": x, "y": y}]}

    def _claims(self, token: str) -> dict[str, Any]:
        if token in self._believed:
            return self._believed[token]
        signed, _, tail = token.rpartition(".")
        raw = _decode(tail)
        r, s = (int.from_bytes(half, "big") for half in (raw[:_HALF_BYTES], raw[_HALF_BYTES:]))
        self._public.verify(encode_dss_signature(r, s), signed.encode(), _ECDSA)
        claims: dict[str, Any] = json.loads(_decode(signed.split(".")[1]))
        if len(self._believed) >= _BELIEVED_AT_MOST:
            self._believed.clear()
        self._believed[token] = claims
        return claims

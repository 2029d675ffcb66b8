"""Making Vest's session usable: the registration of our signing key, and the listen key."""

from __future__ import annotations

from typing import Final

import msgspec

from bot4.domain.market import VEST
from bot4.errors import AuthRefused, VenueRefused
from bot4.ports import Answer, Errand, Pool, Request
from bot4.venues.reading import as_row, read_whole, token
from bot4.venues.vest.asking import private
from bot4.venues.vest.messages import read_answer
from bot4.venues.vest.rules import CREDENTIALS_REFUSED
from bot4.venues.vest.session import DAY_MS, LiveHeaders, VestSession
from bot4.venues.vest.signing import VestSigner

_EVM: Final = 0
"""Network type of the accounts we know. Source: Vest API docs (v2), Register, seen 2025-11."""


def register(
    session: VestSession, signer: VestSigner, signer_days: int, now_ms: int
) -> Errand[None]:
    """Return the errand that lets the signing key act for ``signer_days``.

    Its ``read`` raises ``AuthRefused`` for answers that the same keys would always get.
    """
    expiry_ms = now_ms + signer_days * DAY_MS
    body = {
        "signingAddr": signer.signing_address,
        "primaryAddr": signer.primary_address,
        "signature": signer.proof(expiry_ms),
        "expiryTime": expiry_ms,
        "networkType": _EVM,
    }

    def keep(value: object) -> None:
        row = as_row(value)
        group = read_whole(row, "accGroup")
        session.registered(token(row, "apiKey"), group, now_ms, expiry_ms)

    def read(answer: Answer) -> None:
        try:
            read_answer(answer, "registration", keep)
        except VenueRefused as refusal:
            if refusal.code in map(str, CREDENTIALS_REFUSED):
                raise AuthRefused(VEST, refusal.why) from None
            raise

    headers = {"xrestservermm": session.server, "content-type": "application/json"}
    return Errand(Request("POST", "/register", headers, msgspec.json.encode(body)), read, Pool.AUTH)


def listen(session: VestSession, now_ms: int) -> Errand[None]:
    """Return the errand that makes a listen key, or extends the one there is.

    It may be built before the registration that brings its API key has been answered.
    """

    def keep(value: object) -> None:
        session.listening(token(as_row(value), "listenKey"), now_ms)

    request = Request("POST", "/account/listenKey", LiveHeaders(session))
    return private(session, request, "listen key", keep, Pool.AUTH)

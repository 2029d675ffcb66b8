"""Requests to Paradex that carry the session, and the session's beginning and end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from bot4.domain.market import PARADEX
from bot4.errors import AuthRefused, VenueRefused
from bot4.ports import Answer, Errand, Pool, Request
from bot4.venues.paradex import rules
from bot4.venues.paradex.messages import raise_signed_out, read_answer, read_fault
from bot4.venues.paradex.session import ParadexSession, headers
from bot4.venues.paradex.signing import StarkSigner
from bot4.venues.reading import as_row, token

T = TypeVar("T")

_LOGIN_LIFE_S: Final = 300
"""How long a log-in's signature is good. Source: ours; the venue allows up to a week."""


def private(
    session: ParadexSession,
    request: Request,
    what: str,
    read: Callable[[object], T],
    pool: Pool = Pool.READ,
) -> Errand[T]:
    """Return an errand whose answer may say that the session is over; then it is forgotten."""
    used = session.token

    def reading(answer: Answer) -> T:
        try:
            return read_answer(answer, what, read)
        except AuthRefused:
            session.lose(used)
            raise

    return Errand(request, reading, pool)


def get(session: ParadexSession, path: str, what: str, read: Callable[[object], T]) -> Errand[T]:
    """Return an errand that asks for something of the account."""
    return private(session, Request("GET", path, headers(session.token)), what, read)


def public(path: str, what: str, read: Callable[[object], T]) -> Errand[T]:
    """Return an errand that needs no session."""
    request = Request("GET", path, {})
    return Errand(request, lambda answer: read_answer(answer, what, read), Pool.PUBLIC)


def done(
    session: ParadexSession, request: Request, what: str, *, fine: frozenset[str] = frozenset()
) -> Errand[None]:
    """Return an errand that needs no more than a 2xx, whose body may be empty.

    ``fine`` are error codes that mean that there was nothing left to do.
    """
    used = session.token

    def read(answer: Answer) -> None:
        fault = read_fault(answer)
        if fault is None or fault.code in fine:
            return
        try:
            raise_signed_out(answer, fault, what)
        except AuthRefused:
            session.lose(used)
            raise
        why = f"{what}: {fault.why}"
        raise VenueRefused(PARADEX, why, code=fault.code, status=answer.status)

    return Errand(request, read, Pool.SAFETY)


def log_in(
    session: ParadexSession, signer: StarkSigner, now_ms: int, *, interactive: bool
) -> Errand[str]:
    """Return the errand that fetches a token.

    An interactive one that is not granted makes the session Pro: then it returns why, else "".
    Its ``read`` raises ``AuthRefused`` for answers that the same keys would always get.
    """
    time_s = now_ms // 1000
    expiration_s = time_s + _LOGIN_LIFE_S
    fields = {
        "paradex-starknet-account": signer.account,
        "paradex-starknet-signature": signer.sign(signer.auth_hash(time_s, expiration_s)),
        "paradex-timestamp": str(time_s),
        "paradex-signature-expiration": str(expiration_s),
    }
    path = f"/auth/{signer.public_key}" + ("?token_usage=interactive" if interactive else "")

    def keep(value: object) -> None:
        session.signed_in(token(as_row(value), "jwt_token"), now_ms, interactive=interactive)

    def read(answer: Answer) -> str:
        fault = read_fault(answer)
        if fault is None:
            read_answer(answer, "log-in", keep)
            return ""
        if interactive and session.token is not None and rules.is_no(answer, fault.code):
            session.go_pro()
            return f"Retail is refused ({fault.why}): trading as Pro, at its fees"
        if rules.is_turned_away(answer, fault.code):
            raise_signed_out(answer, fault, "log-in")
        if fault.code in rules.CREDENTIALS_REFUSED:
            raise AuthRefused(PARADEX, f"log-in: {fault.why}")
        why = f"log-in: {fault.why}"
        raise VenueRefused(PARADEX, why, code=fault.code, status=answer.status)

    return Errand(Request("POST", path, fields), read, Pool.AUTH)

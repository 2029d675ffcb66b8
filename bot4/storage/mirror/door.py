"""The way into Supabase: its own client, one call at a time, every failure named.

The ``supabase`` client's own retry, token refresh and realtime need another event loop: they are
off, and the secret key needs none of them. What a failure means is told by the HTTP status and by
PostgreSQL's own error codes, which do not change; PostgREST's codes moved between its versions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

import trio

from bot4.errors import LeaseLost, MirrorAway, MirrorFault, MirrorRefused, MirrorUnusable
from bot4.invocation import command
from bot4.secret import Secret

if TYPE_CHECKING:
    import httpx
    from postgrest import APIError

    from supabase import AsyncClient

CALL_LIMIT_S: Final = 5.0
CLOSE_LIMIT_S: Final = 1.0
MARGIN_S: Final = 0.1
"""httpx's own limits end this much earlier: they cost one connection, the total one costs all."""
WORDS_LIMIT: Final = 200

PAUSED: Final = 540
"""A paused project. Source: Supabase docs, HTTP status codes, seen 2026-11."""
BUSY: Final = frozenset({408, 425, 429})
LEASE_CODE: Final = "B4001"
"""What our own guard in the database raises for an old token."""
ROW_CODES: Final = ("22", "23", "B4", "P0", "54")
"""SQLSTATE classes of a refused row; B4 is ours.
Source: PostgreSQL manual, appendix A, seen 2026-11."""


class Query(Protocol):
    """A request of the ``supabase`` client, ready to go."""

    async def execute(self) -> Any:
        """Send it."""


class SupabaseDoor:
    """One project, with the secret key."""

    def __init__(self, open_client: Callable[[], httpx.AsyncClient], url: str, key: Secret) -> None:
        """Prepare; nothing is dialled before the first call.

        Args:
            open_client: makes an httpx client of our own.
            url: of the project.
            key: the secret key.
        """
        self._open_client = open_client
        self._url = url
        self._key = key
        self._http: httpx.AsyncClient | None = None
        self._client: AsyncClient | None = None
        self._status = 0
        self._scope = trio.CancelScope()
        self._limit_s = CALL_LIMIT_S

    async def call(self, query: Callable[[AsyncClient], Query]) -> Any:
        """Run one query and return its data.

        Raises:
            MirrorAway: no answer, or one that says "not now".
            MirrorUnusable: the key was refused, or a table or column is missing.
            MirrorRefused: the database refused the rows.
            LeaseLost: another bot holds the account.

        Cancellation: shielded for at most ``CALL_LIMIT_S``; a write may have happened.
        """
        import httpx
        from postgrest import APIError

        client = await self._ready()
        self._status = 0
        fault: MirrorFault = MirrorAway(f"Supabase did not answer within {self._limit_s:g} s")
        with trio.CancelScope(shield=True, deadline=trio.current_time() + self._limit_s) as scope:
            self._scope = scope
            try:
                return (await query(client).execute()).data
            except APIError as error:
                raise self._fault(error) from None
            except httpx.HTTPError as error:
                fault = MirrorAway(f"Supabase does not answer: {_words(error)}")
            except (ValueError, TypeError) as error:
                # No JSON, though the status says that all is well: somebody stands between.
                fault = MirrorAway(f"Supabase answers something unreadable: {_words(error)}")
        # Whatever failed may have lost a slot of the pool for ever: a new one next time.
        await self.aclose()
        raise fault

    def hurry(self, limit_s: float) -> None:
        """We are leaving: from now on no call takes longer, the one under way included."""
        self._limit_s = limit_s
        self._scope.deadline = min(self._scope.deadline, trio.current_time() + limit_s)

    async def aclose(self) -> None:
        """Close every connection. Cancellation: may take ``CLOSE_LIMIT_S``."""
        http, self._http, self._client = self._http, None, None
        if http is not None:
            with trio.move_on_after(CLOSE_LIMIT_S, shield=True):
                await http.aclose()

    async def _ready(self) -> AsyncClient:
        if self._client is None:
            # Slow to import, 0.7 s: only a bot that has a mirror pays for it, before it trades.
            from supabase import AsyncClientOptions, acreate_client

            self._http = self._open_client()
            self._http.timeout = self._limit_s - MARGIN_S
            self._http.event_hooks = {"response": [self._note]}
            options = AsyncClientOptions(
                httpx_client=self._http,
                auto_refresh_token=False,
                persist_session=False,
                postgrest_client_retry=False,
            )
            self._client = await acreate_client(self._url, self._key.reveal(), options)
        return self._client

    async def _note(self, response: httpx.Response) -> None:
        self._status = response.status_code

    def _fault(self, error: APIError) -> MirrorFault:
        status, code = self._status, error.code or ""
        words = _words(error.message or error.details or "no word of explanation")
        if status == PAUSED:
            return MirrorAway("the Supabase project is paused", "restore it on its Supabase page")
        if code == LEASE_CODE:
            return LeaseLost(words, "stop the other bot, then start this one again")
        if status in {401, 403}:
            return MirrorUnusable(
                f"Supabase refuses the key: {words}",
                "put the project's secret key (sb_secret_...) into SUPABASE_SECRET_KEY",
            )
        if status >= 500 or status in BUSY:
            return MirrorAway(f"Supabase answers {status}: {words}")
        if status in {409, 413} or code.startswith(ROW_CODES):
            return MirrorRefused(f"the database refuses it: {words}", _check())
        if status == 404:
            return MirrorUnusable(f"Supabase lacks a table or function: {words}", _check())
        return MirrorUnusable(f"Supabase's tables are not of this version: {words}", _check())


def _words(said: object) -> str:
    text = " ".join(str(said).split()) or type(said).__name__
    return text if len(text) <= WORDS_LIMIT else f"{text[:WORDS_LIMIT]}..."


def _check() -> str:
    return f"run {command('db check')}: it says what is missing and prints the SQL"

"""What Vest gave us to identify ourselves: API key, account group, listen key, and their ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from bot4.secret import Secret

DAY_MS: Final = 86_400_000
LISTEN_KEY_MS: Final = 3_600_000
"""Life of a listen key. Source: Vest API docs (v2), Listen key, seen 2025-11."""

_RENEW_SHARE: Final = 10
"""The registration is renewed when a tenth of its life is left."""


class VestSession:
    """Mutable, shared by the codec (which fills it) and the streams (which read it)."""

    def __init__(self) -> None:
        self.group = 0
        """Account group, from the registration; 0 until then, as every client found sees it."""
        self.api_key: Secret | None = None
        self.listen_key: Secret | None = None
        self._proof_due_ms = 0
        self._listen_due_ms = 0

    def registered(self, api_key: str, group: int, now_ms: int, expiry_ms: int) -> None:
        """Keep the API key of a registration that was signed at ``now_ms``."""
        self.api_key, self.group = Secret(api_key), group
        self._proof_due_ms = expiry_ms - (expiry_ms - now_ms) // _RENEW_SHARE

    def listening(self, listen_key: str, now_ms: int) -> None:
        """Keep the listen key, asked for at ``now_ms``; it is due at half its life."""
        self.listen_key = Secret(listen_key)
        self._listen_due_ms = now_ms + LISTEN_KEY_MS // 2

    def must_register(self, now_ms: int) -> bool:
        """Whether a listen key alone is not enough."""
        return self.api_key is None or now_ms >= self._proof_due_ms

    def due_ms(self) -> int:
        """Venue wall clock when something must be renewed; 0 is at once."""
        if self.api_key is None or self.listen_key is None:
            return 0
        return min(self._proof_due_ms, self._listen_due_ms)

    def doubt_listen_key(self) -> None:
        """Have the listen key asked for again at the next renewal; it stays in use till then."""
        self._listen_due_ms = 0

    def lose(self, used: Secret | None = None) -> None:
        """Forget everything; with ``used``, only if that is still the API key.

        A late answer to an old key must not end the session that replaced it.
        """
        if used is None or used is self.api_key:
            self.api_key = self.listen_key = None

    @property
    def server(self) -> str:
        """The value that routes requests and streams to our account's server."""
        return f"restserver{self.group}"

    def headers(self) -> dict[str, str]:
        """Headers of a private request with what is known now."""
        headers = {"xrestservermm": self.server, "content-type": "application/json"}
        if self.api_key is not None:
            headers["x-api-key"] = self.api_key.reveal()
        return headers

    def secrets(self) -> tuple[Secret, ...]:
        """The keys in use, for the log's redaction."""
        return tuple(key for key in (self.api_key, self.listen_key) if key is not None)


class LiveHeaders(Mapping[str, str]):
    """The session's headers as they are when read, not when the request was made.

    The listen key is asked for with the API key that the errand before it brings.
    """

    def __init__(self, session: VestSession) -> None:
        self._session = session

    def __getitem__(self, name: str) -> str:
        return self._session.headers()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._session.headers())

    def __len__(self) -> int:
        return len(self._session.headers())

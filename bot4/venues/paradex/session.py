"""The tokens that Paradex gave us, and when they are due."""

from __future__ import annotations

from typing import Final

from bot4.secret import Secret

RENEW_MS: Final = 180_000
"""A token lives five minutes and cannot be extended. Source: Paradex API docs, seen 2026-11."""


class ParadexSession:
    """Mutable, shared by the codec (which fills it) and the private stream (which reads it).

    A token's class decides how orders sent with it are treated: Pro at once for a fee, Retail
    ("interactive") free and 300 ms later. With the retail profile there are both, so that what
    is urgent need not wait.
    """

    def __init__(self, *, wants_interactive: bool) -> None:
        self.wants_interactive = wants_interactive
        self.token: Secret | None = None
        """Pro: for everything but planned entries and exits of the retail profile."""
        self.interactive: Secret | None = None
        self._due_ms = self._interactive_due_ms = 0

    def signed_in(self, token: str, now_ms: int, *, interactive: bool) -> None:
        """Keep a token that was asked for at ``now_ms``."""
        if interactive:
            self.interactive, self._interactive_due_ms = Secret(token), now_ms + RENEW_MS
        else:
            self.token, self._due_ms = Secret(token), now_ms + RENEW_MS

    def go_pro(self) -> None:
        """Do without an interactive token from now on: none is granted."""
        self.wants_interactive, self.interactive = False, None

    def due_ms(self) -> int:
        """Venue wall clock when a token must be renewed; 0 is at once."""
        if self.token is None or (self.wants_interactive and self.interactive is None):
            return 0
        return min(self._due_ms, self._interactive_due_ms) if self.interactive else self._due_ms

    def lose(self, used: Secret | None = None) -> None:
        """Forget the tokens; with ``used``, only if that is still one of them.

        A late answer to an old token must not end the session that replaced it.
        """
        if used is None or used is self.token or used is self.interactive:
            self.token = self.interactive = None

    def token_for(self, *, urgent: bool) -> Secret | None:
        """Return the token to send an order with."""
        return self.interactive if self.wants_interactive and not urgent else self.token

    def secrets(self) -> tuple[Secret, ...]:
        """The tokens in use, for the log's redaction."""
        return tuple(token for token in (self.token, self.interactive) if token is not None)


def headers(token: Secret | None) -> dict[str, str]:
    """Headers of a private request with this token."""
    fields = {"content-type": "application/json"}
    if token is not None:
        fields["authorization"] = f"Bearer {token.reveal()}"
    return fields

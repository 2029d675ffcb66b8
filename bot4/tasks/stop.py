"""Signs that ask tasks to end without cancelling what surrounds them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import trio


class StopSign:
    """Ends ``while_running`` blocks, now and in future. Raised once, never lowered."""

    def __init__(self) -> None:
        self._scopes: set[trio.CancelScope] = set()
        self._event = trio.Event()
        self.why = ""

    @property
    def raised(self) -> bool:
        """Whether the sign was raised."""
        return self._event.is_set()

    def raise_sign(self, why: str) -> None:
        """Ask all present and future ``while_running`` blocks to end. Idempotent."""
        if self.raised:
            return
        self.why = why
        self._event.set()
        for scope in tuple(self._scopes):
            scope.cancel(reason=why)

    async def wait(self) -> None:
        """Block until the sign is raised. Cancellation: safe."""
        await self._event.wait()

    @contextmanager
    def while_running(self) -> Iterator[None]:
        """Run the block until it ends by itself or the sign is raised."""
        with trio.CancelScope() as scope:
            self._scopes.add(scope)
            if self.raised:
                scope.cancel(reason=self.why)
            try:
                yield
            finally:
                self._scopes.discard(scope)

"""Every exception bot4 raises on purpose, from mildest to loudest, and the exit codes.

The question each class answers is what its catcher may do: reconnect, stop, or call a person.
Order outcomes are values (see ``bot4.ports``), never exceptions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Final


class ExitCode(IntEnum):
    """What the process says to the shell when it ends."""

    CLEAN = 0
    """Flat, or hedged as configured; no open order."""
    CRASHED = 1
    CONFIG = 2
    """Config or credentials unusable."""
    LEFT_OPEN = 3
    """Something is open or unproven, and was listed."""
    REFUSED = 4
    """Refused to start or to trade, for safety."""
    USAGE = 64
    SECOND_SIGNAL = 70
    THIRD_SIGNAL = 130


class Bot4Error(Exception):
    """Base of everything bot4 raises on purpose."""


class ConfigError(Bot4Error):
    """The operator's files cannot be used. Carries one line per fault."""

    def __init__(self, faults: Sequence[str], do: str = "") -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)
        self.do = do
        """What to do about all of them, where checking bot4.yaml and the keys would not tell."""


class StartRefused(Bot4Error):
    """Starting now would be unsafe: another instance runs, or exposure nobody explains."""

    def __init__(self, why: str, do: str) -> None:
        super().__init__(why)
        self.why = why
        self.do = do


class VenuesGone(Bot4Error):
    """The embedded simulated venues ended under a running bot."""

    def __init__(self, why: str, do: str) -> None:
        super().__init__(why)
        self.why = why
        self.do = do


class JournalFault(Bot4Error):
    """The journal cannot be trusted or written: nothing may open."""


class VenueError(Bot4Error):
    """Something went wrong between us and one venue."""

    def __init__(self, venue: str, why: str) -> None:
        super().__init__(f"{venue}: {why}")
        self.venue = venue
        self.why = why


class ConnectionLost(VenueError):
    """The link broke or went silent. The feed reconnects."""


class HandshakeRefused(ConnectionLost):
    """The venue answered the handshake of a WebSocket with an HTTP status of its own."""

    def __init__(self, venue: str, why: str, status: int) -> None:
        super().__init__(venue, why)
        self.status = status


class ProtocolViolation(VenueError):
    """The venue sent something our codec cannot read. Drop the book and resubscribe."""


class ApiChanged(ProtocolViolation):
    """The venue said something well formed that our version of its API has no word for."""


class VenueRefused(VenueError):
    """The venue answered a question with an error of its own."""

    def __init__(self, venue: str, why: str, *, code: str = "", status: int = 0) -> None:
        super().__init__(venue, why)
        self.code = code
        self.status = status


class AddressRefused(VenueRefused):
    """Our address is turned away in front of the venue: what was asked never reached it."""


class Unreachable(VenueError):
    """A question got no answer: not sent, timed out or cut. It proves nothing."""


class AuthRefused(VenueError):
    """Credentials were refused. Retrying cannot help."""


class MirrorFault(Bot4Error):
    """Supabase could not be used. Trading goes on; the journal has everything."""

    def __init__(
        self, why: str, do: str = "nothing: it is tried again, and nothing is lost"
    ) -> None:
        super().__init__(why)
        self.why = why
        self.do = do


class MirrorAway(MirrorFault):
    """It does not answer, or not now. Trying again may help."""


class MirrorUnusable(MirrorFault):
    """The key or the tables are wrong. A person has to mend it."""


class MirrorRefused(MirrorFault):
    """The database refused these rows; sending them again cannot help."""


class LeaseLost(MirrorFault):
    """Another bot holds this account now."""


class ExposureLeft(Bot4Error):
    """Everything was tried and a leg is still open. A person must act now."""


RECONNECTABLE: Final = (ConnectionLost, ProtocolViolation, VenueRefused, Unreachable)
"""What a feed survives by dropping its book and dialling again."""


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the plain exceptions inside a group, however deeply nested."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error

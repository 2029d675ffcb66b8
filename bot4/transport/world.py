"""The real world: TCP and TLS, the machine's clock and chance, SQLite on disk."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Mapping
from math import inf
from pathlib import Path
from random import Random, SystemRandom
from typing import Final

import trio

from bot4.errors import StartRefused
from bot4.ports import AccountLock, AccountName
from bot4.transport.account_lock import lock_account
from bot4.transport.database import SqliteDatabase, open_database
from bot4.transport.streams import TlsStream

CONNECT_LIMIT_S: Final = 3.0
"""DNS, TCP and TLS together; a reconnection has 5 s in all. Source: ours."""
BOOT: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)
CLOSE_S: Final = 0.001
"""Two clocks read so near to each other were read at one moment."""
READINGS: Final = 20
KEY_LOG: Final = "SSLKEYLOGFILE"


class RealWorld:
    """The way out of the process. Implements ``ports.World``."""

    def __init__(
        self, *, ca_file: Path | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        """Prepare TLS once for every connection.

        Args:
            ca_file: trust the certificates of this authority, and no other.
            environ: the process environment, looked at for ``SSLKEYLOGFILE`` only.

        Raises:
            StartRefused: TLS keys would be written to a file, or ``ca_file`` is unusable.
        """
        if (os.environ if environ is None else environ).get(KEY_LOG):
            raise StartRefused(
                f"{KEY_LOG} is set: the keys of every connection would be written to a file",
                f"unset {KEY_LOG} and start again",
            )
        self.random = Random(SystemRandom().getrandbits(256))  # noqa: S311 - jitter, ids; no keys
        self._tls = _tls(ca_file)

    async def dial(self, host: str, port: int) -> TlsStream:
        """Open an encrypted stream, the certificate and its host name checked.

        Raises:
            OSError: DNS, TCP or TLS failed, or took longer than ``CONNECT_LIMIT_S``.

        Cancellation: safe.
        """
        try:
            with trio.fail_after(CONNECT_LIMIT_S):
                tcp = await trio.open_tcp_stream(host, port)  # Tries every address; TCP_NODELAY.
                return await _encrypt(tcp, self._tls, host)
        except trio.TooSlowError:
            raise TimeoutError(f"no connection within {CONNECT_LIMIT_S:g} s") from None
        except trio.BrokenResourceError as error:
            cause = error.__cause__
            words = str(cause) if cause is not None else "the peer hung up"
            raise ConnectionError(f"TLS failed: {words}") from error
        except UnicodeError:
            raise ConnectionError("the host name is not a host name") from None

    def wall_ms(self) -> int:
        """Our wall clock, ms since the epoch."""
        return time.time_ns() // 1_000_000

    def suspended_s(self) -> float:
        """Seconds that this machine has slept, from some moment on."""
        return _suspended_s()

    def open_database(self, path: Path) -> SqliteDatabase:
        """Open (or create) a SQLite file for this process alone.

        Raises:
            StartRefused: another process holds it.
            JournalFault: it is not a usable database.
        """
        return open_database(path)

    async def lock_account(self, account: AccountName, holder: str) -> AccountLock:
        """Take an account for this process alone, whichever user or folder others run from.

        Raises:
            StartRefused: another process of this machine holds it.

        Cancellation: nothing was taken.
        """
        return await lock_account(account, holder)


def _suspended_s() -> float:
    """Compare a clock that goes on in a sleep with the one that Trio uses, which stands still.

    Linux has one that nobody can set (clock_gettime(2), CLOCK_BOOTTIME); elsewhere it is the wall
    clock, and setting it looks like a sleep.
    """
    best, lowest_s = 0.0, inf
    for _ in range(READINGS):
        before = time.monotonic()
        awake = time.time() if BOOT is None else time.clock_gettime(BOOT)
        after = time.monotonic()
        # The machine may let others run between two clocks.
        if after - before < lowest_s:
            best, lowest_s = awake - (before + after) / 2, after - before
        if lowest_s < CLOSE_S:
            break
    return best


async def _encrypt(tcp: trio.SocketStream, tls: ssl.SSLContext, host: str) -> TlsStream:
    stream = TlsStream(tcp, tls, host)
    try:
        await stream.do_handshake()
    except BaseException:
        await trio.aclose_forcefully(tcp)
        raise
    return stream


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    """Build the one TLS context: 1.2 or later, certificate and host name checked."""
    if ca_file is None:
        context = ssl.create_default_context()
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ValueError) as error:
            raise StartRefused(
                f"the certificate authority in {ca_file} cannot be used: {error}",
                "give the file that belongs to the venue",
            ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context

"""A TLS stream that can say, without reading, whether something already waits to be read."""

from __future__ import annotations

from ssl import SSLContext
from typing import Final

import trio

CLOSE_LIMIT_S: Final = 0.2
"""A peer that takes no bytes does not get our farewell. Source: ours."""


class TlsStream(trio.abc.Stream):
    """One encrypted connection over TCP. Implements ``ports.ByteStream``.

    Raises, in every method: ``trio.BrokenResourceError`` when the link broke,
    ``trio.ClosedResourceError`` after ``aclose``.
    """

    def __init__(self, tcp: trio.SocketStream, tls: SSLContext, host: str) -> None:
        self._tcp = tcp
        # https_compatible: real servers end by closing TCP, without TLS's own farewell.
        self._tls = trio.SSLStream(tcp, tls, server_hostname=host, https_compatible=True)

    async def do_handshake(self) -> None:
        """Agree on keys and check the certificate and its host name.

        Raises:
            trio.BrokenResourceError: the peer speaks no TLS, or is not who it should be.

        Cancellation: leaves the link broken.
        """
        await self._tls.do_handshake()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send everything. Cancellation: leaves the link broken."""
        await self._tls.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until sending might not block. Cancellation: safe."""
        await self._tls.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Wait for bytes; empty at the end. Cancellation: safe."""
        return await self._tls.receive_some(max_bytes)

    async def aclose(self) -> None:
        """Say farewell if the peer takes it at once, and close. May take ``CLOSE_LIMIT_S``."""
        with trio.move_on_after(CLOSE_LIMIT_S):
            await self._tls.aclose()

    def is_readable(self) -> bool:
        """Whether bytes, or the end, already wait on the socket."""
        if self._tcp.socket.fileno() < 0:
            return True
        return self._tcp.socket.is_readable()

"""The two venues as a process: loopback TLS, one announced JSON line, an orderly end."""

from __future__ import annotations

import json
import os
import secrets
import ssl
import stat
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import trio
import trustme

from bot4.simulator.box import ENDPOINTS, TwoVenues
from bot4.simulator.options import Options
from bot4.simulator.persist import WorldStore

LOOPBACK: Final = "127.0.0.1"
HANDSHAKE_LIMIT_S: Final = 5.0
CLOSE_LIMIT_S: Final = 5.0
WORLD_FILE: Final = "venue.db"
TRUTH_FILE: Final = "truth.json"
CA_FILE: Final = "ca.pem"
CONTROL_FILE: Final = "control.token"
TOKEN_BYTES: Final = 32
URLS: Final = {
    "vest.rest": "https://localhost:{port}/v2",
    "vest.ws": "wss://localhost:{port}/ws-api?version=1.0",
    "paradex.rest": "https://localhost:{port}/v1",
    "paradex.ws": "wss://localhost:{port}/v1",
    "control": "http://127.0.0.1:{port}",
}


async def simulate(
    options: Options,
    *,
    state_dir: Path,
    announce: Callable[[str], None],
    stop: trio.Event | None = None,
    fresh: bool = False,
) -> None:
    """Serve both venues on loopback until ``stop`` is set.

    The world is kept in ``state_dir/venue.db``; the certificate of its authority is written to
    ``state_dir/ca.pem``, the token of the control endpoint, another one each time, to
    ``state_dir/control.token`` and the truth, at the end, to ``state_dir/truth.json``.

    Args:
        options: what a new world is made from; a saved one keeps its seed.
        state_dir: created when missing, mode 0700.
        announce: called once with one line of JSON: addresses, ``ca_file``,
            ``control_token`` and throwaway keys.
        stop: ends the venues in order; None serves for ever.
        fresh: forget the saved world.

    Raises:
        WorldBusy: another simulator holds the world.
        ValueError: an option names something that does not exist.

    Cancellation: safe; orders in flight land when the world is served again.
    """
    store = _open_world(state_dir, fresh=fresh)
    try:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        _write(state_dir / CONTROL_FILE, token)
        box = TwoVenues(options, wall_ms=_wall_ms, store=store, control_token=token)
        also = {"control_token": token}
        async with trio.open_nursery() as world:
            await world.start(box.run)
            await _serve_until(
                trio.Event() if stop is None else stop, box, state_dir, announce, also
            )
            with trio.move_on_after(CLOSE_LIMIT_S):
                await box.close()
            _write(state_dir / TRUTH_FILE, json.dumps(box.truth(), indent=1))
            world.cancel_scope.cancel(reason="the venues are closed")
    finally:
        store.close()


async def wait_for_end_of_input() -> None:
    """Block until the other end of standard input is gone.

    Only a pipe or a socket is watched: a terminal ends the process by its signals, and a file or
    /dev/null says nothing about anybody's life.

    Cancellation: safe.
    """
    kind = os.fstat(0).st_mode
    if not (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind)):
        await trio.sleep_forever()
    async with trio.lowlevel.FdStream(os.dup(0)) as stdin:
        try:
            while await stdin.receive_some():
                pass
        except trio.BrokenResourceError:
            return


async def _serve_until(
    stop: trio.Event,
    box: TwoVenues,
    state_dir: Path,
    announce: Callable[[str], None],
    also: dict[str, str],
) -> None:
    """Open the listeners, announce them, and drop every connection when told to stop."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", LOOPBACK).configure_cert(context)
    ca_file = state_dir / CA_FILE
    _write(ca_file, authority.cert_pem.bytes().decode("ascii"))
    said = {"ca_file": str(ca_file.absolute()), **also, **box.credentials()}
    async with trio.open_nursery() as doors:
        for endpoint in ENDPOINTS:
            listeners = await trio.open_tcp_listeners(0, host=LOOPBACK)
            port = listeners[0].socket.getsockname()[1]
            said[endpoint] = URLS[endpoint].format(port=port)
            handler = _door(box.server(endpoint), None if endpoint == "control" else context)
            await doors.start(trio.serve_listeners, handler, listeners)
        announce(json.dumps(said))
        await stop.wait()
        doors.cancel_scope.cancel(reason="told to stop")


def _door(
    serve: Callable[[trio.abc.Stream], Awaitable[None]], context: ssl.SSLContext | None
) -> Callable[[trio.SocketStream], Awaitable[None]]:
    async def handler(stream: trio.SocketStream) -> None:
        if context is None:
            await serve(stream)
            return
        secure = trio.SSLStream(stream, context, server_side=True, https_compatible=True)
        try:
            with trio.fail_after(HANDSHAKE_LIMIT_S):
                await secure.do_handshake()
        except (trio.TooSlowError, trio.BrokenResourceError, OSError):
            await trio.aclose_forcefully(secure)
            return
        await serve(secure)

    return handler


def _open_world(state_dir: Path, *, fresh: bool) -> WorldStore:
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = WorldStore(state_dir / WORLD_FILE)
    if fresh:
        store.forget()
    return store


def _write(path: Path, text: str) -> None:
    """Replace a file as a whole, readable by its owner only."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000

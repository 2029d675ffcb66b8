"""JSON-RPC envelopes of the Paradex WebSocket.

Source: Paradex docs, WebSocket, and captured acknowledgements, 2026-10. A request without an id is
answered with id 0, as a capture of 2024-06 shows.
"""

from __future__ import annotations

import json
from typing import Any, Final

import attrs
import trio

from bot4.simulator.paradex.refusal import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    PARSE_ERROR,
    RpcRefused,
)

_US_PER_S: Final = 1_000_000


@attrs.frozen
class RpcCall:
    """One request; ``id`` is any JSON value and is echoed."""

    id: Any
    method: str
    params: Any
    received_us: int
    received_at: float
    """Trio time, seconds."""

    def param(self, name: str) -> Any:
        """Return a parameter, None when it is missing.

        Raises:
            RpcRefused: the parameters are no object.
        """
        if not isinstance(self.params, dict):
            raise RpcRefused(INVALID_PARAMS, "invalid params")
        return self.params.get(name)


def read_call(message: str | bytes, wall_ms: int) -> RpcCall:
    """Read one frame of a client.

    Raises:
        RpcRefused: it is not JSON, or no request.
    """
    if isinstance(message, bytes):
        raise RpcRefused(PARSE_ERROR, "parse error")
    try:
        body = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise RpcRefused(PARSE_ERROR, "parse error") from error
    if not isinstance(body, dict) or not isinstance(body.get("method"), str):
        raise RpcRefused(INVALID_REQUEST, "invalid request")
    return RpcCall(
        id=body.get("id", 0),
        method=body["method"],
        params=body.get("params") or {},
        received_us=wall_ms * 1000,
        received_at=trio.current_time(),
    )


def result_text(call: RpcCall, result: dict[str, Any]) -> str:
    """Return a reply that says yes."""
    return _reply(call.id, {"result": result}, call.received_us, call.received_at)


def error_text(call: RpcCall, error: dict[str, Any]) -> str:
    """Return a reply that says no."""
    return _reply(call.id, {"error": error}, call.received_us, call.received_at)


def unread_text(error: dict[str, Any], wall_ms: int) -> str:
    """Return the reply to what could not be read."""
    return _reply(0, {"error": error}, wall_ms * 1000, trio.current_time())


def _reply(call_id: Any, outcome: dict[str, Any], received_us: int, received_at: float) -> str:
    took_us = int((trio.current_time() - received_at) * _US_PER_S) + 1
    envelope = {
        "jsonrpc": "2.0",
        "id": call_id,
        **outcome,
        "usIn": received_us,
        "usDiff": took_us,
        "usOut": received_us + took_us,
    }
    return json.dumps(envelope) + "\n"

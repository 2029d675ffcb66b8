"""How the simulated Paradex says no: REST bodies and JSON-RPC errors.

Source: Paradex API docs, error codes (OpenAPI 1.132.1) and OpenRPC 1.3.1, seen 2026-11. The docs
do not tie HTTP statuses to codes: 401 for tokens and login signatures, 404 for what is not
found, 429 for limits and 400 for the rest are what clients report.
"""

from __future__ import annotations

from typing import Any, Final

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
METHOD_ERROR: Final = 100
"""Business refusals of order methods."""
MALFORMED_BEARER: Final = 40110
INVALID_BEARER: Final = 40111
GEO_BLOCKED: Final = 40112
NOT_AUTHENTICATED: Final = 40300
RATE_LIMITED: Final = 42901


class Refused(Exception):
    """The venue refuses a REST request, or the order inside a WebSocket request."""

    def __init__(self, code: str, message: str, *, status: int = 400, data: Any = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.data = data

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        return {"error": self.code, "message": self.message, "data": self.data}


class RpcRefused(Exception):
    """The venue refuses a JSON-RPC request."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.data = data

    @property
    def body(self) -> dict[str, Any]:
        """The ``error`` member of the reply."""
        error = {"code": self.code, "message": self.message}
        return error if self.data is None else {**error, "data": self.data}


def invalid_channel(why: str) -> RpcRefused:
    """Return the refusal of a subscription."""
    return RpcRefused(INVALID_REQUEST, "invalid subscribe request", why)


def not_found(code: str, what: str) -> Refused:
    """Return the refusal of something the venue does not have."""
    return Refused(code, f"{what} not found", status=404)


def blocked() -> Refused:
    """Return the refusal of an address that the venue does not want."""
    return Refused("GEO_IP_BLOCK", "access from this location is not allowed", status=403)


def too_many() -> Refused:
    """Return the refusal of a client above its rate."""
    return Refused("RATE_LIMIT_EXCEEDED", "rate limit exceeded", status=429)


def invalid_token(why: str) -> Refused:
    """Return the refusal of a missing, wrong or expired token."""
    return Refused("INVALID_TOKEN", f"invalid bearer jwt: {why}", status=401)

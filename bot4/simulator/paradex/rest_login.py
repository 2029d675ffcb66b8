"""Coming in at Paradex: tokens, and onboarding.

Source: Paradex API docs, Authentication (OpenAPI 1.132.1), seen 2026-11.
"""

from __future__ import annotations

from bot4.simulator.paradex.auth import check_login, check_onboarding
from bot4.simulator.paradex.engine import ParadexEngine
from bot4.simulator.paradex.refusal import Refused
from bot4.simulator.paradex.routes import Call, Reply, Route


class LoginEndpoints:
    """Who may come in, and with which token."""

    def __init__(self, engine: ParadexEngine) -> None:
        self._engine = engine

    def log_in(self, call: Call) -> Reply:
        """POST /auth with the main key, or /auth/{public_key} with that one."""
        engine = self._engine
        key = engine.subkeys.main_key
        if "public_key" in call.params:
            try:
                key = int(call.params["public_key"], 16)
            except ValueError as error:
                raise Refused("PUBLIC_KEY_INVALID", "not a public key") from error
        check_login(call.request.headers, engine.notary, engine.wall_ms() // 1000, key)
        interactive = call.query.get("token_usage") == "interactive"
        if interactive and engine.switches.interactive == "refused":
            raise Refused("REQUEST_NOT_ALLOWED", "token_usage: not for this account", status=403)
        token = engine.tokens.issue(
            engine.account,
            interactive=interactive and engine.switches.interactive == "granted",
            subkey=key != engine.subkeys.main_key,
        )
        return Reply(200, {"jwt_token": token})

    def onboard(self, call: Call) -> Reply:
        """POST /onboarding: idempotent; the account is always there."""
        check_onboarding(call.request.headers, self._engine.notary)
        return Reply(200, {})

    def onboarded(self, call: Call) -> Reply:
        """GET /onboarding: whether a public key has an account."""
        exists = call.query.get("public_key", "").lower() == self._engine.public_key
        address = self._engine.account if exists else ""
        body = {"address": address, "exists": exists, "account_signer_type": "starknet"}
        return Reply(200, body)


def login_routes(engine: ParadexEngine) -> tuple[Route, ...]:
    """Return the endpoints of this module."""
    ends = LoginEndpoints(engine)
    return (
        Route("POST", "/v1/auth", "auth", "auth", ends.log_in, private=False),
        Route("POST", "/v1/auth/{public_key}", "auth", "auth", ends.log_in, private=False),
        Route("GET", "/v1/onboarding", "public", "public", ends.onboarded, private=False),
        Route("POST", "/v1/onboarding", "auth", "onboarding", ends.onboard, private=False),
    )

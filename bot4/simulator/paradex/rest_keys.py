"""The REST endpoints of Paradex about subkeys. A subkey's own token opens none of them."""

from __future__ import annotations

from bot4.simulator.paradex.engine import ParadexEngine
from bot4.simulator.paradex.refusal import Refused
from bot4.simulator.paradex.routes import Call, Reply, Route


class KeyEndpoints:
    """Register, list, rename and revoke."""

    def __init__(self, engine: ParadexEngine) -> None:
        self._engine = engine

    def register(self, call: Call) -> Reply:
        """POST /account/keys/subkeys: 201, without a body."""
        self._main_only(call)
        engine = self._engine
        engine.subkeys.register(engine.account, call.json(), engine.wall_ms())
        engine.save()
        return Reply(201, None)

    def listed(self, call: Call) -> Reply:
        """GET /account/keys/subkeys."""
        with_revoked = call.query.get("with_revoked") == "true"
        return Reply(200, {"results": self._engine.subkeys.listed(with_revoked=with_revoked)})

    def one(self, call: Call) -> Reply:
        """GET /account/keys/subkeys/{public_key}."""
        return Reply(200, self._engine.subkeys.one(call.params["public_key"]))

    def rename(self, call: Call) -> Reply:
        """PUT /account/keys/subkeys/{public_key}."""
        self._main_only(call)
        engine = self._engine
        row = engine.subkeys.rename(call.params["public_key"], call.json(), engine.wall_ms())
        engine.save()
        return Reply(200, row)

    def revoke(self, call: Call) -> Reply:
        """DELETE /account/keys/subkeys/{public_key}."""
        self._main_only(call)
        engine = self._engine
        answer = engine.subkeys.revoke(call.params["public_key"], engine.wall_ms())
        engine.save()
        return Reply(200, answer)

    def _main_only(self, call: Call) -> None:
        if call.token.subkey:
            raise Refused("UNAUTHORIZED_ERROR", "a subkey cannot manage keys", status=403)


def key_routes(engine: ParadexEngine) -> tuple[Route, ...]:
    """Return the endpoints of this module."""
    ends = KeyEndpoints(engine)
    path = "/v1/account/keys/subkeys"
    named = f"{path}/{{public_key}}"
    return (
        Route("GET", path, "account", "private", ends.listed),
        Route("POST", path, "account", "private", ends.register),
        Route("GET", named, "account", "private", ends.one),
        Route("PUT", named, "account", "private", ends.rename),
        Route("DELETE", named, "account", "private", ends.revoke),
    )

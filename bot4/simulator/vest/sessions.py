"""Who may speak to Vest: registered signers, API keys and the listen key of one account."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import attrs

from bot4.simulator.sampling import Sampled
from bot4.simulator.vest.digests import CONTRACTS, proof_digest, recover
from bot4.simulator.vest.refusals import VestRefusal, dead_key
from bot4.simulator.vest.switches import VestSwitches

DAY_MS = 86_400_000


def derived(seed: int, name: str) -> bytes:
    """Return 32 throwaway bytes that depend on the seed and a name only."""
    return sha256(f"{seed}/vest/{name}".encode()).digest()


@attrs.define
class Sessions:
    """Keys of the one account that ever deposited. Times are wall clock milliseconds."""

    seed: int
    primary: str
    """Address of the account, lower case."""
    switches: VestSwitches
    _signers: dict[str, int] = attrs.field(factory=dict)
    """Expiry by approved signer address."""
    _api_keys: list[str] = attrs.field(factory=list)
    _listen_key: str = ""
    _listen_until_ms: int = 0
    _made: int = 0
    registered_ms: int = 0
    """When somebody last registered."""
    sampled: Sampled = attrs.field(init=False)
    """Whose signatures are checked."""

    def __attrs_post_init__(self) -> None:
        self.sampled = Sampled(self.switches.verify_every)

    def register(self, body: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
        """Check a registration and return its answer.

        Raises:
            VestRefusal: 1130 fields, 1024 network, 1022 signature, 1099 another account.
        """
        signer, primary = body.get("signingAddr"), body.get("primaryAddr")
        signature, expiry = body.get("signature"), body.get("expiryTime")
        for name, address in (("signingAddr", signer), ("primaryAddr", primary)):
            if not _is_address(address):
                raise VestRefusal(1130, f"{name} must be a lower-case 0x address")
        if type(expiry) is not int or not isinstance(signature, str):
            raise VestRefusal(1130, "expiryTime and signature are needed")
        if body.get("networkType") != 0 or type(body.get("networkType")) is not int:
            raise VestRefusal(1024)
        if not now_ms < expiry <= now_ms + self.switches.most_proof_days * DAY_MS:
            raise VestRefusal(1130, "expiryTime must be in the future, and not too far")
        digest = proof_digest(CONTRACTS[self.switches.contract], str(signer), expiry)
        if recover(digest, signature) != primary:
            raise VestRefusal(1022)
        if primary != self.primary:
            raise VestRefusal(1099)
        self._signers[str(signer)] = expiry
        if self.switches.keys == "newest":
            self._api_keys.clear()
        if not self._api_keys or self.switches.keys == "another":
            self._api_keys.append(self._new_key("api_key"))
        self.registered_ms = now_ms
        return {"apiKey": self._api_keys[-1], "accGroup": self.switches.account_group}

    def check(self, headers: Mapping[str, str]) -> None:
        """Let a private request pass.

        Raises:
            VestRefusal: 1002 or less without a valid key, 1146 with another account group.
        """
        if headers.get("x-api-key") not in self._api_keys:
            raise dead_key(self.switches.dead_key)
        self.check_group(headers)

    def check_group(self, headers: Mapping[str, str]) -> None:
        """Let a request pass that names this account group; else 1146."""
        if headers.get("xrestservermm") != f"restserver{self.switches.account_group}":
            raise VestRefusal(1146)

    @property
    def newest_signer(self) -> str | None:
        """The address that registered last, None when nobody did."""
        return next(reversed(self._signers), None)

    def may_sign(self, address: str | None, now_ms: int) -> bool:
        """Tell whether orders signed by this address are the account's own."""
        if address is None:
            return False
        return address == self.primary or self._signers.get(address, 0) > now_ms

    # The listen key: one at a time, 60 minutes, extended by asking again.

    def listen_key(self, now_ms: int, *, create: bool) -> dict[str, str]:
        """Create or extend the listen key and return it.

        Raises:
            VestRefusal: 1125 when there is none to extend.
        """
        if not self.listening(now_ms):
            if not create:
                raise VestRefusal(1125)
            self._listen_key = self._new_key("listen_key")[:32]
        self._listen_until_ms = now_ms + int(self.switches.listen_key_s * 1000)
        return {"listenKey": self._listen_key}

    def close_listen_key(self) -> None:
        """Forget the listen key. Idempotent."""
        self._listen_until_ms = 0

    def listening(self, now_ms: int) -> bool:
        """Tell whether a listen key is in force."""
        return self._listen_until_ms > now_ms

    def close_code(self, listen_key: str, now_ms: int) -> int | None:
        """Return the WebSocket close code a listen key earns, None when it is good."""
        if listen_key != self._listen_key or not self._listen_key:
            return 4004
        return None if self.listening(now_ms) else 4005

    def expire(self, which: str) -> None:
        """Make keys invalid now: "api_key", "listen_key", "signer" or "all"."""
        if which in ("api_key", "all"):
            self._api_keys.clear()
        if which in ("signer", "all"):
            self._signers.clear()
        if which in ("listen_key", "all"):
            self.close_listen_key()

    def dump(self) -> dict[str, Any]:
        """Return the sessions as JSON values."""
        return {
            "signers": dict(self._signers),
            "api_keys": list(self._api_keys),
            "listen_key": self._listen_key,
            "listen_until_ms": self._listen_until_ms,
            "made": self._made,
            "registered_ms": self.registered_ms,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over what ``dump`` returned."""
        self._signers = dict(state["signers"])
        self._api_keys = list(state["api_keys"])
        self._listen_key = str(state["listen_key"])
        self._listen_until_ms = int(state["listen_until_ms"])
        self._made = int(state["made"])
        self.registered_ms = int(state.get("registered_ms", 0))

    def _new_key(self, kind: str) -> str:
        self._made += 1
        return derived(self.seed, f"{kind}/{self._made}").hex()


def _is_address(value: object) -> bool:
    if not isinstance(value, str) or len(value) != 42 or not value.startswith("0x"):
        return False
    return all(letter in "0123456789abcdef" for letter in value[2:])

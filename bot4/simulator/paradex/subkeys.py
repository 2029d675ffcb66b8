"""Subkeys of the account: registered public keys that may trade, and no more.

Source: Paradex API docs, Subkeys (OpenAPI 1.132.1), seen 2026-11. What the registration's own
signature covers is not documented; only the bearer token is asked for here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from bot4.simulator.paradex.curve import is_public_key
from bot4.simulator.paradex.refusal import Refused, not_found
from bot4.simulator.paradex.signatures import Notary

NAME_CHARS: Final = 64


class Subkeys:
    """The keys registered beside the main one.

    Args:
        notary: what it knows decides whose signatures count.
        main_key: the account's own public key; it cannot be revoked here.
        known: keys there from the beginning, 0x-hexadecimal.
    """

    def __init__(self, notary: Notary, main_key: int, known: Iterable[str]) -> None:
        self.main_key: Final = main_key
        self._notary = notary
        self._rows: dict[int, dict[str, Any]] = {}
        for key in known:
            self._add(int(key, 16), "from the beginning", 0)

    def register(self, account: str, body: Any, now_ms: int) -> None:
        """Take in POST /account/keys/subkeys.

        Raises:
            Refused: no public key, or one that is in use.
        """
        if not isinstance(body, dict) or not isinstance(body.get("name", ""), str):
            raise Refused("BINDING_ERROR", "name and public_key are needed")
        key = read_key(body.get("public_key"))
        if key in self._notary.public_keys:
            raise Refused("INVALID_SUBKEY", "public key is in use")
        self._add(key, body.get("name", "")[:NAME_CHARS], now_ms // 1000, account)

    def revoke(self, text: object, now_ms: int) -> dict[str, Any]:
        """Make a key worthless from now on.

        Raises:
            Refused: there is no such key.
        """
        key = read_key(text)
        row = self._row(key)
        row |= {"state": "revoked", "revoked_at": now_ms // 1000}
        self._notary.public_keys.discard(key)
        return {"public_key": hex(key)}

    def rename(self, text: object, body: Any, now_ms: int) -> dict[str, Any]:
        """Change a key's name.

        Raises:
            Refused: there is no such key, or no name.
        """
        row = self._row(read_key(text))
        name = body.get("name") if isinstance(body, dict) else None
        if not isinstance(name, str):
            raise Refused("BINDING_ERROR", "name: is required")
        row |= {"name": name[:NAME_CHARS], "updated_at": now_ms // 1000}
        return dict(row)

    def one(self, text: object) -> dict[str, Any]:
        """Return a key's row. Raises Refused when there is none."""
        return dict(self._row(read_key(text)))

    def listed(self, *, with_revoked: bool) -> list[dict[str, Any]]:
        """Return every key's row."""
        rows = self._rows.values()
        return [dict(row) for row in rows if with_revoked or row["state"] != "revoked"]

    def dump(self) -> list[dict[str, Any]]:
        """Return the keys as JSON values."""
        return self.listed(with_revoked=True)

    def load(self, rows: Iterable[dict[str, Any]]) -> None:
        """Take over what ``dump`` returned."""
        for row in rows:
            key = int(row["public_key"], 16)
            self._rows[key] = dict(row)
            if row["state"] == "active":
                self._notary.public_keys.add(key)

    def _add(self, key: int, name: str, now_s: int, account: str = "") -> None:
        self._rows[key] = {
            "account_id": account,
            "allowed_cidrs": [],
            "created_at": now_s,
            "id": len(self._rows) + 1,
            "name": name,
            "public_key": hex(key),
            "revoked_at": 0,
            "state": "active",
            "updated_at": now_s,
        }
        self._notary.public_keys.add(key)

    def _row(self, key: int) -> dict[str, Any]:
        if key not in self._rows:
            raise not_found("NOT_FOUND", "subkey")
        return self._rows[key]


def read_key(text: object) -> int:
    """Return a public key; Refused when the text is none."""
    try:
        key = int(str(text), 16)
    except ValueError:
        key = 0
    if not is_public_key(key):
        raise Refused("PUBLIC_KEY_INVALID", "not a public key")
    return key

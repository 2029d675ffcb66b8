"""What bot4 asks of Supabase: rows in, events out, and the lease."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from bot4.errors import LeaseLost, MirrorAway, MirrorRefused
from bot4.storage.mirror.door import SupabaseDoor
from bot4.storage.mirror.needs import ORDER, VERSION_FUNCTION

Row = Mapping[str, Any]
PAGE: Final = 1000
"""Rows asked for at once; the server may give fewer and says so by nothing."""
IDS_AT_ONCE: Final = 40
EVENT: Final = "trade_id,seq,kind,client_order_id,body,written_at"


@attrs.frozen
class Claim:
    """What the database says when an account is asked for."""

    granted: bool
    token: int
    holder: str
    seen_s: int
    """How long ago the holder was heard of, by the database's clock."""
    free_in_s: int


@attrs.frozen
class RemoteEvent:
    """One event as the mirror has it."""

    trade_id: str
    seq: int
    kind: str
    client_order_id: str
    body: str
    written_at: str


class SupabaseStore:
    """The tables of one account. Every method raises as ``SupabaseDoor.call``."""

    def __init__(self, door: SupabaseDoor, account: str) -> None:
        self.door = door
        self.account = account
        """Its key."""

    def hurry(self, limit_s: float) -> None:
        """From now on no call takes longer, the one under way included."""
        self.door.hurry(limit_s)

    # ------------------------------------------------------------------------- lease

    async def claim(
        self, names: Mapping[str, str], holder: str, version: str, ttl_s: int, bound_s: int
    ) -> Claim:
        """Ask for the account. Granted at once when it is free or was this holder's."""
        said = await self._function(
            "bot4_claim",
            {
                "p_account_id": self.account,
                "p_account": names["account"],
                "p_mode": names["mode"],
                "p_holder": holder,
                "p_version": version,
                "p_ttl_s": ttl_s,
                "p_bound_s": bound_s,
            },
        )
        try:
            return Claim(**said)
        except TypeError:
            raise MirrorAway("Supabase answers something unreadable about the lease") from None

    async def renew(self, token: int) -> None:
        """Say that we live.

        Raises:
            LeaseLost: another bot holds the account.
        """
        if await self._function("bot4_renew", self._mine(token)) is not True:
            raise LeaseLost(
                "another bot took this account over",
                "stop one of the two; this one goes on closing and opens nothing",
            )

    async def release(self, token: int) -> bool:
        """Give the account back; False when it was not ours any more."""
        return bool(await self._function("bot4_release", self._mine(token)))

    async def instance(self) -> Row | None:
        """Return who holds the account, None when nobody ever did."""
        found = await self.door.call(
            lambda client: client.table("instances").select("*").eq("account_id", self.account)
        )
        return found[0] if found else None

    def _mine(self, token: int) -> dict[str, Any]:
        return {"p_account_id": self.account, "p_token": token}

    async def _function(self, name: str, parameters: dict[str, Any]) -> Any:
        return await self.door.call(lambda client: client.rpc(name, parameters))

    # -------------------------------------------------------------------------- rows

    async def push(self, tables: Mapping[str, Sequence[Row]], token: int) -> list[str]:
        """Write rows, table by table; what is there already stays one row.

        A row that the database refuses holds nothing else up.

        Args:
            tables: from ``rows_of``.
            token: of the lease.

        Returns:
            What was refused, one line each.
        """
        refused = []
        for table in ORDER:
            rows = [{**row, "token": token} for row in tables.get(table, ())]
            if not rows:
                continue
            try:
                await self._upsert(table, rows)
            except MirrorRefused:
                refused += await self._one_by_one(table, rows)
        return refused

    async def _one_by_one(self, table: str, rows: Iterable[Row]) -> list[str]:
        refused = []
        for row in rows:
            try:
                await self._upsert(table, [row])
            except MirrorRefused as fault:
                refused.append(f"{table} {row['id']}: {fault.why}")
        return refused

    async def _upsert(self, table: str, rows: Sequence[Row]) -> None:
        from postgrest.types import ReturnMethod

        await self.door.call(
            lambda client: client.table(table).upsert(
                [dict(row) for row in rows], returning=ReturnMethod.minimal, on_conflict="id"
            )
        )

    # ------------------------------------------------------------------------ events

    async def has_event(self, event_key: str) -> bool:
        """Whether this event arrived."""
        found = await self.door.call(
            lambda client: client.table("events").select("id").eq("id", event_key)
        )
        return bool(found)

    async def unfinished(self) -> list[RemoteEvent]:
        """Return the events of every trade that is not over, by trade and in order."""
        return await self._events("unfinished_events", None)

    async def events_of(self, trade_ids: Sequence[str]) -> list[RemoteEvent]:
        """Return the events of these trades, by trade and in order."""
        found = []
        for start in range(0, len(trade_ids), IDS_AT_ONCE):
            found += await self._events("events", trade_ids[start : start + IDS_AT_ONCE])
        return found

    async def _events(self, source: str, trade_ids: Sequence[str] | None) -> list[RemoteEvent]:
        found: list[RemoteEvent] = []
        while True:
            start = len(found)

            def page(client: Any, start: int = start) -> Any:
                query = client.table(source).select(EVENT).eq("account_id", self.account)
                if trade_ids is not None:
                    query = query.in_("trade_id", trade_ids)
                return query.order("trade_id").order("seq").range(start, start + PAGE - 1)

            # Until nothing comes: the server's own limit may be below ours.
            rows = await self.door.call(page)
            if not rows:
                return found
            try:
                found += [RemoteEvent(**row) for row in rows]
            except TypeError:
                raise MirrorAway("Supabase answers something unreadable about events") from None

    # ------------------------------------------------------------------------ schema

    async def schema(self) -> Any:
        """Return what the database says of its own version."""
        return await self._function(VERSION_FUNCTION, {})

    async def probe(self, table: str, columns: Iterable[str]) -> None:
        """Ask for no row of these columns: it fails when one is missing."""
        wanted = ",".join(columns)
        await self.door.call(lambda client: client.table(table).select(wanted).limit(0))

"""The network of a universe: every connection in it, and what goes wrong on the way.

What goes wrong is one of ``KINDS``. Each narrows to some lines by ``venue``, ``which`` ("rest",
"ws" or "all") and ``way`` ("up" to the venue, "down" or "both").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
import trio

from bot4.transport.memory import Carried, MemoryStream, pair

KINDS: Final = frozenset({"net_delay", "net_drip", "net_cut", "net_half_open"})
"""For ``seconds`` bytes come ``ms`` late, each connection by its own share of up to twice that,
so that connections overtake each other; or a ``piece`` at a time, ``ms`` apart. ``count``
messages break their line ``when`` "before", "inside" or "after" they arrive. Lines that are open
now lose everything from now on, and nobody is told.
"""
MOST_PIECES: Final = 40
LASTS_S: Final = 3.0


@attrs.define
class _Trouble:
    kind: str
    venue: str
    which: str
    way: str
    until: float
    count: int
    args: Mapping[str, Any]
    shares: dict[int, float] = attrs.field(factory=dict)

    def meets(self, line: _Line, way: str) -> bool:
        """Tell whether it strikes what is sent on a line this way."""
        return self.on(line) and self.way in ("both", way)

    def on(self, line: _Line) -> bool:
        """Tell whether it is about this line."""
        venue, _, endpoint = line.host.partition(".")
        return self.venue == venue and self.which in ("all", endpoint)


@attrs.define(eq=False)
class _Line:
    number: int
    host: str
    client: MemoryStream | None = None


@attrs.frozen
class _Way:
    """One direction of a line. Implements ``memory.Road``."""

    wires: Wires
    line: _Line
    way: str

    def carry(self, data: bytes) -> Carried | None:
        return self.wires.carry(self.line, self.way, data)


class Wires:
    """All connections of a universe.

    Args:
        uniform: draws a number between two.
    """

    def __init__(self, uniform: Callable[[float, float], float]) -> None:
        self._uniform = uniform
        self._lines: list[_Line] = []
        self._made = 0
        self._troubles: list[_Trouble] = []

    def join(self, host: str) -> tuple[MemoryStream, MemoryStream]:
        """Return the two ends of a new connection to a host, client first."""
        self._lines = [line for line in self._lines if line.client and not line.client.is_over]
        line = _Line(self._made, host)
        self._made += 1
        client, server = pair(up=_Way(self, line, "up"), down=_Way(self, line, "down"))
        line.client = client
        self._lines.append(line)
        return client, server

    def strike(self, fault: Mapping[str, Any]) -> None:
        """Let something go wrong from now on.

        Args:
            fault: ``venue``, ``kind`` (one of ``KINDS``) and the kind's own arguments.

        Raises:
            ValueError: no such kind.
        """
        kind = str(fault["kind"])
        if kind not in KINDS:
            raise ValueError(f"the wires know no fault {kind!r}")
        trouble = _Trouble(
            kind,
            str(fault["venue"]),
            str(fault.get("which", "all")),
            str(fault.get("way", "both")),
            trio.current_time() + float(fault.get("seconds", LASTS_S)),
            int(fault.get("count", 1)),
            dict(fault),
        )
        if kind != "net_half_open":
            self._troubles.append(trouble)
            return
        for line in self._lines:
            if line.client and trouble.on(line):
                line.client.vanish()

    def clear(self) -> None:
        """Let everything go well from now on, on lines that still work."""
        self._troubles.clear()

    def carry(self, line: _Line, way: str, data: bytes) -> Carried | None:
        """Say what becomes of bytes on a line."""
        if not self._troubles:
            return None
        now = trio.current_time()
        self._troubles = [one for one in self._troubles if one.until > now and one.count > 0]
        for trouble in self._troubles:
            if trouble.meets(line, way):
                return self._strike_one(trouble, line, data)
        return None

    def _strike_one(self, trouble: _Trouble, line: _Line, data: bytes) -> Carried:
        args = trouble.args
        if trouble.kind == "net_cut":
            trouble.count -= 1
            arrives = {"before": 0, "inside": len(data) // 2}.get(str(args.get("when")), len(data))
            return Carried(((0.0, data[:arrives]),) if arrives else (), cut=True)
        late_s = float(args.get("ms", 100)) / 1000
        if trouble.kind == "net_delay":
            if line.number not in trouble.shares:
                trouble.shares[line.number] = self._uniform(0, 2)
            return Carried(((late_s * trouble.shares[line.number], data),))
        size = max(int(args.get("piece", 40)), -(-len(data) // MOST_PIECES))
        starts = range(0, len(data), size)
        return Carried(tuple((n * late_s, data[at : at + size]) for n, at in enumerate(starts)))

"""Whether anything may open: a set of named reasons why not. Closing is never stopped."""

from __future__ import annotations

import structlog

log = structlog.get_logger()

RECONCILE = "reconcile"
"""The venues' positions have to be compared with the trades."""
UNKNOWN_ORDER = "unknown order"
"""A venue told of an order that is not ours, where a trade of ours may hold something: its
position may be other than the trade says."""
FOREIGN_ORDER = "foreign order"
"""One where no trade of ours holds anything."""
EXPOSURE = "exposure"
"""A position that no trade explains."""


class Gate:
    """Open when no reason stands. Each reason is logged once when it comes and when it goes."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    @property
    def open(self) -> bool:
        """Whether opening is allowed."""
        return not self._reasons

    @property
    def reasons(self) -> dict[str, str]:
        """Name and words of every reason that stands."""
        return dict(self._reasons)

    def block(self, name: str, why: str, do: str, *, quiet: bool = False) -> None:
        """Stop opening for a named reason."""
        news = name not in self._reasons
        self._reasons[name] = why
        if news and not quiet:
            log.warning(
                "opening.stopped",
                message=f"[SAFETY] Nothing opens: {why}",
                reason=name,
                why=why,
                do=do,
            )

    def judge(self, name: str, why: str, do: str) -> None:
        """Stop opening while there is a ``why``; withdraw the reason when it is ""."""
        if why:
            self.block(name, why, do)
        else:
            self.clear(name)

    def clear(self, name: str, *, quiet: bool = False) -> None:
        """Withdraw a reason."""
        if self._reasons.pop(name, None) is None:
            return
        if not quiet:
            log.info(
                "opening.resumed",
                message=f"[SAFETY] {name}: over"
                + ("" if self._reasons else "; opening is allowed again"),
                reason=name,
            )

"""Whether anything may open: a set of named reasons why not, each for the pairs it concerns.

Closing is never stopped by a reason; but one that says that a venue or market takes no orders at
all lets a hedged pair wait, since closing one leg alone would leave the other naked.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import structlog

from bot4.domain.market import VENUES, MarketKey, Pair
from bot4.strategy.hold import Hold, Reason

log = structlog.get_logger()

RECONCILE = "reconcile"
"""The venues' positions have to be compared with the trades."""
UNKNOWN_ORDER = "unknown order"
"""A venue told of an order that is not ours, where a trade of ours may hold something: its
position may be other than the trade says."""
FOREIGN_ORDER = "foreign order"
"""One where no trade of ours holds anything."""
ANOTHER_BOT = "another bot"
"""A venue told of an order that only a bot4 with another journal can have sent."""
STATE = "state folder"
"""The journal is not where it was opened: what is written now is lost with this process."""
SUSPEND = "suspend"
"""The machine slept: what was known is of before, and not all of it is known anew."""
EXPOSURE = "exposure"
"""A position that no trade explains."""


@attrs.frozen
class Block:
    """One reason."""

    why: str
    on: MarketKey | str = ""
    """The market or venue it is about; "" is the whole account."""
    pair: str = ""
    """The pair it is about; "" is every pair on that market or venue."""
    shut: bool = False
    """Whether no order can be executed there, closing ones included."""

    def concerns(self, pair: Pair) -> bool:
        """Whether it keeps this pair from opening."""
        if self.pair:
            return self.pair == pair.name
        return not isinstance(self.on, MarketKey) or self.on in {
            pair.on(venue).key for venue in VENUES
        }

    @property
    def subject(self) -> str:
        """What does not open, in words."""
        if self.pair:
            return self.pair
        return f"{self.on}" if isinstance(self.on, MarketKey) else ""


class Gate:
    """Open when no reason stands. Each reason is logged once when it comes and when it goes."""

    def __init__(self) -> None:
        self._blocks: dict[str, Block] = {}

    @property
    def open(self) -> bool:
        """Whether no reason stands at all."""
        return not self._blocks

    @property
    def reasons(self) -> dict[str, str]:
        """Name and words of every reason that stands."""
        return {name: block.why for name, block in self._blocks.items()}

    def hold(self, pair: Pair) -> Hold | None:
        """The oldest reason why this pair may not open; None when it may."""
        for name, block in self._blocks.items():
            if not block.concerns(pair):
                continue
            if block.shut:
                return Hold(Reason.MARKET_CLOSED, block.why)
            odd = name in (EXPOSURE, RECONCILE, UNKNOWN_ORDER, FOREIGN_ORDER)
            return Hold(Reason.UNEXPLAINED if odd else Reason.BLOCKED, block.why)
        return None

    def shut(self, keys: Iterable[MarketKey]) -> str:
        """Why one of these markets executes no order now, "" when all do as far as is known."""
        known = list(keys)
        for block in self._blocks.values():
            if block.shut and any(block.on in (key, key.venue) for key in known):
                return block.why
        return ""

    def block(
        self,
        name: str,
        why: str,
        do: str,
        *,
        quiet: bool = False,
        on: MarketKey | str = "",
        pair: str = "",
        shut: bool = False,
    ) -> None:
        """Stop opening for a named reason.

        Args:
            name: of the reason; one that stands is replaced.
            why: in words.
            do: what a person can do about it.
            quiet: nothing is said.
            on: the market or venue it is about, "" for the account.
            pair: the one pair it is about, "" for all.
            shut: no order can be executed there, closing ones included.
        """
        news = name not in self._blocks
        block = self._blocks[name] = Block(why, on, pair, shut)
        if news and not quiet:
            subject = block.subject
            what = f"{subject} opens nothing" if subject else "Nothing opens"
            log.warning(
                "opening.stopped",
                message=f"[SAFETY] {what}: {why}",
                reason=name,
                why=why,
                do=do,
            )

    def judge(
        self, name: str, why: str, do: str, *, on: MarketKey | str = "", shut: bool = False
    ) -> None:
        """Stop opening while there is a ``why``; withdraw the reason when it is ""."""
        if why:
            self.block(name, why, do, on=on, shut=shut)
        else:
            self.clear(name)

    def clear(self, name: str, *, quiet: bool = False) -> None:
        """Withdraw a reason."""
        if self._blocks.pop(name, None) is None:
            return
        if not quiet:
            log.info(
                "opening.resumed",
                message=f"[SAFETY] {name}: over"
                + ("" if self._blocks else "; opening is allowed again"),
                reason=name,
            )

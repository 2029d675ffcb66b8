"""Asks again for what a venue did not tell when a trade was booked, and books it anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

import attrs
import structlog
import trio

from bot4.strategy.saga import State, Trade
from bot4.tasks.closing import add_up, doubts, money_of, sums
from bot4.tasks.fills import collect, complete_fills
from bot4.tasks.gateway import Gateway
from bot4.tasks.ledger import Ledger

log = structlog.get_logger()

EVERY_S: Final = 30.0


@attrs.frozen
class Rebooking:
    """Looks after the accounts that are estimates, of this run and of earlier ones."""

    ledger: Ledger
    gateways: Mapping[str, Gateway]
    taker_fee: Callable[[str, str], Decimal]
    """By pair and venue, for a fee that is still not told."""

    async def keep(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Ask now and then, for ever; started at once. Cancellation: safe."""
        task_status.started()
        while True:
            await trio.sleep(EVERY_S)
            for trade_id, account in list(self.ledger.results.newest.items()):
                trade = self.ledger.find(trade_id)
                if trade is not None and not_all_known(account):
                    await self._ask(trade, account)

    async def _ask(self, trade: Trade, account: Mapping[str, Any]) -> None:
        trade = await complete_fills(trade, self.gateways, self.ledger)
        if trade.state is not State.FLAT:
            return  # what was told late says that it is not over: it is booked at its end
        told = collect(trade, lambda venue: self.taker_fee(trade.plan.pair, venue))
        rate = Decimal(account["exit_rate"])
        left = doubts(told, rate)
        same = bool(left) and left == {name: account.get(name) for name in left}
        if left.get("unknown") or same:
            return
        result = add_up(trade, told, rate, None)
        body = {**account, **sums(result), "estimated": [], "unknown": [], **left}
        self.ledger.book_again(trade.plan.trade_id, body)
        log.info(
            "trade.rebooked",
            message=f"[TRADE] {trade.plan.pair} of before is booked anew: {money_of(body)}",
            trade_id=trade.plan.trade_id,
            before_usdc=account["net_usdc"],
            **body,
        )


def not_all_known(account: Mapping[str, Any]) -> bool:
    """Whether something in an account was not told by the venues."""
    return bool(account.get("estimated") or account.get("unknown"))

"""Says in the log what happens to trades and their orders, in the owner's words."""

from __future__ import annotations

import structlog

from bot4.domain.units import plain
from bot4.strategy.events import Answered, Busted, Event, Filled, Missing, Overdue, Reported, Sent
from bot4.strategy.legs import Leg, LegState
from bot4.strategy.saga import Trade

log = structlog.get_logger()


def side_word(trade: Trade, leg: Leg) -> str:
    """``Long`` or ``Short``: which leg of the pair an order belongs to."""
    return "Long" if leg.order.key == trade.plan.long else "Short"


def facts(trade: Trade, leg: Leg) -> dict[str, str]:
    """What every line on an order carries."""
    order = leg.order
    return {
        "trade_id": trade.plan.trade_id,
        "pair": trade.plan.pair,
        "venue": order.key.venue,
        "market": order.key.symbol,
        "client_order_id": order.client_order_id,
        "purpose": order.purpose.value,
        "side": order.side.value,
        "size": plain(order.size),
        "limit": plain(order.limit),
    }


class Narrator:
    """Watches the ledger. One line an order and stage; repeated statements say nothing."""

    def __init__(self) -> None:
        self._told: dict[str, LegState] = {}

    def heard(self, trade_id: str, event: Event, trade: Trade) -> None:
        """Tell what the event changed for its order."""
        del trade_id
        if isinstance(event, Sent):
            self._sent(trade, event)
        elif isinstance(event, Busted):
            self._busted(trade, event)
        elif isinstance(event, Answered | Overdue | Reported | Filled | Missing):
            leg = trade.leg(event.client_order_id)
            before = self._told.get(event.client_order_id)
            if leg is not None and before is not leg.state:
                self._told[event.client_order_id] = leg.state
                self._tell(trade, leg, before)

    def forget(self, trade: Trade) -> None:
        """The trade is over."""
        for leg in trade.legs:
            self._told.pop(leg.order.client_order_id, None)

    def _sent(self, trade: Trade, event: Sent) -> None:
        leg = trade.leg(event.client_order_id)
        if leg is not None:
            order = leg.order
            log.info(
                "leg.sent",
                message=f"[ORDER] {order.side.value} {plain(order.size)} {order.key.symbol} on "
                f"{order.key.venue} at {plain(order.limit)} or better, {order.purpose.value}",
                **facts(trade, leg),
            )

    def _busted(self, trade: Trade, event: Busted) -> None:
        leg = trade.leg(event.client_order_id)
        if leg is not None:
            who, known = side_word(trade, leg), facts(trade, leg)
            log.warning(
                "fill.busted",
                message=f"[ORDER] {who}: {known['venue']} took a fill back, "
                f"{plain(leg.filled)} of {known['size']} is left",
                fill_id=event.fill_id,
                filled=plain(leg.filled),
                why="the chain did not accept it",
                do="nothing: the pair is made even again",
                **known,
            )

    def _tell(self, trade: Trade, leg: Leg, before: LegState | None) -> None:
        who, known = side_word(trade, leg), facts(trade, leg)
        if before in (LegState.DOUBT, LegState.CANCELLING) and leg.state.terminal:
            log.info(
                "leg.resolved",
                message=f"[ORDER] {who} on {known['venue']} is certain now: {leg.state.value}",
                state=leg.state.value,
                filled=plain(leg.filled),
                **({"why": leg.reason} if leg.reason else {}),
                **known,
            )
        match leg.state:
            case LegState.FILLED | LegState.PART_CLOSED:
                price = leg.average_price or (leg.fills[-1].price if leg.fills else None)
                log.info(
                    "leg.filled",
                    message=f"[ORDER] {who} filled {plain(leg.filled)} of {known['size']} on "
                    f"{known['venue']}" + (f" at {plain(price)}" if price else ""),
                    filled=plain(leg.filled),
                    price=plain(price) if price else None,
                    **known,
                )
            case LegState.REFUSED | LegState.CANCELLED | LegState.NEVER:
                log.warning(
                    "leg.refused",
                    message=f"[ORDER] {who} not filled on {known['venue']}: {leg.reason}",
                    why=leg.reason or "closed unfilled",
                    do="nothing: the other leg is looked after",
                    **known,
                )
            case LegState.DOUBT:
                log.warning(
                    "leg.in_doubt",
                    message=f"[ORDER] {who} in doubt on {known['venue']}: {leg.reason}",
                    why=leg.reason,
                    do="nothing: the venue is asked until it is certain",
                    **known,
                )
            case LegState.ACKED:
                log.info(
                    "leg.accepted", message=f"[ORDER] {who} accepted by {known['venue']}", **known
                )
            case _:
                return

"""What the simulated Paradex checks before it says 201 to an order."""

from __future__ import annotations

from decimal import Decimal

from bot4.simulator.orders import ZERO, SimOrder
from bot4.simulator.paradex.desk import ParadexDesk
from bot4.simulator.paradex.drafts import Draft
from bot4.simulator.paradex.refusal import Refused, not_found
from bot4.simulator.paradex.signatures import read_signature
from bot4.simulator.paradex.tokens import Token


def admit(desk: ParadexDesk, draft: Draft, token: Token) -> SimOrder:
    """Judge a request received now; return the order to accept, not yet accepted.

    Raises:
        Refused: the venue does not want it.
    """
    check_draft(desk, draft)
    check_signature(desk, draft)
    return admit_checked(desk, draft, token)


def check_draft(desk: ParadexDesk, draft: Draft) -> None:
    """Check what concerns the request alone: market, window, steps, the state of the venue.

    Raises:
        Refused: something of it is wrong.
    """
    market = desk.listed().get(draft.market)
    if market is None:
        raise not_found("MARKET_NOT_FOUND", f"market {draft.market}")
    _check_window(desk, draft, desk.wall_ms())
    _check_state(desk, draft)
    if desk.halted(draft.market) is not None:
        raise Refused("MARKET_NOT_OPEN", f"market {draft.market} is not open")
    if not market.on_lot(draft.size):
        raise Refused("INVALID_ORDER_SIZE", f"size: must be a multiple of {market.lot}")
    if draft.price is not None and not market.on_tick(draft.price):
        raise Refused("VALIDATION_ERROR", f"price: must be a multiple of {market.tick}")
    _check_notional(desk, draft, market.min_notional)


def admit_checked(desk: ParadexDesk, draft: Draft, token: Token) -> SimOrder:
    """Judge a request, read and signed well, beside the account's other orders.

    Takes the fault ``refuse``: with ``cancel_reason`` the order is accepted and closed on
    landing, otherwise it is refused with ``code``, ``message`` and ``status``.

    Raises:
        Refused: the venue does not want it.
    """
    if draft.instruction == "RPI":
        raise Refused("RPI_ACCOUNT_NOT_WHITELISTED", "RPI is for whitelisted makers")
    _check_client_id(desk, draft)
    if len(desk.live_orders(draft.market)) >= desk.limits_of(draft.market).open_orders:
        raise Refused("REQUEST_NOT_ALLOWED", "too many open orders in this market")
    extra = {"flags": list(draft.flags), "stp": draft.stp, "interactive": False}
    if draft.trigger_price is not None:
        extra["trigger_price"] = str(draft.trigger_price)
    refusal = desk.faults.take(
        desk.name,
        "refuse",
        request="order",
        symbol=draft.market,
        side=draft.side,
        reduce_only=draft.reduce_only,
    )
    if refusal is not None:
        if "cancel_reason" not in refusal.args:
            raise refused_by(refusal.args)
        extra["refused_with"] = str(refusal.args["cancel_reason"])
    lost = desk.faults.active(desk.name, "retail_lost", symbol=draft.market) is not None
    if token.interactive and not lost and desk.limits.take_retail():
        extra["interactive"] = True
        extra["flags"] = [*draft.flags, "INTERACTIVE"]
    return SimOrder(
        id=desk.order_id(),
        handle=draft.client_id,
        symbol=draft.market,
        side=draft.side,
        size=draft.size,
        limit=draft.price,
        kind=draft.kind,
        time_in_force=draft.instruction,
        reduce_only=draft.reduce_only,
        sent_ms=draft.timestamp_ms,
        received_ms=desk.wall_ms(),
        updated_ms=desk.wall_ms(),
        extra=extra,
    )


def refused_by(args: dict[str, object]) -> Refused:
    """Return the refusal a fault asks for; 429 when only a status of 429 is given."""
    status = int(str(args.get("status", 400)))
    default = "RATE_LIMIT_EXCEEDED" if status == 429 else "VALIDATION_ERROR"
    code = str(args.get("code", default))
    return Refused(code, str(args.get("message", "refused by the fault menu")), status=status)


def _check_window(desk: ParadexDesk, draft: Draft, now_ms: int) -> None:
    switches = desk.switches
    window_ms = switches.recv_window_ms if draft.recv_window_ms is None else draft.recv_window_ms
    if window_ms < switches.recv_window_min_ms:
        raise Refused(
            "VALIDATION_ERROR", f"recv_window: must be at least {switches.recv_window_min_ms}"
        )
    if now_ms > draft.timestamp_ms + window_ms:
        raise Refused("INVALID_TIMESTAMP", "order received outside of its recv_window")
    if draft.timestamp_ms > now_ms + switches.future_ms:
        raise Refused("INVALID_TIMESTAMP", "signature_timestamp is in the future")


def check_signature(desk: ParadexDesk, draft: Draft, order_id: int | None = None) -> None:
    """Check the signature of a new order, or of a change of the one with this id.

    Raises:
        Refused: it is malformed, or of another key or another order.
    """
    try:
        signature = read_signature(draft.signature)
    except (ValueError, TypeError) as error:
        raise Refused("INVALID_ORDER_SIGNATURE", "signature is malformed") from error
    if not desk.sampled.due():
        return
    # A market order is signed with price 0; clients that sign the price they show are accepted.
    prices = {draft.shown_price, ZERO} if draft.is_market else {draft.shown_price}
    for price in sorted(prices):
        message = desk.notary.order_hash(
            timestamp_ms=draft.timestamp_ms,
            market=draft.market,
            side=draft.side.upper(),
            kind=draft.kind,
            size=draft.size,
            price=price,
            order_id=order_id,
        )
        if desk.notary.signed(message, signature):
            return
    raise Refused("INVALID_ORDER_SIGNATURE", "order signature does not verify")


def _check_state(desk: ParadexDesk, draft: Draft) -> None:
    state = desk.system_state()
    if state == "maintenance":
        raise Refused("SERVICE_UNAVAILABLE", "system is under maintenance", status=503)
    if state == "cancel_only":
        raise Refused("SYSTEM_STATUS_CANCEL_ONLY", "system only accepts cancels")
    if state == "post_only" and draft.instruction != "POST_ONLY":
        raise Refused("SYSTEM_STATUS_POST_ONLY", "system only accepts post-only orders")


def _check_notional(desk: ParadexDesk, draft: Draft, least: Decimal) -> None:
    notional = draft.size * desk.mark(draft.market)
    if draft.size > desk.limits_of(draft.market).order:
        raise Refused("INVALID_ORDER_SIZE", "size: above the maximum order size")
    held = desk.ledger.reducible(draft.market, draft.side)
    closes_all = draft.reduce_only and 0 < held <= draft.size
    if notional < least and not closes_all:
        raise Refused("INVALID_ORDER_SIZE", f"size: order value is below {least} USD")


def _check_client_id(desk: ParadexDesk, draft: Draft) -> None:
    if not draft.client_id:
        return
    everything = desk.switches.unique_client_ids == "all"
    for order in desk.orders.values():
        if order.handle == draft.client_id and (everything or not order.done):
            raise Refused("DUPLICATED_CLIENT_ID", "client_id is used by another order")

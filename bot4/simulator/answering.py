"""The road of one HTTP request through a venue: latency, then the faults that hit requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import trio

from bot4.simulator.faults import Fault
from bot4.simulator.serve import HANG, Answered, HttpAnswer
from bot4.simulator.venue import SimVenue

GATEWAY_PAGE: Final = (
    b"<!DOCTYPE html><html><head><title>%d</title></head>"
    b"<body><h1>Error %d</h1><p>The web server reported an error.</p></body></html>"
)


async def answer_request(
    venue: SimVenue,
    request: str,
    handle: Callable[[], HttpAnswer],
    *,
    cause: str = "read",
    **occasion: Any,
) -> Answered:
    """Carry one request through latency and faults; ``handle`` does the venue's work.

    ``handle`` is a plain function, called once or never: the request is wholly done before
    anything else happens to its answer, as at a real venue.

    Takes the faults ``delay_request`` (late on its way in), ``lose_request``, ``http_error``
    (``status``, ``with_effect``, ``html``), ``lose_answer`` and ``delay_answer``. Losses hang, or
    cut the connection with ``how: "cut"``. ``refuse`` is left to ``handle``: its shape is the
    venue's.

    Args:
        venue: who answers.
        request: "order", "cancel", "query", "account", "auth" or "public".
        handle: does the work and returns the answer.
        cause: what the latency is drawn for, "answer" or "read".
        occasion: further facts faults may filter on: symbol, side, reduce_only, path.
    """
    faults, name = venue.faults, venue.name
    occasion = {"request": request, **occasion}
    if out_s := venue.latency.way():
        await trio.sleep(out_s)
    late = faults.take(name, "delay_request", **occasion)
    if late is not None:
        await trio.sleep(late.number("ms", 0) / 1000)
    lost = faults.take(name, "lose_request", **occasion)
    if lost is not None:
        return _silence(lost)
    error = faults.take(name, "http_error", **occasion)
    if error is not None and not error.args.get("with_effect", False):
        await trio.sleep(venue.latency.draw(cause))
        return error_page(error)
    answer = handle()
    await trio.sleep(venue.latency.draw(cause) + venue.latency.way())
    lost = faults.take(name, "lose_answer", **occasion)
    if lost is not None:
        return _silence(lost)
    slow = faults.take(name, "delay_answer", **occasion)
    if slow is not None:
        await trio.sleep(slow.number("ms", 0) / 1000)
    return answer if error is None else error_page(error)


def error_page(fault: Fault) -> HttpAnswer:
    """Return the answer of a broken proxy in front of the venue: HTML, or an empty body."""
    status = int(fault.args.get("status", 503))
    if not fault.args.get("html", True):
        return HttpAnswer(status, {"Content-Type": "application/json"}, b"{}")
    return HttpAnswer(status, {"Content-Type": "text/html"}, GATEWAY_PAGE % (status, status))


def _silence(fault: Fault) -> Answered:
    return None if fault.args.get("how") == "cut" else HANG

"""What Paradex settled as funding, fill by fill: GET /funding/payments.

Every change of a position settles its funding, so each payment names a fill. Fills say the same
as ``realized_funding``; this list is asked where one does not.

Source: Paradex API docs (OpenAPI 1.132), funding payments, seen 2026-08.
"""

from __future__ import annotations

from decimal import Decimal

from bot4.ports import Payment, PaymentPage
from bot4.venues.paradex.messages import read_results
from bot4.venues.reading import Unreadable, as_row, read_number, read_text


def read_payments(value: object, symbol: str) -> PaymentPage:
    """Read a page of payments, each once.

    Raises:
        Unreadable: it is no list of payments, one is of another market, or one payment is told
            in two ways.
    """
    seen: dict[str, tuple[str, Decimal]] = {}
    for row in map(as_row, read_results(value)):
        if read_text(row, "market") != symbol:
            raise Unreadable("a payment of another market")
        name, told = read_text(row, "id"), (read_text(row, "fill_id"), read_number(row, "payment"))
        if seen.setdefault(name, told) != told:
            raise Unreadable("one payment told in two ways")
    found = tuple(Payment(name, fill_id, amount) for name, (fill_id, amount) in seen.items())
    return PaymentPage(found, read_text(as_row(value), "next", ""))

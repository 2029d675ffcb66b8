"""What Paradex settled as funding, fill by fill: GET /funding/payments.

Every change of a position settles its funding, so each payment names a fill. Fills say the same
as ``realized_funding``; this list is asked where one does not.

Source: Paradex API docs (OpenAPI 1.132), funding payments, seen 2026-08.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from bot4.venues.paradex.messages import read_results
from bot4.venues.reading import Unreadable, as_row, read_number, read_text


def read_payments(value: object, symbol: str) -> Mapping[str, Decimal]:
    """Return what was received with each fill, USDC, by fill id; negative was paid.

    Raises:
        Unreadable: it is no list of payments, one is of another market, or one payment is told
            in two ways.
    """
    paid: dict[str, Decimal] = {}
    seen: dict[str, tuple[str, Decimal]] = {}
    for row in map(as_row, read_results(value)):
        if read_text(row, "market") != symbol:
            raise Unreadable("a payment of another market")
        name, told = read_text(row, "id"), (read_text(row, "fill_id"), read_number(row, "payment"))
        if seen.setdefault(name, told) != told:
            raise Unreadable("one payment told in two ways")
    for fill_id, payment in seen.values():
        paid[fill_id] = paid.get(fill_id, Decimal(0)) + payment
    return paid

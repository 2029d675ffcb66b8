"""By which name an order is asked for: the venue's id once it is known, and its nonce, in turn.

Both are documented and neither was seen to answer live for orders that just ended. Asked by turns,
"not found" twice means by both names.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final
from urllib.parse import quote

import attrs

from bot4.domain.order import Order

REMEMBERED: Final = 256
"""Orders whose id is kept."""


@attrs.define
class _Known:
    order_id: str
    by_nonce: bool = False
    """Whether the next question is by the nonce."""


class Lookup:
    """Remembers what the venue calls our newest orders."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def learn(self, nonce: str, order_id: str) -> None:
        """Keep the id that the venue gave to the order of a nonce."""
        if order_id:
            self._known[nonce] = _Known(order_id)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)

    def query(self, order: Order) -> str:
        """Return the part of a question that names the order, ready for a URL."""
        known = self._known.get(order.client_order_id)
        by_id = known is not None and not known.by_nonce
        if known is not None:
            known.by_nonce = by_id
        if known is not None and by_id:
            return f"id={quote(known.order_id, safe='')}"
        return f"nonce={int(order.client_order_id)}"

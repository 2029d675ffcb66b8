"""A guard in front of a venue (Cloudflare, say) that turns our address away with a page of its own.

Nothing of such a request reached the venue: an order answered so never was.
"""

from __future__ import annotations

from typing import Final

from bot4.ports import Answer

BLOCKED: Final = 403
WORDS: Final = "this address is turned away in front of the venue"


def is_block_page(answer: Answer) -> bool:
    """Whether an answer is such a page: HTTP 403 in HTML, where the venue itself speaks JSON."""
    if answer.status != BLOCKED:
        return False
    kind = answer.headers.get("content-type", "")
    return kind.startswith("text/html") or answer.body.lstrip()[:1] == b"<"

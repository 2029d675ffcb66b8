"""Vest's depth frames: the hottest path of this venue.

Each frame is a whole book. The usual frame (levels of two short decimal texts) is decoded in C;
whatever else is readable goes the slow way.

Source: Vest API docs (v2), WebSocket depth, seen 2025-11; that frames are snapshots: six clients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Final

import msgspec

from bot4.domain.book import BookUpdate, Ladder, Levels
from bot4.venues.reading import (
    MAX_LEVELS,
    ShortNumber,
    Unreadable,
    level_texts,
    quick_e8_column,
    slow_e8_column,
)

SUFFIX: Final = "@depth"

_flat = chain.from_iterable


class _Sides(msgspec.Struct, gc=False):
    bids: list[tuple[ShortNumber, ShortNumber]]
    asks: list[tuple[ShortNumber, ShortNumber]]


class _Message(msgspec.Struct, gc=False):
    channel: str
    data: _Sides


_DECODER: Final = msgspec.json.Decoder(_Message)


def quick_depth(data: str | bytes) -> BookUpdate | None:
    """Read a usual depth frame; None for anything else, which may still be readable.

    Raises:
        Unreadable: a price or size is no decimal in range, or there are too many levels.
        msgspec.DecodeError: it is not JSON.
    """
    try:
        message = _DECODER.decode(data)
    except msgspec.ValidationError:
        return None
    if not message.channel.endswith(SUFFIX):
        return None
    bids, asks = message.data.bids, message.data.asks
    if len(bids) > MAX_LEVELS or len(asks) > MAX_LEVELS:
        raise Unreadable("too many levels")
    texts = list(_flat(bids + asks))
    numbers = quick_e8_column(texts)
    if numbers is None:
        return _checked(message.channel, len(bids), slow_e8_column(texts))
    middle = 2 * len(bids)
    return _update(
        message.channel,
        Ladder(numbers[:middle:2], numbers[1:middle:2]),
        Ladder(numbers[middle::2], numbers[middle + 1 :: 2]),
    )


def slow_depth(channel: str, data: Mapping[str, Any]) -> BookUpdate:
    """Read a depth message decoded without a shape: long numbers, longer levels.

    Raises:
        Unreadable: it is no book.
    """
    bids, asks = level_texts(data.get("bids")), level_texts(data.get("asks"))
    return _checked(channel, len(bids) // 2, slow_e8_column(bids + asks))


def _checked(channel: str, bids: int, numbers: Sequence[int]) -> BookUpdate:
    levels = list(zip(numbers[::2], numbers[1::2], strict=True))
    if any(price <= 0 or size < 0 for price, size in levels):
        raise Unreadable("a price or size is out of range")
    kept = [[level for level in side if level[1]] for side in (levels[:bids], levels[bids:])]
    return _update(channel, kept[0], kept[1])


def _update(channel: str, bids: Levels, asks: Levels) -> BookUpdate:
    return BookUpdate(channel.removesuffix(SUFFIX), snapshot=True, bids=bids, asks=asks)

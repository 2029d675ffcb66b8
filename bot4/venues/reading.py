"""Reading what strangers send, with bounds: what both codecs share.

Inside a codec a fault is ``Unreadable`` (or another of ``FAULTS``); at its edge it becomes
``ProtocolViolation``. Neither carries a byte of what was received.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final, TypeAlias

import msgspec

from bot4.domain.units import read_decimal, to_e8
from bot4.errors import ApiChanged, ProtocolViolation
from bot4.secret import mask

MAX_BYTES: Final = 1 << 20
"""A larger frame is refused unread. Source: ours; the largest real book is 3 kB."""

MAX_ANSWER_BYTES: Final = 1 << 24
"""The same for an HTTP answer. Source: ours; Paradex lists thousands of options."""

MAX_LEVELS: Final = 2000
"""Levels per side of one frame. Source: ours; 115 were seen on Paradex."""

_LONGEST_TEXT: Final = 4096
_LONGEST_WORDS: Final = 120
_LARGEST_WHOLE: Final = 2**63
_MOST_PLACES: Final = 22
"""Decimal places. Source: ours; 18 are the most that either venue's documents show."""

_WHOLE_DIGITS: Final = 19

_FAST_CHARS: Final = 16
_SLOW_CHARS: Final = 24
_FAST_LARGEST: Final = 2**53 - 1

Row: TypeAlias = Mapping[str, Any]
ShortNumber: TypeAlias = Annotated[str, msgspec.Meta(max_length=_FAST_CHARS)]
"""The text of a decimal, short enough for ``e8_column``'s quick way."""


class Unreadable(ValueError):
    """What was received does not say what it should. The words are ours."""


class NewToUs(Unreadable):
    """It is well formed, and of a schema, type or word that we do not know: the API changed."""


FAULTS: Final = (
    ValueError,
    LookupError,
    ArithmeticError,
    RecursionError,
    struct.error,
    msgspec.MsgspecError,
)
"""Everything that reading hostile bytes can raise."""


def violation(venue: str, what: str, fault: BaseException) -> ProtocolViolation:
    """Turn a fault into the one exception a codec raises, without its payload."""
    why = mask(str(fault)) if isinstance(fault, Unreadable) else "malformed"
    kind = ApiChanged if isinstance(fault, NewToUs) else ProtocolViolation
    return kind(venue, f"{what}: {why}")


def read_json(data: str | bytes, limit: int = MAX_BYTES) -> Any:
    """Decode one JSON text of at most ``limit`` bytes.

    Raises:
        Unreadable: it is too large. Others of ``FAULTS`` when it is not JSON.
    """
    if len(data) > limit:
        raise Unreadable("too large")
    return msgspec.json.decode(data)


def as_row(value: object) -> Row:
    """Return a JSON object.

    Raises:
        Unreadable: it is something else.
    """
    if not isinstance(value, dict):
        raise _unlike(value, "not an object")
    return value


def as_rows(value: object) -> list[Row]:
    """Return a JSON array of objects.

    Raises:
        Unreadable: it is something else.
    """
    if not isinstance(value, list):
        raise _unlike(value, "not an array")
    return [as_row(item) for item in value]


def read_text(row: Row, name: str, missing: str | None = None) -> str:
    """Return a text; ``missing`` where the field is absent or null.

    Raises:
        Unreadable: it is no text, is absurdly long, or is absent without ``missing``.
    """
    value = row.get(name)
    if value is None and missing is not None:
        return missing
    if not isinstance(value, str):
        raise _unlike(value, f"{name} is not a text")
    if len(value) > _LONGEST_TEXT:
        raise Unreadable(f"{name} is too long")
    return value


def read_number(row: Row, name: str) -> Decimal:
    """Return an exact decimal, sent as text.

    Raises:
        Unreadable: it is absent, not finite, or out of range.
    """
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise NewToUs(f"{name} is a number of another type")
    try:
        number = read_decimal(value)
    except ValueError:
        raise Unreadable(f"{name} is not a decimal text") from None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_MOST_PLACES:
        # 1e-400 is a finite number, and one over it is none that anybody means.
        raise Unreadable(f"{name} has too many decimal places")
    return number


def read_maybe(row: Row, name: str) -> Decimal | None:
    """Return an exact decimal, or None where the venue says "" or null or nothing.

    Raises:
        Unreadable: there is something, and it is not a decimal text.
    """
    return None if row.get(name) in (None, "") else read_number(row, name)


def read_aside(row: Row, name: str) -> Decimal | None:
    """Return an exact decimal, or None where there is none to be read: no fill is lost for it."""
    try:
        return read_maybe(row, name)
    except Unreadable:
        return None


def read_positive(row: Row, name: str) -> Decimal:
    """Return an exact decimal above zero.

    Raises:
        Unreadable: it is not one.
    """
    number = read_number(row, name)
    if number <= 0:
        raise Unreadable(f"{name} is not positive")
    return number


def read_whole(row: Row, name: str, missing: int | None = None) -> int:
    """Return an integer, sent as a number or as its text.

    Raises:
        Unreadable: it is no integer of 63 bits, or is absent without ``missing``.
    """
    value = row.get(name)
    if value is None and missing is not None:
        return missing
    if isinstance(value, str) and value.isascii() and len(value) <= _WHOLE_DIGITS:
        value = int(value) if value.isdigit() else None
    if isinstance(value, bool | float | list | dict):
        raise NewToUs(f"{name} is not an integer")
    if type(value) is not int or not -_LARGEST_WHOLE < value < _LARGEST_WHOLE:
        raise Unreadable(f"{name} is not an integer")
    return value


def read_flag(row: Row, name: str) -> bool:
    """Return a boolean.

    Raises:
        Unreadable: it is something else.
    """
    value = row.get(name)
    if not isinstance(value, bool):
        raise _unlike(value, f"{name} is not true or false")
    return value


def _unlike(value: object, why: str) -> Unreadable:
    """Return what is wrong with a value of another type: nothing at all, or a new type."""
    return Unreadable(why) if value is None else NewToUs(why)


def words(value: object) -> str:
    """Return a venue's own words made fit for one line of ours: printable, short, without a key."""
    if not isinstance(value, str):
        return ""
    # Masked before it is cut: half a key would not be found.
    text = mask(value[:_LONGEST_TEXT])[:_LONGEST_WORDS]
    return "".join(c if c.isprintable() else " " for c in text).strip()


def token(row: Row, name: str) -> str:
    """Return a key that will travel in a header or a URL.

    Raises:
        Unreadable: it holds a character that could end the header or the URL's part.
    """
    text = read_text(row, name)
    if not text or not text.isascii() or not all(c.isalnum() or c in "-_.~=+/" for c in text):
        raise Unreadable(f"{name} is not a key")
    return text


_QUICK = msgspec.json.Decoder(
    tuple[Annotated[int, msgspec.Meta(ge=1, le=_FAST_LARGEST)], ...], strict=False
)


def e8_column(texts: Sequence[str]) -> Sequence[int]:
    """Return decimal texts as integers of 1e-8, exactly, in order.

    Raises:
        Unreadable: one is no finite decimal of at most eight places.
    """
    if all(len(text) <= _FAST_CHARS for text in texts):
        quick = quick_e8_column(texts)
        if quick is not None:
            return quick
    return slow_e8_column(texts)


def quick_e8_column(texts: Sequence[str]) -> tuple[int, ...] | None:
    """Do the same for texts already known to be ``ShortNumber``, in a tenth of the time.

    It appends "e8" to each and reads them as one JSON array of integers, in C. That is exact:
    a text of at most 16 characters has at most 15 digits beside its point, and doubles below
    2**53 tell any two such numbers apart, so a result is either the integer itself or is
    refused. Then all are refused: None, for zeros, signs and nonsense too.
    """
    try:
        quick = _QUICK.decode("[" + "e8,".join(texts) + "e8]") if texts else ()
    except (msgspec.MsgspecError, ValueError):
        return None
    return quick if len(quick) == len(texts) else None


def level_texts(levels: object) -> list[str]:
    """Return the prices and sizes of ``[[price, size], ...]``, one after the other.

    Raises:
        Unreadable: it is not that; what a level holds beyond the two is stepped over.
    """
    if not isinstance(levels, list):
        raise _unlike(levels, "a side of the book is not an array")
    if len(levels) > MAX_LEVELS:
        raise Unreadable("a side of the book has too many levels")
    texts: list[str] = []
    for level in levels:
        if not isinstance(level, list) or len(level) < 2:
            raise NewToUs("a level is not a price and a size")
        price, size = level[:2]
        if not isinstance(price, str) or not isinstance(size, str):
            raise NewToUs("a price or size is not a text")
        texts += (price, size)
    return texts


def slow_e8_column(texts: Iterable[str]) -> list[int]:
    """Return decimal texts as integers of 1e-8, through Decimal.

    Raises:
        Unreadable: one is no finite decimal of at most eight places.
    """
    try:
        # Longer texts than the decimal context holds would be rounded on the way.
        return [to_e8(read_decimal(text if len(text) <= _SLOW_CHARS else "")) for text in texts]
    except ValueError:
        raise Unreadable("a price or size is not a decimal of at most eight places") from None

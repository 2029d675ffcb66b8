"""Our values as journal rows and back, without loss: plain texts, numbers, lists and dicts.

A Decimal becomes its plain text, an enum its value, a nested value a dict. Reading is strict: a
missing, unknown or mistyped field is refused, since a row we cannot read must not be guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")


def to_record(value: attrs.AttrsInstance) -> dict[str, Any]:
    """Return a value of ours as a JSON-ready dict.

    Raises:
        ValueError: a number in it is not finite.
    """
    return cast("dict[str, Any]", _converter().unstructure(value))


def from_record(cls: type[T], record: Mapping[str, Any]) -> T:
    """Return the value of class ``cls`` that ``to_record`` turned into this dict.

    Raises:
        ValueError: it is not such a record.
    """
    try:
        return _converter().structure(record, cls)
    except Exception as error:
        words = f"not a record of {cls.__name__}: {type(error).__name__} {error}"
        raise ValueError(words) from error


def prepare(classes: Iterable[type]) -> None:
    """Get ready for these classes, which the first record would wait 50 ms for."""
    for cls in classes:
        _converter().get_unstructure_hook(cls)
        _converter().get_structure_hook(cls)


@cache
def _converter() -> Converter:
    """Build the converter at its first use: cattrs takes 0.1 s to import."""
    from cattrs import Converter

    converter = Converter(detailed_validation=False, forbid_extra_keys=True)
    converter.register_unstructure_hook(Decimal, _text_of)
    converter.register_structure_hook(Decimal, _decimal_of)
    converter.register_unstructure_hook(StrEnum, _value_of)
    converter.register_structure_hook(StrEnum, _member_of)  # Or the hook for str would take it.
    for plain in (bool, int, str):
        converter.register_structure_hook(plain, _exactly)
    return converter


def _text_of(number: Decimal) -> str:
    if not number.is_finite():
        raise ValueError("a number in a record must be finite")
    return f"{number:f}"


def _decimal_of(text: object, _: type) -> Decimal:
    if type(text) is not str:
        raise ValueError("a decimal is written as a text")
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError("a number in a record must be finite")
    return number


def _exactly(value: object, cls: type[T]) -> T:
    # No coercion: bool("false") is True, and int(1.9) is 1.
    if type(value) is not cls:
        raise ValueError(f"{cls.__name__} expected, {type(value).__name__} found")
    return value


def _value_of(member: StrEnum) -> str:
    return member.value


def _member_of(value: Any, cls: type[StrEnum]) -> StrEnum:
    return cls(value)

"""Our values as journal rows and back, without loss: plain texts, numbers, lists and dicts.

A Decimal becomes its plain text, an enum the text that a table gives it, a nested value a dict
whose keys a table gives. Reading is strict: a missing, unknown or mistyped field is refused, since
a row we cannot read must not be guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")


class Records:
    """Writes and reads the values of some classes under texts of their own.

    Args:
        fields: class -> attribute -> text, every attribute named.
        texts: enum -> member -> text, every member named.

    Raises:
        ValueError: a table leaves something out, names what is not there, or gives a text twice.
    """

    def __init__(
        self,
        fields: Mapping[type, Mapping[str, str]],
        texts: Mapping[type[StrEnum], Mapping[StrEnum, str]],
    ) -> None:
        for cls, named in fields.items():
            _check(cls, [field.name for field in attrs.fields(cls)], named)
        for enum, given in texts.items():
            _check(enum, list(enum), given)
        self._fields = fields
        self._texts = texts
        self._members = {
            enum: {text: member for member, text in given.items()} for enum, given in texts.items()
        }

    def to_record(self, value: attrs.AttrsInstance) -> dict[str, Any]:
        """Return a value as a JSON-ready dict.

        Raises:
            ValueError: a number in it is not finite, or no table names a part of it.
        """
        return cast("dict[str, Any]", self._converter.unstructure(value))

    def from_record(self, cls: type[T], record: Mapping[str, Any]) -> T:
        """Return the value of class ``cls`` that ``to_record`` turned into this dict.

        Raises:
            ValueError: it is not such a record.
        """
        try:
            return self._converter.structure(record, cls)
        except Exception as error:
            words = f"not a record of {cls.__name__}: {type(error).__name__} {error}"
            raise ValueError(words) from error

    def text_of(self, member: StrEnum) -> str:
        """Return the text under which an enum's member is written.

        Raises:
            ValueError: no table names it.
        """
        try:
            return self._texts[type(member)][member]
        except KeyError:
            raise ValueError(f"no text is given to {type(member).__name__}") from None

    def prepare(self) -> None:
        """Get ready, which the first record would wait 50 ms for."""
        for cls in self._fields:
            self._converter.get_unstructure_hook(cls)
            self._converter.get_structure_hook(cls)

    @cached_property
    def _converter(self) -> Converter:
        """Build the converter at its first use: cattrs takes 0.1 s to import."""
        from cattrs import Converter
        from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

        converter = Converter(detailed_validation=False, forbid_extra_keys=True)
        converter.register_unstructure_hook(Decimal, _text_of)
        converter.register_structure_hook(Decimal, _decimal_of)
        converter.register_unstructure_hook(StrEnum, self.text_of)
        converter.register_structure_hook(StrEnum, self._member_of)  # or the hook for str takes it
        for plain in (bool, int, str):
            converter.register_structure_hook(plain, _exactly)

        def named(cls: type) -> dict[str, Any]:
            if cls not in self._fields:
                raise ValueError(f"no table names the fields of {cls.__name__}")
            return {name: override(rename=text) for name, text in self._fields[cls].items()}

        converter.register_unstructure_hook_factory(
            attrs.has, lambda cls: make_dict_unstructure_fn(cls, converter, **named(cls))
        )
        converter.register_structure_hook_factory(
            attrs.has, lambda cls: make_dict_structure_fn(cls, converter, **named(cls))
        )
        return converter

    def _member_of(self, text: Any, enum: type[StrEnum]) -> StrEnum:
        try:
            return self._members[enum][text]
        except (KeyError, TypeError):
            raise ValueError(f"{text!r} is no text of {enum.__name__}") from None


def _check(owner: type, names: list[Any], given: Mapping[Any, str]) -> None:
    if sorted(names) != sorted(given):
        odd = ", ".join(map(str, sorted({*names} ^ {*given})))
        raise ValueError(f"the table of {owner.__name__} and what it has differ in: {odd}")
    if len(set(given.values())) < len(given):
        raise ValueError(f"the table of {owner.__name__} gives a text twice")


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

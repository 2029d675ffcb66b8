"""Values survive the way into the journal and back; nothing else is read."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import get_type_hints

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4.domain.fill import Fill
from bot4.domain.market import MarketKey
from bot4.domain.order import Order, OrderReport, OrderState, Purpose, Side
from bot4.domain.record import Records

CLASSES = (MarketKey, Order, OrderReport, Fill)
RECORDS = Records(
    {cls: {field.name: field.name for field in attrs.fields(cls)} for cls in CLASSES},
    {enum: {member: member.value for member in enum} for enum in (Side, Purpose, OrderState)},
)
to_record, from_record = RECORDS.to_record, RECORDS.from_record
NUMBERS = st.decimals(min_value=Decimal(-(10**15)), max_value=Decimal(10**15))


def values(cls):
    """Any value of a class of ours, its decimals finite."""
    for annotated in (cls, MarketKey):
        attrs.resolve_types(annotated)  # hypothesis does not read annotations that are texts.
    hints = get_type_hints(cls)
    decimals = {
        name: NUMBERS if hint is Decimal else st.none() | NUMBERS
        for name, hint in hints.items()
        if hint in {Decimal, Decimal | None}
    }
    return st.builds(cls, **decimals)


ORDER = Order(
    client_order_id="b4-abc123-7-p1",
    trade_id="t7",
    key=MarketKey("paradex", "BTC-USD-PERP"),
    side=Side.SELL,
    size=Decimal("0.0010"),
    limit=Decimal("1E+5"),
    purpose=Purpose.ENTER,
    attempt=1,
    reduce_only=False,
)
RECORD = {
    "client_order_id": "b4-abc123-7-p1",
    "trade_id": "t7",
    "key": {"venue": "paradex", "symbol": "BTC-USD-PERP"},
    "side": "sell",
    "size": "0.0010",
    "limit": "100000",
    "purpose": "enter",
    "attempt": 1,
    "reduce_only": False,
    "signed_ms": 0,
    "window_ms": 0,
}


@given(st.one_of(*(values(cls) for cls in (Order, OrderReport, Fill))))
def test_a_value_survives_json(value):
    record = json.loads(json.dumps(to_record(value)))

    assert from_record(type(value), record) == value


def test_a_record_is_plain_text_numbers_and_dicts():
    record = to_record(ORDER)

    assert record == RECORD
    assert type(record["side"]) is str


def test_trailing_zeros_are_kept():
    assert str(from_record(Order, RECORD).size) == "0.0010"


def test_fields_with_a_default_may_be_absent():
    short = {name: value for name, value in RECORD.items() if not name.endswith("_ms")}

    assert from_record(Order, short) == ORDER


@pytest.mark.parametrize(
    "change",
    [
        {"size": 1.5},
        {"size": 1},
        {"size": None},
        {"size": "NaN"},
        {"size": "Infinity"},
        {"size": "many"},
        {"attempt": "1"},
        {"attempt": True},
        {"attempt": 1.0},
        {"reduce_only": "false"},
        {"reduce_only": 0},
        {"trade_id": 7},
        {"trade_id": None},
        {"side": "SELL"},
        {"side": None},
        {"key": None},
        {"key": "paradex:BTC"},
        {"key": {"venue": "paradex"}},
        {"extra": 1},
    ],
    ids=str,
)
def test_a_mistyped_or_unknown_field_is_refused(change):
    with pytest.raises(ValueError, match="not a record of Order"):
        from_record(Order, {**RECORD, **change})


def test_a_missing_field_is_refused():
    for name in ("size", "key", "side"):
        with pytest.raises(ValueError, match=name):
            from_record(Order, {n: v for n, v in RECORD.items() if n != name})


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_not_finite_is_never_written(text):
    fill = Fill("vest", "f", "c", "v", "BTC", Side.BUY, *([Decimal(text)] * 3))

    with pytest.raises(ValueError, match="finite"):
        to_record(fill)


def test_classes_made_ready_are_written_and_read_as_ever():
    RECORDS.prepare()

    assert to_record(ORDER) == RECORD
    assert from_record(Order, RECORD) == ORDER


@attrs.frozen
class Moved:
    """A class whose attribute was renamed after journals were written."""

    new_name: Purpose


RENAMED = Records(
    {Moved: {"new_name": "old_name"}}, {Purpose: {member: member.name for member in Purpose}}
)


def test_texts_do_not_depend_on_the_names_of_attributes_and_members():
    assert RENAMED.to_record(Moved(Purpose.MEND)) == {"old_name": "MEND"}
    assert RENAMED.from_record(Moved, {"old_name": "MEND"}) == Moved(Purpose.MEND)


@pytest.mark.parametrize("record", [{"new_name": "MEND"}, {"old_name": "mend"}, {"old_name": []}])
def test_a_name_of_python_is_not_read(record):
    with pytest.raises(ValueError, match="not a record of Moved"):
        RENAMED.from_record(Moved, record)


@pytest.mark.parametrize(
    ("fields", "texts"),
    [
        ({Moved: {}}, {}),
        ({Moved: {"new_name": "a", "other": "b"}}, {}),
        ({}, {Side: {Side.BUY: "buy"}}),
        ({}, {Side: {Side.BUY: "x", Side.SELL: "x"}}),
    ],
)
def test_a_table_that_does_not_fit_is_refused(fields, texts):
    with pytest.raises(ValueError, match=r"the table of (Moved|Side)"):
        Records(fields, texts)


def test_what_no_table_names_is_not_written():
    with pytest.raises(ValueError, match="no table names the fields of Order"):
        RENAMED.to_record(ORDER)
    with pytest.raises(ValueError, match="no text is given to Side"):
        RENAMED.text_of(Side.BUY)

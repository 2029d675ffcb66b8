"""Switches are read by name, and a misspelt one is not silently ignored."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot4.simulator.paradex.switches import Switches


def test_names_are_taken_plain_or_after_the_venue_and_other_venues_are_left_alone():
    switches = Switches.read(
        {
            "maker_fee": "0.0001",
            "paradex.require_sbe": True,
            "vest.frames": "text",
            "subkeys": ["0x5"],
        }
    )

    assert switches.maker_fee == Decimal("0.0001")
    assert switches.require_sbe is True
    assert switches.subkeys == ("0x5",)


@pytest.mark.parametrize("name", ["require_sbee", "paradex.nothing"])
def test_an_unknown_name_is_an_error(name):
    with pytest.raises(ValueError, match="Paradex has no switch"):
        Switches.read({name: 1})

"""What the tests of hostile frames share: how many are tried, and what may come of one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings

from bot4.errors import ProtocolViolation
from bot4.ports import Frame

EXAMPLES = settings.default.max_examples


def tries(few: int, many: int) -> Any:
    """Run a test with a few times the profile's examples, and as a proof with many times."""
    cells = pytest.mark.parametrize("times", [few, many])
    return lambda test: cells(pytest.mark.ordinary(str(few))(test))


def heard(stream: Any, data: Any) -> Any:
    """What the stream makes of it; nothing when it refuses it as it should."""
    try:
        return stream.read(Frame(data, 1.0))
    except ProtocolViolation:
        return ()

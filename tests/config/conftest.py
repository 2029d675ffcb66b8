from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

PAIRS = "pairs:\n  - {name: BTC, vest: BTC-PERP, paradex: BTC-USD-PERP}\n"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a bot4.yaml of these lines; mode and pairs are put before them unless given."""

    def write_config(text: str = "", *, mode: str = "simulation", pairs: str = PAIRS) -> Path:
        path = tmp_path / "bot4.yaml"
        head = f"mode: {mode}\n" if mode else ""
        path.write_text(head + pairs + text, encoding="utf-8")
        return path

    return write_config

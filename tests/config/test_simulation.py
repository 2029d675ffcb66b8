"""The settings of the embedded venues."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot4.config.load import load_config
from bot4.errors import ConfigError
from bot4.simulator.latency import LINES
from bot4.wiring.simulator import arguments


def faults_of(path: Path) -> tuple[str, ...]:
    try:
        load_config(path)
    except ConfigError as error:
        return error.faults
    return ()


@pytest.mark.parametrize("link", ["auto", *LINES])
def test_the_line_to_the_venues_reaches_the_simulator(write, link: str):
    path = write(f"simulation: {{link: {link}}}\n")

    assert faults_of(path) == ()
    command = arguments(load_config(path), fresh=False)
    assert command[command.index("--link") + 1] == link


def test_the_line_is_the_profiles_own_unless_said(write):
    command = arguments(load_config(write("simulation: {profile: calibrated}\n")), fresh=False)

    assert "--link auto" in " ".join(command)


def test_a_line_that_does_not_exist_is_refused(write):
    (fault,) = faults_of(write("simulation: {link: moon}\n"))

    assert 'simulation.link: is "moon", must be auto or rack or city or adsl or rough' in fault


def test_the_shipped_file_shows_the_default(root: Path):
    shown = [line.split("#")[0].strip() for line in (root / "bot4.yaml").read_text().splitlines()]

    assert "link: auto" in shown

from __future__ import annotations

import subprocess
import sys

import pytest
from timeouts import COMMAND_S


def simulator(tmp_path, *arguments):
    command = [sys.executable, "-m", "bot4.simulator", "--state-dir", str(tmp_path), *arguments]
    return subprocess.run(
        command, input="", capture_output=True, text=True, timeout=COMMAND_S, check=False
    )


@pytest.mark.slow
def test_switches_are_given_on_the_command_line(tmp_path):
    good = simulator(
        tmp_path, "--switch", "paradex.private_sbe=true", "--switch", 'vest.frames="text"'
    )

    assert good.returncode == 0, good.stderr
    assert '"paradex.rest"' in good.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("switch", "why"),
    [
        ("paradex.nonsense=1", "no switch"),
        ("private_sbe=true", "VENUE.NAME"),
        ("vest.frames=text", "VENUE.NAME"),
    ],
)
@pytest.mark.ordinary("paradex.nonsense=1-no switch")
def test_a_switch_that_is_none_is_refused(tmp_path, switch, why):
    bad = simulator(tmp_path, "--switch", switch)

    assert bad.returncode == 2
    assert why in bad.stderr

"""What a crash leaves behind: nothing of the memory that held a key."""

from __future__ import annotations

import subprocess
import sys

ASKED = """
import resource
# As much as the system lets us: then it is the bot, and not the machine, that says no.
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
from bot4.cli.hardening import harden
harden()
print(resource.getrlimit(resource.RLIMIT_CORE), oct(__import__("os").umask(0)))
"""


def test_no_core_file_can_be_written_and_new_files_are_ours_alone():
    done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True)

    assert done.stdout.split("\n")[0] == "(0, 0) 0o77"

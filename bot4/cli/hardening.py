"""What the process gives up before it holds a key: core files, shared files, recorded TLS."""

from __future__ import annotations

import os
import resource

from bot4.config.schema import Mode
from bot4.errors import ConfigError


def harden(mode: Mode) -> None:
    """Leave no copy of memory behind, make every new file ours alone, refuse recorded TLS.

    Raises:
        ConfigError: the environment asks OpenSSL to write down the keys of every connection.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)
    # OpenSSL through Python obeys it without a word.
    if mode is not Mode.SIMULATION and os.environ.get("SSLKEYLOGFILE"):
        raise ConfigError(
            ["SSLKEYLOGFILE is set, so TLS would be recorded: run unset SSLKEYLOGFILE"]
        )

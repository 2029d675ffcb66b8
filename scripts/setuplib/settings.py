"""What of this machine's own pip settings set-up keeps: how the index is reached, nothing else.

A setting that changes what is installed, or where (a target, a constraint, ``no-binary`` and so
on), would make another .venv than the locks say, so those are left out. How packages travel is the
machine's business: whatever a proxy or a mirror hands over, the hashes of the locks vouch for it.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

KEPT: Final = frozenset(
    {
        "index-url",
        "extra-index-url",
        "find-links",
        "trusted-host",
        "cert",
        "client-cert",
        "proxy",
        "timeout",
        "default-timeout",
        "retries",
        "keyring-provider",
        "cache-dir",
        "no-cache-dir",
    }
)
SECTIONS: Final = ("global", "install", ":env:")
"""Later ones win, as in pip."""
DEFAULTS: Final = {"PIP_RETRIES": "2", "PIP_TIMEOUT": "20"}
"""pip's own, five times 15 s for every package, keep a person without a network for an hour."""


def kept(listing: Iterable[str]) -> dict[str, str]:
    """Return, as pip's environment variables, what to keep of the lines of ``pip config list``."""
    found: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for line in listing:
        key, equals, quoted = line.partition("=")
        section, _, name = key.strip().rpartition(".")
        if equals and section in found and name in KEPT:
            try:
                value = str(ast.literal_eval(quoted.strip()))
            except (ValueError, SyntaxError):
                continue
            if value:
                found[section]["PIP_" + name.upper().replace("-", "_")] = value
    return {name: value for section in SECTIONS for name, value in found[section].items()}


def asking(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which pip tells its settings: those that are kept, nothing else.

    Others would change what it tells, or where: ``PIP_QUIET``, ``PIP_LOG``, ``PIP_PYTHON``.
    """
    told = {"PIP_CONFIG_FILE", *("PIP_" + name.upper().replace("-", "_") for name in KEPT)}
    return {**scrubbed(environ), **{name: environ[name] for name in told & environ.keys()}}


def scrubbed(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without any setting of pip or Python, which pip's child inherits."""
    return {n: v for n, v in environ.items() if not n.upper().startswith(("PIP_", "PYTHON"))}


def pip_environment(listing: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of pip: the index as this machine reaches it, nothing else of its own.

    Args:
        listing: the lines of ``pip config list``.
        environ: of this process.
    """
    mine = kept(listing)
    return {
        **scrubbed(environ),
        **dict(_defaults(mine)),
        **mine,
        "PIP_CONFIG_FILE": os.devnull,
    }


def _defaults(mine: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in DEFAULTS.items():
        if name not in mine and name.replace("PIP_", "PIP_DEFAULT_") not in mine:
            yield name, value

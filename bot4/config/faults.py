"""What is wrong with the operator's file, gathered so that all of it can be said at once."""

from __future__ import annotations

import re
from typing import Final

import attrs

from bot4.errors import ConfigError

SHOWN_LIMIT: Final = 40
LOOKS_SECRET: Final = re.compile(r"[0-9a-fA-F]{24,}|[A-Za-z0-9_\-]{32,}")
"""A key or a token pasted into the wrong place must not be repeated."""


def shown(text: str) -> str:
    """Return a value as it may be repeated on a screen: quoted, short, printable, no key."""
    if LOOKS_SECRET.search(text):
        return "a long value (not shown)"
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return f'"{plain}"' if len(plain) <= SHOWN_LIMIT else f'"{plain[:SHOWN_LIMIT]}..."'


@attrs.frozen(order=True)
class Fault:
    """One thing wrong: the line (0 when no line can be named), the key's path, what and how."""

    line: int
    path: str
    what: str


@attrs.define
class Faults:
    """The list being gathered for one file, and where each key of the file stands."""

    file: str
    found: list[Fault] = attrs.field(factory=list)
    warnings: list[Fault] = attrs.field(factory=list)
    lines: dict[str, int] = attrs.field(factory=dict)
    """Path of a key -> its line, for checks made after reading."""

    def add(self, path: str, what: str, *, line: int | None = None) -> None:
        """Note a fault; without a line it is the line where the key was read."""
        fault = Fault(self._line(path) if line is None else line, path, what)
        if fault not in self.found:
            self.found.append(fault)

    def warn(self, path: str, what: str) -> None:
        """Note what is allowed and probably not wanted."""
        self.warnings.append(Fault(self._line(path), path, what))

    def touches(self, *paths: str) -> bool:
        """Whether one of these keys, or something below it, is already known to be wrong."""
        return any(
            fault.path == path or fault.path.startswith((f"{path}.", f"{path}["))
            for fault in self.found
            for path in paths
        )

    def render(self, faults: list[Fault]) -> tuple[str, ...]:
        """Return the lines a person reads, in the order of the file."""
        return tuple(self._render(fault) for fault in sorted(faults))

    def raise_if_any(self) -> None:
        """Raise what was found.

        Raises:
            ConfigError: at least one fault was noted.
        """
        if self.found:
            raise ConfigError(self.render(self.found))

    def _line(self, path: str) -> int:
        # A key that is not in the file is answered for by the section it would stand in.
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path.rpartition(".")[0]
        return 0

    def _render(self, fault: Fault) -> str:
        place = f"{self.file}:{fault.line}" if fault.line else self.file
        return f"{place}: {fault.path}: {fault.what}" if fault.path else f"{place}: {fault.what}"

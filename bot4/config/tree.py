"""YAML as lines of text: every scalar as written, every key with its line, nothing clever.

PyYAML would read ``NO`` as false, ``010`` as 8, ``1_000`` as 1000, keep the last of two equal keys
in silence and expand anchors without end. This reader takes only its events and builds a plain tree
without recursion, so that nesting can be limited and no value is ever converted by YAML's rules.
"""

from __future__ import annotations

import re
from typing import Final

import attrs
import yaml

from bot4.config.faults import Faults, shown
from bot4.errors import ConfigError

DEPTH_LIMIT: Final = 8
DEEP: Final = "is nested too deeply: no setting is that deep"

PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,30}")

# libyaml is fast; the reader in Python says the same on a machine without it.
LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def joined(path: str, key: str) -> str:
    """Return the path of a key below a path. A key that is no plain word is not repeated whole."""
    name = key if PLAIN_KEY.fullmatch(key) else shown(key)
    return f"{path}.{name}" if path else name


@attrs.frozen
class Scalar:
    """A value as written, quotes removed. Empty when nothing was written."""

    line: int
    text: str


@attrs.frozen
class Items:
    """A list, in order."""

    line: int
    nodes: list[Node] = attrs.field(factory=list)


@attrs.frozen
class Table:
    """A block of keys, in order; ``keys`` has the line of each."""

    line: int
    nodes: dict[str, Node] = attrs.field(factory=dict)
    keys: dict[str, int] = attrs.field(factory=dict)


Node = Scalar | Items | Table


def read_tree(text: str, faults: Faults) -> Table:
    """Read the whole file into a tree. Keys written twice are noted in ``faults``.

    Raises:
        ConfigError: the text is no YAML, or uses what this reader refuses; one line.
    """
    builder = _Builder(faults)
    try:
        for event in yaml.parse(text, Loader=LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _broken(faults, mark.line + 1 if mark else 0, _plainly(error, text)) from None
    except yaml.YAMLError:
        raise _broken(faults, 0, "has characters that no text file has") from None
    if not isinstance(builder.root, Table):
        line = builder.root.line if builder.root else 0
        raise _broken(faults, line, "must be a list of settings like mode: simulation")
    return builder.root


def _broken(faults: Faults, line: int, what: str) -> ConfigError:
    faults.add("", what, line=line)
    return ConfigError(faults.render(faults.found))


def _plainly(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark
    lines = text.splitlines()
    around = lines[mark.line] if mark is not None and mark.line < len(lines) else ""
    if "\t" in around:
        return "has a tab: indent with spaces"
    problem = str(error.problem or "cannot be read").replace("\n", " ")
    if "nesting depth" in problem:  # libyaml looks further ahead than we do
        return DEEP
    return f"cannot be read: {problem}; look at the indentation, the colons and the quotes"


@attrs.define
class _Frame:
    """A block or list being filled, and the key that waits for its value."""

    node: Items | Table
    path: str
    key: str = ""
    key_line: int = 0
    """0 while no key waits."""


class _Builder:
    def __init__(self, faults: Faults) -> None:
        self.root: Node | None = None
        self._faults = faults
        self._frames: list[_Frame] = []
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise _broken(self._faults, line, "has a second document: remove the --- line")
        elif isinstance(event, yaml.AliasEvent):
            raise _broken(self._faults, line, "uses an alias (*name): write the value out")
        elif isinstance(event, yaml.NodeEvent):
            self._begin(event, line)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._frames.pop()

    def _begin(self, event: yaml.NodeEvent, line: int) -> None:
        if event.anchor is not None:
            raise _broken(self._faults, line, "uses an anchor (&name): write the value out")
        if getattr(event, "tag", None) not in {None, "!"}:  # libyaml gives quoted texts a "!"
            raise _broken(self._faults, line, "uses a tag (!name): write a plain value")
        frame = self._frames[-1] if self._frames else None
        wants_key = frame is not None and isinstance(frame.node, Table) and not frame.key_line
        if isinstance(event, yaml.ScalarEvent):
            if wants_key and frame is not None:
                frame.key, frame.key_line = event.value, line
            else:
                self._attach(Scalar(line, event.value))
            return
        if wants_key:
            raise _broken(self._faults, line, "has a key that is not a plain word")
        if len(self._frames) >= DEPTH_LIMIT:
            raise _broken(self._faults, line, DEEP)
        node = Items(line) if isinstance(event, yaml.SequenceStartEvent) else Table(line)
        self._frames.append(_Frame(node, self._attach(node)))

    def _attach(self, node: Node) -> str:
        """Put a node where it belongs and return its path."""
        if not self._frames:
            self.root = node
            return ""
        frame = self._frames[-1]
        if isinstance(frame.node, Items):
            frame.node.nodes.append(node)
            return f"{frame.path}[{len(frame.node.nodes)}]"
        key, line, frame.key_line = frame.key, frame.key_line, 0
        path = joined(frame.path, key)
        if key in frame.node.nodes:
            first = frame.node.keys[key]
            what = f"is written twice, first on line {first}: keep one of them"
            self._faults.add(path, what, line=line)
        else:
            frame.node.nodes[key] = node
            frame.node.keys[key] = line
            self._faults.lines[path] = line
        return path

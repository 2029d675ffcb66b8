"""Reading a tree by a table of rules: known keys judged, unknown ones refused by name."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any, Final

from bot4.config.faults import Faults, shown
from bot4.config.rules import RUNG
from bot4.config.tree import Items, Node, Scalar, Table, joined
from bot4.config.values import Rule, Unfit

RUNGS: Final = "unwind_rungs_bps"
RUNGS_LIMIT: Final = 8


class Reader:
    """Turns nodes into values; notes what is wrong and goes on with the default."""

    def __init__(self, faults: Faults, places: Mapping[str, str] | None = None) -> None:
        self.faults = faults
        self._places = places or {}
        """Every setting -> the section it belongs to, for one that stands in the wrong place."""

    def section(
        self, tree: Table, name: str, rules: Mapping[str, Rule], *, inside: str = ""
    ) -> dict[str, Any]:
        """Return the values that one section gives, by field; faulty ones are left out."""
        table = self.table(tree, name, (*rules, RUNGS) if name == "execution" else rules, inside)
        path = joined(inside, name)
        values = {
            field: value
            for field, rule in rules.items()
            if (value := self.value(table, path, field, rule, None)) is not None
        }
        if name == "execution" and RUNGS in table.nodes:
            rungs = self._rungs(table.nodes[RUNGS], f"{path}.{RUNGS}")
            values |= {RUNGS: rungs} if rungs else {}
        return values

    def table(self, tree: Table, name: str, known: Collection[str], inside: str = "") -> Table:
        """Return a section as a table, an empty one when it is absent or something else."""
        path = joined(inside, name)
        node = tree.nodes.get(name)
        if isinstance(node, Table):
            self.refuse_unknown(node, path, known)
            return node
        # A section whose every line is commented out is written, and empty.
        if node is not None and not (isinstance(node, Scalar) and not node.text):
            self.faults.add(path, "must be a block of indented lines, or be left out")
        return Table(0)

    def value(self, table: Table, path: str, field: str, rule: Rule, default: Any) -> Any:
        """Return one value, or the default when it is absent or unfit (then noted)."""
        node = table.nodes.get(field)
        if node is None:
            return default
        here = joined(path, field)
        text = self.text(node, here, "must be one value")
        if text is None:
            return default
        try:
            return rule.read(text)
        except Unfit as fault:
            self.unfit(here, text, str(fault))
            return default

    def text(self, node: Node, path: str, must: str) -> str | None:
        """Return the text of a single value, or None after noting that there is none."""
        if not isinstance(node, Scalar):
            self.faults.add(path, must, line=node.line)
            return None
        if not node.text:
            self.faults.add(path, "has no value: write one, or remove the line")
            return None
        return node.text

    def unfit(self, path: str, text: str, must: str) -> None:
        """Note a value that cannot be used, repeating it when that is safe."""
        self.faults.add(path, f"is {shown(text)}, {must}")

    def refuse_unknown(self, table: Table, path: str, known: Collection[str]) -> None:
        """Note every key that means nothing here. Its value is never repeated."""
        for key in table.nodes:
            if key in known:
                continue
            near = difflib.get_close_matches(key.lower(), known, n=2)
            place = self._places.get(key)
            advice = "see the comments in the project's bot4.yaml"
            if place:
                advice = f"it belongs under {place}"
            elif near:
                advice = f"did you mean {' or '.join(near)}?"
            self.faults.add(joined(path, key), f"is not a setting: {advice}", line=table.keys[key])

    def _rungs(self, node: Node, path: str) -> tuple[int, ...]:
        must = f"must be 1 to {RUNGS_LIMIT} rising whole numbers like [5, 15, 50, 150]"
        if not isinstance(node, Items) or not 1 <= len(node.nodes) <= RUNGS_LIMIT:
            self.faults.add(path, must)
            return ()
        rungs: list[int] = []
        for number, item in enumerate(node.nodes, start=1):
            text = self.text(item, f"{path}[{number}]", must)
            if text is None:
                return ()
            try:
                rungs.append(RUNG.read(text))
            except Unfit as fault:
                self.unfit(f"{path}[{number}]", text, str(fault))
                return ()
        if rungs != sorted(set(rungs)):
            self.faults.add(path, must)
            return ()
        return tuple(rungs)

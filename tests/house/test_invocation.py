"""What the product tells a person to type is asked for, not written out."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping

HOME = "bot4/invocation.py"
WRITTEN_OUT = ("trio-run bot4", "scripts/", "flatten.py")
WORDS_OF_THE_PERSON = ("bot4/cli/arguments.py",)


def written_out(path: str, text: str) -> Iterator[str]:
    if path == HOME:
        return
    tree = ast.parse(text)
    remarks = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        if id(node) not in remarks and any(words in node.value for words in WRITTEN_OUT):
            yield (
                f"{path}:{node.lineno}: Found {node.value!r}. "
                f"Expected command('...') of bot4.invocation. "
                f"Reason: what a person is told to type has to work in that person's shell."
            )


def unreadable(path: str, text: str) -> Iterator[str]:
    """Yield the calls whose command no test can look up."""
    if path == HOME or path in WORDS_OF_THE_PERSON:
        return
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or ast.unparse(node.func) != "command":
            continue
        if any(not isinstance(word, ast.Constant) for word in node.args) or node.keywords:
            yield (
                f"{path}:{node.lineno}: Found {ast.unparse(node)}. "
                f"Expected the command written out. "
                f"Reason: a test looks every one of them up."
            )


def test_no_text_writes_a_command_out(
    sources: Mapping[str, str], obeyed: Callable[[Iterable[str]], None]
):
    obeyed(f for item in sources.items() for f in written_out(*item))


def test_every_command_can_be_looked_up(
    sources: Mapping[str, str], obeyed: Callable[[Iterable[str]], None]
):
    asking = {p: text for p, text in sources.items() if "import command" in text}
    assert len(asking) > 10
    obeyed(f for item in asking.items() for f in unreadable(*item))


def test_a_command_written_out_is_found():
    for offender in (
        "do = 'run trio-run bot4 db check'",
        "do = f'{path}: run scripts/flatten.py'",
        "say('wait', 'or flatten.py')",
    ):
        assert len(list(written_out("bot4/a.py", offender))) == 1, offender
    innocent = '"""Read by ``trio-run bot4 run``."""\nx = 1\n"""See scripts/check."""\n'
    assert list(written_out("bot4/a.py", innocent)) == []


def test_a_command_that_cannot_be_looked_up_is_found():
    for offender in ("command(name)", "command(f'db {what}')", "command(name='flatten')"):
        assert len(list(unreadable("bot4/a.py", offender))) == 1, offender
    assert list(unreadable("bot4/a.py", "command('flatten'); command(); a.command(x)")) == []

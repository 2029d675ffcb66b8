"""The names of log events are one closed list, and every name on it is used."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from bot4.logs.events import EVENTS

LIST = "bot4/logs/events.py"
LEVELS = {"debug", "info", "warning", "error", "critical", "exception", "fatal"}
LOGGER = re.compile(r"_?log(ger)?(\.(bind|new|unbind)\(.*\))?")


def events_logged(path: str, text: str) -> Iterator[tuple[str, str | None]]:
    """Yield (where, event name) of each logging call; None where the name is not written out."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        logger = ast.unparse(node.func.value).removeprefix("self.")
        if LOGGER.fullmatch(logger) is None:
            continue
        if node.func.attr in LEVELS:
            name = node.args[0] if node.args else None
        elif node.func.attr == "log":
            name = node.args[1] if len(node.args) > 1 else None
        else:
            continue
        for one in (name.body, name.orelse) if isinstance(name, ast.IfExp) else (name,):
            written = isinstance(one, ast.Constant) and isinstance(one.value, str)
            yield f"{path}:{node.lineno}", one.value if written else None


def unlisted(path: str, text: str, events: Collection[str]) -> Iterator[str]:
    for where, name in events_logged(path, text):
        if name not in events:
            yield (
                f"{where}: Found event {name or 'whose name is computed'}. "
                f"Expected a name of bot4.logs.events.EVENTS, written out. "
                f"Reason: people and alerts filter on the list, so it has to be complete."
            )


def unused(sources: Mapping[str, str], events: Collection[str]) -> Iterator[str]:
    """Yield the events that no module names, outside the list itself."""
    written = {
        node.value
        for path, text in sources.items()
        if path != LIST
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    for event in sorted(set(events) - written):
        yield (
            f"bot4.logs.events.EVENTS: Found {event}, which nothing logs. "
            f"Expected the list to be what is logged. "
            f"Reason: an alert on a name that never comes is a false comfort."
        )


def test_every_logged_event_is_on_the_list(
    sources: Mapping[str, str], obeyed: Callable[[Iterable[str]], None]
):
    obeyed(f for item in sources.items() for f in unlisted(*item, EVENTS))


def test_every_event_on_the_list_is_logged(
    sources: Mapping[str, str], obeyed: Callable[[Iterable[str]], None]
):
    obeyed(unused(sources, EVENTS))


def test_the_house_logs_through_calls_this_rule_can_see(sources: Mapping[str, str]):
    seen = {name for item in sources.items() for _, name in events_logged(*item)}

    assert {"feed.ready", "feed.lost"} <= seen


def test_event_names_are_noun_dot_participle():
    assert [name for name in EVENTS if not re.fullmatch(r"[a-z_]+\.[a-z_]+", name)] == []


def test_an_unlisted_or_computed_name_is_found():
    for offender in (
        "log.info('feed.odd')",
        "log.warning(f'feed.{what}')",
        "self._log.error(name)",
        "log.bind(venue=venue).info('feed.odd')",
        "log.log(level, 'feed.odd')",
        "log.info('feed.ready' if up else 'feed.odd')",
        "logger.critical()",
    ):
        assert len(list(unlisted("bot4/a.py", offender, {"feed.ready"}))) == 1, offender
    for innocent in ("log.info('feed.ready', why=why)", "math.log(2)", "catalog.info('x')"):
        assert list(unlisted("bot4/a.py", innocent, {"feed.ready"})) == [], innocent


def test_an_event_nobody_logs_is_found():
    sources = {"bot4/a.py": "log.info('feed.ready')", LIST: "EVENTS = {'feed.odd'}"}

    assert len(list(unused(sources, {"feed.ready", "feed.odd"}))) == 1

"""A step: what a client parsed, held against what the venue says is true. One line each.

Plain standard library, because it also runs inside the clients' own environments.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, TypeVar

from timeouts import CLIENT_ANSWER_S

T = TypeVar("T")


class Check:
    """What one step compared. Decimals, texts and numbers are compared as exact decimals."""

    def __init__(self) -> None:
        self.compared: list[str] = []
        self.wrong: list[str] = []

    def same(self, what: str, parsed: object, truth: object) -> None:
        """Compare what the client says with what the venue says."""
        self.compared.append(f"{what} {_short(parsed)}")
        if _plain(parsed) != _plain(truth):
            self.wrong.append(f"{what}: client {_short(parsed)}, venue {_short(truth)}")

    def near(self, what: str, parsed: object, truth: object, share: str = "0.000001") -> None:
        """Compare two numbers of which the client computed one in binary floating point."""
        self.compared.append(f"{what} {_short(parsed)}")
        ours, theirs = _number(parsed), _number(truth)
        if ours is None or theirs is None or abs(ours - theirs) > abs(theirs) * Decimal(share):
            self.wrong.append(f"{what}: client {_short(parsed)}, venue {_short(truth)}")

    def that(self, what: str, holds: object) -> None:
        """Check a statement about both."""
        self.compared.append(what)
        if not holds:
            self.wrong.append(f"not so: {what}")


class Report:
    """Prints the steps of one client.

    Args:
        client: its name and version, first on each line.
    """

    def __init__(self, client: str) -> None:
        self._client = client

    @contextmanager
    def step(self, name: str) -> Iterator[Check]:
        """Run one step: PASS when everything compared is the same, FAIL otherwise."""
        check = Check()
        try:
            yield check
        except Exception as error:  # noqa: BLE001 - a client may raise anything; that is a FAIL
            check.wrong.append(f"{type(error).__name__}: {str(error)[:300]}")
        if not check.wrong and not check.compared:
            check.wrong.append("compared nothing")
        verdict = "FAIL" if check.wrong else "PASS"
        said = "; ".join(check.wrong or check.compared)
        print(f"{verdict}  {self._client}  {name}: {said}".replace("\n", " "), flush=True)

    def skip(self, name: str, why: str) -> None:
        """Say that something could not be run here."""
        print(f"SKIP  {self._client}  {name}: {why}".replace("\n", " "), flush=True)


class Venue:
    """The venue's own word, through the control endpoint.

    Args:
        said: the simulator's announcement: addresses, keys, ``ca_file``.
        venue: "vest" or "paradex".
    """

    def __init__(self, said: dict[str, str], venue: str) -> None:
        self._control = said["control"]
        self._token = said["control_token"]
        self._venue = venue

    def truth(self) -> dict[str, Any]:
        """Return orders, positions, fills and money."""
        return dict(self._get("/truth")[self._venue])

    def market(self) -> dict[str, Any]:
        """Return steps, prices and the public book, by symbol."""
        return dict(self._get("/market")[self._venue])

    def fault(self, kind: str, **args: object) -> None:
        """Ask for a fault."""
        body = json.dumps({"venue": self._venue, "kind": kind, **args}).encode()
        self._ask("/fault", body)

    def order(self, order_id: str) -> dict[str, Any]:
        """Return one order by the venue's id; wait until it has come to rest or to an end."""
        return wait_for(lambda: self._settled(order_id))

    def steady(self, ask: Callable[[], T], look: Callable[[], object]) -> tuple[T, Any]:
        """Ask a client between two equal looks at the venue: what it saw is what we saw."""
        until = time.monotonic() + CLIENT_ANSWER_S
        while time.monotonic() < until:
            before = look()
            answer = ask()
            if look() == before:
                return answer, before
        raise TimeoutError("the venue never stood still")

    def wait_subscribed(self, *families: str) -> None:
        """Wait until one connection hears all of these: channels, up to their first dot.

        Raises:
            TimeoutError: it is not subscribed to all of them.
        """
        wait_for(lambda: any(set(families) <= heard for heard in self._heard()))

    def _heard(self) -> Iterator[set[str]]:
        for channels in self._get("/links")[self._venue]:
            yield {name.partition(".")[0] for name in channels}

    def _settled(self, order_id: str) -> dict[str, Any] | None:
        for row in self.truth()["orders"]:
            if row["id"] == order_id and row["status"] != "NEW":
                return dict(row)
        return None

    def _get(self, path: str) -> Any:
        return self._ask(path)

    def _ask(self, path: str, body: bytes | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"}
        asked = urllib.request.Request(self._control + path, body, headers)  # noqa: S310 - ours
        with urllib.request.urlopen(asked) as answer:  # noqa: S310 - ours
            return json.load(answer)


def announced() -> dict[str, str]:
    """Return the simulator's announcement, given on standard input: keys are on no command line."""
    return dict(json.loads(sys.stdin.read()))


def wait_for(find: Callable[[], T | None]) -> T:
    """Return what is found as soon as there is something.

    Raises:
        TimeoutError: nothing was found for ``CLIENT_ANSWER_S`` seconds.
    """
    until = time.monotonic() + CLIENT_ANSWER_S
    while time.monotonic() < until:
        found = find()
        if found:
            return found
        time.sleep(0.05)
    raise TimeoutError("it never came")


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        return Decimal(str(value))
    except ArithmeticError:
        return None


def _plain(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    number = _number(value)
    return value if number is None else number.normalize()


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

"""The door: starts the simulated venues, runs the clients against them, counts the steps."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import attrs
from timeouts import CLIENT_S, ENDS_S

from conformancelib.environments import ROOT, NotInstallable, ccxt_python, sdk_python

SCRIPTS: Final = ROOT / "scripts"
STANDINS: Final = SCRIPTS / "conformancelib" / "standins"


@attrs.frozen
class Client:
    """One run of one client against a world of its own."""

    name: str
    module: str
    python: Callable[[], Path]
    arguments: tuple[str, ...] = ()
    switch: str = ""
    """A switch of the venues that differs from what they are by default."""


def _ours() -> Path:
    return Path(sys.executable)


CLIENTS: Final = (
    Client("ccxt-rest", "ccxt_rest", ccxt_python),
    Client("ccxt-json", "ccxt_streams", ccxt_python, ("json",)),
    Client("ccxt-sbe", "ccxt_streams", ccxt_python, ("sbe",)),
    Client(
        "ccxt-sbe-private",
        "ccxt_streams",
        ccxt_python,
        ("sbe private",),
        "paradex.private_sbe=true",
    ),
    Client("paradex-py-json", "paradex_sdk", sdk_python, ("json",)),
    Client("paradex-py-sbe", "paradex_sdk", sdk_python, ("sbe",)),
    Client(
        "paradex-py-sbe-private", "paradex_sdk", sdk_python, ("sbe",), "paradex.private_sbe=true"
    ),
    Client("vest", "vest_replay", _ours),
)


def main() -> int:
    """Run the clients asked for; return 0 when every step passed."""
    parser = argparse.ArgumentParser(prog="scripts/conformance", description=__doc__)
    parser.add_argument("--only", default="", help="run the clients whose name begins so")
    args = parser.parse_args()
    counts: Counter[str] = Counter()
    chosen = [client for client in CLIENTS if client.name.startswith(args.only)]
    for client in chosen:
        try:
            python = client.python()
        except NotInstallable as why:
            print(f"SKIP  {client.name}  not installable on this Python: {why}", flush=True)
            counts["SKIP"] += 1
            continue
        with TemporaryDirectory() as folder, _venues(client.switch, Path(folder)) as said:
            for line in _run(client, python, said):
                print(line, flush=True)
                counts[line.partition(" ")[0]] += 1
    failed = counts["FAIL"] > 0 or counts["PASS"] == 0
    print(
        f"conformance: {counts['PASS']} passed, {counts['FAIL']} failed, {counts['SKIP']} skipped, "
        f"{len(chosen)} clients: {'FAILED' if failed else 'ok'}"
    )
    return 1 if failed else 0


@contextmanager
def _venues(switch: str, folder: Path) -> Iterator[str]:
    """Run the simulated venues in a fresh world; yield their announcement, one JSON line."""
    shared = ["--profile", "demo", "--seed", "5", "--latency-scale", "0.3"]
    shared += ["--state-dir", str(folder / "world"), "--fresh"]
    if switch:
        command = [sys.executable, "-m", "bot4.simulator", *shared, "--switch", switch]
    else:
        command = [str(Path(sys.executable).with_name("trio-run")), "bot4", "simulate", *shared]
    with (folder / "simulator.log").open("wb") as errors:
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT
        )
        try:
            line = child.stdout.readline() if child.stdout else b""
            if not line:
                last_words = (folder / "simulator.log").read_text()
                sys.exit(f"conformance: the venues did not start: {last_words}")
            yield line.decode()
        finally:
            if child.stdin:
                child.stdin.close()
            try:
                child.wait(ENDS_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _run(client: Client, python: Path, said: str) -> Iterator[str]:
    """Run one client to its end; yield its lines, and one more when it died."""
    ca_file = json.loads(said)["ca_file"]
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": os.pathsep.join((str(SCRIPTS), str(STANDINS))),
        "SSL_CERT_FILE": ca_file,
        "REQUESTS_CA_BUNDLE": ca_file,
        "NO_PROXY": "localhost,127.0.0.1",
    }
    if python == _ours():
        environment["PYTHONPATH"] = str(SCRIPTS)
    command = [str(python), "-m", f"conformancelib.{client.module}", *client.arguments]
    try:
        done = subprocess.run(
            command,
            input=said,
            capture_output=True,
            text=True,
            env=environment,
            cwd=SCRIPTS,
            timeout=CLIENT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        # Bytes or text, as the platform likes, whatever was asked for.
        raw: Any = late.stdout or b""
        text = raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)
        yield from text.splitlines()
        yield f"FAIL  {client.name}  it did not end within {CLIENT_S:g} s"
        return
    yield from (line for line in done.stdout.splitlines() if line[:5].strip() in VERDICTS)
    if done.returncode:
        words = done.stderr.strip().splitlines() or ["it said nothing"]
        yield f"FAIL  {client.name}  it ended with {done.returncode}: {words[-1]}"


VERDICTS: Final = ("PASS", "FAIL", "SKIP")

if __name__ == "__main__":
    sys.exit(main())

"""The commands that look: answers on standard output, logs on standard error."""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import attrs
import pytest
import structlog
import trio
from timeouts import SIGNALLED_S

from bot4.cli import main
from bot4.config.options import DeriveOptions, DoctorOptions, StatusOptions
from bot4.errors import ConfigError, ExitCode, StartRefused
from bot4.logs.redact import REDACTOR
from bot4.logs.setup import close
from bot4.secret import Secret
from bot4.signals import Signals

Capture = pytest.CaptureFixture[str]
log = structlog.get_logger()


@pytest.fixture(autouse=True)
def put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    hooks = sys.unraisablehook, sys.modules["threading"].excepthook
    monkeypatch.setattr(resource, "setrlimit", lambda *limit: None)
    mask = os.umask(0o022)
    yield
    os.umask(mask)
    sys.unraisablehook, sys.modules["threading"].excepthook = hooks
    close()
    structlog.reset_defaults()
    REDACTOR.clear()


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put functions in the place of a module of ``bot4.wiring``."""

    def put(module: str, **functions: Any) -> None:
        fake = ModuleType(module)
        for name, function in functions.items():
            setattr(fake, name, function)
        monkeypatch.setitem(sys.modules, f"bot4.wiring.{module}", fake)

    return put


def status_of(*, complete: bool) -> Callable[[StatusOptions], Any]:
    async def run_status(options: StatusOptions) -> Any:
        await trio.lowlevel.checkpoint()
        log.info("simulator.started", message="[SIMULATION] up")
        return SimpleNamespace(known={"mode": "live"}, age_s=0.5, complete=complete)

    return run_status


async def test_status_prints_a_table_and_logs_elsewhere(stand: Any, capsys: Capture):
    stand("status", run_status=status_of(complete=True), table=lambda _: ["one", "two"])

    assert await main(["status"], Signals()) == 0

    out, err = capsys.readouterr()
    assert out == "one\ntwo\n"
    assert json.loads(err)["event"] == "simulator.started"


async def test_status_as_json_is_one_line(stand: Any, capsys: Capture):
    stand("status", run_status=status_of(complete=False), table=lambda _: [])

    assert await main(["status", "--json"], Signals()) == 3

    assert json.loads(capsys.readouterr().out) == {"mode": "live", "age_s": 0.5}


@attrs.frozen
class FakeStep:
    venue: str
    name: str
    ok: bool
    said: str
    do: str = ""


async def test_the_doctor_prints_a_line_a_step_and_what_to_do(stand: Any, capsys: Capture):
    seen = []

    async def run_doctor(options: DoctorOptions, say: Callable[[Any], None]) -> ExitCode:
        await trio.lowlevel.checkpoint()
        seen.append(options)
        say(FakeStep("vest", "reach", ok=True, said="answers"))
        say(FakeStep("vest", "sign in", ok=False, said="refused", do="check .env"))
        return ExitCode.LEFT_OPEN

    stand("doctor", run_doctor=run_doctor)

    assert await main(["doctor", "--venue", "vest", "--probe-orders"], Signals()) == 3

    assert seen == [DoctorOptions(venue="vest", probe_orders=True)]
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.split() == ["OK", "vest", "reach", "answers"]
    assert second.split() == ["FAIL", "vest", "sign", "in", "refused"]
    assert third.strip() == "do: check .env"


KEY = "0x0123456789abcdef0123456789abcdef"


async def run_derive(options: DeriveOptions) -> Any:
    await trio.lowlevel.checkpoint()
    derived = SimpleNamespace(private_key=Secret(KEY), public_key="0x5", account="0x6")
    return SimpleNamespace(derived=derived, remark="as said")


@pytest.mark.parametrize(("words", "shown"), [([], False), (["--show"], True)])
async def test_a_derived_private_key_is_printed_only_when_told_to(
    stand: Any, capsys: Capture, words: list[str], shown: bool
):
    stand("keys", run_derive=run_derive)

    assert await main(["keys", "derive", *words], Signals()) == 0

    out, err = capsys.readouterr()
    assert "account      0x6\npublic key   0x5\n" in out
    assert (KEY in out) is shown
    assert err == ""


@pytest.mark.parametrize(
    ("error", "code"),
    [(ConfigError(["no key"]), 2), (StartRefused("the bot runs", "stop it"), 4)],
)
async def test_what_went_wrong_is_a_log_line_and_a_code(
    stand: Any, capsys: Capture, error: Exception, code: int
):
    async def fail(options: object) -> Any:
        await trio.lowlevel.checkpoint()
        raise error

    stand("keys", run_derive=fail)

    assert await main(["keys", "derive"], Signals()) == code

    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err)["why"] == str(error)


async def test_a_signal_ends_a_look(stand: Any):
    signals = Signals()

    async def hang(options: object) -> Any:
        signals.deliver(2)
        await trio.sleep_forever()

    stand("status", run_status=hang, table=lambda _: [])

    with trio.fail_after(SIGNALLED_S):
        assert await main(["status"], signals) == 3


@pytest.mark.parametrize("words", [[], ["--env", "NO_SUCH_KEY"]])
async def test_without_a_key_deriving_says_how_to_give_one(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
):
    config = tmp_path / "bot4.yaml"
    config.write_text(
        "mode: simulation\npairs:\n  - {name: BTC, vest: BTC-PERP, paradex: BTC-USD-PERP}\n"
    )
    (tmp_path / "nothing").touch()
    with (tmp_path / "nothing").open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert await main(["keys", "derive", "--config", str(config), *words], Signals()) == 2

    line = json.loads(capsys.readouterr().err)
    assert "check-config" not in line["do"]
    assert "keys derive" in line["do"]

from __future__ import annotations

import json
import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import structlog
import trio
from timeouts import SIGNALLED_S

from bot4 import __version__
from bot4.cli import main
from bot4.config.options import FlattenOptions, RunOptions, SimulateOptions
from bot4.errors import AuthRefused, ConfigError, ExitCode, StartRefused
from bot4.invocation import command
from bot4.logs.redact import REDACTOR
from bot4.logs.setup import close
from bot4.signals import Signals

Capture = pytest.CaptureFixture[str]
Stand = Callable[[str, str, Callable[..., Any]], None]

log = structlog.get_logger()

CONFIG = (
    "mode: simulation\npairs:\n  - {name: BTC, vest: BTC-PERP, paradex: BTC-USD-PERP}\n"
    "strategy:\n  spread_exit: 0.01\n"
)
KEYS = {
    "VEST_PRIMARY_KEY": "0x" + "1" * 64,
    "VEST_SIGNING_KEY": "0x" + "2" * 64,
    "PARADEX_ACCOUNT": "0x3",
    "PARADEX_PRIVATE_KEY": "0x4",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in a folder with a bot4.yaml; leave the process as it was."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bot4.yaml").write_text(CONFIG)
    hooks = sys.unraisablehook, sys.modules["threading"].excepthook
    limits: list[object] = []
    mask = os.umask(0o022)
    monkeypatch.setattr(resource, "setrlimit", lambda *limit: limits.append(limit))
    yield tmp_path
    os.umask(mask)
    assert set(limits) <= {(resource.RLIMIT_CORE, (0, 0))}
    sys.unraisablehook, sys.modules["threading"].excepthook = hooks
    close()
    structlog.reset_defaults()
    REDACTOR.clear()


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Stand:
    """Put a function in the place of one of ``bot4.wiring``."""

    def put(module: str, name: str, function: Callable[..., Any]) -> None:
        fake = ModuleType(module)
        setattr(fake, name, function)
        monkeypatch.setitem(sys.modules, f"bot4.wiring.{module}", fake)

    return put


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


async def test_run_sets_up_the_log_and_hands_over(stand: Stand, capsys: Capture, folder: Path):
    seen = []

    async def run(options: RunOptions, signals: Signals) -> ExitCode:
        await trio.lowlevel.checkpoint()
        seen.append((options, signals))
        log.info("bot.started")
        log.debug("spread.seen")
        return ExitCode.LEFT_OPEN

    stand("run", "run", run)
    signals = Signals()

    code = await main(["--for", "5s"], signals)

    assert code == 3
    assert seen == [(RunOptions(for_s=5.0), signals)]
    said = lines(capsys.readouterr().out)
    assert [line["event"] for line in said] == [
        "config.loaded",
        "config.questioned",
        "bot.started",
    ]
    path = folder / "state" / "simulation" / "bot4.log"
    filed = lines(path.read_text())
    assert [line["event"] for line in filed] == [line["event"] for line in said] + ["spread.seen"]
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_run_with_its_own_log_file_in_pretty(stand: Stand, capsys: Capture, folder: Path):
    async def run(options: RunOptions, signals: Signals) -> ExitCode:
        await trio.lowlevel.checkpoint()
        return ExitCode.CLEAN

    stand("run", "run", run)

    code = await main(["run", "--log", "pretty", "--log-file", "here.log"], Signals())

    assert code == 0
    assert "[CONFIG] bot4.yaml is usable, mode simulation" in capsys.readouterr().out
    assert lines((folder / "here.log").read_text())[0]["event"] == "config.loaded"
    assert not (folder / "state").exists()


@pytest.mark.parametrize("command", ["run", "flatten"])
async def test_a_bad_config_is_one_line_a_fault_and_touches_nothing(
    command: str, capsys: Capture, folder: Path
):
    (folder / "bot4.yaml").write_text(CONFIG + "risk: {notional: x}\nages: {}\nfees: 1\n")

    code = await main([command], Signals())

    assert code == 2
    out, err = capsys.readouterr()
    assert err == ""
    assert [(line["event"], line["message"].split(": ")[1]) for line in lines(out)] == [
        ("config.invalid", "risk.notional"),
        ("config.invalid", "fees"),
    ]
    assert all(line["why"] and line["do"] for line in lines(out))
    assert not (folder / "state").exists()


async def test_a_log_file_that_cannot_be_opened_is_a_config_fault(capsys: Capture, folder: Path):
    code = await main(["--log-file", str(folder)], Signals())

    assert code == 2
    assert "log file" in lines(capsys.readouterr().out)[0]["message"]


ENDINGS = [
    (ValueError("odd"), 1, ["bot.crashed"]),
    (StartRefused("another bot runs", "stop it"), 4, ["start.refused"]),
    (ConfigError(["one", "two"]), 2, ["config.invalid", "config.invalid"]),
    (AuthRefused("vest", "no"), 2, ["config.invalid"]),
    (
        ExceptionGroup("g", [ValueError("a"), ExceptionGroup("h", [KeyError("b")])]),
        1,
        ["bot.crashed", "bot.crashed"],
    ),
]


@pytest.mark.parametrize(("error", "code", "events"), ENDINGS)
async def test_what_nobody_caught_is_told_in_lines_without_a_stack(
    stand: Stand, capsys: Capture, folder: Path, error: Exception, code: int, events: list[str]
):
    async def run(options: RunOptions, signals: Signals) -> ExitCode:
        await trio.lowlevel.checkpoint()
        raise error

    stand("run", "run", run)

    assert await main([], Signals()) == code

    out, err = capsys.readouterr()
    told = [line for line in lines(out) if line["level"] == "error"]
    assert [line["event"] for line in told] == events
    assert all(line["why"] and line["do"] for line in told)
    assert err == ""
    assert "Traceback" not in out
    filed = [line["event"] for line in lines((folder / "state/simulation/bot4.log").read_text())]
    assert filed.count("error.traced") == events.count("bot.crashed")


@pytest.mark.parametrize("words", [["run"], ["flatten", "--yes"], ["guard"]])
@pytest.mark.parametrize("mode", ["simulation", "testnet"])
async def test_two_words_that_disagree_about_real_money_are_refused_in_one_line(
    stand: Stand, capsys: Capture, folder: Path, words: list[str], mode: str
):
    (folder / "bot4.yaml").write_text(CONFIG.replace("mode: simulation", f"mode: {mode}"))
    done: list[object] = []

    async def work(*options: object) -> ExitCode:
        await trio.lowlevel.checkpoint()
        done.append(options)
        return ExitCode.CLEAN

    stand(words[0], "run" if words[0] == "run" else f"run_{words[0]}", work)

    assert await main([*words, "--live"], Signals()) == 2
    assert done == []
    (told,) = lines(capsys.readouterr().out)
    assert "--live" in told["why"]
    assert f"mode: {mode}" in told["why"]


async def test_flatten_hands_over_and_a_signal_ends_it_unproven(stand: Stand, capsys: Capture):
    signals = Signals()

    async def run_flatten(options: FlattenOptions) -> ExitCode:
        if options.dry_run:
            await trio.lowlevel.checkpoint()
            return ExitCode.CLEAN
        signals.deliver(signal.SIGINT)
        await trio.sleep_forever()
        return ExitCode.CLEAN

    stand("flatten", "run_flatten", run_flatten)

    with trio.fail_after(SIGNALLED_S):
        assert await main(["flatten", "--dry-run"], signals) == 0
        assert await main(["flatten", "--yes"], signals) == 3
    assert capsys.readouterr().err == ""


async def test_simulate_keeps_stdout_for_its_one_line(stand: Stand, capsys: Capture):
    async def run_simulator(options: SimulateOptions) -> ExitCode:
        await trio.lowlevel.checkpoint()
        log.info("simulator.started", seed=options.seed)
        sys.stdout.write("{}\n")
        return ExitCode.CLEAN

    stand("simulate", "run_simulator", run_simulator)

    assert await main(["simulate", "--seed", "9"], Signals()) == 0

    out, err = capsys.readouterr()
    assert out == "{}\n"
    assert lines(err)[0]["seed"] == 9


async def test_a_signal_ends_the_simulator_cleanly(stand: Stand):
    signals = Signals()
    signals.deliver(signal.SIGTERM)

    async def run_simulator(options: SimulateOptions) -> ExitCode:
        await trio.sleep_forever()

    stand("simulate", "run_simulator", run_simulator)

    with trio.fail_after(SIGNALLED_S):
        assert await main(["simulate"], signals) == 0


async def test_check_config_says_that_it_is_usable_and_warns(capsys: Capture):
    assert await main(["check-config"], Signals()) == 0

    ok, warning = capsys.readouterr().out.splitlines()
    assert ok == "bot4.yaml: ok, mode simulation, 1 pair: BTC"
    assert warning.startswith("warning: bot4.yaml:5: strategy.spread_exit: is above 0")


async def test_check_config_says_every_fault(capsys: Capture, folder: Path):
    (folder / "other.yaml").write_text("mode: paper\ncolour: 1\n")

    assert await main(["check-config", "--config", "other.yaml"], Signals()) == 2

    pairs, mode, colour = capsys.readouterr().out.splitlines()
    assert pairs.startswith("other.yaml: pairs: is missing: it must be a list")
    assert mode.startswith("other.yaml:1: mode: paper does not exist yet; use simulation")
    assert colour.startswith("other.yaml:2: colour: is not a setting: see the comments")


async def test_check_config_looks_at_the_keys_where_there_must_be_some(
    capsys: Capture, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    (folder / "bot4.yaml").write_text(CONFIG.replace("simulation", "live"))

    assert await main(["check-config"], Signals()) == 2
    assert "VEST_PRIMARY_KEY: is missing" in capsys.readouterr().out

    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    assert await main(["check-config"], Signals()) == 0
    assert "starting also needs --live" in capsys.readouterr().out


async def test_help_and_version_and_wrong_usage(capsys: Capture):
    assert await main(["help"], Signals()) == 0
    assert capsys.readouterr().out.startswith(f"usage: {command()} [COMMAND]")
    assert await main(["--version"], Signals()) == 0
    assert capsys.readouterr().out == f"bot4 {__version__}\n"
    assert await main(["fly"], Signals()) == 64
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)


def test_saying_the_version_imports_nothing_slow(root: Path):
    code = (
        "import sys\nfrom bot4.trio_run import main\nmain(['bot4', '--version'])\n"
        "slow = {'structlog', 'supabase', 'starknet_py', 'eth_account', 'httpx'}\n"
        "print(sorted(slow & set(sys.modules)))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )

    assert done.stdout == f"bot4 {__version__}\n[]\n"
    assert done.stderr == ""


def test_python_dash_m_is_the_same_door(root: Path):
    done = subprocess.run(
        [sys.executable, "-m", "bot4", "check-config"],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
    )

    assert (done.returncode, done.stdout) == (0, "bot4.yaml: ok, mode simulation, 1 pair: BTC\n")

"""The commands that only look: status, doctor, keys. What they find goes to standard output.

Their log lines go to standard error: standard output has the answer and nothing else.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from bot4.cli.endings import logged, until_signal
from bot4.cli.hardening import forbid_dumps, harden
from bot4.cli.output import say as say_lines
from bot4.cli.output import show
from bot4.config.options import DeriveOptions, DoctorOptions, StatusOptions
from bot4.errors import ExitCode
from bot4.signals import Signals

if TYPE_CHECKING:
    from bot4.wiring.doctor_beside import Step

NAME_WIDTH: Final = 22


async def status(options: StatusOptions, signals: Signals) -> int:
    """Print how the bot, the venues and the money are."""

    async def work() -> int:
        from bot4.wiring.status import run_status, table

        known = await run_status(options)
        if options.as_json:
            await show([json.dumps({**known.known, "age_s": known.age_s})])
        else:
            await show(table(known))
        return ExitCode.CLEAN if known.complete else ExitCode.LEFT_OPEN

    return await look(work, signals)


async def doctor(options: DoctorOptions, signals: Signals) -> int:
    """Print a line for each step: OK, or FAIL with what to do."""

    def say(step: Step) -> None:
        word = "OK  " if step.ok else "FAIL"
        say_lines(f"{word} {step.venue:<8} {step.name:<{NAME_WIDTH}} {step.said}")
        if step.do:
            say_lines(f"     {'':<8} {'':<{NAME_WIDTH}} do: {step.do}")

    async def work() -> int:
        from bot4.wiring.doctor import run_doctor

        code = await run_doctor(options, say)
        await show([])
        return code

    return await look(work, signals)


async def derive(options: DeriveOptions, signals: Signals) -> int:
    """Print the Paradex account of an Ethereum key; the private key only when told to."""

    async def work() -> int:
        from bot4.wiring.keys import run_derive

        told = await run_derive(options)
        lines = [f"account      {told.derived.account}", f"public key   {told.derived.public_key}"]
        if options.show:
            lines.append(f"private key  {told.derived.private_key.reveal()}")
        await show([*lines, f"({told.remark})"])
        return ExitCode.CLEAN

    return await look(work, signals)


async def look(work: Callable[[], Awaitable[int]], signals: Signals) -> int:
    """Run a command that only looks, until a signal; its log lines go to standard error."""
    from bot4.logs.setup import configure, install_hooks

    pretty = sys.stderr.isatty()
    configure(mode="pretty" if pretty else "json", stream=sys.stderr, file=None)
    install_hooks()
    harden()
    forbid_dumps()
    return await logged(lambda: until_signal(work, signals, stopped=ExitCode.LEFT_OPEN))

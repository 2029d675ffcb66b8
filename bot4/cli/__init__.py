"""``trio-run bot4 [COMMAND] [OPTIONS]``: from words on a command line to an exit code.

Light to import: what a command needs is imported when it runs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bot4.cli.arguments import Usage, parse
from bot4.errors import ExitCode
from bot4.invocation import command
from bot4.signals import Signals


async def main(argv: Sequence[str], signals: Signals) -> int:
    """Run one command.

    Args:
        argv: what follows the app's name; options without a command mean ``run``.
        signals: who asked the process to stop, and how often.

    Returns:
        The exit code of the process.

    Cancellation: as the command says.
    """
    try:
        wish = parse(argv)
    except Usage as fault:
        print(f"bot4: {fault}; {command('help')} says more", file=sys.stderr)
        return ExitCode.USAGE
    from bot4.cli import commands

    return await commands.COMMANDS[wish.command](wish.options, signals)

"""What the command line asks for, checked, one frozen value a command."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import attrs


@attrs.frozen
class RunOptions:
    """``bot4 run``."""

    config: Path = Path("bot4.yaml")
    for_s: float | None = None
    """Stop by itself so many seconds after the start of the process."""
    for_ready_s: float | None = None
    """Stop by itself so many seconds after both feeds are ready."""
    log: str | None = None
    """``json`` or ``pretty``; None decides by whether stdout is a terminal."""
    log_file: Path | None = None
    """None: ``bot4.log`` in the mode's state folder."""
    live: bool = False
    fresh: bool = False
    """Begin a new simulated world."""


@attrs.frozen
class SimulateOptions:
    """``bot4 simulate``: the two venues in a box, for any client."""

    seed: int = 1
    profile: str = "demo"
    latency_scale: Decimal = Decimal(1)
    collateral: Decimal = Decimal(10_000)
    state_dir: Path = Path("state/simulation")
    fresh: bool = False
    link: str = "auto"
    """As ``simulation.link``."""


@attrs.frozen
class FlattenOptions:
    """``bot4 flatten``: cancel everything and close both legs, reduce-only."""

    config: Path = Path("bot4.yaml")
    pair: str | None = None
    """Only this pair of bot4.yaml; None is everything the account holds."""
    venue: str | None = None
    """``vest`` or ``paradex`` only."""
    yes: bool = False
    dry_run: bool = False
    force: bool = False
    """Go on although a running bot did not stop when asked."""
    log: str | None = None
    """As in ``RunOptions``."""
    live: bool = False


@attrs.frozen
class GuardOptions:
    """``bot4 guard``: watch the bot, and act when it falls silent."""

    config: Path = Path("bot4.yaml")
    log: str | None = None
    """As in ``RunOptions``."""
    live: bool = False


@attrs.frozen
class StatusOptions:
    """``bot4 status``."""

    config: Path = Path("bot4.yaml")
    as_json: bool = False


@attrs.frozen
class DoctorOptions:
    """``bot4 doctor``: does everything that trading needs work? Opens no position."""

    config: Path = Path("bot4.yaml")
    venue: str | None = None
    """``vest`` or ``paradex`` only."""
    probe_orders: bool = False
    """Also send an order far from the market, and cancel it."""


@attrs.frozen
class DeriveOptions:
    """``bot4 keys derive``: a Paradex key and account from an Ethereum key."""

    config: Path = Path("bot4.yaml")
    """Its mode says which network the account is on."""
    env: str | None = None
    """The variable that holds the Ethereum key; None reads it from standard input."""
    show: bool = False
    """Print the private key too."""


@attrs.frozen
class Since:
    """From when on: so long ago, or from the beginning of a day, UTC."""

    ago_s: float | None = None
    day_ms: int | None = None
    """Its first moment, ms since the epoch."""

    def begins_ms(self, now_ms: int) -> int:
        """Return the moment, ms since the epoch."""
        if self.day_ms is not None:
            return self.day_ms
        return now_ms - int((self.ago_s or 0.0) * 1000)


@attrs.frozen
class PositionsOptions:
    """``bot4 positions``."""

    config: Path = Path("bot4.yaml")
    as_json: bool = False
    ask: bool = False
    """With no bot running, ask both venues too."""


@attrs.frozen
class TradesOptions:
    """``bot4 trades``."""

    config: Path = Path("bot4.yaml")
    since: Since | None = None
    pair: str | None = None
    as_csv: bool = False
    as_json: bool = False


@attrs.frozen
class PnlOptions:
    """``bot4 pnl``."""

    config: Path = Path("bot4.yaml")
    by: str = "day"
    """``day``, ``pair`` or ``direction``."""
    since: Since | None = None
    pair: str | None = None
    as_csv: bool = False
    as_json: bool = False


@attrs.frozen
class DbOptions:
    """``bot4 db check`` and ``bot4 db release``."""

    config: Path = Path("bot4.yaml")


@attrs.frozen
class VacuumOptions:
    """``bot4 db vacuum``."""

    config: Path = Path("bot4.yaml")
    keep_days: int = 7
    """Younger trades stay in the journal."""


@attrs.frozen
class ExportOptions:
    """``bot4 db export``."""

    config: Path = Path("bot4.yaml")
    to: Path = Path("export")
    """A folder."""

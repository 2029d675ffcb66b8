"""The shape of bot4.yaml after reading: frozen, checked, with the defaults.

Percentages are written in percent in the file (``0.20``) and kept here as given, as the owner
says them; functions that compute use ``ratio()``.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import attrs

from bot4.secret import Secret

D = Decimal


def ratio(percentage: Decimal) -> Decimal:
    """Return a percentage as a ratio: 0.20 is 0.0020."""
    return percentage / 100


class Mode(StrEnum):
    """Where orders go."""

    SIMULATION = "simulation"
    TESTNET = "testnet"
    LIVE = "live"


class OnStop(StrEnum):
    """What happens to a hedged pair when the bot is asked to stop."""

    HOLD = "hold"
    FLATTEN = "flatten"


class Durability(StrEnum):
    """What an opening order waits for: our own death survived, or the machine's."""

    PROCESS = "process"
    POWER = "power"


@attrs.frozen
class PairConfig:
    """One pair: the two symbols, and thresholds that differ from the common ones."""

    name: str
    vest: str
    paradex: str
    spread_entry: Decimal
    spread_exit: Decimal
    notional: Decimal


@attrs.frozen
class StrategyConfig:
    """When to enter and leave. Percent unless the name says otherwise."""

    spread_entry: Decimal = D("0.20")
    spread_exit: Decimal = D("-0.03")
    min_profit: Decimal = D("0.02")
    tolerance: Decimal = D("0.02")
    confirm_ms: int = 600
    confirm_prices: int = 2
    max_spread: Decimal = D("1.5")
    depth_share: Decimal = D("0.5")
    """A share, not a percentage: the most of the smaller side's depth that we take."""
    exit_history_minutes: int = 60
    max_hold_hours: Decimal = D(24)
    forced_exit_cap: Decimal = D("0.15")


@attrs.frozen
class RiskConfig:
    """Caps. Money in USDC."""

    capital: Decimal = D(1000)
    """Collateral the bot may count on, per venue."""
    max_leverage: Decimal = D(3)
    """Notional over equity, per venue, in-doubt orders included."""
    venue_leverage: int = 10
    """Only the venue's own setting."""
    notional: Decimal = D(300)
    """Per leg."""
    max_notional_total: Decimal = D(1500)
    """Per venue, all pairs together."""
    daily_loss: Decimal = D(50)
    day: str = "utc"
    """When its day begins: midnight, ``utc`` or ``local``."""
    orders_per_second: int = 8
    cooldown_s: Decimal = D(30)
    """Pause after a failed pair."""
    failures_of_20: int = 8
    """Failures among the last twenty attempts that stop opening."""
    liq_warn: Decimal = D(10)
    """Percent of the price: a leg nearer to its liquidation stops opening."""
    liq_critical: Decimal = D(5)
    """Nearer than this, half of both legs is closed."""
    collateral_share: Decimal = D(35)
    """Percent of the money: a venue that holds less stops opening."""


@attrs.frozen
class ExecutionConfig:
    """The saga's budgets."""

    deadline_ms: int = 500
    """Detection to both orders written."""
    answer_by_ms: int = 2000
    """Sent to known; then the order is in doubt and is asked about."""
    mend_attempts: int = 3
    mend_within_ms: int = 1500
    mend_backoff_ms: int = 100
    mend_floor: Decimal = D("0.10")
    """Percent below the entry threshold that a mended pair may still earn."""
    mend_margin: Decimal = D("0.03")
    unwind_rungs_bps: tuple[int, ...] = (5, 15, 50, 150)
    unwind_attempts: int = 12
    window_ms: int = 2000
    """Receive window until it is measured."""
    settle_ms: int = 1000
    """Added to the window for the fence."""
    on_stop: OnStop = OnStop.HOLD
    leave_within_s: Decimal = D(10)
    durability: Durability = Durability.POWER


@attrs.frozen
class AgesConfig:
    """How old a book may be. Milliseconds."""

    paradex_book_ms: int = 1000
    vest_book_ms: int = 3000
    vest_heartbeat_ms: int = 3000
    skew_ms: int = 1500
    silence_ms: int = 5000
    """No frame of any kind for this long: reconnect."""
    clock_offset_ms: int = 1000
    """A venue clock further off than this stops opening."""


@attrs.frozen
class QuoteRateConfig:
    """USD per USDC."""

    source: str = "fixed"
    rate: Decimal = D(1)
    uncertainty: Decimal = D(0)
    """Percent, either side."""


@attrs.frozen
class VestConfig:
    """How Vest is reached, and what its sheet leaves open."""

    rest_url: str = "https://server-prod.hz.vestmarkets.com/v2"
    ws_url: str = "wss://ws-prod.hz.vestmarkets.com/ws-api?version=1.0"
    verifying_contract: str = "0x919386306C47b2Fe1036e3B4F7C40D22D2461a23"
    signer_days: int = 7
    order_type: str = "MARKET"
    """MARKET (limit = worst price) or LIMIT_FOK."""
    reduce_only: bool = True
    too_many_is_definite: bool = False
    """Whether 429/1003 on an order proves that it was not accepted."""
    premium_bps: Decimal = D("1.5")
    premium_in: str = "fees"
    """fees, price or both: where the premium is looked for in our own fills."""
    ping_s: Decimal = D(1)


@attrs.frozen
class ParadexConfig:
    """How Paradex is reached, and what its sheet leaves open."""

    rest_url: str = "https://api.prod.paradex.trade/v1"
    ws_url: str = "wss://ws.api.prod.paradex.trade/v1"
    chain_id: str = "PRIVATE_SN_PARACLEAR_MAINNET"
    book_encoding: str = "sbe"
    """sbe or json."""
    sbe_version: int = 2
    profile: str = "pro"
    """pro or retail: the class of the token that orders are sent with."""
    tradebusts: bool = True
    """Listen for trades that the venue takes back, so that positions are compared at once."""
    orders: str = "rest"
    """rest, or ws: over a WebSocket whose end cancels what rests, with rest as its stand-in."""


@attrs.frozen
class SimulationConfig:
    """The embedded venues of ``mode: simulation``."""

    profile: str = "demo"
    seed: int = 1
    latency_scale: Decimal = D(1)
    link: str = "auto"
    """What lies between the bot and the venues: rack, city, adsl, rough; auto: by profile."""
    collateral: Decimal = D(10_000)


@attrs.frozen
class MirrorConfig:
    """The copy of the journal in Supabase."""

    enabled: str = "auto"
    """auto: when there are keys for it, not in simulation; on: in simulation too; off."""
    batch: int = 50
    """Journal rows sent at once."""
    every_s: Decimal = D(1)
    """How often the journal is looked at."""
    lease_ttl_s: int = 7200
    """Without a word from Supabase for so long, nothing opens any more."""


@attrs.frozen
class GuardConfig:
    """What ``bot4 guard`` does for a bot that fell silent."""

    silence_s: Decimal = D(15)
    """Without a word from the bot for so long, it is taken for dead."""
    flatten: bool = False
    """Whether positions are closed too; open orders are cancelled in any case."""


@attrs.frozen
class LogConfig:
    """How much the log file may take."""

    max_mb: int = 10
    """Megabytes; then, and at the first line of a day, it turns over."""
    keep: int = 14
    """Compressed files of before."""


@attrs.frozen
class Config:
    """Everything of bot4.yaml, checked."""

    mode: Mode
    state_dir: Path
    """The mode's own directory: ``state/<mode>``."""
    pairs: tuple[PairConfig, ...]
    strategy: StrategyConfig = StrategyConfig()
    risk: RiskConfig = RiskConfig()
    execution: ExecutionConfig = ExecutionConfig()
    ages: AgesConfig = AgesConfig()
    quote_rate: QuoteRateConfig = QuoteRateConfig()
    vest: VestConfig = VestConfig()
    paradex: ParadexConfig = ParadexConfig()
    simulation: SimulationConfig = SimulationConfig()
    mirror: MirrorConfig = MirrorConfig()
    guard: GuardConfig = GuardConfig()
    log: LogConfig = LogConfig()


@attrs.frozen
class MirrorSecrets:
    """Where the mirror is, and the key to it. Cannot be printed."""

    url: str
    key: Secret


@attrs.frozen
class Secrets:
    """Keys from .env or the environment. Cannot be printed."""

    vest_primary_key: Secret
    vest_signing_key: Secret
    paradex_account: Secret
    paradex_private_key: Secret
    mirror: MirrorSecrets | None = None
    """None: the journal on this machine is the only copy."""

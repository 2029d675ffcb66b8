"""What every setting of bot4.yaml accepts: one row each, form, range and an example.

The ranges are wide: they stop slips of the keyboard and of the unit, not opinions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from bot4.config.schema import Durability, OnStop
from bot4.config.values import Choice, Number, Rule, Url, Whole, Word, YesNo


def _percent(low: str, high: str, example: str = "0.20") -> Number:
    return Number(low, high, "a percentage", example)


def _money(low: str, high: str, example: str = "300") -> Number:
    return Number(low, high, "an amount in USDC", example)


def _ms(low: int, high: int, example: str) -> Whole:
    return Whole(low, high, "a whole number of milliseconds", example)


def _count(low: int, high: int, example: str) -> Whole:
    return Whole(low, high, "a whole number", example)


def _enum(kind: type[OnStop | Durability]) -> Choice:
    return Choice([member.value for member in kind], kind)


RUNG: Final = Whole(1, 1000, "a whole number of basis points", "50")
"""One step of ``execution.unwind_rungs_bps``; at most eight of them, rising."""

STATE_DIR: Final = Word(re.compile(r"[^\x00-\x1f\x7f]{1,200}"), "the name of a folder like state")

PROFILES: Final = ["demo", "calibrated"]
"""Kinds of simulated market that a person may choose."""
LINKS: Final = ["auto", "rack", "city", "adsl", "rough"]
"""What may lie between the bot and the simulated venues."""

PAIR: Final[Mapping[str, Rule]] = {
    "name": Word(re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}"), "a short name like BTC"),
    # Source: Vest API docs, symbols, seen 2026-11: {COIN}-PERP, {TICKER}-USD-PERP for equities.
    "vest": Word(
        re.compile(r"[A-Za-z0-9]{1,20}(-USD)?-PERP"), "a market of Vest, exactly, like BTC-PERP"
    ),
    # Source: Paradex API docs, markets, seen 2026-11: {BASE}-USD-PERP.
    "paradex": Word(
        re.compile(r"[A-Za-z0-9]{1,20}-USD-PERP"), "a market of Paradex, exactly, like BTC-USD-PERP"
    ),
}

STRATEGY: Final[Mapping[str, Rule]] = {
    "spread_entry": _percent("0.01", "10"),
    "spread_exit": _percent("-5", "5", "-0.03"),
    "min_profit": _percent("0", "5", "0.02"),
    "tolerance": _percent("0", "1", "0.02"),
    "confirm_ms": _ms(0, 10_000, "600"),
    "confirm_prices": _count(1, 20, "2"),
    "max_spread": _percent("0.1", "20", "1.5"),
    "depth_share": Number("0.05", "1", "a share", "0.5"),
    "exit_history_minutes": Whole(1, 1440, "a whole number of minutes", "60"),
    "max_hold_hours": Number("0.01", "720", "a number of hours", "24"),
    "forced_exit_cap": _percent("0", "5", "0.15"),
}

RISK: Final[Mapping[str, Rule]] = {
    "capital": _money("1", "10000000", "1000"),
    "max_leverage": Number("0.1", "20", "a leverage", "3"),
    "venue_leverage": Whole(1, 50, "a whole leverage", "10"),
    "notional": _money("1", "1000000"),
    "max_notional_total": _money("1", "10000000", "1500"),
    "daily_loss": _money("0.01", "1000000", "50"),
    "day": Choice(["utc", "local"]),
    "orders_per_second": _count(1, 50, "8"),
    "cooldown_s": Number("0", "3600", "a number of seconds", "30"),
    "failures_of_20": _count(1, 20, "8"),
    "liq_warn": _percent("0", "90", "10"),
    "liq_critical": _percent("0", "90", "5"),
    "collateral_share": _percent("0", "50", "35"),
}

EXECUTION: Final[Mapping[str, Rule]] = {
    "deadline_ms": _ms(20, 5000, "500"),
    "answer_by_ms": _ms(100, 30_000, "2000"),
    "mend_attempts": _count(1, 10, "3"),
    "mend_within_ms": _ms(100, 10_000, "1500"),
    "mend_backoff_ms": _ms(0, 5000, "100"),
    "mend_floor": _percent("0", "5", "0.10"),
    "mend_margin": _percent("0", "5", "0.03"),
    "unwind_attempts": _count(1, 100, "12"),
    # Source: ours; the windows that the trading rules clamp to, with room.
    "window_ms": _ms(500, 5000, "2000"),
    "settle_ms": _ms(0, 10_000, "1000"),
    "on_stop": _enum(OnStop),
    "leave_within_s": Number("1", "120", "a number of seconds", "10"),
    "durability": _enum(Durability),
}

AGES: Final[Mapping[str, Rule]] = {
    "paradex_book_ms": _ms(100, 10_000, "1000"),
    "vest_book_ms": _ms(100, 30_000, "3000"),
    "vest_heartbeat_ms": _ms(500, 30_000, "3000"),
    "skew_ms": _ms(50, 10_000, "1500"),
    "silence_ms": _ms(1000, 60_000, "5000"),
    "clock_offset_ms": _ms(50, 30_000, "1000"),
}

QUOTE_RATE: Final[Mapping[str, Rule]] = {
    "source": Choice(["fixed"]),
    "rate": Number("0.90", "1.10", "USD per USDC", "1"),
    "uncertainty": _percent("0", "1", "0.02"),
}

VEST: Final[Mapping[str, Rule]] = {
    "rest_url": Url("https"),
    "ws_url": Url("wss"),
    "verifying_contract": Word(re.compile(r"0x[0-9a-fA-F]{40}"), "an address: 0x and 40 digits"),
    # Source: Vest API docs and clients, signerExpiry, seen 2026-11: 1 to 30 days are in use.
    "signer_days": Whole(1, 30, "a whole number of days", "7"),
    "order_type": Choice(["MARKET", "LIMIT_FOK"]),
    "reduce_only": YesNo(),
    "too_many_is_definite": YesNo(),
    "premium_bps": Number("0", "50", "a number of basis points", "1.5"),
    "premium_in": Choice(["fees", "price", "both"]),
    "ping_s": Number("0.2", "10", "a number of seconds", "1"),
}

PARADEX: Final[Mapping[str, Rule]] = {
    "rest_url": Url("https"),
    "ws_url": Url("wss"),
    # Source: paradex-py, its enum of chain ids, seen 2026-11.
    "chain_id": Choice(
        [
            "PRIVATE_SN_PARACLEAR_MAINNET",
            "PRIVATE_SN_POTC_SEPOLIA",
            "PRIVATE_SN_POTC_MOCK_SEPOLIA",
            "PRIVATE_SN_PARACLEAR_TESTNET",
        ]
    ),
    "book_encoding": Choice(["sbe", "json"]),
    "sbe_version": _count(0, 3, "2"),
    "profile": Choice(["pro", "retail"]),
    "orders": Choice(["rest", "ws"]),
    "tradebusts": YesNo(),
}

MIRROR: Final[Mapping[str, Rule]] = {
    "enabled": Choice(["auto", "on", "off"]),
    "batch": _count(1, 500, "50"),
    "every_s": Number("0.05", "60", "a number of seconds", "1"),
    "lease_ttl_s": Whole(10, 86_400, "a whole number of seconds", "7200"),
}

GUARD: Final[Mapping[str, Rule]] = {
    # Longer than the longest window: nothing that the bot sent can still arrive by then.
    "silence_s": Number("6", "600", "a number of seconds", "15"),
    "flatten": YesNo(),
}

LOG: Final[Mapping[str, Rule]] = {
    "max_mb": Whole(1, 1000, "a whole number of megabytes", "10"),
    "keep": _count(1, 1000, "14"),
}

SIMULATION: Final[Mapping[str, Rule]] = {
    "profile": Choice(PROFILES),
    "seed": _count(0, 2**31 - 1, "1"),
    "latency_scale": Number("0.01", "20", "a factor", "1"),
    "link": Choice(LINKS),
    "collateral": _money("100", "1000000000", "10000"),
}

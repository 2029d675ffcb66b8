"""Settings that are fine alone and wrong together: what cannot pay, what exceeds its own cap."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from bot4.config.faults import Faults
from bot4.config.networks import check_networks
from bot4.config.schema import Config, PairConfig

TWO_SIDES: Final = 2
VEST_TAKER: Final = Decimal("0.01")
"""Percent a fill. Source: Vest docs, fees, seen 2026-11."""
PARADEX_TAKER: Final = {"pro": Decimal("0.045"), "retail": Decimal(0)}
"""Percent a fill, by class of token. Source: Paradex docs, fees, seen 2026-11."""

OPENING_RATE: Final = (Decimal("0.995"), Decimal("1.005"))
CONFIRM_LEAST_MS: Final = 300


def check(config: Config, faults: Faults) -> None:
    """Note every contradiction. What is already known to be wrong is not judged again.

    Whether two markets are of the same coin is not told by their names: the venues' own lists
    say it, at the start and to ``doctor``.
    """
    _check_caps(config, faults)
    _check_names(config, faults)
    for number, pair in enumerate(config.pairs, start=1):
        _check_money(config, pair, f"pairs[{number}]", faults)
    if not config.pairs:
        # Nothing uses the common thresholds then; judge them all the same.
        common = config.strategy
        pair = PairConfig("", "", "", common.spread_entry, common.spread_exit, config.risk.notional)
        _check_money(config, pair, "pairs", faults)
    check_networks(config, faults)
    _warn(config, faults)


def round_trip_fees(profile: str) -> Decimal:
    """Return what four taker fills cost, in percent of the notional."""
    return TWO_SIDES * (VEST_TAKER + PARADEX_TAKER[profile])


def _check_money(config: Config, pair: PairConfig, path: str, faults: Faults) -> None:
    entry = _path(faults, path, "spread_entry", "strategy")
    leave = _path(faults, path, "spread_exit", "strategy")
    if not faults.touches(entry, leave):
        if pair.spread_exit >= pair.spread_entry:
            what = f"is {pair.spread_exit}, must be below spread_entry ({pair.spread_entry})"
            faults.add(leave, what)
        elif not faults.touches("strategy.min_profit", "venues.paradex.profile"):
            _check_round_trip(config, pair, entry, faults)
        if not faults.touches("strategy.max_spread") and (
            pair.spread_entry >= config.strategy.max_spread
        ):
            what = f"is {pair.spread_entry}, must be below max_spread"
            faults.add(entry, f"{what} ({config.strategy.max_spread}), or nothing ever opens")
    notional = _path(faults, path, "notional", "risk")
    caps = (
        ("max_notional_total", config.risk.max_notional_total),
        ("capital x max_leverage", config.risk.capital * config.risk.max_leverage),
    )
    for name, cap in caps:
        if pair.notional > cap and not faults.touches(
            notional, "risk.max_notional_total", "risk.capital", "risk.max_leverage"
        ):
            faults.add(notional, f"is {pair.notional}, must not exceed {name} ({cap:f})")


def _check_round_trip(config: Config, pair: PairConfig, path: str, faults: Faults) -> None:
    profile, least = config.paradex.profile, config.strategy.min_profit
    fees = round_trip_fees(profile)
    gain = pair.spread_entry + pair.spread_exit
    if gain < fees + least:
        faults.add(
            path,
            f"a round trip cannot pay: spread_entry {pair.spread_entry} + spread_exit "
            f"{pair.spread_exit} = {_plain(gain)} %, but four taker fees {_plain(fees)} "
            f"({profile}) + min_profit {least} = {_plain(fees + least)} %: "
            f"raise spread_entry to at least {_plain(fees + least - pair.spread_exit)}",
        )


def _plain(percentage: Decimal) -> str:
    return f"{percentage.normalize():f}"


def _check_caps(config: Config, faults: Faults) -> None:
    risk = config.risk
    if risk.max_leverage > risk.venue_leverage and not faults.touches(
        "risk.max_leverage", "risk.venue_leverage"
    ):
        what = f"is {risk.max_leverage}, must not exceed venue_leverage ({risk.venue_leverage})"
        faults.add("risk.max_leverage", what)
    execution = config.execution
    if execution.mend_backoff_ms >= execution.mend_within_ms and not faults.touches(
        "execution.mend_backoff_ms", "execution.mend_within_ms"
    ):
        what = f"is {execution.mend_backoff_ms}, must be below mend_within_ms"
        faults.add("execution.mend_backoff_ms", f"{what} ({execution.mend_within_ms})")


def _check_names(config: Config, faults: Faults) -> None:
    for field in ("name", "vest", "paradex"):
        seen: dict[str, int] = {}
        for number, pair in enumerate(config.pairs, start=1):
            text = getattr(pair, field).upper()
            path = f"pairs[{number}].{field}"
            if text and not faults.touches(path):
                first = seen.setdefault(text, number)
                if first != number:
                    faults.add(path, f"is used by pairs[{first}] already: one pair each")


def _warn(config: Config, faults: Faults) -> None:
    strategy, risk = config.strategy, config.risk
    exits = {pair.spread_exit for pair in config.pairs} | {strategy.spread_exit}
    if max(exits) > 0:
        what = (
            "is above 0: closing waits until the spread turns the other way, which may never come"
        )
        faults.warn("strategy.spread_exit", what)
    if strategy.confirm_ms < CONFIRM_LEAST_MS:
        what = f"is {strategy.confirm_ms}: below {CONFIRM_LEAST_MS} one leg is often left alone"
        faults.warn("strategy.confirm_ms", what)
    if sum(pair.notional for pair in config.pairs) > risk.max_notional_total:
        what = "is less than all pairs together: they cannot all be open at once"
        faults.warn("risk.max_notional_total", what)
    if risk.daily_loss > risk.capital:
        faults.warn("risk.daily_loss", "is more than capital: it will never stop the bot")
    low, high = OPENING_RATE
    if not low <= config.quote_rate.rate <= high:
        what = f"is {config.quote_rate.rate}: nothing opens outside {low} to {high}"
        faults.warn("quote_rate.rate", what)


def _path(faults: Faults, pair_path: str, field: str, section: str) -> str:
    """Return where a threshold of a pair was written: at the pair, or the common one."""
    own = f"{pair_path}.{field}"
    return own if own in faults.lines or faults.touches(own) else f"{section}.{field}"

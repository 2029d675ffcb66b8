"""From bot4.yaml to the strategy's rules: percentages become ratios, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from bot4.config.schema import Config, PairConfig, ratio
from bot4.domain.quote import QuoteRate
from bot4.strategy.margin import MarginRules
from bot4.strategy.risk import Caps
from bot4.strategy.rules import AgeRules, EntryRules, ExitRules, MendRules, Rules, SizeRules
from bot4.tasks.judge import Limits
from bot4.tasks.results import DAY_MS


def rules_for(config: Config, pair: PairConfig) -> Rules:
    """Return everything the strategy needs to know to judge one pair."""
    strategy, risk, ages = config.strategy, config.risk, config.ages
    return Rules(
        entry=EntryRules(
            spread_entry=ratio(pair.spread_entry),
            tolerance=ratio(strategy.tolerance),
            max_spread=ratio(strategy.max_spread),
            min_profit=ratio(strategy.min_profit),
            exit_history_s=60.0 * strategy.exit_history_minutes,
            confirm_ms=strategy.confirm_ms,
            confirm_prices=strategy.confirm_prices,
        ),
        leave=ExitRules(
            spread_exit=ratio(pair.spread_exit),
            tolerance=ratio(strategy.tolerance),
            max_spread=ratio(strategy.max_spread),
            max_hold_s=float(strategy.max_hold_hours) * 3600,
            forced_exit_cap=ratio(strategy.forced_exit_cap),
        ),
        size=SizeRules(
            notional=pair.notional,
            capital=risk.capital,
            max_leverage=risk.max_leverage,
            depth_share=strategy.depth_share,
        ),
        ages=AgeRules(
            paradex_book_s=ages.paradex_book_ms / 1000,
            vest_book_s=ages.vest_book_ms / 1000,
            vest_heartbeat_s=ages.vest_heartbeat_ms / 1000,
            skew_s=ages.skew_ms / 1000,
        ),
    )


def mend_rules_for(config: Config, pair: PairConfig) -> MendRules:
    """Return when a missing leg of this pair is still worth completing."""
    execution = config.execution
    return MendRules(
        floor=ratio(pair.spread_entry - execution.mend_floor),
        margin=ratio(execution.mend_margin),
        within_s=execution.mend_within_ms / 1000,
    )


def margin_rules_for(config: Config) -> MarginRules:
    """Return how near to liquidation, and how unevenly the money may lie."""
    risk = config.risk
    return MarginRules(ratio(risk.liq_warn), ratio(risk.liq_critical), ratio(risk.collateral_share))


def day_of(config: Config) -> Callable[[int], int]:
    """Return what numbers the days of ``risk.daily_loss``, from ms since the epoch."""
    if config.risk.day == "local":
        return lambda ms: datetime.fromtimestamp(ms / 1000, UTC).astimezone().toordinal()
    return lambda ms: ms // DAY_MS


def limits_for(config: Config) -> Limits:
    """Return the caps that hold for all pairs together."""
    risk = config.risk
    return Limits(
        caps=Caps(risk.capital, risk.max_leverage, risk.max_notional_total),
        daily_loss=risk.daily_loss,
        cooldown_s=float(risk.cooldown_s),
        failures_of_20=risk.failures_of_20,
    )


def fixed_quote(config: Config) -> QuoteRate:
    """The configured quote rate; always fresh."""
    rate, spread = config.quote_rate.rate, config.quote_rate.uncertainty / 100
    return QuoteRate(low=rate * (1 - spread), rate=rate, high=rate * (1 + spread), age_s=0.0)

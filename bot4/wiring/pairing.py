"""Which markets of the two venues belong together: by what the venues say of them, not by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import structlog

from bot4.config.schema import Config
from bot4.domain.market import PARADEX, VEST, Market, MarketKey, Pair, couples, mismatch
from bot4.domain.units import percent, plain
from bot4.errors import ConfigError
from bot4.invocation import command
from bot4.strategy.saga import Trade
from bot4.tasks.gate import Gate

log = structlog.get_logger()

Listed = Mapping[str, Mapping[str, Market]]
"""By venue, by symbol."""

SHOWN: Final = 12
MEND: Final = "mend pairs in bot4.yaml: both markets of a pair must be of the same coin"


def refuse_mismatch(pair: Pair, gate: Gate) -> None:
    """Stop opening when the two markets of a pair would not hedge each other."""
    known = pair.vest.listed and pair.paradex.listed
    if known and (why := mismatch(pair.vest, pair.paradex)):
        words = f"pair {pair.name} is no hedge: {why}"
        gate.block(f"pair {pair.name}", words, MEND, pair=pair.name)


def tell_changed_lots(pair: Pair, trades: Iterable[Trade]) -> None:
    """Name the markets whose lot changed while a trade of theirs was on and no bot ran."""
    for trade in trades:
        for market in (pair.vest, pair.paradex):
            was = trade.plan.lot(market.key.venue)
            if trade.plan.pair != pair.name or not market.listed or was == market.lot:
                continue
            log.warning(
                "market.changed",
                message=f"[VENUE] {market.key}: the lot is {plain(market.lot)} now, was "
                f"{plain(was)} when {trade.plan.trade_id} was opened",
                venue=market.key.venue,
                market=market.key.symbol,
                why="the venue changed its steps while a pair was on",
                do="nothing: whole lots are closed as ever; what is less than one is to be closed "
                f"on {market.key.venue}'s page, then run {command('flatten')}",
            )


def refuse_unlisted(config: Config, listed: Listed, gate: Gate, *, held: bool) -> None:
    """Refuse to start where every pair has a market that its venue does not list.

    Raises:
        ConfigError: unless something is ``held``, which is brought home first.
    """
    keys = [(MarketKey(VEST, p.vest), MarketKey(PARADEX, p.paradex)) for p in config.pairs]
    gone = [[key for key in both if not listed[key.venue][key.symbol].listed] for both in keys]
    if all(gone) and not held:
        missing = dict.fromkeys(key for both in gone for key in both)
        raise ConfigError(
            [f"pairs: {gate.reasons[f'{key.venue} {key.symbol}']}" for key in missing]
        )


def configured_faults(config: Config, listed: Listed) -> list[str]:
    """Return what is wrong with the configured pairs; markets not listed are told elsewhere."""
    return [
        f"{pair.name}: {why}"
        for pair in config.pairs
        if (vest := listed[VEST].get(pair.vest)) is not None
        and (paradex := listed[PARADEX].get(pair.paradex)) is not None
        and (why := mismatch(vest, paradex))
    ]


def on_both(listed: Listed) -> str:
    """Say which markets both venues list, as they are written in bot4.yaml."""
    found = couples(listed[VEST].values(), listed[PARADEX].values())
    names = [f"{vest.key.symbol} <-> {paradex.key.symbol}" for vest, paradex in found]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{len(names)} on both: {', '.join(names[:SHOWN])}{more}"


def market_words(market: Market) -> str:
    """Return a market's steps and rates for a person."""
    return (
        f"{market.key.symbol}: tick {plain(market.tick)}, lot {plain(market.lot)}, "
        f"least {plain(market.min_notional)} USD, taker fee {percent(market.taker_fee, 4)}, "
        f"leverage up to {plain(market.max_leverage)}"
    )

"""The knobs of the strategy, as ratios: wiring builds them from bot4.yaml once.

``0.20 %`` is ``Decimal("0.0020")`` here. Times are seconds or milliseconds by their suffix.
"""

from __future__ import annotations

from decimal import Decimal

import attrs


@attrs.frozen
class EntryRules:
    """When a pair may be opened."""

    spread_entry: Decimal = Decimal("0.0020")
    """Gross, at size, in USDC."""
    tolerance: Decimal = Decimal("0.0002")
    """What the realised spread may lack at worst."""
    max_spread: Decimal = Decimal("0.015")
    """Beyond this a picture is wrong rather than generous."""
    min_profit: Decimal = Decimal("0.0002")
    """Net of a round trip."""
    median_allowance: Decimal = Decimal("0.0003")
    """How much better than the usual exit we may hope to leave."""
    exit_history_s: float = 3600.0
    """How far back the usual exit is judged from."""
    confirm_ms: int = 600
    confirm_prices: int = 2
    """Prices each venue must publish while we confirm."""

    @property
    def floor(self) -> Decimal:
        """The worst spread that two entries filled by their first orders can realise."""
        return self.spread_entry - self.tolerance


@attrs.frozen
class ExitRules:
    """When a pair is closed."""

    spread_exit: Decimal = Decimal("-0.0003")
    tolerance: Decimal = Decimal("0.0002")
    max_spread: Decimal = Decimal("0.015")
    max_hold_s: float = 24 * 3600.0
    forced_exit_cap: Decimal = Decimal("0.0015")
    """What a forced exit may give away beyond the prices it saw."""


@attrs.frozen
class SizeRules:
    """How much. Money in USDC."""

    notional: Decimal = Decimal(300)
    """Per leg."""
    capital: Decimal = Decimal(1000)
    """Collateral per venue that the bot may count on."""
    max_leverage: Decimal = Decimal(3)
    """Notional over collateral, per venue."""
    depth_share: Decimal = Decimal("0.5")
    """The most of the smaller side's depth inside the limits that we take."""


@attrs.frozen
class AgeRules:
    """How old a picture may be."""

    paradex_book_s: float = 1.0
    vest_book_s: float = 3.0
    vest_heartbeat_s: float = 3.0
    """Since the sending of the last ping that was answered."""
    skew_s: float = 1.5


@attrs.frozen
class MendRules:
    """When a missing leg is still worth completing."""

    floor: Decimal = Decimal("0.0010")
    """The worst spread of a mended pair: the entry threshold less ``mend_floor``."""
    margin: Decimal = Decimal("0.0003")
    """How much completing must beat unwinding by."""
    within_s: float = 1.5
    """Since the first fill; later the leg is unwound."""


@attrs.frozen
class Rules:
    """Everything ``decide`` needs of the configuration, for one pair."""

    entry: EntryRules = EntryRules()
    leave: ExitRules = ExitRules()
    size: SizeRules = SizeRules()
    ages: AgeRules = AgeRules()

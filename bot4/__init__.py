"""bot4: a delta-neutral arbitrage bot between Vest and Paradex, on Trio."""

__version__ = "0.1.0"

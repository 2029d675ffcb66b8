from __future__ import annotations

from decimal import Decimal

from bot4.simulator.history import MINUTE_MS, MOST_TRADES, History, Rate

D = Decimal
START = 1_790_000_040_000


def seen(*prices, step_ms=20_000):
    past = History()
    for number, price in enumerate(prices):
        past.see(D(price), START + number * step_ms)
    return past


def test_prices_become_minutes_with_their_extremes():
    past = seen(10, 12, 9, 11, 15)

    first, second = past.candles(1)

    assert (first.open_ms % MINUTE_MS, second.open_ms - first.open_ms) == (0, MINUTE_MS)
    assert (first.open, first.high, first.low, first.close) == (10, 12, 9, 9)
    assert (second.open, second.high, second.low, second.close) == (11, 15, 11, 15)


def test_minutes_become_longer_candles_and_stay_what_they_are():
    past = seen(*range(10, 40), step_ms=30_000)
    minutes = past.candles(1)

    [*_, five] = past.candles(5)
    again = past.candles(1)

    assert minutes == again
    assert five.close == 39
    assert five.open_ms % (5 * MINUTE_MS) == 0
    within = [m for m in minutes if m.open_ms >= five.open_ms]
    assert (five.open, five.high) == (within[0].open, max(m.high for m in within))


def test_only_candles_within_the_span_are_shown():
    past = seen(*range(30), step_ms=MINUTE_MS)
    third = past.candles(1)[2]

    assert past.candles(1, third.open_ms, third.open_ms) == [third]


def test_trades_count_as_volume_and_are_found_by_number():
    past = seen(10)
    for size in (1, 2, 3):
        past.trade("buy", D(11), D(size), START)

    [minute] = past.candles(1)
    assert (minute.volume, minute.quote_volume, minute.trades, minute.high) == (6, 66, 3, 11)
    assert [trade.size for trade in past.trades_after(1)] == [2, 3]
    assert past.trades_after(3) == []
    assert len({trade.id for trade in past.tape}) == 3


def test_memory_is_bounded():
    past = seen(10)
    for _ in range(MOST_TRADES + 5):
        past.trade("sell", D(10), D(1), START)

    assert len(past.tape) == MOST_TRADES
    assert past.traded == MOST_TRADES + 5


def test_a_clock_set_back_stays_in_the_minute_it_knows():
    past = seen(10, 11, 12, 13)

    past.see(D(14), START - 10 * MINUTE_MS)

    assert len(past.candles(1)) == 2
    assert past.candles(1)[-1].close == 14


def test_one_rate_is_kept_for_each_minute_whatever_else_happened_in_it():
    past = History()
    past.trade("buy", D(10), D(1), START)
    for number in range(7):
        past.rate(Rate(START + number * 20_000, D(1), D(number)))

    assert [rate.index for rate in past.rates] == [0, 3, 6]

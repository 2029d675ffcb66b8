"""A gap must last, and both venues must have spoken since it opened."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4.strategy.confirmation import Broken, Confirmation, Confirmed, Seen, Waiting


class Story:
    """Long Vest, short Paradex: prices and counts go on from where they were."""

    def __init__(self, confirm_ms: int = 600, prices: int = 2) -> None:
        self.confirmation = Confirmation(confirm_ms, prices)
        self.long, self.short = Seen(10, 1000), Seen(10, 1000)

    def at(self, ms: int, enough: bool = True, long: int | None = None, short: int | None = None):
        """Evaluate; a venue published when its price is given, moved or not."""
        if long is not None:
            self.long = Seen(self.long.published + 1, long)
        if short is not None:
            self.short = Seen(self.short.published + 1, short)
        return self.confirmation.saw(
            50 + ms / 1000, enough=enough, long=self.long, short=self.short
        )


def test_a_gap_that_lasts_while_both_venues_speak_is_confirmed() -> None:
    story = Story()
    story.at(0, enough=False)

    assert story.at(100, long=990) == Waiting(600, "it has to last")
    assert story.at(200, short=1000) == Waiting(500, "it has to last")
    assert story.at(400, long=990) == Waiting(300, "it has to last")
    assert story.at(699, short=1000) == Waiting(1, "it has to last")
    assert story.at(700) == Confirmed(600)


def test_a_gap_of_eight_hundred_ms_is_traded_with_a_slow_vest_picture() -> None:
    """Paradex opens it just after Vest spoke; Vest speaks every 350 ms, Paradex every 100."""
    story = Story()
    story.at(0, enough=False, long=1000, short=1000)
    seen = []
    for ms in range(10, 801, 10):
        new_long = 1000 if (ms + 340) % 350 == 0 else None
        new_short = 1005 if ms % 100 == 10 else None
        if new_long or new_short:
            seen.append(story.at(ms, long=new_long, short=new_short))

    assert any(isinstance(one, Confirmed) for one in seen)


def test_one_evaluation_below_the_threshold_starts_all_over() -> None:
    story = Story()
    story.at(0, enough=False)
    story.at(100, long=990)
    story.at(300, long=990, short=1000)

    assert story.at(500, enough=False) == Broken(400)
    assert story.confirmation.flickers == 1
    assert story.at(700, long=990, short=1000) == Waiting(600, "it has to last")


def test_no_gap_is_no_flicker() -> None:
    story = Story()

    assert story.at(0, enough=False) == Broken(None)
    assert story.at(10, enough=False, long=1) == Broken(None)
    assert story.confirmation.flickers == 0


def test_a_confirmed_gap_that_closes_is_no_flicker() -> None:
    story = Story(confirm_ms=0, prices=0)
    story.at(0, enough=False)
    story.at(1, long=990)
    story.at(2, short=1000)

    assert story.at(3, enough=False) == Broken(2)
    assert story.confirmation.flickers == 0


@pytest.mark.parametrize("silent", ["long", "short"])
def test_a_venue_that_says_nothing_confirms_nothing(silent: str) -> None:
    story = Story()
    story.at(0, enough=False)
    other = "short" if silent == "long" else "long"
    for ms in range(0, 5000, 100):
        seen = story.at(ms, **{other: 1000})

    assert seen == Waiting(0, "each venue must publish 2 prices")


def test_the_frame_that_opened_the_gap_counts_as_one_price_of_its_venue() -> None:
    story = Story(confirm_ms=0)
    story.at(0, enough=False)
    story.at(10, long=990)
    story.at(20, short=1000)
    story.at(30, short=1000)

    assert isinstance(story.at(40, long=990), Confirmed)


def test_the_venue_that_did_not_move_must_answer_the_one_that_did() -> None:
    story = Story()
    story.at(0, enough=False)
    story.at(10, long=990)
    story.at(200, long=990, short=1000)
    story.at(300, short=1000)
    waits = "the venue that did not move must publish after the one that did"

    assert story.at(650, long=980) == Waiting(0, waits)
    assert story.at(660) == Waiting(0, waits)
    assert story.at(670, short=1000) == Confirmed(660)


def test_the_rule_holds_whichever_venue_moved() -> None:
    story = Story()
    story.at(0, enough=False)
    story.at(10, short=1010)
    story.at(200, long=1000, short=1010)
    story.at(300, long=1000)
    waits = "the venue that did not move must publish after the one that did"

    assert story.at(650, short=1020) == Waiting(0, waits)
    assert story.at(670, long=1000) == Confirmed(660)


def test_a_move_that_narrows_the_gap_needs_no_answer() -> None:
    story = Story()
    story.at(0, enough=False)
    story.at(10, long=980)
    story.at(200, long=980, short=1000)
    story.at(300, short=1000)

    assert story.at(650, long=990) == Confirmed(640)


def test_two_venues_that_change_with_each_frame_still_confirm() -> None:
    story = Story()
    story.at(0, enough=False)
    seen = []
    for step in range(1, 20):
        wobble = step % 4
        move = {"long": 980 + wobble} if step % 2 else {"short": 1010 + wobble}
        seen.append(story.at(step * 50, **move))

    assert any(isinstance(one, Confirmed) for one in seen)


def test_the_first_evaluation_of_all_counts_nothing_as_spoken() -> None:
    story = Story(confirm_ms=0)

    assert isinstance(story.at(0), Waiting)
    assert isinstance(story.at(10, long=1000, short=1000), Waiting)
    assert isinstance(story.at(20, long=1000, short=1000), Confirmed)


def test_blindness_breaks_a_gap_and_forgets_the_counts() -> None:
    story = Story(confirm_ms=0)
    story.at(0, enough=False)
    story.at(10, long=990)

    assert story.confirmation.blind(50.3) == Broken(290)
    story.long, story.short = Seen(0, 990), Seen(0, 1000)
    assert isinstance(story.at(400, long=990, short=1000), Waiting)
    story.at(500, long=990, short=1000)
    assert isinstance(story.at(600, long=990, short=1000), Confirmed)


def test_after_a_trade_the_gap_is_confirmed_anew() -> None:
    story = Story(confirm_ms=100, prices=0)
    story.at(0, enough=False)
    story.at(10, long=990)
    assert isinstance(story.at(200, short=1000), Confirmed)

    story.confirmation.restart()

    assert story.at(210, long=990, short=1000) == Waiting(100, "it has to last")


@given(
    st.lists(
        st.tuples(st.integers(1, 200), st.booleans(), st.booleans(), st.booleans()), max_size=60
    )
)
def test_nothing_is_confirmed_before_its_time_and_its_prices(steps) -> None:
    story, ms, opened = Story(), 0, None
    before = counts = (story.long.published, story.short.published)
    story.at(0, enough=False)
    for wait, enough, long, short in steps:
        ms += wait
        seen = story.at(ms, enough, 1000 if long else None, 1000 if short else None)
        if not enough:
            opened = None
        elif opened is None:
            opened, counts = ms, before
        before = (story.long.published, story.short.published)

        if isinstance(seen, Confirmed):
            assert opened is not None
            assert ms - opened >= 600
            assert before[0] - counts[0] >= 2
            assert before[1] - counts[1] >= 2

"""When a bot is taken for dead, and what is done then: once, in order, and never beside another."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
import trio

from bot4.errors import StartRefused
from bot4.tasks import guard
from bot4.tasks.guard import CleanUp, Guard, Verdict, Watch, Word

WALL_MS = 1_795_000_000_000
A = Word(100, "boot 1", WALL_MS)
SILENCE_S = 15.0


def looks(watch: Watch, word: Word | None, *times: float, answered: bool = False) -> list[Verdict]:
    """Look at these times; the verdicts, one a time."""
    return [watch.look(word, now, WALL_MS, answered=answered) for now in times]


def seconds(first: int, last: int) -> range:
    return range(first, last + 1)


def test_a_bot_that_speaks_every_second_is_alive_for_ever():
    watch = Watch(SILENCE_S)

    for second in range(100):
        word = attrs.evolve(A, wall_ms=WALL_MS + 1000 * second)
        assert looks(watch, word, second) == [Verdict.ALIVE]


def test_silence_is_quiet_at_first_and_a_death_after_its_time():
    watch = Watch(SILENCE_S)

    verdicts = looks(watch, A, *seconds(0, 16))

    assert verdicts[:3] == [Verdict.ALIVE] * 3
    assert verdicts[3:15] == [Verdict.QUIET] * 12
    assert verdicts[15:] == [Verdict.SILENT] * 2


def test_a_word_that_goes_backwards_is_a_sign_of_life_too():
    watch = Watch(SILENCE_S)
    looks(watch, A, *seconds(0, 14))

    # The wall clock was set back by an hour: it spoke all the same.
    assert looks(watch, attrs.evolve(A, wall_ms=WALL_MS - 3_600_000), 15) == [Verdict.ALIVE]


def test_an_answer_counts_as_a_word():
    watch = Watch(SILENCE_S)
    looks(watch, A, *seconds(0, 14))

    assert looks(watch, A, 15, answered=True) == [Verdict.ALIVE]
    assert looks(watch, A, 29) == [Verdict.ALIVE]  # We slept as well: see below.


def test_it_is_asked_only_when_its_file_is_silent():
    watch = Watch(SILENCE_S)
    looks(watch, A, *seconds(0, 2))

    assert not watch.hushed(A, 2.0)
    assert watch.hushed(A, 2.5)
    assert not watch.hushed(attrs.evolve(A, wall_ms=WALL_MS + 1), 2.5)
    assert not watch.hushed(None, 2.5)


def test_a_silence_in_which_we_did_not_run_either_does_not_count():
    watch = Watch(SILENCE_S)
    looks(watch, A, *seconds(0, 3))

    # The machine slept for a night: the bot gets its time to wake up.
    assert looks(watch, A, 30_000, 30_001) == [Verdict.ALIVE] * 2
    assert looks(watch, A, *range(30_002, 30_016))[-1] is Verdict.SILENT


def test_a_bot_that_took_its_word_back_left_in_order():
    watch = Watch(SILENCE_S)
    looks(watch, A, *seconds(0, 14))

    assert looks(watch, None, *seconds(15, 40)) == [Verdict.NOBODY] * 26


def test_a_bot_started_again_by_hand_is_another_one():
    watch = Watch(SILENCE_S)
    looks(watch, A, *seconds(0, 14))
    again = attrs.evolve(A, pid=200, birth="boot 2")

    assert looks(watch, again, *seconds(15, 17)) == [Verdict.ALIVE] * 3
    assert looks(watch, again, *seconds(18, 30))[-1] is Verdict.SILENT


@pytest.mark.parametrize("off_ms", [700_000, -700_000], ids=["long ago", "in the future"])
def test_a_death_long_before_our_start_is_left_alone_until_somebody_speaks(off_ms: int):
    watch = Watch(SILENCE_S)
    old = attrs.evolve(A, wall_ms=WALL_MS - off_ms)

    assert set(looks(watch, old, *seconds(0, 60))) == {Verdict.NOBODY}
    assert looks(watch, A, 61) == [Verdict.ALIVE]
    assert looks(watch, A, *seconds(62, 76))[-1] is Verdict.SILENT


def test_a_bot_whose_file_is_old_and_that_answers_lives():
    watch = Watch(SILENCE_S)
    old = attrs.evolve(A, wall_ms=WALL_MS - 700_000)  # Its disk is full.
    looks(watch, old, *seconds(0, 3))

    assert looks(watch, old, 4, answered=True) == [Verdict.ALIVE]


def test_a_death_just_before_our_start_is_acted_upon():
    watch = Watch(SILENCE_S)
    recent = attrs.evolve(A, wall_ms=WALL_MS - 60_000)

    assert looks(watch, recent, *seconds(0, 15))[-1] is Verdict.SILENT


# ------------------------------------------------------------------------------- acting


@attrs.define
class Scene:
    """Hands that note what they are asked for, in order."""

    said: Word | None = A
    speaks: bool = False
    replies: bool = False
    grave: str = ""
    lock: str = ""
    proves: bool = True
    forgets: bool = True
    held: str = ""
    done: list[str] = attrs.field(factory=list)

    def word(self) -> Word | None:
        if self.speaks and self.said is not None:
            self.said = attrs.evolve(self.said, wall_ms=self.said.wall_ms + 1000)
        return self.said

    async def answers(self) -> bool:
        await trio.sleep(0.1)
        return self.replies

    def wall_ms(self) -> int:
        return WALL_MS

    async def bury(self, word: Word) -> None:
        await trio.sleep(0.1)
        self.done.append(f"bury {word.pid}")
        if self.grave:
            raise StartRefused(self.grave, "look")

    async def clean_up(self) -> CleanUp:
        await trio.sleep(6.0)
        self.done.append("clean up")
        if self.lock:
            raise StartRefused(self.lock, "look")
        if self.proves and self.forgets:
            self.said = None
        return CleanUp(self.proves, self.held)


async def watched(scene: Scene, seconds: float) -> None:
    with trio.move_on_after(seconds):
        await Guard(scene, SILENCE_S, flattens=True).keep()


@pytest.mark.parametrize("life", ["speaks", "replies"])
async def test_a_living_bot_is_never_touched(life: str, autojump_clock: Any, lines: Any):
    scene = Scene(**{life: True})
    await watched(scene, 600.0)

    assert scene.done == []
    assert [line["event"] for line in lines] == ["guard.watching"]


async def test_a_silent_bot_is_buried_then_cleaned_up_after_and_then_missed_no_more(
    autojump_clock: Any, lines: Any
):
    scene = Scene()
    await watched(scene, 600.0)

    assert scene.done == ["bury 100", "clean up"]
    assert [line["event"] for line in lines] == [
        "guard.watching",
        "guard.silent",
        "guard.finished",
    ]


async def test_what_is_not_proven_is_tried_again_after_the_next_silence(
    autojump_clock: Any, lines: Any
):
    scene = Scene(proves=False)
    await watched(scene, 50.0)

    assert scene.done == ["bury 100", "clean up"] * 2
    assert [line["level"] for line in lines if line["event"] == "guard.finished"] == ["error"] * 2


@pytest.mark.parametrize("proves", [True, False])
async def test_its_last_words_list_what_is_held(autojump_clock: Any, lines: Any, proves: bool):
    await watched(Scene(proves=proves, held="vest short 0.0036 BTC-PERP"), 30.0)

    (end,) = [line for line in lines if line["event"] == "guard.finished"]
    assert "vest short 0.0036 BTC-PERP" in end["message"]
    assert end["level"] == ("warning" if proves else "error")


async def test_a_last_word_that_cannot_be_taken_away_is_acted_upon_once(
    autojump_clock: Any, lines: Any
):
    scene = Scene(forgets=False)
    await watched(scene, 600.0)

    assert scene.done == ["bury 100", "clean up"]


async def test_a_bot_that_cannot_be_proven_dead_stops_the_guard_from_acting(
    autojump_clock: Any, lines: Any
):
    scene = Scene(grave="process 100 may not be ended by this user")
    await watched(scene, 40.0)

    assert "clean up" not in scene.done
    assert len(scene.done) == 2  # It is tried again after the next silence.
    refusals = [line for line in lines if line["event"] == "guard.stepped_back"]
    assert {line["why"] for line in refusals} == {scene.grave}


async def test_a_lock_in_other_hands_is_told_of_and_tried_again_after_the_next_silence(
    autojump_clock: Any, lines: Any
):
    scene = Scene(lock="the bot is running")
    await watched(scene, 50.0)

    assert scene.done == ["bury 100", "clean up"] * 2
    assert [line["event"] for line in lines].count("guard.stepped_back") == 2


async def test_a_bot_that_appears_meanwhile_is_watched_as_the_new_one(
    autojump_clock: Any, lines: Any
):
    scene = Scene(lock="the bot is running")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watched, scene, 100.0)
        await trio.sleep(20.0)
        scene.said = attrs.evolve(A, pid=200)
        scene.speaks = True

    assert scene.done == ["bury 100", "clean up"]
    greeted = [line["pid"] for line in lines if line["event"] == "guard.watching"]
    assert greeted == [100, 200]


async def test_stopped_at_work_it_is_known_to_have_been(autojump_clock: Any, lines: Any):
    scene = Scene()
    watcher = Guard(scene, SILENCE_S, flattens=False)
    with trio.move_on_after(SILENCE_S + 3.0):
        await watcher.keep()

    assert watcher.at_work
    assert scene.done == ["bury 100"]


def test_the_guard_looks_more_often_than_it_counts_as_sleep():
    # An unanswered question takes three seconds of a look.
    assert guard.LOOK_EVERY_S + 3.0 < guard.SLEPT_S

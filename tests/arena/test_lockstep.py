"""Both responses move together, whatever their models' speeds are."""

from itertools import pairwise

from arena.lockstep import FASTEST_PACE, HOLD, LONGEST_LEAD, SLOWEST_PACE, TICK, Lockstep, Speed, Tempo

PACE = int(FASTEST_PACE)


def shown(lockstep, moments):
    """What each side shows after the given seconds, as lengths."""
    lengths = {"a": 0, "b": 0}
    for moment in moments:
        for side, text in lockstep.release(moment).items():
            lengths[side] += len(text)
    return lengths


def about_to_flow(**lengths):
    """A tenth of a second before text may flow for the first time."""
    lockstep = Lockstep()
    for side, length in lengths.items():
        lockstep.write(side, side * length)
    assert shown(lockstep, [0, 0.9]) == {"a": 0, "b": 0}
    return lockstep


def test_nothing_shows_before_both_have_a_reserve():
    lockstep = about_to_flow(a=500, b=2 * PACE - 1)
    assert shown(lockstep, [5.5]) == {"a": 0, "b": 0}
    lockstep.write("b", "b")
    # Nor at once then: text begins at a multiple of the lead.
    assert shown(lockstep, [5.9]) == {"a": 0, "b": 0}
    assert shown(lockstep, [6.0]) == {"a": PACE // 10, "b": PACE // 10}


def test_both_write_at_the_common_pace():
    lockstep = about_to_flow(a=1000, b=1000)
    assert shown(lockstep, [1.9]) == {"a": PACE, "b": PACE}


def test_whole_texts_go_on_at_the_same_pace_and_the_longer_one_to_its_end():
    lockstep = about_to_flow(a=1000, b=130)
    for side in "ab":
        lockstep.finish(side)
    assert shown(lockstep, [2.9]) == {"a": 2 * PACE, "b": 130}
    assert not lockstep.done
    shown(lockstep, [12])
    assert lockstep.done


def test_a_short_whole_side_does_not_hold_the_other_back():
    lockstep = about_to_flow(a=5, b=3 * PACE)
    lockstep.finish("a")
    assert shown(lockstep, [1.9]) == {"a": 5, "b": PACE}


def test_releases_are_alike_whenever_text_comes():
    """Asked at every millisecond, with text that comes in fits: what is shown comes at ticks and in equal steps."""
    lockstep, events = Lockstep(), []
    for millisecond in range(6000):
        if millisecond % 700 == 0:
            for side in "ab":
                lockstep.write(side, "x" * (200 if side == "a" else 400))
        for side, text in lockstep.release(millisecond / 1000).items():
            events.append((side, millisecond, len(text)))
    for name in "ab":
        times = [at for side, at, _ in events if side == name]
        assert {later - earlier for earlier, later in pairwise(times)} == {round(1000 * TICK)}
        assert {size for side, _, size in events if side == name} == {PACE // 10}


def test_where_text_runs_out_it_stops_until_both_are_whole():
    lockstep = about_to_flow(a=1000, b=2 * PACE)
    assert shown(lockstep, [4]) == {"a": 2 * PACE, "b": 2 * PACE}
    lockstep.write("b", "b" * 500)
    assert shown(lockstep, [2 * HOLD]) == {"a": 0, "b": 0}
    for side in "ab":
        lockstep.finish(side)
    assert shown(lockstep, [3 * HOLD - TICK]) == {"a": 0, "b": 0}
    assert shown(lockstep, [3 * HOLD]) == {"a": PACE // 10, "b": PACE // 10}


def test_after_a_restart_both_sides_are_shown_from_the_beginning():
    lockstep = about_to_flow(a=400, b=400)
    shown(lockstep, [2])
    lockstep.rewrite("a")
    lockstep.restart()
    assert shown(lockstep, [3]) == {"a": 0, "b": 0}
    lockstep.write("a", "z" * 300)
    assert lockstep.release(4) == {"a": "z" * (PACE // 10), "b": "b" * (PACE // 10)}


def test_what_was_released_is_a_prefix_of_the_text():
    lockstep, seen = Lockstep(Tempo(pace=30)), {"a": "", "b": ""}
    for moment in range(60):
        lockstep.write("a", f"word{moment} ")
        lockstep.write("b", f"{moment}; and more ")
        for side, text in lockstep.release(moment / 10).items():
            seen[side] += text
    assert lockstep.sides["a"].text.startswith(seen["a"])
    assert lockstep.sides["b"].text.startswith(seen["b"])
    assert len(seen["a"]) == len(seen["b"]) > 0


def test_the_common_pace_is_a_tenth_below_that_of_the_slowest_model_within_bounds():
    fast, slow, hopeless = Speed(0.3, 200), Speed(2.2, 20), Speed(40, 0.5)
    assert Tempo.of([]) == Tempo(60, 2.0)
    assert Tempo.of([fast]) == Tempo(FASTEST_PACE, 1.0)
    # 70 characters per second: the pace is 60, and two seconds of it are there after 2.2 + 2 * 60 / 70 seconds.
    assert Tempo.of([fast, slow]) == Tempo(60, 4.0)
    assert Tempo.of([fast, slow, hopeless]) == Tempo(SLOWEST_PACE, LONGEST_LEAD)


def test_four_sides_wait_for_the_slowest_and_stand_at_the_same_character():
    lockstep = Lockstep.of(Tempo(pace=PACE), "bdca")
    for side in "abc":
        lockstep.write(side, side * 2000)
        lockstep.finish(side)
    lockstep.write("d", "d" * (2 * PACE - 1))
    assert (list(lockstep.sides), lockstep.release(0), lockstep.release(5.9)) == (list("abcd"), {}, {})
    lockstep.write("d", "d" * PACE)
    assert {side: len(text) for side, text in lockstep.release(6.9).items()} == dict.fromkeys("abcd", PACE)

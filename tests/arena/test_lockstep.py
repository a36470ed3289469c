"""Both responses move together, whatever their models' speeds are."""

from arena.lockstep import CATCHING_UP_PACE, WRITING_PACE, Lockstep


def shown(lockstep, moments):
    """What each side shows after the given seconds, as lengths."""
    lengths = {"a": 0, "b": 0}
    for moment in moments:
        for side, text in lockstep.release(moment).items():
            lengths[side] += len(text)
    return lengths


def test_the_faster_side_waits_for_the_slower():
    lockstep = Lockstep()
    lockstep.write("a", "x" * 500)
    lockstep.write("b", "y" * 20)
    assert shown(lockstep, [0, 10]) == {"a": 20, "b": 20}


def test_nothing_shows_before_both_have_begun():
    lockstep = Lockstep()
    lockstep.write("a", "x" * 500)
    assert shown(lockstep, [0, 10]) == {"a": 0, "b": 0}


def test_both_write_at_the_common_pace():
    lockstep = Lockstep()
    for side in "ab":
        lockstep.write(side, "x" * 1000)
    assert shown(lockstep, [0, 1]) == {"a": int(WRITING_PACE), "b": int(WRITING_PACE)}


def test_when_both_are_whole_the_rest_follows_faster():
    lockstep = Lockstep()
    for side, length in (("a", 2000), ("b", 300)):
        lockstep.write(side, "x" * length)
        lockstep.finish(side)
    assert shown(lockstep, [0, 1]) == {"a": int(CATCHING_UP_PACE), "b": 300}
    assert not lockstep.done
    shown(lockstep, [10])
    assert lockstep.done


def test_a_short_whole_side_does_not_hold_the_other_back():
    lockstep = Lockstep()
    lockstep.write("a", "short")
    lockstep.finish("a")
    lockstep.write("b", "y" * 50)
    assert shown(lockstep, [0, 5]) == {"a": 5, "b": 50}


def test_after_a_restart_both_sides_are_shown_from_the_beginning():
    lockstep = Lockstep()
    for side in "ab":
        lockstep.write(side, "x" * 40)
    shown(lockstep, [0, 1])
    lockstep.rewrite("a")
    lockstep.restart()
    assert shown(lockstep, [2]) == {"a": 0, "b": 0}
    lockstep.write("a", "z" * 10)
    assert shown(lockstep, [3]) == {"a": 10, "b": 10}


def test_what_was_released_is_a_prefix_of_the_text():
    lockstep, seen = Lockstep(), {"a": "", "b": ""}
    for moment in range(60):
        lockstep.write("a", f"word{moment} ")
        lockstep.write("b", f"{moment};")
        for side, text in lockstep.release(moment / 10).items():
            seen[side] += text
    assert lockstep.sides["a"].text.startswith(seen["a"])
    assert lockstep.sides["b"].text.startswith(seen["b"])
    assert len(seen["a"]) == len(seen["b"]) > 0

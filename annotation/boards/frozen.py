"""A frozen snapshot as it may be read now."""

from annotation.boards.names import contestant_names, stand_in
from annotation.boards.standings import in_order
from annotation.models import LeaderboardSnapshot


def named_as_now(snapshot: LeaderboardSnapshot) -> LeaderboardSnapshot:
    """The same snapshot, in memory alone, with everybody called what they are called today: what may be named no longer
    is named in no old snapshot, and what got its name later has it everywhere.

    The digest is of what was frozen. It is left out where a name in that may be said no longer: who guesses the name
    could tell by the digest that it is right. So is the order of equals, which names decide.
    """
    entries = snapshot.standings["entries"]
    names = contestant_names(entry["contestant"] for entry in entries)
    called = [(entry["model"], names[entry["contestant"]], entry["contestant"]) for entry in entries]
    snapshot.is_renamed = any(was != now for was, now, _pk in called)
    if snapshot.is_renamed:
        renamed = [entry | {"model": now} for entry, (_was, now, _pk) in zip(entries, called, strict=True)]
        snapshot.standings = snapshot.standings | {"entries": in_order(renamed)}
        if any(was != now == stand_in(pk) for was, now, pk in called):
            snapshot.digest = ""
    return snapshot

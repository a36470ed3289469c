"""States of what an arena has. `docs/states.md` is generated from these tables."""

from arena.enums import BattleState as B
from arena.enums import EntryState as E
from foundation.transitions import Table

BATTLE: Table = {
    B.ANSWERING: {B.VOTABLE, B.VOID, B.ABANDONED},
    # A follow-up turn makes the models answer again; only a battle whose every turn is whole can be voted on.
    B.VOTABLE: {B.ANSWERING, B.HELD, B.VOTED, B.ABANDONED},
    # Voted on, and the conversation goes on with the models hidden until its visitor has them shown.
    B.HELD: {B.VOTED},
    B.VOTED: set(),
    B.ABANDONED: set(),
    B.VOID: set(),
}
# What has left may come back; that it was there is public for good.
ENTRY: Table = {
    E.ACTIVE: {E.PAUSED, E.RETIRED},
    E.PAUSED: {E.ACTIVE, E.RETIRED},
    E.RETIRED: {E.ACTIVE},
}
TABLES = {"Battle": BATTLE, "Entry": ENTRY}

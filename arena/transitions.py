"""States of what an arena has. `docs/states.md` is generated from these tables."""

from arena.enums import AppealState as A
from arena.enums import BattleState as B
from arena.enums import EntryState as E
from arena.enums import ModerationState as M
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
# A text that is shown to a moderation model; each end is final, also where an answer comes later.
MODERATION: Table = {
    M.ASKED: {M.PASSED, M.STOPPED, M.LET_THROUGH, M.HELD_BACK, M.DROPPED},
    M.PASSED: set(),
    M.STOPPED: set(),
    M.LET_THROUGH: set(),
    M.HELD_BACK: set(),
    M.DROPPED: set(),
}
# A visitor's appeal against a block; what is refused can be undone under People, as every block.
APPEAL: Table = {A.OPEN: {A.GRANTED, A.REFUSED}, A.GRANTED: set(), A.REFUSED: set()}
TABLES = {"BlockAppeal": APPEAL, "Battle": BATTLE, "Entry": ENTRY, "Moderation": MODERATION}

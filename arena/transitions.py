"""States of a battle. `docs/states.md` is generated from this table."""

from arena.enums import BattleState as B
from foundation.transitions import Table

BATTLE: Table = {
    B.ANSWERING: {B.VOTABLE, B.VOID, B.ABANDONED},
    # A follow-up turn makes the models answer again; only a battle whose every turn is whole can be voted on.
    B.VOTABLE: {B.ANSWERING, B.VOTED, B.ABANDONED},
    B.VOTED: set(),
    B.ABANDONED: set(),
    B.VOID: set(),
}
TABLES = {"Battle": BATTLE}

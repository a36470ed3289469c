"""Which contestants meet next, and the draws that go with it. Policies are `ranking`'s; this names and feeds them."""

from annotation.selection.choose import POLICIES, Candidate, Selection, UnknownPolicy, choose
from annotation.selection.known import Known
from annotation.selection.newcomers import NewcomerCap
from annotation.selection.sequence import draw_sequence
from ranking import SelectionState, VotesSaved, votes_saved

__all__ = [
    "POLICIES",
    "Candidate",
    "Known",
    "NewcomerCap",
    "Selection",
    "SelectionState",
    "UnknownPolicy",
    "VotesSaved",
    "choose",
    "draw_sequence",
    "votes_saved",
]

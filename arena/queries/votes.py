"""Which side a vote puts first, whatever it was asked."""

from annotation.enums import Preference
from annotation.models import Judgment


def preferred_sides(vote: Judgment) -> set[int]:
    """The places, in the order shown, of those that stand alone at the top; empty where several do or nobody knows."""
    if vote.tiers:
        best = [place for place, tier in enumerate(vote.tiers) if tier == min(vote.tiers)]
        return set(best) if len(best) == 1 else set()
    return {Preference.A: {0}, Preference.B: {1}}.get(Preference(vote.preference), set()) if vote.preference else set()


def place_of(vote: Judgment, place: int) -> int | None:
    """Where the vote ranks the side that stood at this place, 1 for the best; None where nothing was ranked."""
    return vote.tiers[place] if vote.tiers else None

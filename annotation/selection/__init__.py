"""Which contestants meet next, and the draws that go with it. Policies are `ranking`'s; this names and feeds them."""

from annotation.selection.choose import POLICIES, Candidate, Selection, UnknownPolicy, choose

__all__ = ["POLICIES", "Candidate", "Selection", "UnknownPolicy", "choose"]

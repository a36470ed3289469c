"""Which contestants meet next, and the draws that go with it. Policies are `ranking`'s; this names and feeds them."""

from annotation.selection.choose import Candidate, Selection, UnknownPolicy, choose

__all__ = ["Candidate", "Selection", "UnknownPolicy", "choose"]

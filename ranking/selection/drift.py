"""Alarm for a contestant that changed under its name: two-sided CUSUM of its votes' surprises."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Bools, Floats

# Half the shift to be found fastest, in standard deviations of a vote: about one logit between equals.
ALLOWANCE = 0.25
# By Siegmund's approximation 26,000 votes of a contestant between false alarms on one side, 13,000 on either.
THRESHOLD = 15.0
# One vote against odds of 9 to 1 or more counts no further.
LARGEST = 3.0


@dataclass(frozen=True, eq=False)
class DriftAlarm:
    """Page 1954, "Continuous inspection schemes", Biometrika 41: S = max(0, S ± z - k), of a vote (y - p)/√(p(1 - p)).

    p is predicted before the vote, so z has mean 0 and variance 1 while the contestant stays what it was.
    """

    up: Floats  # (M,) evidence of having become stronger
    down: Floats  # (M,) weaker

    def note(self, first: int, second: int, surprise: float) -> None:
        """In place: `first` did better by z against `second` than was expected (`AnswerFormat.surprise`)."""
        surprise = min(max(surprise, -LARGEST), LARGEST)
        for index, sign in ((first, 1.0), (second, -1.0)):
            self.up[index] = max(0.0, self.up[index] + sign * surprise - ALLOWANCE)
            self.down[index] = max(0.0, self.down[index] - sign * surprise - ALLOWANCE)

    def raised(self, threshold: float = THRESHOLD) -> Bools:
        """(M,) whose strength has drifted: give it a new version (`SelectionState.enter_version`)."""
        return np.asarray(np.maximum(self.up, self.down) > threshold)

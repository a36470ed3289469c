"""What the worths would be, had large amounts counted less: shown beside the headline, never in its place.

Winsorised: amounts beyond the `share` largest are cut to that size. Asinh: arcsinh(w/median |w|), near linear below
the median and logarithmic above. Huber: residuals beyond 1.345 scaled median deviations weigh less. All three answer
another question, about the usual prompt rather than the average one: under heavy-tailed stakes they can name another
best contestant, and more answers do not bring the two together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .arrays import Bools, Floats
from .comparisons import Comparisons
from .errors import BadParameter, NoConvergence
from .options import checked
from .worth import Estimand, worth_design
from .worth_draws import Design

HUBER = 1.345
WINSOR = 0.01
# A normal's standard deviation in median absolute deviations.
NORMAL_MAD = 1.4826
TOLERANCE = 1e-8
MOST_ROUNDS = 2000


@dataclass(frozen=True, eq=False)
class WorthSensitivity:
    """Worths with Σ U = 0, NaN for contestants without an amount; no errors: the headline's are in `fit_worth`."""

    headline: Floats  # (M,) as in `fit_worth`
    winsorised: Floats  # (M,) same unit
    asinh: Floats  # (M,) of arcsinh(w/median |w|): compare its order alone
    huber: Floats  # (M,) same unit as the headline
    cap: float  # where amounts were cut, in the headline's unit
    cut: int  # averaged answers beyond it

    @property
    def best(self) -> tuple[int, int, int, int]:
        """The first contestant of the headline, winsorised, under asinh, under Huber."""
        return (
            int(np.nanargmax(self.headline)),
            int(np.nanargmax(self.winsorised)),
            int(np.nanargmax(self.asinh)),
            int(np.nanargmax(self.huber)),
        )


@checked
def worth_sensitivity(
    comparisons: Comparisons,
    *,
    estimand: Estimand = Estimand.PANEL,
    min_answers: int = 5,
    importance: Floats | None = None,
    anchors: Bools | None = None,
    share: float = WINSOR,
) -> WorthSensitivity:
    """Settings as in `fit_worth`. Raises all that it does for data, BadParameter, NoConvergence."""
    if not 0.0 < share < 0.5:
        raise BadParameter(f"share is {share}; give the part of the answers to cut, such as 0.01.")
    design = worth_design(comparisons, estimand, min_answers, importance, anchors)
    size = np.abs(design.scaled_amounts())
    cap = float(np.quantile(size, 1.0 - share))
    middle = float(np.median(size[size > 0])) if size.any() else 1.0

    def of(changed: Design) -> Floats:
        full = np.full(comparisons.count, np.nan)
        full[design.rows.index] = changed.solve().worth[0]
        return full

    return WorthSensitivity(
        headline=of(design),
        winsorised=of(replace(design, transform=lambda w: np.clip(w, -cap, cap))),
        asinh=of(replace(design, transform=lambda w: np.arcsinh(w / middle))),
        huber=of(_robust(design)),
        cap=cap,
        cut=int((size > cap).sum()),
    )


def _robust(design: Design) -> Design:
    """With the amounts whose least squares are Huber's estimate: fitted value plus residual, cut."""
    amounts = design.scaled_amounts()
    fitted = amounts - design.residuals()
    for _ in range(MOST_ROUNDS):
        residual = amounts - fitted
        limit = HUBER * NORMAL_MAD * float(np.median(np.abs(residual)))
        cut = (fitted + np.clip(residual, -limit, limit))[:, None]
        changed = replace(design, transform=lambda _, cut=cut: cut)  # type: ignore[misc]
        again = cut[:, 0] - changed.residuals()
        moved, fitted = float(np.abs(again - fitted).max()), again
        if moved <= TOLERANCE * float(np.abs(amounts).max()):
            return changed
    raise NoConvergence(f"Huber's estimate still moved by {moved:.1e} after {MOST_ROUNDS} rounds; leave it out.")

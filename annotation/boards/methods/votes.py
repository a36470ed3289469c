"""Methods that read who was preferred, and by how much: Bradley-Terry, Davidson, graded preferences."""

from dataclasses import replace

import numpy as np

from annotation.boards.methods.evidence import Board, Evidence, rows_of, said_of
from ranking import Comparisons, count_matrix, fit_bradley_terry, fit_davidson, fit_ordinal, overdispersion


def bradley_terry(evidence: Evidence) -> Board:
    """ω² says by how much more than chance pairs miss what strengths foretell."""
    votes = evidence.comparisons()
    fit = fit_bradley_terry(votes, both_bad=evidence.both_bad)
    diagnostics, warnings = said_of(fit, len(votes))
    omega = omega_of(votes, fit.strength, evidence)
    diagnostics |= {"omega": omega}
    return Board(rows_of(fit, evidence), "points", diagnostics, warnings + ["pairs_misfit"] * (omega > 0))


def omega_of(votes: Comparisons, strength: np.ndarray, evidence: Evidence) -> float:
    """ω² over the contestants that met somebody."""
    counts = count_matrix(votes)
    tied = counts.tied(evidence.both_bad)
    present = np.flatnonzero(np.isfinite(strength))
    inside = np.ix_(present, present)
    wins, ties = (counts.wins + 0.5 * tied)[inside], tied[inside]
    np.fill_diagonal(wins, 0.0)
    np.fill_diagonal(ties, 0.0)
    return overdispersion(strength[present], wins, ties)


def davidson(evidence: Evidence) -> Board:
    votes = evidence.comparisons()
    fit = fit_davidson(votes, both_bad=evidence.both_bad)
    diagnostics, warnings = said_of(fit, len(votes))
    reach = 1.96 * fit.nu_standard_error
    diagnostics |= {
        "tie_chance": fit.nu / (2.0 + fit.nu),
        "nu": fit.nu,
        "nu_lower": max(fit.nu - reach, 0.0),
        "nu_upper": fit.nu + reach,
        "omega": omega_of(votes, fit_bradley_terry(votes, both_bad=evidence.both_bad).strength, evidence),
    }
    return Board(rows_of(fit, evidence), "points", diagnostics, warnings + _misfit(diagnostics))


def _misfit(diagnostics: dict[str, float | int | None]) -> list[str]:
    return ["pairs_misfit"] * bool(diagnostics["omega"])


def ordinal(evidence: Evidence) -> Board:
    """Of the votes that said by how much, on the scale that most of them had; a tie is the middle of it."""
    scale = scale_of(evidence)
    votes = graded(evidence, scale)
    fit = fit_ordinal(votes, levels=scale, both_bad=evidence.both_bad)
    diagnostics, warnings = said_of(fit, len(votes))
    diagnostics |= {
        "levels": scale,
        "cuts": int(np.isfinite(fit.cuts).sum()),
        "graded_share": len(votes) / max(int(evidence.fitted.sum()), 1),
    }
    warnings += ["part_of_votes"] * (len(votes) < int(evidence.fitted.sum()))
    warnings += ["unused_levels"] * bool(np.isinf(fit.cuts).any() or (np.diff(fit.cuts) < 1e-9).any())
    return Board(rows_of(fit, evidence), "points", diagnostics, warnings)


def scale_of(evidence: Evidence) -> int:
    """The greatest strength on the scale that most votes had; 0 where nobody was asked."""
    asked = evidence.scale[evidence.fitted & (evidence.strength >= 0)]
    return int(np.bincount(asked).argmax()) if len(asked) else 0


def graded(evidence: Evidence, scale: int) -> Comparisons:
    rows = evidence.comparisons()
    strength, scales = evidence.strength[evidence.fitted], evidence.scale[evidence.fitted]
    kept = (strength >= 0) & (scales == scale) & ((strength == 0) == (rows.outcome == 0.5))
    return replace(rows.select(kept), strength=strength[kept])

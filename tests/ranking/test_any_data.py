"""Whatever the votes, a fit gives finite strengths or refuses by name: no warning, no NaN, no crash."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking import (
    BOARD_PRIOR,
    BothBad,
    Comparisons,
    Covariance,
    RankingError,
    Refit,
    Response,
    Side,
    StrengthFit,
    bootstrap_bradley_terry,
    fewest_votes_for_first,
    fit_bradley_terry,
    fit_items,
    fit_pair_effects,
    fit_with_covariates,
    votes_needed,
    watched_ranges,
)


@st.composite
def votes(draw):
    """Few contestants and rows, so that every degenerate case comes up; labels and columns there or not."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    count, rows, columns = draw(st.integers(2, 5)), draw(st.integers(1, 25)), draw(st.integers(0, 2))
    outcome = rng.choice([0.0, 0.5, 1.0], rows, p=rng.dirichlet([1.0, 1.0, 1.0]))
    given_columns = {
        "weight": rng.integers(0, 3, rows).astype(float),
        "both_bad": (outcome == 0.5) & (rng.random(rows) < 0.5),
        "annotator": rng.integers(-1, 4, rows),
        "prompt": rng.integers(-1, 5, rows),
        "strength": np.where(outcome == 0.5, 0, rng.integers(1, 4, rows)),
    }
    kept = {name: column for name, column in given_columns.items() if draw(st.booleans())}
    if columns:
        kept["covariates"] = rng.integers(-1, 2, (rows, columns)) * draw(st.sampled_from([1e-6, 1.0, 1e6]))
    a, b = rng.integers(0, count, rows), rng.integers(0, count, rows)
    return Comparisons(a=a, b=b, outcome=outcome, count=count, **kept)


def fits_of(data, prior, kind, side):
    shared = {"covariance": kind, "both_bad": BothBad.HALF}
    for response in Response:
        for penalty in (0.0, 1.0):
            options = shared | {"prior": prior, "response": response, "side": side, "penalty": penalty}
            yield lambda options=options: fit_with_covariates(data, **options)
    yield lambda: fit_pair_effects(data, **shared)
    yield lambda: fit_items(data.a, data.b, np.ceil(data.outcome), count=data.count, items=data.count, prior=prior)
    for refit in Refit:
        rng = np.random.default_rng(0)
        options = shared | {"prior": prior, "refit": refit, "rng": rng, "draws": 3}
        yield lambda options=options: bootstrap_bradley_terry(data, **options).to_points()
    yield lambda: fewest_votes_for_first(data, prior=prior)
    yield lambda: votes_needed(fit_bradley_terry(data))
    yield lambda: watched_ranges(fit_bradley_terry(data))


@pytest.mark.parametrize("prior", [BOARD_PRIOR, None])
@settings(max_examples=40, deadline=None)
@given(data=votes(), kind=st.sampled_from(Covariance), side=st.sampled_from(Side))
def test_any_votes_are_ranked_or_refused_by_name(prior, data, kind, side):
    for fit in fits_of(data, prior, kind, side):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                found = fit()
            except RankingError:
                continue
        if isinstance(found, StrengthFit):
            present = found.evidence.present
            assert np.isfinite(found.strength[present]).all()
            values = np.linalg.eigvalsh(found.covariance[np.ix_(present, present)])
            assert values.min() > -1e-9 * max(1.0, values.max())

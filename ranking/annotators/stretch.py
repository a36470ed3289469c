"""How much a fit of clarity stretches strengths because it had few votes of each annotator.

Where θ and ln a_k are fitted together, θ makes up for a_k that their prior holds near one another. With a_k integrated
out instead, ln a_k ~ N(-s, τ²) by Gauss-Hermite quadrature, s and τ maximise the likelihood of the votes given θ (Bock
& Aitkin 1981, "Marginal maximum likelihood estimation of item parameters", Psychometrika 46). e^s, brought to the mean
of the annotators in the fit by what is then expected of their ln a_k, is the stretch.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import logit, logsumexp

from ..arrays import Floats
from .panel import Panel

NODES = 9
# From this many votes each nothing is left to correct, and the quadrature would take longer than the fit.
PLENTY = 2000
WIDEST = 2.0  # τ
FARTHEST = 3.0  # |s|
START = (0.0, 0.5)


def stretch_of(panel: Panel, strength: Floats, log_scale: Floats, p: Floats) -> float:
    """Of strengths (m,) fitted with ln a (K,) to chances p (n,) of A; 1 with plenty of votes each."""
    if float(np.median(panel.votes)) >= PLENTY:
        return 1.0
    node, weight = np.polynomial.hermite_e.hermegauss(NODES)
    d, prior = panel.difference(strength), np.log(weight / weight.sum())
    aside = logit(p) - np.exp(log_scale)[panel.annotator.code] * d

    def likelihoods(shift: float, spread: float) -> Floats:
        """(K, nodes) logarithms, the nodes' weights included."""
        seen = [aside + scale * d for scale in np.exp(spread * node - shift)]
        told = [panel.weight * (panel.rows.outcome * one - np.logaddexp(0.0, one)) for one in seen]
        return np.stack([panel.by_annotator(one) for one in told], axis=1) + prior

    def loss(place: Floats) -> float:
        return -float(logsumexp(likelihoods(*place), axis=1).sum())

    bounds = [(-FARTHEST, FARTHEST), (0.0, WIDEST)]
    best = minimize(loss, np.array(START), method="Nelder-Mead", bounds=bounds, options={"xatol": 2e-3, "fatol": 2e-3})
    shift, spread = best.x
    found = likelihoods(shift, spread)
    chance = np.exp(found - logsumexp(found, axis=1)[:, None])
    return float(np.exp(shift - spread * (chance @ node).mean()))

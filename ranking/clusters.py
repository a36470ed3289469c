"""Sandwich covariances, also when votes of one prompt or of one annotator vary together.

The score of a vote is the gradient of its log-likelihood, w·(y - p)·(e_a - e_b) in Bradley-Terry. Summed
within clusters g, scores give the meat B = G/(G - 1)·Σ_g s_g s_gᵀ, and V = H⁻¹ B H⁻¹. Two-way (Cameron,
Gelbach & Miller 2011, "Robust inference with multiway clustering", J. Bus. Econ. Stat. 29, section 2):
V = V_annotator + V_prompt - V_both, with negative eigenvalues set to zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Protocol, TypeVar

import numpy as np
from scipy.sparse import csr_array, diags_array

from .arrays import Floats, Ints
from .errors import MissingLabels, TooFewClusters
from .strengths import Clustering, Covariance, Note

Scores = csr_array[np.float64, tuple[int, int]]


class Labelled(Protocol):
    """Rows of any kind with who judged and what was asked, a negative label meaning unknown."""

    @property
    def annotator(self) -> Ints | None: ...

    @property
    def prompt(self) -> Ints | None: ...


Rows = TypeVar("Rows", bound=Labelled)

FEW_ANNOTATORS = 20
FEW_CLUSTERS = 30


@dataclass(frozen=True, eq=False)
class Labels:
    """One way to cluster n rows."""

    code: Ints  # (n,) 0..count-1
    count: int

    def crossed(self, other: Labels) -> Labels:
        """Rows that share both labels."""
        return number(self.code * other.count + other.code)


@dataclass(frozen=True, eq=False)
class Scheme:
    """How the rows of one fit are clustered."""

    clustering: Clustering
    labels: tuple[Labels, ...] = ()  # none, one, or annotators and prompts
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, eq=False)
class Spread:
    """A covariance and what stands behind it."""

    covariance: Floats  # (p, p)
    clustering: Clustering
    notes: tuple[Note, ...]


def number(labels: Ints) -> Labels:
    """Numbers the distinct labels; each negative label becomes a cluster of its own."""
    unknown = labels < 0
    if unknown.any():
        labels = np.where(unknown, labels.max(initial=0) + 1 + np.arange(len(labels)), labels)
    distinct, codes = np.unique(labels, return_inverse=True)
    return Labels(codes, len(distinct))


def choose_scheme(rows: Labelled, wanted: Covariance) -> Scheme:
    """The clustering asked for, or under AUTO the widest that the labels carry.

    AUTO: two-way with 20 annotators or more; with fewer, by prompt and for these annotators only; without
    prompt labels, by annotator, or votes apart if there are fewer than 20. A single prompt cannot be a
    cluster: its votes are taken apart. Raises MissingLabels, TooFewClusters (never under AUTO).
    """
    annotator = None if rows.annotator is None else number(rows.annotator)
    prompt = None if rows.prompt is None else number(rows.prompt)
    kind = _widest(annotator, prompt) if wanted is Covariance.AUTO else wanted
    labels = []
    if kind in (Covariance.ANNOTATOR, Covariance.TWO_WAY):
        labels.append(_usable("annotator", annotator))
    if kind in (Covariance.PROMPT, Covariance.TWO_WAY):
        labels.append(_usable("prompt", prompt))
    clustering = Clustering(
        kind=kind,
        annotators=annotator.count if annotator else None,
        prompts=prompt.count if prompt else None,
        degrees_of_freedom=min((one.count - 1.0 for one in labels), default=inf),
    )
    return Scheme(clustering, tuple(labels), notes_of(clustering))


def spread_of(
    rows: Rows | None,
    wanted: Covariance,
    inverse: Floats,
    meat: Callable[[], Floats],
    scores: Callable[[Rows], Scores],
) -> Spread:
    """The covariance asked for, from the inverse information (p, p) of a fit.

    `rows` are those of the fit, or None if they carry no labels; `meat()` is B (p, p) with votes apart and
    `scores(rows)` (n, p) the gradient of each row. Raises MissingLabels, TooFewClusters.
    """
    scheme = _scheme_without_labels(wanted) if rows is None else choose_scheme(rows, wanted)
    kind = scheme.clustering.kind
    if kind is Covariance.HESSIAN:
        covariance = inverse
    elif kind is Covariance.SANDWICH or rows is None:
        covariance = inverse @ meat() @ inverse
    else:
        covariance = _clustered(scheme, scores(rows), inverse)
    return Spread(np.asarray(covariance), scheme.clustering, scheme.notes)


def _scheme_without_labels(wanted: Covariance) -> Scheme:
    if wanted is Covariance.AUTO:
        return Scheme(Clustering(Covariance.SANDWICH))
    if wanted in (Covariance.HESSIAN, Covariance.SANDWICH):
        return Scheme(Clustering(wanted))
    raise MissingLabels(f"{wanted} needs comparisons with annotator or prompt labels; counts carry none.")


def _clustered(scheme: Scheme, scores: Scores, bread: Floats) -> Floats:
    meat = sum((summed_meat(labels, scores) for labels in scheme.labels), np.zeros_like(bread))
    if len(scheme.labels) == 1:
        return np.asarray(bread @ meat @ bread)
    annotator, prompt = scheme.labels
    meat -= summed_meat(annotator.crossed(prompt), scores)
    return without_negative_eigenvalues(bread @ meat @ bread)


def without_negative_eigenvalues(covariance: Floats) -> Floats:
    """The nearest positive semidefinite matrix: a difference of covariances need not be one."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2.0)
    return np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T)


def summed_meat(labels: Labels, scores: Scores) -> Floats:
    """(p, p) B, through a sparse clusters x parameters matrix of summed scores."""
    rows = len(labels.code)
    membership = csr_array((np.ones(rows), (labels.code, np.arange(rows))), shape=(labels.count, rows))
    summed = membership @ scores
    return np.asarray((summed.T @ summed).toarray() * (labels.count / (labels.count - 1.0)))


def _widest(annotator: Labels | None, prompt: Labels | None) -> Covariance:
    many_annotators = annotator is not None and annotator.count >= FEW_ANNOTATORS
    if prompt is not None and prompt.count >= 2:
        return Covariance.TWO_WAY if many_annotators else Covariance.PROMPT
    return Covariance.ANNOTATOR if many_annotators else Covariance.SANDWICH


def _usable(name: str, labels: Labels | None) -> Labels:
    if labels is None:
        raise MissingLabels(f"Clustering by {name} needs `{name}` in the comparisons.")
    if labels.count < 2:
        raise TooFewClusters(f"There is one {name} only; clustering needs two. Use Covariance.SANDWICH.")
    return labels


def apart(scores: Scores, weight: Floats | None) -> Floats:
    """(p, p) Σ score·scoreᵀ/weight, each row by itself, from scores (n, p) times their weights (n,)."""
    if weight is not None:
        rest = np.divide(1.0, weight, out=np.zeros_like(weight), where=weight > 0.0)
        scores = csr_array(diags_array(np.sqrt(rest)) @ scores)
    return np.asarray((scores.T @ scores).toarray())


def notes_of(clustering: Clustering) -> tuple[Note, ...]:
    """What few clusters make a reader's business."""
    notes = []
    if clustering.annotators is not None and clustering.annotators < FEW_ANNOTATORS:
        notes.append(Note.FEW_ANNOTATORS)
    if clustering.degrees_of_freedom + 1.0 < FEW_CLUSTERS or clustering.prompts == 1:
        notes.append(Note.FEW_CLUSTERS)
    return tuple(notes)

"""What is said of single responses beside the order: the mean of every attribute, the share of every label."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.db.models import F, QuerySet, TextField
from django.db.models.functions import Coalesce

from annotation.boards.forms import REASONS, fit_listed, shown
from annotation.boards.listed import ListedRows
from annotation.models import Judgment, Question
from annotation.questions import Asked, Facet, Form, get_type
from annotation.ratings import CHUNK, without_unnamed

WHO = ("respondent_id", "source_id", "item_id", "asked", "instrument_id", "contestants", "answers")


@dataclass
class _Said:
    """One facet of a question, and behind one another what everybody said of each response that has a contestant."""

    question: str
    title: str
    facet: Facet
    entries: list[tuple[int, int, int, int, float]] = field(default_factory=list)


def attributes_of(
    judgments: QuerySet[Judgment], *, merged: Mapping[int, int], form: str | None
) -> list[dict[str, Any]]:
    """One for each attribute or label, in the order asked, of questions of one name and one scale: its mean, or the
    share in percent, by contestant. A rating of the whole that makes the ratings of the board is not said twice.

    Intervals treat what one person, and what one prompt, gave as belonging together. None where all said the same.
    """
    found: dict[tuple[Any, ...], _Said] = {}
    prompts: dict[str, int] = {}
    asked = _asked_in(judgments, form)
    rows = judgments.filter(instrument__in=list(asked)).annotate(
        asked=Coalesce(F("item__prompt__digest"), F("item__prompt_key"), output_field=TextField())
    )
    for respondent, source, item, prompt, instrument, contestants, answers in rows.values_list(*WHO).iterator(
        chunk_size=CHUNK
    ):
        cluster = prompts.setdefault(prompt or f"item {item}", len(prompts))
        for question in asked[instrument]:
            for said, values in _said(question, answers.get(question.name), found):
                if len(values) == len(contestants):
                    said.entries += [
                        (merged.get(who, who), respondent, source, cluster, float(value))
                        for who, value in zip(contestants, values, strict=True)
                        if who is not None and value is not None
                    ]
    return [_line(each) for each in found.values() if each.entries]


def _asked_in(judgments: QuerySet[Judgment], form: str | None) -> dict[int, list[Asked]]:
    """By instrument the questions that say something of single responses, as asked."""
    found: dict[int, list[Asked]] = {}
    instruments = judgments.order_by().values("instrument")
    for each in Question.objects.filter(instrument__in=instruments).order_by("instrument_id", "position"):
        asked = Asked(each.name, each.type, each.title, settings=each.settings)
        facets, standing = get_type(asked.type).facets(asked), get_type(asked.type).standing(asked)
        is_the_board = [facet.name for facet in facets] == [""] and standing and standing.form.value == form
        if facets and not is_the_board:
            found.setdefault(each.instrument_id, []).append(asked)
    return found


def _said(question: Asked, stored: Any, found: dict[tuple[Any, ...], _Said]) -> Iterator[tuple[_Said, Any]]:
    kind = get_type(question.type)
    values = kind.facet_values(question, stored) if stored is not None else {}
    for facet in kind.facets(question):
        said = found.setdefault((question.name, facet), _Said(question.name, question.title, facet))
        yield said, values.get(facet.name, ())


def _line(said: _Said) -> dict[str, Any]:
    contestant, respondent, source, prompt, value = (np.array(each) for each in zip(*said.entries, strict=True))
    ids, places = np.unique(contestant, return_inverse=True)
    respondent = without_unnamed(respondent, source)
    judged = np.bincount(places)
    unit = 100.0 if said.facet.form is Form.SHARE else 1.0
    mean = unit * np.bincount(places, value) / judged
    lower, upper = _interval(said.facet, ids, places, respondent, prompt, value)
    return {
        "question": said.question,
        "title": said.title,
        "name": said.facet.name,
        "unit": "percent" if said.facet.form is Form.SHARE else "score",
        "lowest": unit * said.facet.lowest,
        "highest": unit * said.facet.highest,
        "models": [
            {
                "contestant": int(ids[place]),
                "judged": int(judged[place]),
                "value": float(mean[place]),
                "lower": float(lower[place]),
                "upper": float(upper[place]),
            }
            for place in range(len(ids))
        ],
    }


def _interval(
    facet: Facet, ids: np.ndarray, places: np.ndarray, respondent: np.ndarray, prompt: np.ndarray, value: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of means as they are: each response stands by itself, so that they are no differences within judgments. Both
    ends lie on the scale; NaN where nothing tells how answers vary.
    """
    zero = np.zeros(len(value), dtype=np.int64)
    rows = ListedRows(
        form=facet.form,
        contestants=ids.tolist(),
        merged={},
        respondent=respondent,
        prompt=prompt,
        source=zero,
        design=zero,
        open_ties=zero.astype(bool),
        start=np.arange(len(value) + 1),
        contestant=places,
        value=value,
        acceptable=np.full(len(value), np.nan),
    )
    try:
        ends = shown(fit_listed(rows), facet.form)
    except tuple(REASONS):
        return np.full(len(ids), np.nan), np.full(len(ids), np.nan)
    unit = 100.0 if facet.form is Form.SHARE else 1.0
    lower, upper = (np.clip(ends[end], unit * facet.lowest, unit * facet.highest) for end in ("lower", "upper"))
    return lower, upper

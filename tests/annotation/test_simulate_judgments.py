"""Simulated people pass the code that live ones pass, and are labelled as what they are."""

from collections import Counter

import numpy as np
import pytest
from django.utils import timezone

from annotation.models import Event, Impression, Judgment, Respondent, Turn
from annotation.use_cases.simulate_judgments import simulate_judgments
from tests.factories import ACCEPTABLE, AMOUNT, PREFERENCE, make_campaign, make_contestant

pytestmark = pytest.mark.django_db


def simulate(**fields):
    campaign = make_campaign(questions=[PREFERENCE, ACCEPTABLE, {**AMOUNT, "ask_probability": 0.5}])
    contestants = [make_contestant(campaign, name) for name in ("strong", "middling", "weak")]
    values = {"judgments": 300, "seed": 7, "truth": [2.0, 0.0, -2.0]} | fields
    return (
        campaign,
        contestants,
        simulate_judgments(campaign=campaign, contestants=contestants, now=timezone.now(), **values),
    )


def test_the_source_says_that_it_is_simulated_and_keeps_seed_and_truth():
    _campaign, _contestants, source = simulate()
    assert (source.kind, source.details) == (
        "simulation",
        {"seed": 7, "judgments": 300, "truth": {"strong": 2.0, "middling": 0.0, "weak": -2.0}},
    )
    assert set(Respondent.objects.filter(source=source).values_list("kind", flat=True)) == {"simulated"}
    assert Event.objects.filter(verb="simulated", subject_id=str(source.pk)).count() == 1


def test_no_text_is_invented_for_a_model():
    simulate(judgments=20)
    assert Counter(Turn.objects.values_list("kind", "text")) == {("absent", None): 40}


def test_the_better_contestant_wins_more():
    _campaign, contestants, _source = simulate()
    wins = Counter()
    for judgment in Judgment.objects.all():
        if judgment.preference in {"a", "b"}:
            wins[judgment.contestants["ab".index(judgment.preference)]] += 1
    assert [wins[c.pk] for c in contestants] == sorted(wins.values(), reverse=True)


def test_every_draw_has_its_exact_probability():
    simulate(judgments=50)
    rows = set(Impression.objects.values_list("p_pair", "p_side", "p_questions", "p_prompt"))
    assert rows == {(1 / 3, 0.5, 0.5, None)}


def test_about_half_are_asked_for_an_amount():
    simulate()
    asked = np.array(["worth" in names for names in Impression.objects.values_list("questions_asked", flat=True)])
    assert 0.4 < asked.mean() < 0.6


def test_the_same_seed_gives_the_same_answers():
    def answers(campaign, contestants):
        names = {c.pk: c.name for c in contestants}
        rows = Judgment.objects.filter(campaign=campaign).order_by("pk")
        return [([names[pk] for pk in row.contestants], row.answers) for row in rows]

    first = simulate(judgments=30)
    second = simulate(judgments=30)
    # Contestants' ids differ between the two campaigns but stand in the same order.
    assert answers(*first[:2]) == answers(*second[:2])

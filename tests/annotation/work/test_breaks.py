"""When a break is offered: to whom, how often by chance alone, and what follows from it."""

import random
from datetime import timedelta

import pytest
from django.utils import timezone

from annotation.models import Assignment, Event, Judgment, Respondent
from annotation.policies.breaks import (
    AGAIN_AFTER,
    EARLIER,
    EVERY,
    RECENT,
    Answer,
    drift_of,
    fisher_p,
    is_due,
    rank_sum_p,
)
from annotation.use_cases.next_assignment import next_assignment
from annotation.use_cases.offer_break import offer_break
from annotation.use_cases.submit_judgment import Process
from annotation.use_cases.submit_work import submit_work
from tests.annotation.work.test_pages import answer, joined
from tests.factories import PREFERENCE, make_campaign, make_item, new_key

NOW = timezone.now
WHOLE = RECENT + EARLIER


def answers(rng: random.Random, count: int, *, pace: float = 1.0, left: float = 0.5, ties: float = 0.2) -> list[Answer]:
    """Of somebody whose items differ much in length: times are log-normal."""
    return [
        Answer(round(30_000 * pace * rng.lognormvariate(0, 0.6)), None if rng.random() < ties else rng.random() < left)
        for _ in range(count)
    ]


def test_p_values_are_those_of_tables():
    # Fisher's lady: 3 of 4 cups named right; and 8 of 8, of which one of 70 ways each end.
    assert fisher_p(3, 4, 1, 4) == pytest.approx(34 / 70)
    assert fisher_p(4, 4, 0, 4) == pytest.approx(2 / 70)
    # No overlap among 10 and 10: U = 0, z = (50 - 0.5) / sqrt(175) = 3.742.
    assert rank_sum_p(range(10), range(10, 20)) == pytest.approx(0.000183, rel=0.01)
    assert rank_sum_p([1, 1, 1], [1, 1]) == 1.0


def test_who_does_not_change_is_offered_a_break_at_less_than_one_look_in_250():
    rng = random.Random(7)
    looks = 4000
    alarms = sum(drift_of(answers(rng, WHOLE, left=0.6)) is not None for _ in range(looks))
    print(f"{alarms} false alarms at {looks} looks")
    # One look in 250 is 16; three standard deviations more is 28.
    assert alarms <= 28


@pytest.mark.parametrize(
    ("what", "change", "least"),
    [("pace", {"pace": 0.4}, 0.9), ("pace", {"pace": 2.5}, 0.9), ("side", {"left": 0.97}, 0.7)],
)
def test_who_changes_much_is_offered_one(what, change, least):
    rng = random.Random(8)
    found = [drift_of([*answers(rng, RECENT, **change), *answers(rng, EARLIER)]) for _ in range(200)]
    assert sum(each is not None and each.what == what for each in found) >= least * 200


def test_too_few_answers_say_nothing_and_looks_are_rare():
    rng = random.Random(9)
    assert drift_of([*answers(rng, RECENT, pace=9), *answers(rng, 39)]) is None
    assert [count for count in range(101) if is_due(count)] == list(range(60, 101, EVERY))


@pytest.mark.django_db
def test_an_offer_stands_on_the_page_after_the_answer_and_changes_nothing_else(monkeypatch):
    campaign = make_campaign(questions=[PREFERENCE])
    for _ in range(63):
        make_item(campaign)
    client = joined(campaign)
    person = Respondent.objects.get()
    for number in range(59):
        # Twenty quick ones at the end.
        give(campaign, person, milliseconds=4_000 if number >= 40 else 30_000 + 10 * number)
    stored = answer(client, campaign)
    page = client.get(stored["Location"]).content.decode()
    respondent = Respondent.objects.get()
    assert "Take a break" in page
    assert respondent.break_offered_at is not None
    event = Event.objects.get(verb="break_offered")
    assert (event.subject_id, event.data["what"]) == (str(respondent.pk), "pace")
    held = Assignment.objects.get(state="open")
    assert client.post(f"/annotate/{campaign.slug}/break").status_code == 302
    assert "stays yours until" in client.get(f"/annotate/{campaign.slug}/break").content.decode()
    assert Assignment.objects.get(state="open") == held
    assert Event.objects.filter(verb="break_taken").count() == 1
    soon, later = NOW() + AGAIN_AFTER - timedelta(minutes=1), NOW() + AGAIN_AFTER
    assert offer_break(respondent_id=respondent.pk, now=soon) is None
    assert offer_break(respondent_id=respondent.pk, now=later) is not None
    assert Judgment.objects.count() == 60


def give(campaign, person, *, milliseconds: int) -> None:
    """An answer that took so long."""
    given = next_assignment(campaign=campaign, respondent=person, now=NOW())
    submit_work(
        assignment_id=given.assignment.pk,
        lease_token=given.assignment.lease_token,
        key=new_key(),
        respondent=person,
        answers={"preference": {"choice": "a", "strength": None}},
        process=Process(active_ms=milliseconds),
        now=NOW(),
    )

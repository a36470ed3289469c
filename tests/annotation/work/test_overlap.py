"""One more judgment where people disagree: what counts as disagreement on a whole item."""

import pytest
from django.utils import timezone

from annotation.models import Campaign, Slot
from annotation.use_cases.next_assignment import next_assignment
from annotation.use_cases.submit_work import submit_work
from tests.factories import make_campaign, make_item, make_respondent, new_key

pytestmark = pytest.mark.django_db

QUESTIONS = [
    {"name": "stars", "type": "rating", "settings": {"attributes": ["helpful", "honest"], "points": 5}},
    {"name": "sure", "type": "confidence", "required": False},
]


def rate(campaign, helpful, honest, sure=3):
    """By the item's own order, whatever order the responses are shown in."""
    respondent, now = make_respondent(campaign), timezone.now()
    given = next_assignment(campaign=campaign, respondent=respondent, now=now)
    order = given.impression.order
    submit_work(
        assignment_id=given.assignment.pk,
        lease_token=given.assignment.lease_token,
        key=new_key(),
        respondent=respondent,
        answers={"stars": {"helpful": [helpful[k] for k in order], "honest": [honest[k] for k in order]}, "sure": sure},
        now=now,
    )


@pytest.mark.parametrize(
    ("second", "slots"),
    [
        (([4, 2], [5, 3]), 2),
        (([5, 2], [4, 3]), 2),
        (([4, 2], [5, 3], 1), 2),
        (([2, 4], [5, 3]), 3),
        (([4, 2], [5, 1]), 3),
    ],
    ids=["the same", "a step", "less sure", "the other is better", "two steps"],
)
def test_a_step_on_one_of_many_scales_is_no_disagreement_and_the_opposite_is(second, slots):
    campaign = make_campaign(questions=QUESTIONS)
    Campaign.objects.filter(pk=campaign.pk).update(overlap_limit=3)
    item = make_item(campaign, slots=2)
    rate(Campaign.objects.get(pk=campaign.pk), [4, 2], [5, 3])
    rate(Campaign.objects.get(pk=campaign.pk), *second)
    assert Slot.objects.filter(item=item).count() == slots

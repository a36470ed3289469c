"""Words that name sides, beside answers that are named by other sides: what the page and the file say of it."""

import csv
from io import StringIO

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from annotation.models import Judgment
from annotation.use_cases.submit_work import submit_work
from tests.annotation.people.working import given, joined
from tests.annotation.review.reviewing import make_reviewer, reviewed_campaign, signed_in
from tests.factories import PREFERENCE, make_item, make_user, new_key

pytestmark = pytest.mark.django_db
WHY = {"name": "why", "type": "rationale", "required": False}
TURNED = "These words name the sides as their author saw them: A is B here, B is A here"


def said_with_words() -> dict[int, Judgment]:
    """The left side preferred and called A, by which response stood there."""
    campaign = reviewed_campaign(questions=[PREFERENCE, WHY])
    make_item(campaign, slots=40)
    found: dict[int, Judgment] = {}
    while len(found) < 2:
        person = joined(campaign)
        assignment = given(campaign, person)
        answers = {"preference": {"choice": "a", "strength": None}, "why": f"A is clearer, says {person.pk}"}
        answer = submit_work(
            assignment_id=assignment.pk,
            lease_token=assignment.lease_token,
            key=new_key(),
            respondent=person,
            answers=answers,
            now=timezone.now(),
        )
        found.setdefault(answer.judgment.order[0], answer.judgment)
    return found


def test_a_rationale_stands_beside_the_side_that_its_author_saw_and_the_response_that_was_there():
    judgments = said_with_words()
    admin = signed_in(make_user(role=Role.CAMPAIGN_ADMIN))
    page = admin.get(reverse("campaign-watch-rationales", args=["trial"])).content.decode()
    assert "preferred: A (response A of the item)" in page
    assert "preferred: A (response B of the item)" in page
    assert "preferred: B" not in page
    assert "Words name the sides as their author saw them" in page
    file = admin.get(reverse("campaign-watch-rationales", args=["trial"]) + "?format=csv").content.decode()
    rows = {row["words"]: (row["preferred"], row["preferred_response"]) for row in csv.DictReader(StringIO(file))}
    for position, judgment in judgments.items():
        assert rows[f"A is clearer, says {judgment.respondent_id}"] == ("A", "AB"[position])


def test_words_quoted_beside_turned_sides_say_so():
    judgments = said_with_words()
    client = signed_in(make_reviewer()[0])
    here, turned = judgments[0], judgments[1]
    client.post(reverse("review-others", args=["trial", here.pk]))
    page = client.get(reverse("review-judgment", args=["trial", here.pk])).content.decode()
    quoted = page.split(f"says {turned.respondent_id}")[1].split("</dd>")[0]
    assert TURNED in quoted
    # One's own words stand beside the sides as they were seen.
    own = page.split(f"says {here.respondent_id}")[1].split("</dd>")[0]
    assert TURNED not in own


def test_words_quoted_to_an_expert_say_so_too():
    judgments = said_with_words()
    client = signed_in(make_reviewer()[0])
    item = judgments[0].item_id
    client.post(reverse("adjudicate-start", args=["trial", item]), {"see_others": "yes"})
    page = client.get(reverse("adjudicate", args=["trial", item])).content.decode()
    quoted = [page.split(f"says {judgment.respondent_id}")[1].split("</dd>")[0] for judgment in judgments.values()]
    # The expert sees the sides as one of the two did.
    assert sorted(TURNED in each for each in quoted) == [False, True]

"""What was answered about an item, on its page and where a check or an expert's own answer is about it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.enums import Role
from accounts.texts import write_personal_text
from annotation.models import Adjudication, JudgmentText
from tests.annotation.review.reviewing import judged_by, make_reviewer, reviewed_campaign, signed_in
from tests.annotation.watching.planted import (
    EXPECTED,
    Planted,
    plant_items,
    plant_judgments,
    plant_people,
    planted_campaign,
)
from tests.factories import PREFERENCE, make_item, make_user

pytestmark = pytest.mark.django_db
WHY = {"name": "why", "type": "rationale", "required": False}


@pytest.fixture
def campaign():
    return reviewed_campaign(questions=[PREFERENCE, WHY])


@pytest.fixture
def admin():
    return signed_in(make_user(role=Role.CAMPAIGN_ADMIN))


@pytest.fixture
def client():
    return signed_in(make_reviewer()[0])


def page_of(client, name, pk) -> str:
    return client.get(reverse(name, args=["trial", pk])).content.decode()


def test_an_items_page_shows_what_was_answered_by_its_own_sides_and_leads_to_the_judgments(campaign, admin):
    item, judgments = judged_by(campaign, 4)
    text = write_personal_text(person=judgments[0].respondent.person, text="A is <i>clearer</i>.")
    JudgmentText.objects.create(judgment=judgments[0], question="why", personal_text=text)
    page = page_of(admin, "campaign-item", item.pk)
    answers = page.split('id="answers-title"')[1].split("</section>")[0]
    for judgment in judgments:
        assert reverse("review-judgment", args=["trial", judgment.pk]) in answers
        assert reverse("campaign-person", args=["trial", judgment.respondent_id]) in answers
        said = answers.split(f"Judgment {judgment.pk}<")[1].split("</dd>")[0]
        # By the item's own responses, wherever this person saw them.
        better = "AB"[judgment.order["ab".index(judgment.preference)]]
        assert f'dir="auto">{better}' in said or f"{better} is better" in said, said
    assert "A is &lt;i&gt;clearer&lt;/i&gt;." in answers
    assert reverse("campaign-watch-rationales", args=["trial"]) in answers
    empty = make_item(campaign)
    assert "Nothing that stands." in page_of(admin, "campaign-item", empty.pk)


def test_answers_take_as_many_queries_for_two_as_for_six(campaign, admin):
    counts = []
    for people in (2, 6):
        item, _judgments = judged_by(campaign, people)
        page_of(admin, "campaign-item", item.pk)
        with CaptureQueriesContext(connection) as found:
            page_of(admin, "campaign-item", item.pk)
        counts.append(len(found))
    assert counts[0] == counts[1]


def test_whoever_read_the_answers_settles_the_item_as_one_who_saw_them(campaign):
    item, [judgment, _other] = judged_by(campaign, 2)
    admin = signed_in(make_user(role=Role.CAMPAIGN_ADMIN))
    page_of(admin, "campaign-item", item.pk)
    page = page_of(admin, "review-judgment", judgment.pk)
    assert "Without others’ answers" not in page
    assert 'name="see_others" value="no"' not in page
    assert settled_by(admin, item).saw_others is True


def test_only_who_saw_no_answer_is_told_that_they_settle_without(campaign, client):
    item, [judgment, _other] = judged_by(campaign, 2)
    flags = page_of(client, "item-flags", item.pk)
    assert "Without others’ answers" in flags
    page_of(client, "review-judgment", judgment.pk)
    assert "Without others’ answers" not in page_of(client, "item-flags", item.pk)
    assert "You have seen this judgment; that is kept" in page_of(client, "review-judgment", judgment.pk)
    client.post(reverse("adjudicate-start", args=["trial", item.pk]), {"see_others": "no"})
    assert "You have seen a judgment of this item before" in page_of(client, "adjudicate", item.pk)
    blind = signed_in(make_reviewer()[0])
    page_of(blind, "item-flags", item.pk)
    assert settled_by(blind, item).saw_others is False


def settled_by(client, item) -> Adjudication:
    client.post(reverse("adjudicate-start", args=["trial", item.pk]), {"see_others": "no"})
    address = reverse("adjudicate", args=["trial", item.pk])
    page = client.get(address)
    form = {"key": page.context["key"], "lease_token": page.context["task"].lease_token, "preference": "a"}
    assert client.post(address, form).status_code == 302
    return Adjudication.objects.latest("pk")


def test_the_review_of_a_check_says_what_is_right_by_the_sides_of_the_judgment(client):
    campaign = planted_campaign(slug="trial")
    people = plant_people(campaign, [Planted()])
    gold = plant_items(campaign, 4, purpose="gold", expected=EXPECTED, explanation="It scatters light.")
    plain = plant_items(campaign, 1)
    *checks, work = plant_judgments(campaign, people, [*gold, *plain])
    for judgment in checks:
        page = page_of(client, "review-judgment", judgment.pk)
        right = page.split("What is right")[1].split("</div>")[0]
        assert f'dir="auto">{"AB"[judgment.order.index(0)]}' in right
        assert "It scatters light." in right
    assert "What is right" not in page_of(client, "review-judgment", work.pk)

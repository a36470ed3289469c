"""Flags that nobody has resolved, on items that may be so broken that nobody judges them."""

import csv
from io import StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from annotation.enums import FlagReason
from annotation.models import Flag, Impression, Slot
from annotation.use_cases.flag_item import flag_item
from tests.annotation.people.working import given, joined
from tests.annotation.review.reviewing import make_reviewer, reviewed_campaign, signed_in
from tests.factories import make_contestant, make_item, make_user

pytestmark = pytest.mark.django_db
LIST = "/campaigns/trial/review/flags"


@pytest.fixture
def campaign():
    return reviewed_campaign()


@pytest.fixture
def client():
    return signed_in(make_reviewer()[0])


def flagged(campaign, words="The second response is cut off.", **item) -> int:
    """An item that somebody flagged instead of answering it."""
    made = make_item(campaign, **item)
    person = joined(campaign)
    assignment = given(campaign, person)
    flag_item(
        assignment_id=assignment.pk,
        lease_token=assignment.lease_token,
        respondent=person,
        reason=FlagReason.BROKEN,
        words=words,
        now=timezone.now(),
    )
    # The next person meets another.
    Slot.objects.filter(item=made).update(state="cancelled")
    return made.pk


def test_a_flagged_item_that_nobody_judged_is_listed_and_resolved_there(campaign, client):
    item = flagged(campaign, prompt="Why is the <sky> blue?")
    assert LIST in client.get(reverse("review")).content.decode()
    assert LIST in client.get(reverse("review-queue", args=["trial"])).content.decode()
    page = client.get(LIST).content.decode()
    assert "Why is the &lt;sky&gt; blue?" in page
    assert "The second response is cut off." in page
    address = reverse("item-flags", args=["trial", item])
    assert f'action="{address}"' in page
    done = client.post(address, {"words": "Imported anew.", "back": "list"}, follow=True)
    assert done.redirect_chain[-1][0] == LIST
    assert "No open flags" in done.content.decode()
    assert Flag.objects.get().resolved_at is not None


def test_a_flagged_item_is_read_whole_without_who_wrote_its_responses(campaign, client):
    contestants = [make_contestant(campaign, name) for name in ("alpha-model", "beta-model")]
    item = flagged(campaign, contestants=contestants, texts=("It scatters.", "It mirr"), prompt="Why is it blue?")
    page = client.get(reverse("item-flags", args=["trial", item])).content.decode()
    assert [text in page for text in ("Why is it blue?", "It scatters.", "It mirr")] == [True] * 3
    assert "-model" not in page + client.get(LIST).content.decode()


def test_what_became_of_a_flag_stands_with_it_and_in_the_file(campaign, client):
    item = flagged(campaign)
    address = reverse("item-flags", args=["trial", item])
    client.post(address, {"words": "Imported anew."})
    assert 'What became of it:</b> <span dir="auto">Imported anew.' in client.get(address).content.decode()
    admin = signed_in(make_user(role=Role.CAMPAIGN_ADMIN))
    watched = reverse("campaign-watch-items", args=["trial"])
    assert "Imported anew." in admin.get(watched).content.decode()
    file = admin.get(watched + "?format=csv&table=flags").content.decode()
    assert [row["outcome"] for row in csv.DictReader(StringIO(file))] == ["Imported anew."]


def test_open_flags_take_as_many_queries_for_one_item_as_for_three(campaign, client):
    counts = []
    for more in (1, 2):
        for _item in range(more):
            flagged(campaign)
        with CaptureQueriesContext(
            connection,
        ) as found:
            client.get(LIST)
        counts.append(len(found))
    assert len(set(Flag.objects.values_list("item", flat=True))) == 3
    assert counts[0] == counts[1]


def test_words_of_a_flag_say_so_where_their_author_saw_the_sides_turned(campaign, client):
    orders = set()
    while len(orders) < 2:
        item = flagged(campaign, words="B is cut off.")
        order = Impression.objects.get(item=item).order
        orders.add(tuple(order))
        for page in (client.get(reverse("item-flags", args=["trial", item])), client.get(LIST)):
            flag = page.content.decode().split("B is cut off.")[1].split("</li>")[0]
            # The list has the last flag first.
            assert ("A is B here, B is A here" in flag) == (order == [1, 0])

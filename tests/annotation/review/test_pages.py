"""The pages of reviewers and admins, and what annotators read of it: who may, what is hidden, how many queries."""

import csv
from io import StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from annotation.models import (
    Adjudication,
    Assignment,
    Event,
    Flag,
    ImpressionEvent,
    ItemComment,
    Judgment,
    Review,
    Slot,
)
from annotation.queries.reviews import Wanted, queue_of
from annotation.use_cases.summarise_quality import summarise_quality
from tests.annotation.numbering import number_log
from tests.annotation.people.working import joined, judged
from tests.annotation.review.reviewing import (
    approve,
    judged_by,
    make_reviewer,
    one_judgment,
    reject,
    rejected,
    reviewed_campaign,
    reviewer,
    signed_in,
)
from tests.annotation.watching.planted import Planted, plant_items, plant_judgments, plant_people
from tests.factories import make_contestant, make_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    return reviewed_campaign()


@pytest.fixture
def ada():
    return make_reviewer("ada")


@pytest.fixture
def client(ada):
    return signed_in(ada[0])


def page_of(judgment, name="review-judgment"):
    return reverse(name, args=["trial", judgment.pk])


def decide(client, judgment, decision, seen="pending", query="", **fields):
    return client.post(page_of(judgment, "review-decide") + query, {"decision": decision, "seen": seen, **fields})


def test_the_queue_lists_what_waits_and_filters(campaign, client):
    judgments = [one_judgment(campaign, prompt=f"Prompt {number}") for number in range(4)]
    approve(judgments[0], reviewer())
    reject(judgments[1], reviewer())
    address = reverse("review-queue", args=["trial"])
    assert client.get(address).context["queue"].ids == [judgments[place].pk for place in (1, 3, 2)]
    page = client.get(address).content.decode()
    assert "1 judgment was rejected by one reviewer and waits for a second." in page
    assert ("Prompt 2" in page, "Prompt 0" in page) == (True, False)
    for state, wanted in (("approved", judgments[0]), ("contested", judgments[1])):
        assert client.get(address, {"state": state}).context["queue"].ids == [wanted.pk]
    pseudonym = judgments[3].respondent.pseudonym
    assert client.get(address, {"annotator": pseudonym[:9]}).context["queue"].ids == [judgments[3].pk]
    assert client.get(address, {"annotator": "nobody"}).context["queue"].ids == []


def test_orders_go_by_disagreement_gold_flags_and_annotators(campaign):
    apart, together = plant_items(campaign, 2)
    gold = plant_items(campaign, 6, purpose="gold", expected=[{"question": "preference", "values": ["a"]}])
    people = plant_people(campaign, [Planted(right=1.0), Planted(right=1.0), Planted(right=0.0)])
    one, two, wrong = people
    at_apart = plant_judgments(campaign, people, [apart])
    at_together = plant_judgments(campaign, {one: people[one], two: people[two]}, [together])
    at_gold = plant_judgments(campaign, people, gold)
    Flag.objects.create(item=together, respondent=one, reason="unclear")
    summary = summarise_quality(campaign_id=campaign.pk, now=timezone.now())

    def found(**wanted):
        return queue_of(campaign, Wanted(**wanted), summary).ids

    failed = [each.pk for each in at_gold if each.respondent_id == wrong.pk]
    assert found(order="disagreement") == [each.pk for each in at_apart]
    assert found(order="gold") == failed[::-1]
    assert set(found(order="flag")) == {each.pk for each in at_together}
    assert set(found(order="annotator")) == {*failed, at_apart[2].pk}
    assert found(order="gold", respondent=one.pk) == []
    # What is known may be older than the log: it is still what stands that is listed.
    approve(Judgment.objects.get(pk=failed[0]), reviewer())
    assert found(order="gold") == failed[:0:-1]


def test_queries_are_as_many_for_three_as_for_thirty(campaign, client):
    make_item(campaign, slots=100)
    counts = []
    for count in (3, 27):
        for _ in range(count):
            judged(campaign, joined(campaign))
        number_log()
        address = reverse("review-queue", args=["trial"])
        client.get(address)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            client.get(address)
        counts.append(len(seen))
        with CaptureQueriesContext(connection) as seen:
            client.get(page_of(Judgment.objects.latest("pk")))
        counts.append(len(seen))
    # The first look at a judgment keeps one event.
    assert (counts[0], counts[1]) == (counts[2], counts[3])


def test_who_wrote_a_response_is_hidden_until_one_has_decided(campaign, client, ada):
    names = [make_contestant(campaign, name) for name in ("alpha-model", "beta-model")]
    judgment = one_judgment(campaign, contestants=names)
    before = client.get(page_of(judgment)).content.decode()
    assert "alpha-model" not in before
    approve(judgment, ada[1])
    after = client.get(page_of(judgment)).content.decode()
    assert ("alpha-model" in after, "beta-model" in after) == (True, True)
    # What one reviewer may know, another does not.
    assert "alpha-model" not in signed_in(make_reviewer()[0]).get(page_of(judgment)).content.decode()


def test_others_are_hidden_until_asked_for_and_that_is_kept(campaign, client):
    _item, [first, second] = judged_by(campaign, 2)
    page = client.get(page_of(first)).content.decode()
    assert ("1 other judgment, hidden" in page, second.respondent.pseudonym in page) == (True, False)
    shown = client.post(page_of(first, "review-others"), follow=True).content.decode()
    assert ("hidden so that" in shown, second.respondent.pseudonym in shown) == (False, False)
    decide(client, first, "approve")
    assert Event.objects.get(verb="review_approve").data["saw_others"] is True


def test_a_decision_leads_to_the_next_of_the_queue(campaign, client):
    judgments = [one_judgment(campaign) for _ in range(3)]
    answer = decide(client, judgments[2], "approve", query="?order=newest")
    assert answer["Location"] == page_of(judgments[1]) + "?order=newest"
    assert Review.objects.get(judgment=judgments[2]).state == "approved"


def test_a_rejection_needs_words_and_a_stale_page_decides_nothing(campaign, client):
    judgment = one_judgment(campaign)
    refused = decide(client, judgment, "reject", message=" ")
    assert (refused.status_code, list(refused.context["decision_form"].errors)) == (422, ["message"])
    reject(judgment, reviewer())
    stale = decide(client, judgment, "reject", message="No.")
    assert (stale.status_code, "Somebody decided about this judgment meanwhile" in stale.content.decode()) == (
        422,
        True,
    )
    assert Review.objects.get(judgment=judgment).state == "contested"
    again = decide(client, judgment, "reject", seen="contested", message="No.")
    assert (again.status_code, Review.objects.get(judgment=judgment).state) == (302, "rejected")


def test_nobody_is_offered_to_decide_about_their_own(campaign):
    judgment = one_judgment(campaign)
    user = judgment.respondent.person.user
    user.role_grants.create(role=Role.REVIEWER)
    client = signed_in(user)
    assert "This is your own judgment." in client.get(page_of(judgment)).content.decode()
    assert decide(client, judgment, "approve").status_code == 422


def test_comments_and_the_audit_trail_name_people_to_admins_only(campaign, client, ada):
    judgment = one_judgment(campaign)
    other = make_reviewer("grace")
    reject(judgment, other[1], "Too hasty.")
    assert client.post(page_of(judgment, "review-comment"), {"words": ""}).status_code == 422
    client.post(page_of(judgment, "review-comment"), {"words": "Ambiguous prompt."})
    assert ItemComment.objects.count() == 1
    client.post(page_of(judgment, "review-ask"), {"reason": "To be sure."})
    page = client.get(page_of(judgment)).content.decode()
    for words in ("Too hasty.", "Ambiguous prompt.", "To be sure.", "another reviewer"):
        assert words in page
    assert "grace" not in page
    admin = signed_in(make_reviewer("boss", Role.CAMPAIGN_ADMIN)[0])
    assert "grace" in admin.get(page_of(judgment)).content.decode()


def test_an_item_is_settled_without_and_with_others(campaign, client, ada):
    item, [judgment, _other] = judged_by(campaign, 2)
    start = reverse("adjudicate-start", args=["trial", item.pk])
    page = client.post(start, {"see_others": "no"}, follow=True)
    assert "What others answered is hidden." in page.content.decode()
    form = {"key": page.context["key"], "lease_token": page.context["task"].lease_token}
    address = reverse("adjudicate", args=["trial", item.pk])
    assert client.post(address, form).status_code == 422
    assert client.post(address, form | {"preference": "a"}).status_code == 302
    kept = Adjudication.objects.get()
    assert (kept.saw_others, kept.judgment.respondent.kind, kept.judgment.preference) == (False, "expert", "a")
    # Nobody else is asked for it, and nobody adjudicates an item twice.
    assert sorted(Slot.objects.filter(item=item).values_list("state", flat=True)) == ["done"] * 3
    assert "You have answered this item" in client.post(start, follow=True).content.decode()
    informed = signed_in(make_reviewer()[0])
    page = informed.post(start, {"see_others": "yes"}, follow=True)
    assert ("What others answered" in page.content.decode(), len(page.context["others"])) == (True, 3)
    assert judgment.respondent.pseudonym not in page.content.decode()
    form = {"key": page.context["key"], "lease_token": page.context["task"].lease_token, "preference": "b"}
    informed.post(address, form)
    assert Adjudication.objects.latest("pk").saw_others is True


def test_what_is_being_settled_is_no_work_of_theirs(campaign, ada, client):
    item, _judgments = judged_by(campaign, 1)
    client.post(reverse("adjudicate-start", args=["trial", item.pk]))
    assert (
        "Nothing to settle"
        in signed_in(make_reviewer()[0]).get(reverse("adjudicate", args=["trial", item.pk])).content.decode()
    )
    assert not Slot.objects.filter(item=item, state="open").exists()
    assert "There is nothing left for you" in client.get("/annotate/trial/item", follow=True).content.decode()


def test_what_is_begun_can_be_given_back_and_begun_again(campaign, client):
    item, _judgments = judged_by(campaign, 2)
    start, leave = (reverse(name, args=["trial", item.pk]) for name in ("adjudicate-start", "adjudicate-leave"))
    stale = client.post(start, follow=True).context["task"].lease_token
    assert client.post(leave, {"lease_token": "1"}).status_code == 302
    assert Assignment.objects.filter(item=item, state="open").exists()
    page = client.post(leave, {"lease_token": stale}, follow=True)
    assert page.redirect_chain == [(reverse("review-queue", args=["trial"]), 302)]
    assert "The item is given back." in page.content.decode()
    assert not Assignment.objects.filter(item=item, state="open").exists()
    assert ImpressionEvent.objects.latest("pk").kind == "skipped"
    # Nobody else is asked in its place, and who gave it back may begin again.
    assert not Slot.objects.filter(item=item, state="open").exists()
    page = client.post(start, follow=True)
    assert client.post(leave, {"lease_token": stale}).status_code == 302
    form = {"key": page.context["key"], "lease_token": page.context["task"].lease_token, "preference": "a"}
    client.post(reverse("adjudicate", args=["trial", item.pk]), form)
    assert Adjudication.objects.get().judgment.preference == "a"
    assert "do not hold this item any more" in client.post(leave, form, follow=True).content.decode()


def test_annotators_read_what_was_decided_and_appeal_once(campaign):
    judgments = [one_judgment(campaign) for _ in range(2)]
    approve(judgments[0], reviewer())
    rejected(judgments[1])
    good, bad = (signed_in(each.respondent.person.user) for each in judgments)
    assert "Approved" in good.get("/annotate/trial/history").content.decode()
    page = bad.get("/annotate/trial/history").content.decode()
    assert ("Not what was asked." in page, "Send the appeal" in page) == (True, True)
    address = reverse("work-appeal", args=["trial", judgments[1].pk])
    assert bad.post(address, {"words": ""}).status_code == 422
    assert bad.post(address, {"words": "But it was."}).status_code == 302
    assert good.post(address, {"words": "Mine."}).status_code == 404
    page = bad.get("/annotate/trial/history").content.decode()
    assert ("But it was." in page, "Send the appeal" in page) == (True, False)
    assert bad.post(address, {"words": "Again."}).status_code == 422
    user, _third = make_reviewer()
    assert "But it was." in signed_in(user).get(page_of(judgments[1])).content.decode()
    assert decide(signed_in(user), judgments[1], "grant", seen="appealed").status_code == 302
    assert "Your appeal was granted." in bad.get("/annotate/trial/history").content.decode()


def test_one_reviewers_rejection_is_not_told(campaign):
    judgment = one_judgment(campaign)
    reject(judgment, reviewer(), "Hasty.")
    page = signed_in(judgment.respondent.person.user).get("/annotate/trial/history").content.decode()
    assert ("Hasty." in page, "Rejected" in page) == (False, False)


def test_a_batch_is_made_accepted_and_downloaded(campaign, client):
    for _ in range(3):
        one_judgment(campaign)
    admin = signed_in(make_reviewer("boss", Role.CAMPAIGN_ADMIN)[0])
    make, batches = reverse("batch-new", args=["trial"]), reverse("batches", args=["trial"])
    assert client.post(make).status_code == 403
    assert admin.post(make, {"most": "x"}).status_code == 422
    made = admin.post(make, {"most": "2"})
    assert made["Location"] == reverse("batch", args=["trial", 1])
    page = client.get(made["Location"]).content.decode()
    assert ("2 judgments wait." in page, "Accept the batch" in page) == (False, False)
    assert "2 judgments wait." in admin.get(made["Location"]).content.decode()
    said = admin.post(reverse("batch-accept", args=["trial", 1]), follow=True).content.decode()
    assert "2 judgments were approved." in said
    assert admin.post(reverse("batch-return", args=["trial", 1]), {"message": "No."}).status_code == 422
    admin.post(make)
    assert admin.post(reverse("batch-return", args=["trial", 2]), {"message": ""}).status_code == 422
    admin.post(reverse("batch-return", args=["trial", 2]), {"message": "Read them first."})
    rows = list(csv.DictReader(StringIO(client.get(batches, {"format": "csv"}).content.decode())))
    assert [(row["batch"], row["state"], row["accepted"], row["returned"]) for row in rows] == [
        ("2", "returned", "0", "1"),
        ("1", "accepted", "2", "0"),
    ]


def test_a_campaign_that_is_no_drafts_is_listed(campaign, client):
    page = client.get(reverse("review")).content.decode()
    assert "Blue skies" in page

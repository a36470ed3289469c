"""An annotator's way through a campaign, page by page, without script."""

import re
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.enums import Role
from accounts.use_cases.create_person import person_of_user
from annotation.enums import CampaignState
from annotation.models import (
    Assignment,
    Campaign,
    Draft,
    Event,
    Flag,
    Impression,
    Invitation,
    Judgment,
    Respondent,
    Slot,
)
from annotation.use_cases import submit_judgment
from annotation.use_cases.block_respondent import block_respondent
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.invite_people import invite_people, revoke_invitation
from annotation.use_cases.publish_consent import publish_consent
from annotation.use_cases.publish_guidelines import publish_guidelines
from foundation.idempotency import Attempt
from tests.annotation.test_submit_judgment import as_owner, flush_judgments
from tests.factories import PREFERENCE, RATIONALE, make_campaign, make_item, make_user, new_key

pytestmark = pytest.mark.django_db

NOW = timezone.now


def invited(campaign: Campaign, **values) -> tuple[Invitation, str]:
    return invite_people(campaign_id=campaign.pk, name="Everybody", actor=None, now=NOW(), **values)


def joined(campaign: Campaign, declined: Sequence[str] = (), **values) -> Client:
    """A browser of somebody who has joined."""
    client = Client()
    client.force_login(make_user(**values))
    _invitation, token = invited(campaign)
    client.post(f"/join/{token}", {"declined": list(declined)})
    return client


def fields(page: str) -> dict[str, str]:
    """The hidden fields of the answer's form, as a browser without script sends them."""
    form = page[page.index('id="answer"') :]
    return {name: re.search(rf'name="{name}" value="([^"]*)"', form)[1] for name in ("key", "lease_token", "ahead")}


def open_item(client: Client, campaign: Campaign) -> tuple[str, str]:
    """The page, and the address that takes its answer."""
    page = client.get(f"/annotate/{campaign.slug}/item").content.decode()
    return page, re.search(r'action="(/annotate/[^"]*/items/\d+)"', page)[1]


def answer(client: Client, campaign: Campaign, **values):
    page, address = open_item(client, campaign)
    return client.post(address, fields(page) | {"preference": "a"} | values)


def test_a_link_takes_somebody_without_an_account_through_signing_up_into_the_campaign():
    campaign, client = make_campaign(questions=[PREFERENCE]), Client()
    _invitation, token = invited(campaign, groups=["nurses"])
    assert "password1" not in client.get("/account/signup/").content.decode()
    assert "Make an account" in client.get(f"/join/{token}").content.decode()
    new = {
        "email": "a@example.org",
        "username": "ada",
        "password1": "a-long-pass-word",
        "password2": "a-long-pass-word",
    }
    signed_up = client.post("/account/signup/", new | {"next": f"/join/{token}"})
    assert signed_up["Location"] == f"/join/{token}"
    assert client.post(f"/join/{token}")["Location"] == f"/annotate/{campaign.slug}"
    respondent = Respondent.objects.get(campaign=campaign)
    assert (respondent.kind, respondent.groups, respondent.person.user.username) == ("annotator", ["nurses"], "ada")


def test_nobody_signs_up_without_an_invitation():
    client = Client()
    client.get("/join/no-such-token")
    client.post(
        "/account/signup/",
        {"email": "a@example.org", "username": "ada", "password1": "pw-pw-pw", "password2": "pw-pw-pw"},
    )
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("how", ["revoked", "used up", "run out", "closed"])
def test_a_link_that_is_over_lets_nobody_in(how):
    campaign = make_campaign(questions=[PREFERENCE])
    invitation, token = invited(campaign, most_uses=1, expires_at=NOW() + timedelta(days=1))
    first, second = Client(), Client()
    first.force_login(make_user())
    second.force_login(make_user())
    assert first.post(f"/join/{token}").status_code == 302
    if how == "revoked":
        Invitation.objects.filter(pk=invitation.pk).update(most_uses=9)
        revoke_invitation(invitation_id=invitation.pk, actor=None, now=NOW())
    elif how == "run out":
        Invitation.objects.filter(pk=invitation.pk).update(most_uses=9, expires_at=NOW())
    elif how == "closed":
        Invitation.objects.filter(pk=invitation.pk).update(most_uses=9)
        change_campaign_state(campaign_id=campaign.pk, to=CampaignState.CLOSED, actor=None, reason="", now=NOW())
    assert second.post(f"/join/{token}").status_code == 404
    # Whoever came by it is in for good.
    assert first.post(f"/join/{token}").status_code == 302
    assert Invitation.objects.get(pk=invitation.pk).uses == 1


def test_consent_and_guidelines_come_first_and_new_guidelines_are_read_again():
    campaign = make_campaign(questions=[PREFERENCE])
    consent = publish_consent(campaign_id=campaign.pk, text="Ten minutes. You may stop.", now=NOW())
    guidelines = publish_guidelines(campaign_id=campaign.pk, text="Judge **facts** first.", now=NOW())
    make_item(campaign)
    client = joined(campaign)
    step = client.get(f"/annotate/{campaign.slug}/item").content.decode()
    assert "Ten minutes" in step
    assert not Assignment.objects.exists()
    stale = client.post(f"/annotate/{campaign.slug}/agree/consent", {"text": consent.pk + 1})
    assert stale.status_code == 422
    assert "has changed" in stale.content.decode()
    client.post(f"/annotate/{campaign.slug}/agree/consent", {"text": consent.pk})
    assert "<strong>facts</strong>" in client.get(f"/annotate/{campaign.slug}").content.decode()
    client.post(f"/annotate/{campaign.slug}/agree/guidelines", {"text": guidelines.pk})
    page, _address = open_item(client, campaign)
    assert "What is it?" in page
    publish_guidelines(campaign_id=campaign.pk, text="Judge manners first.", now=NOW())
    assert "They have changed" in client.get(f"/annotate/{campaign.slug}").content.decode()


def test_an_answer_is_stored_and_the_next_item_comes():
    campaign = make_campaign(questions=[PREFERENCE])
    make_item(campaign, prompt="Which first?")
    make_item(campaign, prompt="Which next?")
    client = joined(campaign)
    assert answer(client, campaign)["Location"] == f"/annotate/{campaign.slug}/item"
    assert answer(client, campaign).status_code == 302
    assert Judgment.objects.filter(preference="a").count() == 2
    assert "Nothing to do" in client.get(f"/annotate/{campaign.slug}/item").content.decode()


def test_a_refused_answer_keeps_the_page_and_what_was_typed():
    campaign = make_campaign(questions=[PREFERENCE, RATIONALE])
    make_item(campaign)
    client = joined(campaign)
    refused = answer(client, campaign, preference="", why="Because.")
    page = refused.content.decode()
    assert refused.status_code == 422
    assert "Choose A, B" in page
    assert "Because." in page
    assert not Judgment.objects.exists()


def test_the_same_answer_sent_twice_is_one_and_another_one_is_refused():
    campaign = make_campaign(questions=[PREFERENCE])
    make_item(campaign)
    client = joined(campaign)
    page, address = open_item(client, campaign)
    body = fields(page) | {"preference": "b"}
    assert [client.post(address, body).status_code for _ in range(3)] == [302, 302, 302]
    other = client.post(address, body | {"preference": "a"})
    assert other.status_code == 409
    assert "first answer counts" in other.content.decode()
    assert [each.preference for each in Judgment.objects.all()] == ["b"]


@pytest.mark.django_db(transaction=True)
def test_control_without_the_guards_a_page_that_the_back_button_brings_answers_again(monkeypatch):
    """No key that is known again, no look at what became of the item, and no row of which there is one."""
    monkeypatch.setattr(submit_judgment, "once", lambda **_: nullcontext(Attempt(replayed=False)))
    for guard in ("refuse_unless_open", "_end"):
        monkeypatch.setattr(submit_judgment, guard, lambda *_: None)
    campaign = make_campaign(questions=[PREFERENCE])
    make_item(campaign)
    client = joined(campaign)
    page, address = open_item(client, campaign)
    with as_owner("DROP INDEX one_first_judgment_per_respondent_and_item"):
        statuses = [client.post(address, fields(page) | {"preference": each}).status_code for each in "ba"]
        found = list(Judgment.objects.order_by("pk").values_list("preference", flat=True))
        flush_judgments()
    assert (statuses, found) == ([302, 302], ["b", "a"])


def test_what_is_not_yours_is_not_there():
    campaign = make_campaign(questions=[PREFERENCE])
    make_item(campaign, slots=2)
    owner, stranger, outsider = joined(campaign), joined(campaign), Client()
    page, address = open_item(owner, campaign)
    outsider.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    body = fields(page) | {"preference": "a"}
    for part in ("", "/draft", "/skip", "/flag"):
        assert stranger.post(address + part, body | {"reason": "other"}).status_code == 404, part
        assert outsider.post(address + part, body).status_code == 404, part
    assert outsider.get(f"/annotate/{campaign.slug}").status_code == 404
    assert not Judgment.objects.exists()
    assert not Draft.objects.exists()


def test_skips_and_flags_give_the_item_back_with_their_reason():
    campaign = make_campaign(questions=[PREFERENCE])
    make_item(campaign, prompt="One")
    make_item(campaign, prompt="Two")
    client, other = joined(campaign), joined(campaign)
    page, address = open_item(client, campaign)
    assert client.post(f"{address}/skip", fields(page) | {"reason": ""}).status_code == 422
    assert client.post(f"{address}/skip", fields(page) | {"reason": "language"}).status_code == 302
    # Sent again, because nobody knew whether it arrived, it is the same skip; by another form it comes too late.
    again = client.post(f"{address}/skip", fields(page) | {"reason": "language"})
    stored = (
        again.status_code,
        address.endswith(f"/{again['X-Stored']}"),
        Event.objects.filter(verb="skipped").count(),
    )
    assert stored == (302, True, 1)
    late = client.post(f"{address}/skip", fields(page) | {"reason": "language", "key": new_key()})
    assert (late.status_code, late["X-Refused"]) == (409, "late")
    page, address = open_item(client, campaign)
    flagged = client.post(f"{address}/flag", fields(page) | {"reason": "broken", "words": "No text at all"})
    assert flagged.status_code == 302
    assert Flag.objects.get().reason == "broken"
    assert [answer(other, campaign).status_code for _ in range(2)] == [302, 302]


def test_an_answer_can_be_corrected_and_what_was_typed_is_there():
    campaign = make_campaign(questions=[PREFERENCE, RATIONALE])
    make_item(campaign)
    client = joined(campaign)
    page, address = open_item(client, campaign)
    typed = fields(page) | {"preference": "a", "why": "My first words"}
    client.post(f"{address}/draft", typed | {"draft_version": "0"})
    client.post(address, typed)
    first = Judgment.objects.get()
    assert (
        f"/annotate/{campaign.slug}/history/{first.pk}"
        in client.get(f"/annotate/{campaign.slug}/history").content.decode()
    )
    form = client.get(f"/annotate/{campaign.slug}/history/{first.pk}").content.decode()
    assert "My first words" in form
    assert re.search(r'value="a"[^>]*checked', form)
    key = re.search(r'name="key" value="([^"]*)"', form)[1]
    changed = client.post(
        f"/annotate/{campaign.slug}/history/{first.pk}", {"key": key, "preference": "b", "why": "No."}
    )
    assert changed.status_code == 302
    assert Judgment.objects.get(supersedes=first).preference == "b"


def test_the_next_item_is_held_ahead_and_only_one():
    campaign = make_campaign(questions=[PREFERENCE])
    for prompt in ("One", "Two", "Three"):
        make_item(campaign, prompt=prompt)
    client = joined(campaign)
    page, _address = open_item(client, campaign)
    shown = re.search(r'data-assignment="(\d+)"', page)[1]
    first = client.get(f"/annotate/{campaign.slug}/ahead?shown={shown}")
    second = client.get(f"/annotate/{campaign.slug}/ahead?shown={shown}")
    assert first["X-Assignment"] == second["X-Assignment"] != shown
    assert Assignment.objects.count() == Impression.objects.count() == 2


def test_guidelines_that_were_published_meanwhile_come_before_the_item_that_the_page_has_already():
    campaign = make_campaign(questions=[PREFERENCE])
    for prompt in ("One", "Two", "Three"):
        make_item(campaign, prompt=prompt)
    client = joined(campaign)
    page, address = open_item(client, campaign)
    htmx = {"HX-Request": "true"}
    ahead = client.get(f"/annotate/{campaign.slug}/ahead", headers=htmx)["X-Assignment"]
    publish_guidelines(campaign_id=campaign.pk, text="Judge manners.", now=NOW())
    sent = client.post(address, fields(page) | {"preference": "a", "ahead": ahead}, headers=htmx)
    assert (sent.status_code, "X-Stored" in sent, "X-Next" in sent) == (200, True, False)
    assert "Judge manners." in sent.content.decode()


def test_no_page_before_or_after_an_answer_names_a_contestant():
    campaign = make_campaign(questions=[PREFERENCE])
    item = make_item(campaign)
    names = [response.contestant.name for response in item.responses.all()]
    client = joined(campaign)
    page, address = open_item(client, campaign)
    client.post(address, fields(page) | {"preference": "a"})
    judgment = Judgment.objects.get()
    pages = [page, *(client.get(f"/annotate/{campaign.slug}/{end}").content.decode() for end in ("history", "item"))]
    pages.append(client.get(f"/annotate/{campaign.slug}/history/{judgment.pk}").content.decode())
    assert not [name for name in names for each in pages if name in each]


def test_the_list_of_campaigns_takes_as_many_statements_for_one_as_for_three(django_assert_num_queries):
    user = make_user(role=Role.ANNOTATOR)
    client = Client()
    client.force_login(user)
    person_of_user(user=user, now=NOW())

    def join() -> None:
        campaign = make_campaign(questions=[PREFERENCE])
        make_item(campaign)
        client.post(f"/join/{invited(campaign)[1]}")

    join()
    with django_assert_num_queries(9):
        client.get("/annotate")
    join()
    join()
    with django_assert_num_queries(9):
        assert client.get("/annotate").content.decode().count("work-list__row") == 3


def test_who_is_blocked_corrects_nothing_and_their_slot_is_none_of_the_campaigns_any_more():
    campaign = make_campaign(questions=[PREFERENCE])
    make_item(campaign)
    client = joined(campaign)
    answer(client, campaign)
    judgment = Judgment.objects.get()
    form = client.get(f"/annotate/{campaign.slug}/history/{judgment.pk}").content.decode()
    key = re.search(r'name="key" value="([^"]*)"', form)[1]
    Respondent.objects.filter(pk=judgment.respondent_id).update(state="blocked")
    refused = client.post(f"/annotate/{campaign.slug}/history/{judgment.pk}", {"key": key, "preference": "b"})
    assert refused.status_code == 422
    assert Judgment.objects.count() == 1
    Respondent.objects.filter(pk=judgment.respondent_id).update(state="active")
    block_respondent(respondent_id=judgment.respondent_id, reason="spam", actor=None, now=NOW())
    assert sorted(Slot.objects.values_list("state", flat=True)) == ["cancelled", "open"]


def test_keeping_a_draft_takes_four_statements_with_those_that_say_who_is_there():
    campaign = make_campaign(questions=[PREFERENCE, RATIONALE])
    make_item(campaign)
    client = joined(campaign)
    page, address = open_item(client, campaign)
    typed = fields(page) | {"preference": "a", "why": "First words"}
    client.post(f"{address}/draft", typed | {"draft_version": "0"})
    with CaptureQueriesContext(connection) as said:
        assert client.post(f"{address}/draft", typed | {"draft_version": "1"}).json() == {"version": 2}
    statements = [each["sql"] for each in said if "SAVEPOINT" not in each["sql"]]
    assert len(statements) <= 4, statements

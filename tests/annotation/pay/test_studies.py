"""People whom a study sends: let in as many as it has places, known again, paid, and sent back with the right code."""

import time
from functools import partial

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from accounts.models import PersonalText, User
from accounts.texts import read_personal_text
from accounts.use_cases.erase_person import erase_person
from annotation.enums import ItemPurpose
from annotation.models import Campaign, Event, Invitation, LedgerEntry, Respondent, Study, StudyParticipant
from annotation.policies.study_links import Sent, read_sent, way_in
from annotation.use_cases import join_study as module
from annotation.use_cases.accrue_fees import accrue_fees
from annotation.use_cases.end_participation import StillAtWork, end_participation
from annotation.use_cases.join_study import SessionOfAnother, join_study
from annotation.use_cases.save_study import make_study
from annotation.use_cases.withdraw_consent import withdraw_consent
from tests.annotation.people.working import judged
from tests.factories import PREFERENCE, make_campaign, make_item, make_user
from tests.foundation.threads import run_together

pytestmark = pytest.mark.django_db

TRANSACTIONAL = pytest.mark.django_db(transaction=True)
CODES = {"completion_code": "DONE1", "screen_out_code": "OUT2", "over_quota_code": "FULL3"}
RETURN = "https://app.prolific.com/submissions/complete?cc="


@pytest.fixture
def campaign():
    return make_campaign(slug="trial", name="Blue skies", questions=[PREFERENCE])


def study_of(campaign, *, external_id="study1", places=None, judgments=None):
    values = CODES | {"places": places, "judgments": judgments}
    return make_study(campaign_id=campaign.pk, external_id=external_id, values=values, actor=None, now=timezone.now())


def link(participant="aa11", study="study1", session="s1", slug="trial"):
    return f"/study/{slug}?PROLIFIC_PID={participant}&STUDY_ID={study}&SESSION_ID={session}"


def came(study, participant="aa11", session="s1"):
    sent = Sent(participant, study.external_id, session)
    return join_study(study_id=study.pk, sent=sent, now=timezone.now())


def left(respondent):
    return end_participation(respondent=respondent, now=timezone.now()).state


def test_whoever_is_sent_goes_all_the_way_and_back_with_the_completion_code(campaign):
    make_item(campaign, slots=2)
    make_item(campaign, slots=2)
    study_of(campaign, judgments=1)
    browser = Client()
    page = browser.get(link())
    assert (page.status_code, User.objects.count(), "Blue skies" in page.content.decode()) == (200, 0, True)
    assert browser.post(link())["Location"] == reverse("work-campaign", args=["trial"])
    participant = StudyParticipant.objects.get()
    respondent = participant.respondent
    user = respondent.person.user
    assert (user.has_usable_password(), user.email.endswith("@invalid"), user.role_names) == (False, True, set())
    assert (respondent.groups, respondent.invitation.uses) == (["prolific"], 1)
    assert (
        reverse("study-leave", args=["trial"]) not in browser.get(reverse("work-item", args=["trial"])).content.decode()
    )
    assert browser.post(reverse("study-leave", args=["trial"]))["Location"] == reverse("work-campaign", args=["trial"])
    judged(campaign, respondent)
    # The study asks for one; the campaign has another.
    assert reverse("study-leave", args=["trial"]) in browser.get(reverse("work-item", args=["trial"])).content.decode()
    gone = browser.post(reverse("study-leave", args=["trial"]), follow=True)
    assert f'href="{RETURN}DONE1"' in gone.content.decode()
    assert StudyParticipant.objects.get().state == "completed"
    # The same link again, in another browser, gives the same person the same code.
    again = Client()
    assert again.post(link())["Location"] == reverse("study-leave", args=["trial"])
    assert f'href="{RETURN}DONE1"' in again.get(reverse("study-leave", args=["trial"])).content.decode()
    assert (StudyParticipant.objects.count(), Invitation.objects.get().uses) == (1, 1)


def test_the_way_in_tells_all_that_is_to_be_answered_and_a_pause_is_no_broken_link(campaign):
    make_item(campaign)
    for purpose in (ItemPurpose.TRAINING, ItemPurpose.TRAINING, ItemPurpose.QUALIFICATION):
        make_item(campaign, purpose=purpose, expected=[{"question": "preference", "values": ["a"]}], slots=0)
    study_of(campaign, judgments=4)
    page = Client().get(link()).content.decode()
    assert "7 items are to be judged; then a code leads you back to Prolific." in page
    assert "The first 3 of them are training and a test." in page
    Campaign.objects.filter(pk=campaign.pk).update(state="paused")
    paused = Client().post(link())
    title = paused.content.decode().split("<h1>")[1].split("</h1>")[0]
    assert (paused.status_code, title) == (409, "Not open at the moment")


def test_the_id_is_sealed_and_found_again_by_its_digest(campaign):
    study = study_of(campaign)
    first = came(study)
    again = came(study, session="s2")
    assert (again.pk, again.session_id) == (first.pk, "s2")
    assert read_personal_text(first.participant_id_id) == "aa11"
    assert b"aa11" not in bytes(PersonalText.objects.get().sealed)
    assert "aa11" not in first.digest + first.respondent.pseudonym + first.respondent.person.user.username
    other = make_campaign(slug="other", questions=[PREFERENCE])
    assert came(study_of(other)).digest != first.digest
    erase_person(person_id=first.respondent.person_id, now=timezone.now())
    assert read_personal_text(first.participant_id_id) is None
    refused = Client().post(link(session="s2"))
    assert (refused.status_code, "erased at your wish" in refused.content.decode()) == (409, True)


def test_who_comes_when_every_place_is_taken_goes_back_with_the_code_for_that(campaign):
    study = study_of(campaign, places=1)
    came(study)
    answer = Client().post(link("bb22", session="s2"))
    assert (answer.status_code, f'href="{RETURN}FULL3"' in answer.content.decode()) == (200, True)
    late = StudyParticipant.objects.get(respondent=None)
    assert (late.state, late.participant_id, User.objects.count()) == ("over_quota", None, 1)
    Invitation.objects.update(most_uses=2)
    assert came(study, "bb22", "s2").state == "started"
    assert StudyParticipant.objects.count() == 2


def test_who_finds_nothing_left_was_not_needed(campaign):
    study = study_of(campaign)
    respondent = came(study).respondent
    assert left(respondent) == "over_quota"
    make_item(campaign)
    other = came(study, "bb22", "s2").respondent
    judged(campaign, other)
    assert left(other) == "completed"


def test_a_screen_out_is_paid_and_has_its_own_code(campaign):
    type(campaign).objects.filter(pk=campaign.pk).update(pass_mark=0.5, screen_out_pay=2)
    make_item(
        campaign,
        slots=0,
        purpose=ItemPurpose.QUALIFICATION,
        expected=[{"question": "preference", "values": ["a"]}],
    )
    study_of(campaign)
    browser = Client()
    browser.post(link())
    respondent = Respondent.objects.get()
    judged(campaign, respondent, answer="tie")
    assert "Finish and go back to Prolific" in browser.get(reverse("work-campaign", args=["trial"])).content.decode()
    gone = browser.post(reverse("study-leave", args=["trial"]), follow=True).content.decode()
    assert (f'href="{RETURN}OUT2"' in gone, "What you did is paid." in gone) == (True, True)
    assert LedgerEntry.objects.get().amount == 2


def test_who_is_blocked_leaves_with_the_code_of_a_screen_out(campaign):
    respondent = came(study_of(campaign)).respondent
    with pytest.raises(StillAtWork):
        make_item(campaign)
        left(respondent)
    Respondent.objects.update(state="blocked")
    assert left(respondent) == "screened_out"


def test_who_withdraws_midway_goes_back_with_the_code_of_a_screen_out_and_keeps_what_is_owed(campaign):
    Campaign.objects.filter(pk=campaign.pk).update(pay_per_judgment="0.25", pay_currency="USD", screen_out_pay="1.00")
    campaign.refresh_from_db()
    for _ in range(3):
        make_item(campaign)
    study_of(campaign)
    browser, back = Client(), reverse("study-leave", args=["trial"])
    browser.post(link())
    respondent = StudyParticipant.objects.get().respondent
    judged(campaign, respondent)
    accrue_fees(campaign_id=campaign.pk, now=timezone.now())
    owed = list(LedgerEntry.objects.values_list("kind", "amount"))
    assert len(owed) == 1
    page = browser.post(reverse("work-withdraw", args=["trial"]), {"confirmed": "on"}, follow=True).content.decode()
    assert (back in page, "Your pay has not changed." in page) == (True, True)
    assert back in browser.get(reverse("work-campaign", args=["trial"])).content.decode()
    gone = browser.post(back, follow=True).content.decode()
    assert (f'href="{RETURN}OUT2"' in gone, "You have withdrawn" in gone) == (True, True)
    # The link of the study leads there again.
    assert f'href="{RETURN}OUT2"' in Client().post(link(), follow=True).content.decode()
    assert list(LedgerEntry.objects.values_list("kind", "amount")) == owed


def test_who_was_done_and_withdraws_then_keeps_the_code_of_those_who_are(campaign):
    make_item(campaign)
    respondent = came(study_of(campaign)).respondent
    judged(campaign, respondent)
    assert left(respondent) == "completed"
    withdraw_consent(respondent_id=respondent.pk, actor=respondent.person, now=timezone.now())
    assert left(respondent) == "completed"


@pytest.mark.parametrize(
    "address",
    [
        "/study/trial",
        "/study/trial?PROLIFIC_PID=aa11&STUDY_ID=study1",
        link(participant=""),
        link(participant="=cmd"),
        link(participant="a" * 65),
        link(session="a b"),
        link(study="another"),
        link(participant="{{%25PROLIFIC_PID%25}}"),
        link(slug="nowhere"),
    ],
)
def test_a_link_that_is_not_whole_or_of_another_study_says_so(campaign, address):
    study_of(campaign)
    for answer in (Client().get(address), Client().post(address)):
        assert answer.status_code == 404
    assert not StudyParticipant.objects.exists()


def test_a_session_is_not_passed_on_and_nobody_comes_by_two_studies(campaign):
    study = study_of(campaign)
    came(study)
    with pytest.raises(SessionOfAnother):
        came(study, "bb22")
    study_of(campaign, external_id="study2")
    answer = Client().post(link(study="study2", session="s9"))
    assert (answer.status_code, "by another study" in answer.content.decode()) == (409, True)
    assert StudyParticipant.objects.count() == 1


def test_a_campaign_that_takes_a_break_lets_nobody_in_but_those_who_came(campaign):
    study = study_of(campaign)
    came(study)
    type(campaign).objects.filter(pk=campaign.pk).update(state="paused")
    assert (Client().post(link()).status_code, Client().post(link("bb22", session="s2")).status_code) == (302, 409)


def test_somebody_signed_in_is_not_signed_out_by_a_link(campaign):
    study_of(campaign)
    browser = Client()
    browser.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    answer = browser.post(link())
    assert (answer.status_code, "Sign out first" in answer.content.decode()) == (404, True)
    # But on a shared machine the next participant takes the place of the last.
    shared = Client()
    shared.post(link())
    shared.post(link("bb22", session="s2"))
    assert StudyParticipant.objects.filter(respondent__isnull=False).count() == 2
    assert str(shared.session["_auth_user_id"]) == str(StudyParticipant.objects.latest("pk").respondent.person.user_id)


def test_who_was_not_sent_has_no_way_back(campaign):
    from tests.annotation.people.working import joined

    respondent = joined(campaign)
    browser = Client()
    browser.force_login(respondent.person.user)
    answer = browser.get(reverse("study-leave", args=["trial"]))
    assert (answer.status_code, "No study sent you here" in answer.content.decode()) == (404, True)


def test_the_address_for_prolific_is_read_once_it_has_filled_it_in():
    address = way_in("https://x/study/trial")
    values = {"PROLIFIC_PID": "p1", "STUDY_ID": "t1", "SESSION_ID": "s1"}
    for name, value in values.items():
        address = address.replace("{{%" + name + "%}}", value)
    given = dict(pair.split("=") for pair in address.partition("?")[2].split("&"))
    assert (read_sent(given), given) == (Sent("p1", "t1", "s1"), values)


def crowd(campaign, count=6):
    study = study_of(campaign, places=2)
    return run_together(*[partial(came, study, f"p{number}", f"s{number}") for number in range(count)])


@TRANSACTIONAL
def test_a_study_with_two_places_takes_two_however_many_come_at_once(campaign):
    states = sorted(participant.state for participant in crowd(campaign))
    assert states == ["over_quota"] * 4 + ["started"] * 2
    assert (Invitation.objects.get().uses, Respondent.objects.count()) == (2, 2)


@TRANSACTIONAL
def test_control_without_the_lock_more_come_than_it_has_places(campaign, monkeypatch):
    monkeypatch.setattr(module.Invitation.objects, "select_for_update", module.Invitation.objects.all)
    enrol = module.enrol_respondent
    monkeypatch.setattr(module, "enrol_respondent", lambda **values: (time.sleep(0.3), enrol(**values))[1])
    outcomes = crowd(campaign)
    # Only a constraint of the database stands in the way, and shows as an error.
    assert any(isinstance(outcome, Exception) for outcome in outcomes)


@pytest.fixture
def admin():
    client = Client()
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    return client


def at(name, *args):
    return reverse(name, args=["trial", *args])


def test_an_admin_sets_up_a_study_and_changes_its_codes(campaign, admin):
    values = CODES | {"external_id": "5f3c", "places": "2", "judgments": "10"}
    admin.post(at("campaign-studies"), values)
    study = Study.objects.get()
    assert (study.invitation.most_uses, study.judgments, study.completion_code) == (2, 10, "DONE1")
    again = admin.post(at("campaign-studies"), values)
    assert (again.status_code, list(again.context["form"].errors)) == (422, ["external_id"])
    page = admin.get(at("campaign-studies")).content.decode()
    assert "/study/trial?PROLIFIC_PID={{%PROLIFIC_PID%}}&amp;STUDY_ID={{%STUDY_ID%}}" in page
    came(study)
    came(study, "bb22", "s2")
    refused = admin.post(at("campaign-study", study.pk), CODES | {"places": "1"})
    assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["places"])
    same = admin.post(at("campaign-study", study.pk), CODES | {"screen_out_code": "DONE1"})
    assert (same.status_code, list(same.context["form"].errors)) == (422, ["__all__"])
    admin.post(at("campaign-study", study.pk), CODES | {"completion_code": "NEW", "places": ""})
    study.refresh_from_db()
    assert (study.completion_code, study.judgments) == ("NEW", None)
    assert Event.objects.filter(subject="annotation.study").count() == 2


def test_a_payout_has_a_file_for_each_study_and_nobody_is_in_two(campaign, admin):
    from tests.annotation.pay.test_pages import owe, rows_of
    from tests.annotation.people.working import joined

    study = study_of(campaign)
    sent, erased, other = came(study).respondent, came(study, "bb22", "s2").respondent, joined(campaign)
    for respondent, amount in ((sent, "1.25"), (erased, "2.00"), (other, "3.00")):
        owe(respondent, amount)
    erase_person(person_id=erased.person_id, now=timezone.now())
    admin.post(at("campaign-pay-out"))
    bonus = admin.get(at("campaign-pay-payout", 1), {"file": "study1"})
    assert bonus.content.decode() == "aa11,1.25\n"
    payment = rows_of(admin.get(at("campaign-pay-payout", 1), {"file": "payment"}))
    # Whose id was erased cannot be paid by Prolific, and is not lost.
    assert {row["pseudonym"]: row["amount"] for row in payment} == {erased.pseudonym: "2.00", other.pseudonym: "3.00"}

"""Places of a study: given back as the service sends somebody else, and told as people stand. A wrong block undone."""

import time
from datetime import timedelta
from functools import partial

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from annotation.models import Assignment, Event, Invitation, Respondent, StudyParticipant
from annotation.queries.people import campaign_invitations
from annotation.queries.studies import STILL_HERE, studies_of
from annotation.use_cases import end_participation as module
from annotation.use_cases.block_respondent import block_respondent, unblock_respondent
from annotation.use_cases.end_participation import StillAtWork
from annotation.use_cases.expire_assignments import expire_assignments
from annotation.use_cases.save_study import PlacesTaken, change_study
from annotation.use_cases.withdraw_consent import withdraw_consent
from tests.annotation.pay.test_studies import CODES, RETURN, TRANSACTIONAL, at, came, left, link, study_of
from tests.annotation.people.working import given, judged
from tests.factories import PREFERENCE, make_campaign, make_item, make_user
from tests.foundation.threads import run_together

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    made = make_campaign(slug="trial", name="Blue skies", questions=[PREFERENCE])
    for _ in range(2):
        make_item(made, slots=4)
    return made


@pytest.fixture
def admin():
    client = Client()
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    return client


def block(respondent):
    block_respondent(respondent_id=respondent.pk, reason="copies", actor=None, now=timezone.now())


def let_work_again(respondent):
    return unblock_respondent(respondent_id=respondent.pk, reason="our mistake", actor=None, now=timezone.now())


def screened_out(respondent):
    Respondent.objects.filter(pk=respondent.pk).update(state="screened_out")


def withdrawn(respondent):
    withdraw_consent(respondent_id=respondent.pk, actor=respondent.person, now=timezone.now())


def an_hour_ago(respondent):
    before = timezone.now() - STILL_HERE - timedelta(minutes=1)
    StudyParticipant.objects.filter(respondent=respondent).update(created_at=before)
    Assignment.objects.filter(respondent=respondent).update(claimed_at=before, lease_expires_at=before)
    Assignment.objects.filter(respondent=respondent, ended_at__isnull=False).update(ended_at=before)


def listed(campaign):
    return studies_of(campaign, timezone.now())[0]


def test_who_was_blocked_by_mistake_ends_as_everybody_else_does(campaign):
    study_of(campaign)
    browser, back = Client(), reverse("study-leave", args=["trial"])
    browser.post(link())
    respondent = StudyParticipant.objects.get().respondent
    judged(campaign, respondent)
    block(respondent)
    assert f'href="{RETURN}OUT2"' in browser.post(back, follow=True).content.decode()
    assert let_work_again(respondent).put_back == 1
    participant = StudyParticipant.objects.get()
    assert (participant.state, participant.ended_at) == ("started", None)
    told = Event.objects.get(subject="annotation.studyparticipant", verb="reopened")
    assert (told.from_state, told.to_state) == ("screened_out", "started")
    with pytest.raises(StillAtWork):
        left(respondent)
    # Their link leads to the work again, and not to the code.
    assert browser.post(link())["Location"] == reverse("work-campaign", args=["trial"])
    judged(campaign, respondent)
    page = browser.post(back, follow=True).content.decode()
    assert (f'href="{RETURN}DONE1"' in page, "You have done everything that was asked." in page) == (True, True)
    assert listed(campaign).counts == {"completed": 1}


def test_who_was_done_before_a_block_keeps_that_code_and_reads_so(campaign):
    study_of(campaign, judgments=1)
    browser = Client()
    browser.post(link())
    respondent = StudyParticipant.objects.get().respondent
    judged(campaign, respondent)
    assert left(respondent) == "completed"
    block(respondent)
    page = browser.get(reverse("study-leave", args=["trial"])).content.decode()
    assert (f'href="{RETURN}DONE1"' in page, "It ends here for you" in page) == (True, False)
    let_work_again(respondent)
    assert StudyParticipant.objects.get().state == "completed"


@pytest.mark.parametrize("end", [screened_out, block, withdrawn])
def test_the_studies_say_at_once_for_whom_it_ended(campaign, admin, end):
    study = study_of(campaign, places=2)
    respondent = came(study).respondent
    came(study, "bb22", "s2")
    end(respondent)
    assert StudyParticipant.objects.get(respondent=respondent).state == "started"
    row = listed(campaign)
    assert (row.counts, row.places, row.people) == ({"screened_out": 1, "started": 1}, 1, 2)
    page = admin.get(at("campaign-studies")).content.decode()
    assert ("1 of 2" in page, "Screened out, blocked or withdrawn" in page) == (True, True)


@pytest.mark.parametrize("end", [screened_out, block, withdrawn, an_hour_ago])
@pytest.mark.parametrize("says_so", [True, False])
def test_whoever_is_sent_in_place_of_somebody_who_is_gone_is_let_in(campaign, end, says_so):
    study = study_of(campaign, places=2)
    done, gone = came(study).respondent, came(study, "bb22", "s2").respondent
    for _ in range(2):
        judged(campaign, done)
    assert left(done) == "completed"
    an_hour_ago(done)
    judged(campaign, gone)
    assert came(study, "cc33", "s3").state == "over_quota"
    end(gone)
    if says_so and end is not an_hour_ago:
        left(gone)
    # Whom Prolific sends in their place, and it has been told of nobody else.
    assert came(study, "cc33", "s3").state == "started"
    assert came(study, "dd44", "s4").state == "over_quota"
    assert (listed(campaign).places, Invitation.objects.get().uses) == (2, 2)


def test_whoever_holds_an_item_or_has_done_all_that_was_asked_keeps_their_place(campaign):
    study = study_of(campaign, places=2, judgments=1)
    finished, slow = came(study).respondent, came(study, "bb22", "s2").respondent
    judged(campaign, finished)
    held = given(campaign, slow)
    an_hour_ago(finished)
    an_hour_ago(slow)
    Assignment.objects.filter(pk=held.pk).update(lease_expires_at=timezone.now() + timedelta(minutes=5))
    assert came(study, "cc33", "s3").state == "over_quota"
    # One who left and comes back after all is not turned away from what they began.
    an_hour_ago(slow)
    expire_assignments(now=timezone.now())
    assert came(study, "cc33", "s3").state == "started"
    assert came(study, "bb22", "s5").respondent_id == slow.pk
    given(campaign, slow)
    assert (listed(campaign).places, came(study, "dd44", "s4").state) == (3, "over_quota")


def test_places_are_lowered_to_those_that_are_taken_and_the_list_of_invitations_says_as_many(campaign):
    study = study_of(campaign, places=3)
    for number in range(3):
        came(study, f"p{number}", f"s{number}")
    assert [(row.state, row.uses) for row in campaign_invitations(campaign, timezone.now())] == [("used_up", 3)]
    block(Respondent.objects.latest("pk"))
    assert [(row.state, row.uses) for row in campaign_invitations(campaign, timezone.now())] == [("open", 2)]
    values = CODES | {"judgments": None}
    change = partial(change_study, study_id=study.pk, actor=None, now=timezone.now())
    with pytest.raises(PlacesTaken) as refused:
        change(values=values | {"places": 1})
    assert refused.value.count == 2
    change(values=values | {"places": 2})
    assert came(study, "late", "s9").state == "over_quota"
    # A block that is undone takes the place again, and no more than there are come after.
    let_work_again(Respondent.objects.latest("pk"))
    assert (listed(campaign).places, came(study, "late", "s9").state) == (3, "over_quota")


def test_the_history_says_which_study_sent_somebody(campaign, admin):
    respondent = came(study_of(campaign)).respondent
    page = admin.get(at("campaign-person", respondent.pk)).content.decode()
    assert ("Sent by Prolific, study study1" in page, "Joined from the pool" in page) == (True, False)


def test_who_finished_reads_that_nothing_more_comes(campaign):
    study_of(campaign, judgments=1)
    browser = Client()
    browser.post(link())
    judged(campaign, StudyParticipant.objects.get().respondent)
    page = browser.get(reverse("work-item", args=["trial"])).content.decode()
    assert ("Nothing more to do here" in page, "Nothing to do at the moment" in page) == (True, False)
    assert "Finish and go back to Prolific" in page


def leave_and_return(campaign, monkeypatch):
    """Somebody who was blocked presses Finish, and may work again before that is written. Returns how they end."""
    respondent = came(study_of(campaign)).respondent
    judged(campaign, respondent)
    block(respondent)
    end_of = module._end_of
    with monkeypatch.context() as patch:
        patch.setattr(module, "_end_of", lambda *who: (end_of(*who), time.sleep(0.4))[0])
        left_at_once, returned = run_together(
            partial(left, respondent), lambda: (time.sleep(0.2), let_work_again(respondent))
        )
    assert (left_at_once, isinstance(returned, Exception)) == ("screened_out", False)
    judged(campaign, respondent)
    return left(respondent)


@TRANSACTIONAL
def test_who_leaves_as_they_are_let_back_ends_as_everybody_else_does(campaign, monkeypatch):
    assert leave_and_return(campaign, monkeypatch) == "completed"


@TRANSACTIONAL
def test_control_without_the_lock_they_stay_screened_out(campaign, monkeypatch):
    monkeypatch.setattr(
        module.StudyParticipant.objects, "select_for_update", lambda **_: StudyParticipant.objects.all()
    )
    assert leave_and_return(campaign, monkeypatch) == "screened_out"

"""People who join a campaign and judge in it, for the tests of its people."""

from django.utils import timezone

from accounts.use_cases.create_person import person_of_user
from annotation.models import Assignment, Campaign, Judgment, Respondent
from annotation.use_cases.invite_people import invite_people
from annotation.use_cases.join_campaign import join_by_invitation
from annotation.use_cases.next_assignment import next_assignment
from annotation.use_cases.submit_judgment import Process
from annotation.use_cases.submit_work import submit_work
from tests.factories import make_user, new_key


def joined(campaign: Campaign, *, groups=(), **user) -> Respondent:
    person = person_of_user(user=make_user(**user), now=timezone.now())
    _invitation, token = invite_people(
        campaign_id=campaign.pk, name="Everybody", groups=groups, actor=None, now=timezone.now()
    )
    return join_by_invitation(token=token, person=person, now=timezone.now())


def given(campaign: Campaign, respondent: Respondent) -> Assignment:
    return next_assignment(campaign=campaign, respondent=respondent, now=timezone.now()).assignment


def judged(campaign: Campaign, respondent: Respondent, *, seconds: float = 10, answer: str = "a") -> Judgment:
    """The next item, answered after so many seconds."""
    assignment = given(campaign, respondent)
    return submit_work(
        assignment_id=assignment.pk,
        lease_token=assignment.lease_token,
        key=new_key(),
        respondent=respondent,
        answers={"preference": {"choice": answer, "strength": None}},
        now=timezone.now(),
        process=Process(active_ms=int(seconds * 1000)),
    ).judgment

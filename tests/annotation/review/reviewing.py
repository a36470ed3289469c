"""Judgments to review, and people who review them."""

from django.test import Client
from django.utils import timezone

from accounts.enums import Role
from accounts.models import Person, User
from accounts.use_cases.create_person import person_of_user
from annotation.models import Adjudication, Campaign, Item, Judgment
from annotation.use_cases.adjudicate_item import adjudicate_item
from annotation.use_cases.approve_judgment import approve_judgment
from annotation.use_cases.reject_judgment import reject_judgment
from annotation.use_cases.start_adjudication import start_adjudication
from tests.annotation.people.working import joined, judged
from tests.factories import PREFERENCE, make_campaign, make_item, make_user, new_key


def reviewed_campaign(**fields) -> Campaign:
    return make_campaign(**{"slug": "trial", "name": "Blue skies", "questions": [PREFERENCE]} | fields)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def make_reviewer(username: str | None = None, role: Role = Role.REVIEWER) -> tuple[User, Person]:
    user = make_user(role=role, **({"username": username} if username else {}))
    return user, person_of_user(user=user, now=timezone.now())


def reviewer() -> Person:
    return make_reviewer()[1]


def one_judgment(campaign: Campaign, **item) -> Judgment:
    """Of an item of its own, by a person of their own."""
    make_item(campaign, **item)
    return judged(campaign, joined(campaign))


def judged_by(campaign: Campaign, people: int, **fields) -> tuple[Item, list[Judgment]]:
    """One item, and what as many people say about it: a, b, a, …"""
    item = make_item(campaign, slots=people, **fields)
    return item, [judged(campaign, joined(campaign), answer="ab"[number % 2]) for number in range(people)]


def approve(judgment: Judgment, by: Person, **fields):
    return approve_judgment(judgment_id=judgment.pk, actor=by, now=timezone.now(), **fields)


def reject(judgment: Judgment, by: Person, message: str = "Not what was asked.", **fields):
    return reject_judgment(judgment_id=judgment.pk, message=message, actor=by, now=timezone.now(), **fields)


def rejected(judgment: Judgment) -> tuple[Person, Person]:
    """By two reviewers, who come back."""
    first, second = reviewer(), reviewer()
    reject(judgment, first)
    reject(judgment, second)
    return first, second


def settle(item: Item, answer: str, by: Person | None = None, *, strength: int | None = None) -> Adjudication:
    """An expert's answer, by the side as it is shown to them."""
    expert, now = by or reviewer(), timezone.now()
    assignment = start_adjudication(item_id=item.pk, see_others=False, actor=expert, now=now)
    return adjudicate_item(
        assignment_id=assignment.pk,
        lease_token=assignment.lease_token,
        key=new_key(),
        respondent=assignment.respondent,
        actor=expert,
        answers={"preference": {"choice": answer, "strength": strength}},
        now=now,
    )

"""An annotator's two requests, an item that is claimed and an answer, against a bare view that inserts one row.

Measured as a vote is (`benchmarks.votes`): requests go straight into the WSGI handler, in rounds that alternate with
the bare view's. The page of an item is weighed with every file it asks for.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.models import User
from accounts.use_cases.create_person import person_of_user
from annotation.models import Assignment, Campaign
from annotation.use_cases.invite_people import invite_people
from annotation.use_cases.join_campaign import join_by_invitation
from benchmarks.interactive import time_to_first_key
from benchmarks.rows import Row
from benchmarks.votes import (
    Cost,
    Environ,
    bare_request,
    bare_view,
    environ_of,
    middle,
    number_the_log,
    quiet_log,
    spend,
)
from tests.factories import PREFERENCE, make_campaign, make_item, make_user, new_key

TEXT = "Light of every colour is scattered by air, and blue the most. " * 20


def working(*, quick: bool) -> list[Row]:
    rounds, people = (3, 20) if quick else (6, 40)
    campaign = make_campaign(questions=[PREFERENCE])
    # One each in every round, one ahead, and what those take who only look at the page.
    for number in range((rounds + 3) * people):
        make_item(campaign, prompt=f"Why is the sky blue, {number}?", texts=(TEXT, TEXT))
    sessions = [session_of(user) for user in joined(campaign, people)]
    handler, claims, answers, bare = WSGIHandler(), [], [], []
    with quiet_log(), bare_view():
        one_round(handler, campaign, sessions)  # what is only loaded once is not measured
        for _ in range(rounds):
            claim, answer = one_round(handler, campaign, sessions)
            claims.append(claim)
            answers.append(answer)
            bare.append(spend(handler, [bare_request(number) for number in range(people)]))
    claim, answer, insert = (1000 / middle(each).cpu_ms for each in (claims, answers, bare))
    return [
        Row("item page, fraction of a bare view", "1 claim", claim, "per CPU second", insert),
        Row("answer, fraction of a bare view", "1 answer", answer, "per CPU second", insert),
        *weights(campaign),
        *time_to_first_key(campaign, sessions[:5]),
    ]


def joined(campaign: Campaign, count: int) -> list[User]:
    _invitation, token = invite_people(campaign_id=campaign.pk, name="All", actor=None, now=timezone.now())
    users: list[User] = [make_user() for _ in range(count)]
    for user in users:
        join_by_invitation(token=token, person=person_of_user(user=user, now=timezone.now()), now=timezone.now())
    return users


def session_of(user: User) -> dict[str, str]:
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value}


def one_round(handler: WSGIHandler, campaign: Campaign, sessions: list[dict[str, str]]) -> tuple[Cost, Cost]:
    """Everybody gets an item, then everybody answers; what each of the two costs."""
    claim = spend(handler, [page_of(campaign, session) for session in sessions])
    held = Assignment.objects.filter(respondent__campaign=campaign, state="open").select_related("respondent__person")
    by_user = {each.respondent.person.user_id: each for each in held}
    answers = [answer_of(campaign, by_user[user_of(session)], session) for session in sessions]
    return claim, spend(handler, answers, after=number_the_log)


def user_of(session: dict[str, str]) -> int:
    client = Client(SERVER_NAME="localhost")
    client.cookies[settings.SESSION_COOKIE_NAME] = session[settings.SESSION_COOKIE_NAME]
    return int(client.session["_auth_user_id"])


def page_of(campaign: Campaign, session: dict[str, str]) -> Environ:
    jar = "; ".join(f"{name}={value}" for name, value in session.items())
    factory = RequestFactory(headers={"Cookie": jar}, SERVER_NAME="localhost")
    environ: Environ = factory.get(f"/annotate/{campaign.slug}/item").environ
    return environ


def answer_of(campaign: Campaign, held: Assignment, session: dict[str, str]) -> Environ:
    form = {"key": new_key(), "lease_token": str(held.lease_token), "ahead": "1", "preference": "a"}
    return environ_of(f"/annotate/{campaign.slug}/items/{held.pk}", form, cookies=session, htmx=True)


def weights(campaign: Campaign) -> list[Row]:
    """The page of an item, and the scripts and styles of ours that it asks for, in kilobytes as they are stored."""
    client = Client(SERVER_NAME="localhost")
    client.force_login(joined(campaign, 1)[0])
    answered = client.get(f"/annotate/{campaign.slug}/item")
    if answered.status_code != 200:
        raise RuntimeError(f"the page of an item was answered {answered.status_code}")
    page = answered.content.decode()
    if "data-answer" not in page:
        raise RuntimeError("the page of an item shows none: there are too few")
    asked = re.findall(r'(?:src|href)="([^"]+\.(?:js|css|svg)[^"]*)"', page)
    files = {urlsplit(each).path.removeprefix(settings.STATIC_URL) for each in asked}
    found = [Path(path) for name in files if (path := finders.find(re.sub(r"\.[0-9a-f]{12}(?=\.)", "", name)))]
    kilobytes = sum(each.stat().st_size for each in found) / 1000
    return [
        Row("weight of an item's page", "text", len(page.encode()) / 1000, "kB"),
        Row("weight of its scripts and styles", "item page", kilobytes, "kB", note=f"{len(found)} files"),
    ]

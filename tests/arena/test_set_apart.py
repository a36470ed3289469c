"""Votes that are set apart: a block with its reason, the visitor's appeal, an admin's decision, and the alarm when they
are many. Nothing is deleted, and everything can be undone."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.use_cases.create_person import person_of_visitor
from annotation.enums import JudgmentKind
from annotation.models import Event, Judgment, Respondent
from annotation.use_cases.block_respondent import block_respondent
from arena.models import Arena, BlockAppeal
from arena.queries import excluded
from arena.queries.excluded import ExcludedCollector, excluded_in
from arena.tasks import watch
from arena.use_cases.appeal_block import AppealedBefore, appeal_block
from arena.use_cases.settle_block_appeal import settle_block_appeal
from foundation.transitions import ForbiddenTransition
from tests.arena.factories import make_arena, make_models
from tests.arena.voting import browser_of, voted
from tests.factories import make_person, make_user, new_key

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "cookie-of-a-visitor-who-was-blocked"
REASON = "All your votes fall on one model."
WORDS = "I only asked about poems, where it is the best."


def admin() -> Client:
    client = Client()
    client.force_login(make_user(role="campaign_admin"))
    return client


def voter() -> Respondent:
    """A visitor with two votes."""
    make_models()
    person = person_of_visitor(token=TOKEN, now=timezone.now())
    voted(person)
    voted(person)
    return Respondent.objects.get(person=person)


def blocked() -> Respondent:
    respondent = voter()
    said = admin().post(reverse("arena-visitor", args=["arena", respondent.pk]), {"reason": REASON})
    assert said.status_code == 302
    respondent.refresh_from_db()
    assert respondent.state == "blocked"
    return respondent


def standing() -> int:
    return Judgment.objects.filter(kind=JudgmentKind.ANSWER, superseded_by__isnull=True).count()


def page_of(client: Client, name: str = "mine", *args: object) -> str:
    return client.get(reverse(name, args=args)).content.decode()


def appealed() -> BlockAppeal:
    browser_of(TOKEN).post(reverse("own-appeal", args=[blocked().pk]), {"words": WORDS})
    return BlockAppeal.objects.get()


def test_a_blocked_visitor_reads_why_on_their_own_page_and_appeals_once():
    respondent = blocked()
    assert (standing(), Judgment.objects.filter(kind=JudgmentKind.ANSWER).count()) == (0, 2)  # none is deleted
    client = browser_of(TOKEN)
    page = page_of(client)
    assert ("are set apart" in page, REASON in page, "Why your votes should count" in page) == (True, True, True)
    address = reverse("own-appeal", args=[respondent.pk])
    assert client.post(address, {"words": " "}).status_code == 422
    assert client.post(address, {"words": WORDS}).status_code == 302
    page = page_of(client)
    assert (WORDS in page, "Waits for a decision" in page, "Why your votes should count" in page) == (True, True, False)
    assert client.post(address, {"words": "Again!"}).status_code == 302  # the first one stands
    with pytest.raises(AppealedBefore):
        appeal_block(respondent_id=respondent.pk, person=respondent.person, words="Again!", now=timezone.now())
    assert browser_of("somebody-else").post(address, {"words": WORDS}).status_code == 404
    refused = client.post(reverse("start-battle"), {"prompt": "Why?", "key": new_key()})
    assert refused.status_code == 403
    event = Event.objects.get(verb="block_appealed")
    assert (event.actor, WORDS in str(event.data) + event.reason) == (respondent.person, False)


def test_an_appeal_that_is_granted_makes_the_votes_count_again_and_everybody_can_read_how():
    appeal, client = appealed(), admin()
    page = page_of(client, "arena-integrity", "arena")
    assert (WORDS in page, REASON in page, "Waits for a decision" in page) == (True, True, True)
    address = reverse("arena-appeal", args=["arena", appeal.pk])
    refused = client.post(address, {"decision": "grant", "answer": ""})
    assert (refused.status_code, BlockAppeal.objects.get().state) == (422, "open")
    assert client.post(address, {"decision": "grant", "answer": "You are right."}).status_code == 302
    assert standing() == 2
    said = page_of(browser_of(TOKEN))
    assert ("count again" in said, "You are right." in said) == (True, True)
    verbs = Event.objects.filter(subject=Respondent._meta.label_lower).order_by("pk").values_list("verb", flat=True)
    assert list(verbs)[-4:] == ["blocked", "block_appealed", "block_appeal_settled", "unblocked"]
    assert client.post(address, {"decision": "refuse", "answer": "No."}).status_code == 422
    assert standing() == 2


def test_one_that_is_refused_leaves_them_out_with_the_reason_and_the_block_can_still_be_undone():
    appeal = appealed()
    settle_block_appeal(appeal_id=appeal.pk, granted=False, answer="It is one script.", actor=None, now=timezone.now())
    page = page_of(browser_of(TOKEN))
    assert (standing(), 'Refused: <span dir="auto">It is one script.</span>' in page) == (0, True)
    with pytest.raises(ForbiddenTransition):
        settle_block_appeal(appeal_id=appeal.pk, granted=True, answer="?", actor=None, now=timezone.now())
    address, client = reverse("arena-visitor", args=["arena", appeal.respondent_id]), admin()
    page = client.get(address).content.decode()
    assert (REASON in page, "block_appeal_settled" in page, "Let them count" in page) == (True, True, True)
    assert client.post(address, {"reason": ""}).status_code == 422
    client.post(address, {"reason": "We looked again."})
    assert standing() == 2


def test_a_second_block_may_be_appealed_against_anew():
    appeal = appealed()
    settle_block_appeal(appeal_id=appeal.pk, granted=True, answer="Sorry.", actor=None, now=timezone.now())
    block_respondent(respondent_id=appeal.respondent_id, reason="Again.", actor=None, now=timezone.now())
    browser_of(TOKEN).post(reverse("own-appeal", args=[appeal.respondent_id]), {"words": "Not again!"})
    assert list(BlockAppeal.objects.order_by("pk").values_list("state", flat=True)) == ["granted", "open"]


def test_the_alarm_comes_when_the_share_is_above_the_setting_and_goes_with_it(monkeypatch, caplog):
    monkeypatch.setattr(excluded, "LEAST_VOTES", 4)
    respondent, arena = voter(), make_arena()
    voted(make_person())
    voted(make_person())
    watch()
    assert Event.objects.filter(verb="excluded_alarm").count() == 0
    block_respondent(respondent_id=respondent.pk, reason=REASON, actor=None, now=timezone.now())
    for _again in range(2):
        watch()
    alarm = Event.objects.get(verb="excluded_alarm")
    assert alarm.data == {"votes": 4, "set_apart": 2, "limit": 5}
    client = admin()
    for name in ("arena-integrity", "campaign"):
        page = page_of(client, name, "arena")
        assert "50.0 % of the votes are set apart; your alarm stands at 5 %." in page, name
    (family,) = ExcludedCollector().collect()
    assert [(sample.labels["arena"], sample.value) for sample in family.samples] == [(str(arena.pk), 0.5)]
    Arena.objects.update(excluded_alarm=60)
    watch()
    assert Event.objects.filter(verb="excluded_calm").count() == 1
    assert "your alarm stands at" not in page_of(client, "campaign", "arena")
    assert "2 of 4 (50.0 %)" in page_of(client, "arena-integrity", "arena")


def test_of_few_votes_there_is_no_alarm_and_none_where_none_is_wanted():
    respondent = blocked()
    arena = make_arena()
    found = excluded_in(arena, now=timezone.now())
    assert (found.votes, found.set_apart, found.percent, found.is_alarming) == (2, 2, 100.0, False)
    assert respondent.state == "blocked"
    assert not excluded.Excluded(100, 100, None).is_alarming
    assert excluded.Excluded(100, 6, 5).is_alarming
    assert not excluded.Excluded(100, 5, 5).is_alarming


def test_an_admin_sets_the_alarm_and_the_networks_cap():
    arena, client = make_arena(), admin()
    form = client.get(reverse("arena-settings", args=["arena"])).context["form"]
    said = {
        bound.html_name: bound.value() for bound in form if bound.value() is not None and bound.value() is not False
    }
    said["modes"] = ["anonymous"]
    said |= {"examples": "Why?", "battles_per_network": "40", "excluded_alarm": "12"}
    saved = client.post(reverse("arena-settings", args=["arena"]), said)
    assert saved.status_code == 302, saved.context["form"].errors
    arena.refresh_from_db()
    assert (arena.battles_per_network, arena.excluded_alarm) == (40, 12)
    refused = client.post(reverse("arena-settings", args=["arena"]), said | {"excluded_alarm": "101"})
    assert refused.status_code == 422

"""Content that people are warned of: hidden, declined, and no more of it than one may meet in a day."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.models import Assignment, Campaign, Event, Item, Respondent, Slot
from annotation.policies.drafts import CONTENT, section_version
from annotation.queries import work
from annotation.use_cases import next_assignment as module
from annotation.use_cases.claim_slot import claim_slot
from annotation.use_cases.decline_content import UnknownContent, decline_content
from annotation.use_cases.next_assignment import EnoughForToday, Given, NothingLeft, NoWork, next_assignment
from annotation.use_cases.repeat_item import repeat_item
from annotation.use_cases.save_campaign_settings import ContentInUse, save_campaign_settings
from tests.annotation.work.test_pages import answer, joined, open_item
from tests.annotation.work.test_requalification import put_back
from tests.factories import PREFERENCE, make_campaign, make_item, make_respondent
from tests.foundation.threads import run_together

NOW = timezone.now
BLOOD, INSULTS = "Injuries and blood", "Insults"


def make_warned(*, blood: int = 0, insults: int = 0, plain: int = 0, **values) -> Campaign:
    campaign = make_campaign(questions=[PREFERENCE])
    Campaign.objects.filter(pk=campaign.pk).update(warned_content=[BLOOD, INSULTS], **values)
    for count, warnings in ((blood, [BLOOD]), (insults, [INSULTS]), (plain, [])):
        for _ in range(count):
            make_item(campaign, warnings=warnings, slots=3)
    campaign.refresh_from_db()
    return campaign


def everything(campaign: Campaign, person: Respondent) -> list[str]:
    """Takes and skips items until there are no more; the first warning of each, and why there are none."""
    met = []
    while True:
        try:
            given = next_assignment(campaign=campaign, respondent=person, now=NOW())
        except NoWork as none:
            return [*sorted(met), type(none).__name__]
        met.append(given.assignment.item.warnings[0] if given.assignment.item.warnings else "")
        put_back(person, given)


@pytest.mark.django_db
def test_what_is_declined_is_never_given_and_the_rest_is():
    campaign = make_warned(blood=3, insults=2, plain=2)
    person = make_respondent(campaign)
    decline_content(respondent_id=person.pk, declined=[BLOOD], now=NOW())
    assert everything(campaign, person) == ["", "", INSULTS, INSULTS, "NothingLeft"]
    decline_content(respondent_id=person.pk, declined=[], now=NOW())
    assert everything(campaign, person) == [BLOOD] * 3 + ["NothingLeft"]


@pytest.mark.django_db
def test_what_is_held_and_prefetched_goes_back_when_it_is_declined():
    campaign = make_warned(blood=4)
    person, other = make_respondent(campaign), make_respondent(campaign)
    given = [next_assignment(campaign=campaign, respondent=person, now=NOW(), ahead=each) for each in (False, True)]
    assert len({each.assignment.pk for each in given}) == 2
    decline_content(respondent_id=person.pk, declined=[BLOOD], now=NOW())
    assert set(Assignment.objects.values_list("state", flat=True)) == {"expired"}
    assert not Slot.objects.exclude(state="open").exists()
    for ahead in (False, True):
        with pytest.raises(NothingLeft):
            next_assignment(campaign=campaign, respondent=person, now=NOW(), ahead=ahead)
    assert len(everything(campaign, other)) == 5
    assert Event.objects.get(verb="content_declined").data["given_back"] == 2
    with pytest.raises(UnknownContent):
        decline_content(respondent_id=person.pk, declined=["Spiders"], now=NOW())


@pytest.mark.django_db
def test_gold_training_and_repeats_respect_it_too():
    campaign = make_warned(plain=3, gold_share=0.5, repeat_share=0.5)
    expected = [{"question": "preference", "values": ["a"]}]
    for purpose in ("gold", "training"):
        make_item(campaign, purpose=purpose, expected=expected, warnings=[BLOOD], slots=0)
    person = make_respondent(campaign)
    decline_content(respondent_id=person.pk, declined=[BLOOD], now=NOW())
    assert everything(campaign, person) == ["", "", "", "NothingLeft"]
    warned = make_item(campaign, warnings=[INSULTS])
    assert repeat_item(item_id=warned.pk, now=NOW()).warnings == [INSULTS]


@pytest.mark.django_db
def test_no_more_than_so_many_a_day_and_the_others_still_come():
    campaign = make_warned(blood=3, insults=3, plain=2, exposure_cap=2)
    person = make_respondent(campaign)
    met = everything(campaign, person)
    assert (len(met), met[-1], met.count("")) == (5, "EnoughForToday", 2)
    Assignment.objects.update(claimed_at=NOW() - timedelta(days=1))
    assert len(everything(campaign, person)) == 3


@pytest.mark.django_db
@pytest.mark.parametrize("purpose", ["work", "training"])
def test_nothing_is_to_be_started_where_only_items_with_a_warning_are_left_today(purpose):
    campaign = make_warned(plain=int(purpose == "work"), exposure_cap=1)
    for _ in range(2):
        expected = [] if purpose == "work" else [{"question": "preference", "values": ["a"]}]
        make_item(campaign, purpose=purpose, expected=expected, warnings=[BLOOD], slots=int(purpose == "work"))
    client = joined(campaign)
    person = Respondent.objects.get()
    start = f'href="/annotate/{campaign.slug}/item"'
    pages = [f"/annotate/{campaign.slug}", "/annotate"]
    assert [start in client.get(page).content.decode() for page in pages] == [True, True]
    assert everything(campaign, person)[-1] == "EnoughForToday"
    Assignment.objects.update(state="submitted", ended_at=NOW())
    step, home = (client.get(page).content.decode() for page in pages)
    assert [start in step, start in home] == [False, False]
    assert "as one may in a day" in step
    Assignment.objects.update(claimed_at=NOW() - timedelta(days=1))
    assert [start in client.get(page).content.decode() for page in pages] == [True, True]


@pytest.mark.django_db
@pytest.mark.parametrize("purpose", ["training", "qualification"])
def test_practice_that_has_to_wait_is_not_to_be_started_though_there_is_work_without_a_warning(purpose):
    campaign = make_warned(plain=3, exposure_cap=1)
    for _ in range(2):
        expected = [{"question": "preference", "values": ["a"]}]
        make_item(campaign, purpose=purpose, expected=expected, warnings=[BLOOD], slots=0)
    client = joined(campaign)
    person = Respondent.objects.get()
    start = f'href="/annotate/{campaign.slug}/item"'
    pages = [f"/annotate/{campaign.slug}", "/annotate"]
    assert everything(campaign, person) == [BLOOD, "EnoughForToday"]
    Assignment.objects.update(state="submitted", ended_at=NOW())
    step, home = (client.get(page).content.decode() for page in pages)
    assert [start in step, start in home] == [False, False]
    assert "as one may in a day" in step
    assert "Nothing to do at the moment" in home
    Assignment.objects.update(claimed_at=NOW() - timedelta(days=1))
    assert [start in client.get(page).content.decode() for page in pages] == [True, True]


@pytest.mark.django_db
def test_a_test_with_too_much_of_it_goes_on_tomorrow():
    campaign = make_warned(plain=1, exposure_cap=1)
    for _ in range(2):
        expected = [{"question": "preference", "values": ["a"]}]
        make_item(campaign, purpose="training", expected=expected, warnings=[BLOOD], slots=0)
    person = make_respondent(campaign)
    assert everything(campaign, person) == [BLOOD, "EnoughForToday"]
    Assignment.objects.update(claimed_at=NOW() - timedelta(days=1))
    assert everything(campaign, person) == ["", BLOOD, "EnoughForToday"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("guarded", [True, False], ids=["held", "control"])
def test_tabs_that_claim_at_once_do_not_pass_the_cap_together(guarded, monkeypatch):
    """Each tab is given an item of its own here, so that the row that is held is all that stands between them."""
    campaign = make_warned(blood=40, exposure_cap=2)
    most = 0
    position_of = work.position_of
    monkeypatch.setattr(
        module,
        "position_of",
        lambda person, *, to_claim, **values: forget_held(position_of(person, to_claim=guarded, **values)),
    )
    for _ in range(1 if guarded else 10):
        person = make_respondent(campaign)
        outcomes = run_together(
            *[partial(next_assignment, campaign=campaign, respondent=person, now=NOW()) for _ in range(8)]
        )
        # Where nothing is held, two tabs may also take two slots of one item; the database refuses the second.
        fine = (Given, EnoughForToday, NothingLeft) if guarded else (Given, EnoughForToday, NothingLeft, IntegrityError)
        assert all(isinstance(each, fine) for each in outcomes), outcomes
        most = max(most, Assignment.objects.filter(respondent=person).count())
        if most > 2:
            break
    assert most == 2 if guarded else most > 2


def forget_held(position: work.Position) -> work.Position:
    position.held.clear()
    return position


@pytest.mark.django_db(transaction=True)
def test_nothing_declined_is_given_while_it_is_being_declined():
    campaign = make_warned(blood=30, plain=30)
    people = [make_respondent(campaign) for _ in range(6)]
    claims = [partial(everything, campaign, person) for person in people]
    declines = [partial(decline_content, respondent_id=person.pk, declined=[BLOOD], now=NOW()) for person in people]
    run_together(*claims, *declines)
    after = dict(Event.objects.filter(verb="content_declined").values_list("subject_id", "created_at"))
    late = [
        each
        for each in Assignment.objects.filter(item__warnings=[BLOOD]).select_related("respondent")
        if each.claimed_at > after[str(each.respondent_id)]
    ]
    assert len(after) == 6
    assert not late
    assert not Assignment.objects.filter(item__warnings=[BLOOD], state="open").exists()


@pytest.mark.django_db
def test_a_claim_takes_one_statement_with_content_as_without():
    campaign = make_warned(plain=2, blood=2, exposure_cap=3)
    person = make_respondent(campaign)
    decline_content(respondent_id=person.pk, declined=[INSULTS], now=NOW())
    with CaptureQueriesContext(connection) as said:
        assert claim_slot(campaign=campaign, respondent=person, now=NOW()) is not None
    assert len([each for each in said if "SAVEPOINT" not in each["sql"]]) == 1


@pytest.mark.django_db
def test_the_item_is_hidden_until_it_is_shown_and_after_an_answer_it_stays():
    campaign = make_warned(blood=1)
    client = joined(campaign)
    page, address = open_item(client, campaign)
    assert page.count(" inert") == 2
    assert BLOOD in page
    number = address.rsplit("/", 1)[1]
    assert " inert" not in client.get(f"/annotate/{campaign.slug}/item?reveal={number}").content.decode()
    assert " inert" in client.get(f"/annotate/{campaign.slug}/item?reveal=1{number}").content.decode()
    refused = answer(client, campaign, preference="")
    assert refused.status_code == 422
    assert " inert" not in refused.content.decode()
    assert answer(client, campaign).status_code == 302
    history = client.get(f"/annotate/{campaign.slug}/history").content.decode()
    assert BLOOD in history
    assert "What is it?" not in history


@pytest.mark.django_db
def test_content_is_declined_when_joining_and_at_any_time():
    campaign = make_warned(blood=2, plain=1)
    client = joined(campaign)
    assert BLOOD in client.get(f"/annotate/{campaign.slug}").content.decode()
    saved = client.post(f"/annotate/{campaign.slug}/content", {"declined": [BLOOD]})
    assert saved["Location"] == f"/annotate/{campaign.slug}"
    assert Respondent.objects.get().declined_content == [BLOOD]
    assert client.post(f"/annotate/{campaign.slug}/content", {"declined": ["Spiders"]}).status_code == 422
    assert "0 of up to 3 items done" in client.get("/annotate").content.decode()
    second = joined(campaign, declined=[INSULTS])
    assert Respondent.objects.latest("pk").declined_content == [INSULTS]
    assert second.get(f"/annotate/{campaign.slug}").status_code == 200


@pytest.mark.django_db
def test_a_category_that_items_have_stays_in_the_campaign():
    campaign = make_warned(blood=1)

    def save(names: list[str]) -> None:
        save_campaign_settings(
            campaign_id=campaign.pk,
            section=CONTENT,
            values={"warned_content": names, "exposure_cap": None},
            version=section_version(Campaign.objects.get(pk=campaign.pk), CONTENT),
            actor=None,
            now=NOW(),
        )

    save([BLOOD])
    with pytest.raises(ContentInUse):
        save([])
    Item.objects.update(state="void")
    save([])
    assert Campaign.objects.get(pk=campaign.pk).warned_content == []


@pytest.mark.django_db
def test_a_skip_costs_neither_quota_nor_pay_nor_figures():
    campaign = make_warned(plain=4, quota_per_annotator=2)
    skipping, other = make_respondent(campaign), make_respondent(campaign)
    for _ in range(2):
        put_back(skipping, next_assignment(campaign=campaign, respondent=skipping, now=NOW()))
    positions = [work.position_of(each) for each in (skipping, other)]
    assert positions[0] == positions[1]
    assert [len(everything_answered(campaign, each)) for each in (skipping, other)] == [2, 2]


def everything_answered(campaign: Campaign, person: Respondent) -> list[Given]:
    found = []
    while True:
        try:
            found.append(next_assignment(campaign=campaign, respondent=person, now=NOW()))
        except NoWork:
            return found
        Assignment.objects.filter(pk=found[-1].assignment.pk).update(state="submitted")

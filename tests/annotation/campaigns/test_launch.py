"""From a starting point to a running campaign: what a launch refuses and freezes, what copies keep."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from annotation.enums import CampaignState, ItemPurpose
from annotation.models import Campaign, Event, Item, Slot
from annotation.policies.drafts import (
    CampaignIsClosed,
    QuestionsFrozen,
    StaleDraft,
    all_as_asked,
    section_content,
    section_version,
)
from annotation.policies.launch import hourly_pay
from annotation.policies.templates import ALL, starting_points
from annotation.queries.campaigns import supply_of
from annotation.questions import InvalidSettings, all_types, instrument_digest
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.copy_campaign import copy_campaign
from annotation.use_cases.discard_campaign import NotUntouched, discard_campaign
from annotation.use_cases.launch_campaign import LaunchRefused, TemplateNeverRuns, launch_campaign
from annotation.use_cases.make_template import make_template
from annotation.use_cases.save_campaign_draft import save_campaign_draft
from annotation.use_cases.save_campaign_settings import PayDoesNotStand, save_campaign_settings
from annotation.use_cases.start_campaign import start_campaign
from annotation.use_cases.submit_judgment import submit_judgment
from foundation.transitions import ForbiddenTransition
from tests.factories import claim_and_show, make_campaign, make_item, make_person, make_respondent, make_user, new_key

pytestmark = pytest.mark.django_db

WHY = {"name": "why", "type": "rationale", "required": False}
ASKED = [{"name": "preference", "type": "preference"}, WHY]


def start(**settings) -> Campaign:
    draft = {"questions": ASKED, "guidelines": "Read both.", "consent": "You may stop."}
    return start_campaign(
        name="Trial",
        draft=settings.pop("draft", draft),
        settings={"purpose": "To try.", **settings},
        actor=None,
        now=timezone.now(),
    )


def ready(**settings) -> Campaign:
    campaign = start(**settings)
    make_item(campaign)
    return campaign


def launch(campaign, to=CampaignState.RUNNING, actor=None) -> Campaign:
    return launch_campaign(campaign_id=campaign.pk, to=to, actor=actor, now=timezone.now())


def refused(campaign) -> list[tuple[str, str]]:
    with pytest.raises(LaunchRefused) as refusal:
        launch(campaign)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.instrument, campaign.guidelines, campaign.consent) == ("draft", None, None, None)
    return [(missing.section, missing.text) for missing in refusal.value.missing]


def save(campaign, section, content, version=None):
    return save_campaign_draft(
        campaign_id=campaign.pk,
        section=section,
        content=content,
        version=version or section_version(campaign, section),
        actor=None,
        now=timezone.now(),
    )


def set_up(campaign, section, version=None, **values):
    return save_campaign_settings(
        campaign_id=campaign.pk,
        section=section,
        values=section_content(campaign, section) | values,
        version=version or section_version(campaign, section),
        actor=None,
        now=timezone.now(),
    )


def judge(campaign) -> None:
    assignment, _impression = claim_and_show(campaign, respondent := make_respondent(campaign))
    submit_judgment(
        assignment_id=assignment.pk,
        lease_token=assignment.lease_token,
        key=new_key(),
        respondent=respondent,
        answers={"preference": {"choice": "tie"}},
        now=timezone.now(),
    )


def verbs(campaign) -> list[str]:
    events = Event.objects.filter(subject="annotation.campaign", subject_id=str(campaign.pk)).order_by("pk")
    return [event.verb for event in events]


def test_an_empty_campaign_is_told_everything_at_once_in_the_order_of_the_editor():
    campaign = start(draft={}, purpose="")
    assert refused(campaign) == [
        ("about", "Say what the campaign is for."),
        ("consent", "Write the consent text that people agree to before they judge."),
        ("guidelines", "Write the guidelines."),
        ("questions", "Add at least one question."),
        ("items", "Add the items that are to be judged."),
    ]


def test_a_launch_freezes_what_the_editor_holds_under_the_person_who_launched():
    campaign, person = ready(), make_person()
    launch(campaign, actor=person)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.guidelines.text, campaign.consent.text) == (
        "running",
        "Read both.",
        "You may stop.",
    )
    assert (campaign.instrument.number, campaign.instrument.digest) == (1, instrument_digest(all_as_asked(ASKED)))
    written = ["instrument_published", "guidelines_published", "consent_published", "state_changed"]
    assert sorted(verbs(campaign)[1:]) == sorted(written)
    assert set(Event.objects.filter(verb__in=written).values_list("actor", flat=True)) == {person.pk}


def test_pay_below_the_floor_is_refused_with_the_figure_and_at_the_floor_is_not():
    pay = {"pay_per_judgment": Decimal("0.10"), "expected_seconds": 40, "pay_floor": Decimal("9.01")}
    campaign = ready(**pay)
    assert hourly_pay(campaign) == Decimal("9.00")
    assert refused(campaign) == [("pay", "The pay comes to 9.00 USD an hour, below the least of 9.01 USD.")]
    Campaign.objects.filter(pk=campaign.pk).update(pay_floor=Decimal("9.00"))
    assert launch(campaign).state == "running"


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({"pay_floor": Decimal(9)}, ("pay", "A least pay per hour is set, but no pay per judgment.")),
        (
            {"pay_per_judgment": Decimal("0.1")},
            ("pay", "Say how many seconds an item is expected to take, or nobody knows the pay."),
        ),
        (
            {"pay_per_judgment": Decimal(2), "expected_seconds": 60, "budget_money": Decimal(1)},
            ("design", "The budget does not pay a single judgment."),
        ),
        ({"gold_share": 0.1}, ("items", "A share of gold items is set, but there is no gold item.")),
        (
            {"attention_share": 0.1},
            ("items", "A share of attention checks is set, but there is no attention check."),
        ),
        ({"pass_mark": 0.7}, ("items", "A pass mark is set, but there is no item of a qualification test.")),
        ({"deadline": timezone.now() - timedelta(minutes=1)}, ("design", "The deadline has passed.")),
        (
            {"responses_per_item": 4},
            (
                "questions",
                "“Which answer would you rather have received?” cannot be asked about 4 responses. Change it, or the"
                " responses per item.",
            ),
        ),
    ],
    ids=["floor-without-pay", "pay-without-time", "budget", "gold", "attention", "test", "deadline", "responses"],
)
def test_each_thing_that_is_missing_is_named_by_itself(settings, missing):
    assert refused(ready(**settings)) == [missing]


def test_gold_and_a_test_that_are_there_are_not_missing():
    campaign = ready(gold_share=0.1, pass_mark=0.7)
    for purpose in (ItemPurpose.GOLD, ItemPurpose.QUALIFICATION):
        make_item(campaign, purpose=purpose, expected=[{"question": "preference", "values": ["a"]}])
    assert (supply_of(campaign).gold, supply_of(campaign).qualification) == (1, 1)
    assert launch(campaign).state == "running"


def test_checks_that_nobody_would_ever_be_shown_are_told_on_the_overview_and_stop_no_launch(admin):
    campaign = ready()
    for purpose in (ItemPurpose.GOLD, ItemPurpose.ATTENTION):
        make_item(campaign, purpose=purpose, expected=[{"question": "preference", "values": ["a"]}])
    told = (
        "1 gold item is never shown: the share of gold items is 0.",
        "1 attention check is never shown: the share of attention checks is 0.",
    )
    assert launch(campaign).state == "running"
    page = admin.get(reverse("campaign", args=[campaign.slug])).content.decode()
    assert [text in page for text in told] == [True, True]
    Campaign.objects.filter(pk=campaign.pk).update(gold_share=0.1)
    page = admin.get(reverse("campaign", args=[campaign.slug])).content.decode()
    assert [text in page for text in told] == [False, True]


def test_void_items_are_no_items():
    campaign = ready()
    Item.objects.filter(campaign=campaign).update(state="void")
    assert refused(campaign) == [("items", "Add the items that are to be judged.")]


def test_questions_that_cannot_be_asked_together_are_refused():
    campaign = ready(draft={"questions": [{"name": "worth", "type": "amount"}], "guidelines": "x", "consent": "y"})
    ((section, text),) = refused(campaign)
    assert (section, text) == (
        "questions",
        "Question 1 (Amount): It depends on another answer: add a question of the type Preference above it.",
    )


def test_the_guidelines_of_a_starting_point_speak_of_what_it_asks():
    for point in ALL:
        types, text = {each["type"] for each in point.questions}, str(point.guidelines).lower()
        said = {
            "both": "**both " in text or "both responses" in text,
            "scale": "scale" in text,
            "no difference": "no difference" in text,
        }
        if text:
            assert not said["both"] or point.responses == 2, point.slug
            assert not said["scale"] or "rating" in types, point.slug
            assert not said["no difference"] or "preference" in types, point.slug


def test_a_template_never_runs():
    template = make_template(campaign_id=ready().pk, name="Pattern", actor=None, now=timezone.now())
    with pytest.raises(TemplateNeverRuns):
        launch(template)


def test_a_second_save_from_a_stale_tab_is_refused_and_the_first_stands():
    campaign = start()
    opened = section_version(campaign, "guidelines")
    save(campaign, "guidelines", "First.", opened)
    with pytest.raises(StaleDraft):
        save(campaign, "guidelines", "Second.", opened)
    campaign.refresh_from_db()
    assert section_content(campaign, "guidelines") == "First."
    # Another section is another text: nobody stands in anybody's way there.
    save(campaign, "consent", "Agreed.", section_version(start(), "consent"))


def test_settings_from_a_stale_tab_are_refused_too():
    campaign = start()
    opened = section_version(campaign, "about")
    set_up(campaign, "about", opened, purpose="First.")
    with pytest.raises(StaleDraft):
        set_up(campaign, "about", opened, purpose="Second.")
    campaign.refresh_from_db()
    assert campaign.purpose == "First."


def test_saving_what_is_there_writes_no_event():
    campaign = start()
    before = verbs(campaign)
    save(campaign, "guidelines", "Read both.")
    set_up(campaign, "about")
    assert verbs(campaign) == before


def test_a_pilot_takes_other_questions_until_its_first_judgment():
    campaign = ready()
    campaign = launch(campaign, CampaignState.PILOT)
    other = [{"name": "preference", "type": "preference", "settings": {"strength": "off"}}, WHY]
    campaign = save(campaign, "questions", other)
    assert (campaign.instrument.number, campaign.instrument.digest) == (2, instrument_digest(all_as_asked(other)))
    judge(campaign)
    with pytest.raises(QuestionsFrozen):
        save(campaign, "questions", ASKED)
    with pytest.raises(QuestionsFrozen):
        set_up(campaign, "design", responses_per_item=3)
    campaign.refresh_from_db()
    assert (campaign.instrument.number, campaign.responses_per_item) == (2, 2)


def test_a_running_campaign_keeps_its_questions_even_before_a_judgment():
    campaign = launch(ready())
    with pytest.raises(QuestionsFrozen):
        save(campaign, "questions", [WHY])
    assert set_up(campaign, "design", overlap=1, gold_share=0.2).gold_share == 0.2


def test_guidelines_of_a_running_campaign_are_a_new_version_and_the_old_one_stays():
    campaign = launch(ready())
    campaign = save(campaign, "guidelines", "Read both twice.")
    assert [(each.number, each.text) for each in campaign.guidelines_versions.order_by("number")] == [
        (1, "Read both."),
        (2, "Read both twice."),
    ]
    assert campaign.guidelines.number == 2
    assert save(campaign, "consent", "You may stop any time.").consent.number == 2


def test_pay_of_a_running_campaign_does_not_fall_below_the_floor():
    campaign = launch(ready(pay_per_judgment=Decimal(1), expected_seconds=60, pay_floor=Decimal(12)))
    with pytest.raises(PayDoesNotStand, match=r"comes to 6.00 USD an hour"):
        set_up(campaign, "pay", pay_per_judgment=Decimal("0.1"))
    campaign.refresh_from_db()
    assert campaign.pay_per_judgment == Decimal(1)


def states(item) -> list[tuple[int, str]]:
    return list(Slot.objects.filter(item=item).order_by("number").values_list("number", "state"))


def test_a_new_overlap_gives_every_item_of_work_as_many_slots_and_takes_none_that_somebody_holds():
    campaign = launch(ready())
    item = campaign.items.get()
    gold = make_item(campaign, purpose=ItemPurpose.GOLD, expected=[{"question": "preference", "values": ["a"]}])
    repeat = make_item(campaign, slots=0, repeat_of=item)
    judge(campaign)
    campaign = set_up(campaign, "design", overlap=3)
    done = "done" if states(item)[0][1] == "done" else "open"
    assert (states(item), states(repeat)) == ([(1, done), (2, "open"), (3, "open")], [])
    Slot.objects.filter(item=item, number=3).update(state="claimed")
    campaign = set_up(campaign, "design", overlap=1)
    left = [(number, state) for number, state in states(item) if state != "cancelled"]
    assert left == ([(1, "done"), (3, "claimed")] if done == "done" else [(3, "claimed")])
    campaign = set_up(campaign, "design", overlap=4)
    assert len([state for _number, state in states(item) if state != "cancelled"]) == 4
    assert len(states(gold)) == 1


def test_a_closed_campaign_is_not_changed():
    campaign = launch(ready())
    change_campaign_state(campaign_id=campaign.pk, to="closed", actor=None, reason="done", now=timezone.now())
    campaign.refresh_from_db()
    with pytest.raises(CampaignIsClosed):
        save(campaign, "guidelines", "Too late.")
    with pytest.raises(CampaignIsClosed):
        set_up(campaign, "about", purpose="Too late.")
    with pytest.raises(ForbiddenTransition):
        launch(campaign)


def test_questions_that_no_form_would_send_are_refused_by_the_use_case():
    campaign = start()
    with pytest.raises(InvalidSettings):
        save(campaign, "questions", [WHY, WHY])
    assert save(campaign, "questions", []).draft["questions"] == []


def test_a_copy_asks_and_pays_the_same_and_has_neither_items_nor_people():
    campaign = ready(overlap=3, pay_per_judgment=Decimal("0.5"), group_quotas={"nurses": 5}, deadline=timezone.now())
    launched = ready(standard="As a teacher.")
    launch(launched)
    copies = [
        copy_campaign(campaign_id=each.pk, name="Trial", actor=None, now=timezone.now())
        for each in (campaign, launched)
    ]
    assert len({campaign.slug, launched.slug, *(copy.slug for copy in copies)}) == 4
    first, second = copies
    assert (first.state, first.overlap, first.pay_per_judgment, first.group_quotas, first.deadline) == (
        *("draft", 3, Decimal("0.5"), {"nurses": 5}),
        None,
    )
    assert (second.standard, second.instrument, supply_of(second).work) == ("As a teacher.", None, 0)
    assert {section: section_content(second, section) for section in ("questions", "guidelines")} == {
        "questions": ASKED,
        "guidelines": "Read both.",
    }
    assert bytes(first.wrapped_key) != bytes(campaign.wrapped_key)


def test_a_campaign_that_was_set_up_without_the_editor_is_copied_from_what_it_published():
    campaign = make_campaign()
    copy = copy_campaign(campaign_id=campaign.pk, name="Copy", actor=None, now=timezone.now())
    assert instrument_digest(all_as_asked(section_content(copy, "questions"))) == campaign.instrument.digest


def test_an_untouched_draft_is_discarded_and_anything_else_is_not():
    untouched, with_item, piloted = start(), ready(), ready()
    launch(piloted, CampaignState.PILOT)
    change_campaign_state(campaign_id=piloted.pk, to="draft", actor=None, reason="again", now=timezone.now())
    discard_campaign(campaign_id=untouched.pk, actor=None, now=timezone.now())
    assert not Campaign.objects.filter(pk=untouched.pk).exists()
    assert verbs(untouched)[-1] == "discarded"
    for campaign in (with_item, piloted):
        with pytest.raises(NotUntouched):
            discard_campaign(campaign_id=campaign.pk, actor=None, now=timezone.now())


def test_every_starting_point_whose_types_are_there_is_offered_and_can_be_launched():
    wanted = {each.slug for each in ALL if {question["type"] for question in each.questions} <= set(all_types())}
    assert {each.slug for each in starting_points()} == wanted
    for point in starting_points():
        if point.slug == "blank":
            continue
        # What is in brackets is for the admin to say.
        draft = point.draft | {"consent": re.sub(r"\[[^\]]*\]", "said", point.draft["consent"])}
        told = {"expected_seconds": 60, "contact": "Ada"}
        campaign = start(draft=draft, responses_per_item=point.responses, **told)
        make_item(campaign, texts=["text"] * point.responses)
        assert launch(campaign).state == "running", point.slug


def test_a_name_makes_a_readable_address_and_never_the_sites_own():
    first, second, third = (
        start(),
        start(),
        start_campaign(name="New", draft={}, settings={}, actor=None, now=timezone.now()),
    )
    japanese = start_campaign(name="評価", draft={}, settings={}, actor=None, now=timezone.now())
    assert (first.slug, second.slug.startswith("trial-"), third.slug.startswith("new-"), japanese.slug) == (
        *("trial", True, True),
        "campaign",
    )


def test_a_launch_opens_a_board_that_admins_see_and_the_public_does_not(client):
    campaign = ready()
    launch_campaign(campaign_id=campaign.pk, to=CampaignState.RUNNING, actor=None, now=timezone.now())
    assert client.get(f"/leaderboard/{campaign.slug}").status_code == 404
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    assert client.get(f"/campaigns/{campaign.slug}/results")["Location"] == f"/leaderboard/{campaign.slug}"
    assert client.get(f"/leaderboard/{campaign.slug}").status_code == 200

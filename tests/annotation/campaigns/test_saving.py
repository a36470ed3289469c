"""What is saved of a campaign: from two tabs, while it runs, and once it is closed."""

from decimal import Decimal

import pytest
from django.utils import timezone

from annotation.enums import CampaignState, ItemPurpose
from annotation.models import Slot
from annotation.policies.drafts import (
    CampaignIsClosed,
    QuestionsFrozen,
    StaleDraft,
    all_as_asked,
    section_content,
    section_version,
)
from annotation.questions import InvalidSettings, instrument_digest
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.save_campaign_settings import PayDoesNotStand
from foundation.transitions import ForbiddenTransition
from tests.annotation.campaigns.launching import ASKED, WHY, judge, launch, ready, save, set_up, start, verbs
from tests.factories import make_item

pytestmark = pytest.mark.django_db


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

"""A dry run of a campaign with paid amounts goes through the real code, and pays nobody."""

import pytest

from annotation.models import Campaign, Draw, Judgment, WorthSession
from annotation.simulation.dry_run import dry_run
from annotation.use_cases.cast_shadow import NothingToRehearse, cast_shadow
from tests.annotation.worth.bidding import NOW, paid_campaign

pytestmark = pytest.mark.django_db


def test_simulated_people_bid_from_an_endowment_of_their_own_until_their_session_is_full():
    campaign = paid_campaign(items=5, session_items=3, endowments=("5.00", "9.00"), overlap=3)
    source = cast_shadow(campaign_id=campaign.pk, items=5, people=4, seed=3, actor=None, now=NOW())
    dry_run(source_id=source.pk, clock=NOW)
    sessions = WorthSession.objects.filter(campaign=source.campaign)
    assert {str(session.state) for session in sessions} == {"locked"}
    assert {session.respondent.judgments.count() for session in sessions} == {3}
    paid = Judgment.objects.filter(campaign=source.campaign, amount_low__isnull=False)
    assert all(each.amount_low <= each.respondent.worth_session.endowment for each in paid)
    assert {each.incentive for each in paid} == {"paid_delegated"}
    assert not Draw.objects.exists()


def test_without_an_endowment_there_is_nothing_to_rehearse():
    campaign = paid_campaign(items=2)
    Campaign.objects.filter(pk=campaign.pk).update(endowments=[])
    with pytest.raises(NothingToRehearse, match="endowment"):
        cast_shadow(campaign_id=campaign.pk, items=2, people=2, seed=3, actor=None, now=NOW())

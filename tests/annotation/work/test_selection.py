"""Which pair of models comes next: drawn by the campaign's policy, with its exact probability, claimed by its slots."""

from collections import Counter

import numpy as np
import pytest
from django.db import connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.models import Assignment, Campaign, CampaignSelection, Impression, Slot, SlotTally
from annotation.queries.campaigns import progress_of
from annotation.queries.pairs import known_of, learn
from annotation.selection import POLICIES, Candidate, choose
from annotation.use_cases import refresh_selection as refreshing
from annotation.use_cases import sum_tallies as sum_tallies_module
from annotation.use_cases.claim_slot import claim_pair
from annotation.use_cases.expire_assignments import expire_assignments
from annotation.use_cases.match_slots import match_slots
from annotation.use_cases.next_assignment import NothingLeft, next_assignment
from annotation.use_cases.refresh_selection import refresh_selection, refresh_selections
from annotation.use_cases.take_out_judgment import add_slot
from tests.annotation.items.uploads import imported
from tests.annotation.numbering import number_log
from tests.annotation.people.working import judged
from tests.factories import PREFERENCE, make_campaign, make_contestant, make_item, make_respondent

pytestmark = pytest.mark.django_db


def three_models(*, items: int = 12, policy: str = "uniform", slots: int = 1) -> tuple[Campaign, list[int]]:
    """As many items of each of the three pairs, and the models' ids."""
    campaign = make_campaign(questions=[PREFERENCE])
    Campaign.objects.filter(pk=campaign.pk).update(policy=policy)
    campaign.refresh_from_db()
    models = [make_contestant(campaign, name) for name in ("ash", "birch", "cedar")]
    for number in range(items):
        make_item(campaign, contestants=[models[number % 3], models[(number + 1) % 3]], slots=slots)
    return campaign, [model.pk for model in models]


def given(campaign: Campaign, respondent=None):
    respondent = respondent or make_respondent(campaign)
    return next_assignment(campaign=campaign, respondent=respondent, now=timezone.now())


def pair_of(impression: Impression) -> tuple[int, ...]:
    return tuple(sorted(impression.item.responses.values_list("contestant", flat=True)))


def learned(campaign: Campaign) -> CampaignSelection:
    number_log()
    return refresh_selection(campaign=campaign, now=timezone.now())


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_draws_and_its_draw_is_replayed_from_what_was_logged(policy):
    campaign, models = three_models(policy=policy)
    for _ in range(3):
        judged(campaign, make_respondent(campaign), answer="a")
    learned(campaign)
    known = known_of(campaign)
    shown = given(campaign).impression
    assert shown.pair_design == "drawn"
    assert 0 < shown.p_pair <= 1
    assert shown.candidate_count == 3
    again = choose(
        policy=policy,
        parameters={},
        candidates=[Candidate(model) for model in models],
        seed=shown.seed,
        state=known.state,
        open_pairs=known.open_pairs,
    )
    assert again.pair == pair_of(shown)
    assert (again.probability, again.candidate_digest) == (shown.p_pair, shown.candidate_digest)
    assert again.policy == shown.policy


def test_under_uniform_every_open_pair_is_alike_however_many_items_it_has():
    campaign, _models = three_models(items=3, slots=60)
    for number in range(20):
        make_item(campaign, contestants=[make_contestant(campaign, f"{name} {number}") for name in ("elm", "yew")])
    learned(campaign)
    for _ in range(5):
        shown = given(campaign).impression
        # Three pairs, and twenty pairs of models of their own, which one showing uses up.
        assert shown.p_pair == pytest.approx(1 / (23 - len(shown.parameters.get("passed", []))))


def test_balanced_gives_what_was_asked_about_least():
    campaign, (ash, birch, cedar) = three_models(items=30, policy="balanced")
    Campaign.objects.filter(pk=campaign.pk).update(policy_parameters={"epsilon": 0.0001})
    campaign.refresh_from_db()
    for _ in range(9):
        learned(campaign)
        given(campaign)  # held open, so that it is outstanding
    pairs = Counter(Slot.objects.filter(state="claimed").values_list("pair_low", "pair_high"))
    assert pairs == {(ash, birch): 3, (ash, cedar): 3, (birch, cedar): 3}


def test_best_model_asks_about_those_in_front():
    campaign, (ash, birch, cedar) = three_models(items=240, policy="double_thompson")
    learned(campaign)
    # Cedar loses to both of the others, who are close.
    for _ in range(60):
        respondent = make_respondent(campaign)
        found = given(campaign, respondent)
        responses = dict(found.assignment.item.responses.values_list("position", "contestant"))
        shown = [responses[position] for position in found.impression.order]
        loser = shown.index(cedar) if cedar in shown else found.impression.seed % 2
        judged(campaign, respondent, answer="ba"[loser])
    learned(campaign)
    drawn = Counter(pair_of(given(campaign).impression) for _ in range(30))
    assert drawn[ash, birch] > 20


def test_who_has_met_all_items_of_a_pair_gets_another_and_the_log_says_so():
    campaign, models = three_models(items=3, slots=5)
    learned(campaign)
    respondent = make_respondent(campaign)
    for _ in range(3):
        judged(campaign, respondent, answer="a")
    with pytest.raises(NothingLeft):
        given(campaign, respondent)
    shown = Impression.objects.filter(respondent=respondent).order_by("pk")
    assert {pair_of(each) for each in shown} == {
        tuple(sorted(pair)) for pair in ((models[0], models[1]), (models[1], models[2]), (models[2], models[0]))
    }
    assert {each.pair_design for each in shown} == {"drawn"}
    for each in shown:
        # One in as many pairs as were left after those that had nothing for this person.
        assert each.p_pair == pytest.approx(1 / (3 - len(each.parameters.get("passed", []))))


def test_items_without_two_models_come_in_random_order_and_say_so():
    campaign = make_campaign(questions=[PREFERENCE])
    same = make_contestant(campaign, "ash")
    make_item(campaign, contestants=[same, same])
    learned(campaign)
    assert Slot.objects.filter(pair_low__isnull=True).count() == 1
    shown = given(campaign).impression
    assert (shown.pair_design, shown.p_pair) == ("assigned", None)


def test_without_anything_computed_work_is_given_all_the_same():
    campaign, _models = three_models()
    assert known_of(campaign) is None
    assert given(campaign).impression.pair_design == "assigned"


def test_what_is_known_of_an_exhausted_campaign_is_that_nothing_is_open():
    campaign, _models = three_models(items=3)
    learned(campaign)
    for _ in range(3):
        judged(campaign, make_respondent(campaign), answer="b")
    learned(campaign)
    assert not known_of(campaign).open_pairs.any()
    with pytest.raises(NothingLeft):
        given(campaign)


def test_packing_changes_nothing():
    campaign, _models = three_models()
    for answer in "aabt":
        judged(campaign, make_respondent(campaign), answer={"t": "tie"}.get(answer, answer))
    given(campaign)
    number_log()
    fresh = learn(campaign)
    learned(campaign)
    kept = known_of(campaign)
    assert kept.state.digest == fresh.state.digest
    assert (kept.open_pairs == fresh.open_pairs).all()
    assert kept.state.votes == 4
    assert kept.state.outstanding.sum() == 2  # one question, in both directions
    assert np.allclose(kept.state.wins + kept.state.wins.T, kept.state.met)


@pytest.mark.django_db(transaction=True)
def test_every_way_a_slot_comes_about_gives_it_its_pair(tmp_path, settings):
    settings.DATA_DIR = tmp_path / "data"
    campaign, _models = three_models(items=1)
    lines = (
        "prompt,response_1,response_2,model_1,model_2",
        "Q1?,One.,Two.,ash,elm",
        "Q2?,One.,Two.,ash,ash",
        "Q3?,One.,Two.,,elm",
    )
    imported(campaign, tmp_path, "\n".join(lines))
    Campaign.objects.filter(pk=campaign.pk).update(overlap=3)
    campaign.refresh_from_db()
    match_slots(campaign=campaign, now=timezone.now())
    with transaction.atomic():
        for item in campaign.items.all():
            add_slot(item)
    for slot in Slot.objects.filter(campaign=campaign):
        named = sorted(set(slot.item.responses.values_list("contestant", flat=True)) - {None})
        expected = named if len(named) == 2 else [None, None]
        assert [slot.pair_low, slot.pair_high] == expected, slot.item_id
    assert Slot.objects.filter(pair_low__isnull=False).count() == 8
    assert Slot.objects.count() == 16


def test_the_sweep_learns_where_something_was_shown_and_rests_elsewhere():
    campaign, _models = three_models()
    now = timezone.now()
    assert refresh_selections(now=now) == 1  # the first time
    assert refresh_selections(now=now + timezone.timedelta(seconds=60)) == 0  # nobody has been here
    given(campaign)
    assert refresh_selections(now=now + timezone.timedelta(seconds=1)) == 0  # too early
    assert refresh_selections(now=now + timezone.timedelta(seconds=60)) == 1
    assert known_of(campaign).state.outstanding.sum() == 2
    Assignment.objects.update(lease_expires_at=now - timezone.timedelta(seconds=1))
    expire_assignments(now=now)
    assert refresh_selections(now=now + timezone.timedelta(seconds=120)) == 1
    assert known_of(campaign).state.outstanding.sum() == 0


def test_a_campaign_that_cannot_be_learned_holds_no_other_up(monkeypatch):
    campaigns = [three_models(items=3)[0] for _ in range(2)]
    Campaign.objects.filter(pk=campaigns[0].pk).update(name="broken")

    def fails_on_the_first(campaign):
        if campaign.name == "broken":
            raise RuntimeError("made to fail")
        return learn(campaign)

    monkeypatch.setattr(refreshing, "learn", fails_on_the_first)
    assert refresh_selections(now=timezone.now()) == 1
    assert set(CampaignSelection.objects.values_list("campaign", flat=True)) == {campaigns[1].pk}


@pytest.mark.parametrize(
    ("fields", "statements"),
    [({}, 3), ({"share_per_annotator": 0.5}, 3), ({"order_design": "balanced"}, 5)],
    ids=["plain", "share", "balanced"],
)
def test_a_claim_with_all_that_goes_with_it_takes_three_statements(fields, statements):
    """Counted is what one call of next_assignment sends: the person's row held and where they stand, in one; the claim;
    the showing. Two more where orders are balanced: the item's orders held and read; and more where a check or a repeat
    comes instead of work, or somebody has met all of a drawn pair. Not counted: who is asking and the campaign with its
    instrument, which a page reads first; what the item shows, which it reads after; the questions and what the policy
    knows, which a process reads once; and the savepoints of this test's own transaction.
    """
    campaign, _models = three_models(slots=3)
    Campaign.objects.filter(pk=campaign.pk).update(**fields)
    learned(campaign)
    campaign = Campaign.objects.select_related("instrument").get(pk=campaign.pk)
    given(campaign)
    respondent = make_respondent(campaign)
    with CaptureQueriesContext(connection) as said:
        assert given(campaign, respondent).impression.pair_design == "drawn"
    own = [each["sql"] for each in said if "SAVEPOINT" not in each["sql"]]
    assert len(own) == statements, own


def test_pairs_are_claimed_in_their_order():
    campaign, (ash, _birch, cedar) = three_models()
    pairs = [(ash, 10**9), (ash, cedar)]
    found = claim_pair(campaign=campaign, respondent=make_respondent(campaign), pairs=pairs, now=timezone.now())
    assert found is not None
    assert found.turn == 1


def tallied(campaign: Campaign) -> tuple[int, int, int]:
    names = ("wanted", "taken", "done")
    sums = SlotTally.objects.filter(campaign=campaign).aggregate(**{name: Sum(name) for name in names})
    return sums["wanted"], sums["taken"], sums["done"]


def test_tallies_say_what_counting_says_through_all_that_happens_to_slots():
    campaign, _models = three_models(items=40, slots=2)
    make_item(campaign, purpose="gold", slots=0, expected={"preference": ["a"]})
    for number in range(4):
        judged(campaign, make_respondent(campaign), answer="ab"[number % 2])
    Campaign.objects.filter(pk=campaign.pk).update(gold_share=0.5)
    campaign.refresh_from_db()
    # Gold is drawn by chance: thirty people without one are one case in 2^30, and leave items that nobody was given.
    for _ in range(30):
        judged(campaign, make_respondent(campaign), answer="a")
        if Slot.objects.filter(campaign=campaign, item__purpose="gold", state="done").exists():
            break
    given(campaign)
    Assignment.objects.filter(state="open").update(lease_expires_at=timezone.now() - timezone.timedelta(seconds=1))
    expire_assignments(now=timezone.now())
    Campaign.objects.filter(pk=campaign.pk).update(overlap=1)
    campaign.refresh_from_db()
    match_slots(campaign=campaign, now=timezone.now())
    slots = Slot.objects.filter(campaign=campaign)
    wanted = slots.exclude(state="cancelled").filter(item__purpose="work").count()
    taken = slots.filter(state__in=("claimed", "done")).count()
    assert slots.filter(state="cancelled").exists()
    assert slots.filter(item__purpose="gold").exists()
    done = slots.filter(state="done", item__purpose="work", item__repeat_of=None).count()
    assert 0 < done < taken
    assert (
        tallied(campaign) == (wanted, taken, done) == (progress_of(campaign).wanted, taken, progress_of(campaign).done)
    )
    slots.filter(state="open", assignments=None)[0].delete()
    assert tallied(campaign) == (wanted - 1, taken, done)


def test_tallies_are_summed_into_one_row_and_stay_what_they_are(monkeypatch):
    campaign, _models = three_models(items=4)
    other, _models = three_models(items=3)
    for _ in range(3):
        given(campaign)
    before = tallied(campaign)
    rows = SlotTally.objects.filter(campaign=other).count()
    monkeypatch.setattr(sum_tallies_module, "MANY", 3)
    assert sum_tallies_module.sum_tallies() == 1
    assert SlotTally.objects.filter(campaign=campaign).count() == 1
    assert (tallied(campaign), before) == ((4, 3, 0), (4, 3, 0))
    assert SlotTally.objects.filter(campaign=other).count() == rows

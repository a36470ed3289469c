"""Gold made of responses: worse for certain, the same for the same seed, and nothing before an admin's check."""

import numpy as np
import pytest
from django.utils import timezone

from annotation.enums import GoldWay, ItemPurpose, ItemState
from annotation.models import Event, Item, Judgment, Turn
from annotation.policies.checks import is_right
from annotation.policies.degrading import degrade, differences
from annotation.policies.launch import Supply
from annotation.queries.campaigns import supply_of
from annotation.queries.gold import explanation_of, liked, proposals
from annotation.queries.log import standing_judgments
from annotation.questions import Asked
from annotation.use_cases.judge_gold import judge_gold
from annotation.use_cases.make_gold import make_gold
from annotation.use_cases.next_assignment import next_assignment
from annotation.use_cases.request_gold import CannotMakeGold, request_gold
from annotation.use_cases.submit_judgment import submit_judgment
from annotation.use_cases.sweep_generations import sweep_generations
from tests.annotation.generating.factories import LONG
from tests.annotation.numbering import number_log
from tests.factories import (
    ACCEPTABLE,
    PREFERENCE,
    claim_and_show,
    make_campaign,
    make_item,
    make_respondent,
    new_key,
)

pytestmark = pytest.mark.django_db
OTHER = "Boil the water first. Put the eggs in for seven minutes. Then cool them under the tap. Peel them at last."
RATED = {"name": "stars", "type": "rating"}


def gold_of(campaign, *, count=4, ways=("truncated", "words"), origin="any", seed=3, make=True):
    generation = request_gold(
        campaign_id=campaign.pk,
        count=count,
        ways=ways,
        origin=origin,
        key=new_key(),
        actor=None,
        now=timezone.now(),
        seed=seed,
    )
    if make:
        make_gold(generation_id=generation.pk, now=timezone.now())
        generation.refresh_from_db()
    return generation


def filled(count=4, *, texts=(LONG, OTHER), **fields):
    campaign = make_campaign(**fields)
    for number in range(count):
        make_item(campaign, texts=texts, prompt=f"Question {number}?")
    return campaign


def shown(item):
    return list(Turn.objects.filter(response__item=item).order_by("response__position").values_list("text", flat=True))


def answer(campaign, respondent, preference, *, acceptable=None):
    """Judge the next item; the side is the item's own, wherever it is shown."""
    assignment, impression = claim_and_show(campaign, respondent, seed=len(Judgment.objects.all()) + 1)
    side = "ab"[impression.order.index("ab".index(preference))]
    answers = {"preference": {"choice": side, "strength": None}}
    if acceptable is not None:
        answers["acceptable"] = acceptable
    return submit_judgment(
        assignment_id=assignment.pk,
        lease_token=assignment.lease_token,
        key=new_key(),
        respondent=respondent,
        answers=answers,
        now=timezone.now(),
    )


@pytest.mark.parametrize("way", GoldWay.values)
def test_each_way_makes_another_text_and_the_same_one_for_the_same_seed(way):
    made = [degrade(LONG, way, rng=np.random.default_rng(seed), other=OTHER) for seed in (1, 1, 2)]
    assert made[0] == made[1] != LONG
    assert way == GoldWay.OTHER_PROMPT or made[0] != made[2]
    before, after = differences(LONG, made[0], way=way)
    assert "".join(text for text, _marked in before).split() == LONG.split()
    assert "".join(text for text, _marked in after).split() == made[0].split()
    assert way == GoldWay.OTHER_PROMPT or any(marked for _text, marked in before)


def test_a_cut_text_is_a_beginning_that_does_not_end_as_a_sentence_does():
    for seed in range(50):
        made = degrade(LONG, "truncated", rng=np.random.default_rng(seed))
        assert LONG.startswith(made)
        assert 0 < len(made) <= 0.6 * len(LONG)
        assert made[-1] not in ".!?"


def test_shuffled_words_and_sentences_are_the_same_ones():
    assert sorted(degrade(LONG, "words", rng=np.random.default_rng(1)).split()) == sorted(LONG.split())
    assert sorted(degrade(LONG, "sentences", rng=np.random.default_rng(1)).split()) == sorted(LONG.split())


@pytest.mark.parametrize("text", ["", "Yes.", "Four.", "ha " * 40, "No, " * 11])
def test_what_is_too_short_or_would_stay_the_same_is_not_taken(text):
    for way in ("truncated", "sentences", "words"):
        made = degrade(text, way, rng=np.random.default_rng(1))
        assert made is None or made.split() != text.split()
    assert degrade(text, "words", rng=np.random.default_rng(1)) is None
    assert degrade("Same.", "other_prompt", rng=np.random.default_rng(1), other=" same. ") is None


def test_gold_is_proposed_with_its_expectation_and_where_it_came_from():
    campaign = filled()
    generation = gold_of(campaign, ways=["truncated"])
    assert (generation.state, generation.parameters["made"], generation.parameters["too_short"]) == ("done", 4, 0)
    for item in Item.objects.filter(generation=generation):
        assert (item.state, item.purpose, item.slots.count()) == (ItemState.PROPOSED, ItemPurpose.GOLD, 0)
        source = Item.objects.get(pk=item.made["item"])
        original = shown(source)[item.made["position"]]
        texts = shown(item)
        place = texts.index(original)
        assert item.expected == [{"question": "preference", "values": ["ab"[place]]}]
        assert original.startswith(texts[1 - place])
        assert (item.explanation, explanation_of(item)) == ("", "One response breaks off before its end.")
        assert (item.made["way"], item.made["original"], item.prompt_id) == ("truncated", place, source.prompt_id)
        assert set(item.responses.values_list("contestant", flat=True)) == {None}
    assert supply_of(campaign) == Supply(work=4, proposed=4)


def test_the_same_seed_makes_the_same_gold_and_nothing_is_made_twice():
    def texts(seed):
        campaign = filled()
        gold_of(campaign, seed=seed, ways=GoldWay.values)
        return [shown(item) for item in campaign.items.filter(purpose="gold").order_by("pk")]

    assert texts(3) == texts(3) != texts(4)
    campaign = filled(2)
    gold_of(campaign, count=9)
    gold_of(campaign, count=9)
    third = gold_of(campaign, count=9)
    made = [(item.made["item"], item.made["position"]) for item in campaign.items.filter(purpose="gold")]
    assert len(made) == len(set(made)) == 4
    assert third.parameters["made"] == 0


def test_short_responses_are_passed_over_with_a_count():
    campaign = filled(3, texts=("Yes.", "No."))
    generation = gold_of(campaign)
    assert (generation.parameters["made"], generation.parameters["too_short"]) == (0, 6)


def test_an_answer_to_another_prompt_is_one():
    campaign = filled(2, texts=(LONG, OTHER))
    gold_of(campaign, ways=["other_prompt"], count=2)
    for proposal in proposals(list(campaign.items.filter(purpose="gold").select_related("prompt"))):
        assert {proposal.asked, proposal.elsewhere} == {"Question 0?", "Question 1?"}


def test_originals_are_what_most_people_called_the_best_or_acceptable():
    campaign = filled(1, questions=[PREFERENCE, ACCEPTABLE | {"settings": {"mode": "per_response"}}])
    item = campaign.items.get()
    item.slots.create(campaign=campaign, number=2)
    item.slots.create(campaign=campaign, number=3)
    for side, both in (("b", [True, True]), ("b", [True, True]), ("a", [False, False])):
        answer(campaign, make_respondent(campaign), side, acceptable=both)
    number_log()
    assert liked(campaign, "best") == {(item.pk, 1)}
    assert liked(campaign, "acceptable") == {(item.pk, 0), (item.pk, 1)}
    gold_of(campaign, origin="best")
    assert campaign.items.get(purpose="gold").made["position"] == 1


def test_ratings_and_rankings_expect_the_original_above_its_copies():
    campaign = filled(2, questions=[RATED], texts=(LONG, OTHER))
    gold_of(campaign, count=1)
    item = campaign.items.get(purpose="gold")
    best = item.made["original"]
    assert item.expected == [{"question": "stars", "best": best}]
    asked = [Asked("stars", "rating")]
    scale = {"kind": "points", "lowest": 1, "highest": 5}
    for order in ([0, 1], [1, 0]):
        values = [4 if position == best else 2 for position in order]
        for given, right in ((values, True), (values[::-1], False), ([3, 3], False)):
            answers = {"stars": {"values": {"overall": given}, "scale": scale}}
            assert is_right(item.expected, asked=asked, answers=answers, order=order) is right
    ranked = [Asked("order", "ranking")]
    for tiers, right in (([2, 1, 3], True), ([1, 2, 3], False), ([2, 1, 1], False)):
        stored = {"order": {"mode": "order", "tiers": tiers}}
        assert is_right([{"question": "order", "best": 0}], asked=ranked, answers=stored, order=[2, 0, 1]) is right


def test_where_one_response_is_shown_the_copy_is_down_and_the_whole_one_up():
    campaign = make_campaign(questions=[{"name": "thumb", "type": "thumbs"}])
    campaign.responses_per_item = 1
    campaign.save()
    for number in range(12):
        make_item(campaign, texts=(LONG,), prompt=f"Question {number}?")
    gold_of(campaign, count=12, ways=["words"])
    items = list(campaign.items.filter(purpose="gold"))
    seen = {(shown(item) == [LONG], item.expected[0]["values"][0]) for item in items}
    assert seen == {(True, "up"), (False, "down")}


def test_without_a_question_that_says_which_is_better_no_gold_is_made():
    campaign = filled(1, questions=[{"name": "why", "type": "rationale"}])
    with pytest.raises(CannotMakeGold, match="no required question"):
        gold_of(campaign)
    with pytest.raises(CannotMakeGold, match="choose"):
        gold_of(filled(1), ways=[])


def test_only_accepted_gold_is_shown_and_it_counts_for_no_contestant():
    campaign = filled(2, questions=[PREFERENCE])
    campaign.gold_share = 0.5
    campaign.save()
    gold_of(campaign, count=2)
    first, second = campaign.items.filter(purpose="gold").order_by("pk")

    def showings():
        person = make_respondent(campaign)
        kinds = []
        for _turn in range(2):
            given = next_assignment(campaign=campaign, respondent=person, now=timezone.now())
            kinds.append(given.assignment.item_id)
            side = "ab"[given.impression.order.index(0)]
            submit_judgment(
                assignment_id=given.assignment.pk,
                lease_token=given.assignment.lease_token,
                key=new_key(),
                respondent=person,
                answers={"preference": {"choice": side, "strength": None}},
                now=timezone.now(),
            )
        return kinds

    for item in campaign.items.filter(purpose="work"):
        for number in range(2, 40):
            item.slots.create(campaign=campaign, number=number)
    assert not {first.pk, second.pk} & {pk for _person in range(8) for pk in showings()}
    judge_gold(campaign_id=campaign.pk, item_ids=[first.pk], accept=True, actor=None, now=timezone.now())
    judge_gold(campaign_id=campaign.pk, item_ids=[second.pk], accept=False, actor=None, now=timezone.now())
    seen = {pk for _person in range(8) for pk in showings()}
    assert (first.pk in seen, second.pk in seen) == (True, False)
    number_log()
    gold = Judgment.objects.filter(item=first)
    assert gold.exists()
    assert {tuple(each.contestants) for each in gold} == {(None, None)}
    assert not standing_judgments(campaign).filter(item__purpose="gold").exists()
    assert standing_judgments(campaign).count() == Judgment.objects.count() - gold.count()


def test_a_proposal_is_judged_once_and_every_decision_is_written_down():
    campaign = filled(2)
    gold_of(campaign, count=2)
    items = list(campaign.items.filter(purpose="gold").order_by("pk"))
    ids = [item.pk for item in items]

    def judge(accept):
        return judge_gold(campaign_id=campaign.pk, item_ids=ids, accept=accept, actor=None, now=timezone.now())

    assert [item.pk for item in judge(accept=True)] == ids
    assert judge(accept=False) == []
    assert list(Event.objects.filter(verb__startswith="gold_").values_list("verb", flat=True)) == ["gold_accepted"] * 2
    other = filled(1)
    assert judge_gold(campaign_id=other.pk, item_ids=ids, accept=False, actor=None, now=timezone.now()) == []


def test_a_request_that_no_worker_heard_of_is_found_by_the_sweeper():
    generation = gold_of(filled(), make=False)
    assert Item.objects.filter(generation=generation).count() == 0
    assert sweep_generations(now=timezone.now()) == [generation.pk]
    assert Item.objects.filter(generation=generation).count() == 4
    assert make_gold(generation_id=generation.pk, now=timezone.now()) is None

"""What becomes a pair, what is dropped and why, and what a pair says."""

from math import isfinite

import pytest
from django.utils import timezone

from accounts.use_cases.erase_person import erase_person
from annotation.datasets.scope import ChosenBy
from annotation.models import FollowUp, Impression, Turn
from annotation.use_cases.create_prompt import create_prompt
from annotation.use_cases.start_adjudication import start_adjudication
from arena.use_cases.ask_follow_up import ask_follow_up
from arena.use_cases.cast_vote import cast_vote
from inference_workers.models import Completion
from tests.annotation.datasets.rows import judge, judged, make_models, rows_of, scope_of
from tests.annotation.review.reviewing import reviewer, settle
from tests.arena import factories as arena
from tests.factories import PREFERENCE, make_campaign, make_item, make_person, new_key

pytestmark = pytest.mark.django_db(transaction=True)
USER = [{"role": "user", "content": "What is it?"}]


def messages(text):
    return [{"role": "assistant", "content": text}]


def test_a_pair_says_what_was_preferred_by_whom_and_by_how_much():
    campaign = make_campaign()
    models = make_models(campaign)
    item = make_item(campaign, contestants=models, texts=("Good.", "Bad."), slots=3, language="en", category="facts")
    judge(item, 0, strength=3, acceptable=(True, False), worth="2.00")
    judge(item, 0, strength=1, acceptable=(True, False), worth="1.00")
    judge(item, "tie", acceptable=(True, True))
    (row,), dropped = rows_of(scope_of(campaign))
    fitted, error = row.pop("fitted_probability"), row.pop("fitted_probability_se")
    cluster = row.pop("prompt_cluster")
    assert row == {
        "id": f"{campaign.slug}-item-{item.pk}",
        "item": item.pk,
        "split": row["split"],
        "language": "en",
        "category": "facts",
        "flags": [],
        "prompt": USER,
        "chosen": messages("Good."),
        "rejected": messages("Bad."),
        "chosen_model": "alpha",
        "rejected_model": "beta",
        "chosen_revision": None,
        "rejected_revision": None,
        "n_judgments": 3,
        "agreement": 2 / 3,
        "vote_share": 2.5 / 3,
        "chosen_score": None,
        "rejected_score": None,
        "strength": pytest.approx((3 + 1 + 0) / 3 / 3),
        "net_utility": pytest.approx(1.0),
        "currency": "USD",
        "conflict": False,
        "adjudicated": False,
        "chosen_acceptable": True,
        "rejected_acceptable": False,
        "source_kind": "live",
        "simulated": False,
    }
    assert (len(cluster), dropped) == (16, {})
    assert 0.5 < fitted < 1
    assert isfinite(error)


def test_the_side_a_response_was_shown_on_changes_nothing():
    campaign = make_campaign()
    models = make_models(campaign)
    item = make_item(campaign, contestants=models, slots=8)
    orders = {tuple(judge(item, 0, strength=2, worth="1.50", acceptable=(True, False)).order) for _ in range(8)}
    (row,), _dropped = rows_of(scope_of(campaign))
    assert orders == {(0, 1), (1, 0)}
    assert (row["vote_share"], row["strength"], row["net_utility"]) == (1.0, pytest.approx(2 / 3), 1.5)
    assert (row["chosen_model"], row["rejected_acceptable"]) == ("alpha", False)


def test_what_makes_no_pair_is_dropped_with_its_reason():
    campaign = make_campaign()
    models = make_models(campaign)
    judged(campaign, models, "tie")
    judged(campaign, models, "cannot_compare")
    judged(campaign, models, 0, acceptable=(False, False))
    judged(campaign, models, 0, texts=("Same.", "Same."))
    absent = judged(campaign, models, 0)
    Turn.objects.filter(response__item=absent).update(kind="absent", text=None)
    without_prompt = judged(campaign, models, 0)
    without_prompt.prompt = None
    without_prompt.save()
    divided = make_item(campaign, contestants=models, slots=2)
    judge(divided, 0)
    judge(divided, 1)
    rows, dropped = rows_of(scope_of(campaign))
    assert rows == []
    assert dropped == {
        "tie": 2,
        "cannot_compare": 1,
        "neither_acceptable": 1,
        "same_text": 1,
        "no_text": 1,
        "no_prompt": 1,
    }


def test_low_agreement_is_dropped_where_it_is_asked_for():
    campaign = make_campaign()
    models = make_models(campaign)
    item = make_item(campaign, contestants=models, slots=3)
    for prefer in (0, 0, 1):
        judge(item, prefer)
    assert rows_of(scope_of(campaign, minimum_agreement=0.7)) == ([], {"low_agreement": 1})
    assert len(rows_of(scope_of(campaign, minimum_agreement=0.6))[0]) == 1


def test_margins_are_in_logits_and_never_null():
    campaign = make_campaign()
    models = make_models(campaign)
    judged(campaign, models, 0, strength=3)
    judged(campaign, models, 1, strength=1)
    judged(campaign, models, 0)
    rows, _dropped = rows_of(scope_of(campaign), "reward_pairs")
    assert [row["margin"] for row in rows] == [1.0, pytest.approx(1 / 3), 0.0]
    pairs, _dropped = rows_of(scope_of(campaign))
    assert [{**row, "margin": None} for row in pairs] == [{**row, "margin": None} for row in rows]
    assert all("margin" not in row for row in pairs)


def test_a_majority_that_amounts_contradict_is_flagged_and_not_signed():
    campaign = make_campaign()
    models = make_models(campaign)
    item = make_item(campaign, contestants=models, slots=3)
    judge(item, 0, strength=1, worth="0.10")
    judge(item, 0, strength=1, worth="0.10")
    judge(item, 1, strength=3, worth="50.00")
    (row,), _dropped = rows_of(scope_of(campaign), "reward_pairs")
    assert (row["chosen_model"], row["conflict"], row["margin"]) == ("alpha", True, 0.0)
    assert row["net_utility"] == pytest.approx((0.1 + 0.1 - 50) / 3)
    (row,), _dropped = rows_of(scope_of(campaign, chosen_by=ChosenBy.NET_UTILITY), "reward_pairs")
    # Divided by the median amount, which is 0.10.
    assert (row["chosen_model"], row["conflict"], row["margin"]) == ("beta", True, pytest.approx(49.8 / 3 / 0.1))


def test_without_an_amount_nothing_is_chosen_by_amount():
    campaign = make_campaign()
    judged(campaign, make_models(campaign), 0)
    assert rows_of(scope_of(campaign, chosen_by=ChosenBy.NET_UTILITY)) == ([], {"no_amount": 1})


def test_the_fit_is_of_exactly_these_judgments():
    campaign = make_campaign()
    alpha, beta, gamma = make_models(campaign, "alpha", "beta", "gamma")
    for _ in range(3):
        judged(campaign, (alpha, beta), 0)
        judged(campaign, (beta, gamma), 0)
    judged(campaign, (alpha, beta), 1)
    rows, _dropped = rows_of(scope_of(campaign))
    chances = {(row["chosen_model"], row["rejected_model"]): row["fitted_probability"] for row in rows}
    # Three wins and one loss, and half a virtual tie of the board's prior on either side.
    assert chances["alpha", "beta"] == pytest.approx(1 - chances["beta", "alpha"])
    assert 0.5 < chances["alpha", "beta"] < chances["beta", "gamma"] < 1
    assert all(0 < row["fitted_probability_se"] < 0.5 for row in rows)
    judged(campaign, (alpha, beta), 1)
    later, _dropped = rows_of(scope_of(campaign))
    assert later[0]["fitted_probability"] < chances["alpha", "beta"]


def vote(battle, person, prefer, **answers):
    side = "ab"[battle.impression.order.index(prefer)]
    return cast_vote(
        battle_id=battle.pk,
        turn_count=battle.turn_count,
        person=person,
        key=new_key(),
        answers={"preference": {"choice": side, "strength": 2}, **answers},
        now=timezone.now(),
    )


def names_of(battle):
    return [response.contestant.name for response in battle.item.responses.order_by("position")]


def test_a_battle_is_a_pair_with_its_revisions():
    arena.make_models()
    person = make_person()
    battle = arena.votable(person, prompt="Why is the sky blue?")
    vote(battle, person, 1)
    (row,), _dropped = rows_of(scope_of(battle.item.campaign))
    first, second = names_of(battle)
    assert (row["prompt"], row["chosen"], row["rejected"]) == (
        [{"role": "user", "content": "Why is the sky blue?"}],
        messages("Because it is."),
        messages("Because of **Rayleigh**."),
    )
    assert (row["chosen_model"], row["rejected_model"], row["chosen_revision"]) == (second, first, 1)


def test_several_turns_make_a_pair_of_the_last_where_the_history_is_common():
    arena.make_models()
    person = make_person()
    battle = arena.answer(arena.begin(person, prompt="One?"), ("Same.", "Same."))
    ask_follow_up(battle_id=battle.pk, person=person, prompt="And two?", key=new_key(), now=timezone.now())
    battle.refresh_from_db()
    vote(arena.answer(battle, ("Left.", "Right.")), person, 0)
    (row,), _dropped = rows_of(scope_of(battle.item.campaign))
    assert row["prompt"] == [
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "Same."},
        {"role": "user", "content": "And two?"},
    ]
    assert (row["chosen"], row["rejected"]) == (messages("Left."), messages("Right."))
    assert FollowUp.objects.count() == 1


def test_histories_that_differ_make_no_pair():
    arena.make_models()
    person = make_person()
    battle = arena.votable(person)
    ask_follow_up(battle_id=battle.pk, person=person, prompt="Really?", key=new_key(), now=timezone.now())
    battle.refresh_from_db()
    vote(arena.answer(battle, ("Yes.", "No.")), person, 0)
    assert rows_of(scope_of(battle.item.campaign)) == ([], {"histories_differ": 1})


@pytest.mark.parametrize("common", [True, False])
def test_only_a_system_prompt_common_to_both_sides_is_in_the_prompt(common):
    for system in ("Be brief.", "Be brief." if common else "Be long."):
        arena.make_revision(system_prompt=system)
    person = make_person()
    vote(arena.votable(person), person, 0)
    (row,), _dropped = rows_of(scope_of(arena.make_arena().campaign))
    roles = [message["role"] for message in row["prompt"]]
    assert roles == (["system", "user"] if common else ["user"])


def test_an_erased_persons_battle_makes_no_pair():
    arena.make_models()
    person = make_person()
    battle = arena.votable(person)
    vote(battle, person, 0)
    scope = scope_of(battle.item.campaign)
    assert len(rows_of(scope)[0]) == 1
    erase_person(person_id=person.pk, now=timezone.now())
    assert rows_of(scope) == ([], {"erased": 1})
    assert Completion.objects.count() == 2


def test_equal_prompts_are_in_one_split_and_one_cluster():
    campaign = make_campaign()
    models = make_models(campaign)
    for number in range(40):
        judged(campaign, models, 0, prompt=f"Question {number % 20}?")
    rows, _dropped = rows_of(scope_of(campaign))
    by_prompt = {(row["prompt"][0]["content"], row["prompt_cluster"], row["split"]) for row in rows}
    assert len(rows) == 40
    assert len(by_prompt) == 20
    assert {split for _prompt, _cluster, split in by_prompt} <= {"train", "test"}


def test_a_hidden_model_stands_under_a_stand_in_name():
    arena.make_models()
    person = make_person()
    battle = arena.votable(person)
    vote(battle, person, 0)
    revision = battle.item.responses.get(position=0).contestant.revision
    revision.language_model.visibility = "hidden"
    revision.language_model.save()
    (row,), _dropped = rows_of(scope_of(battle.item.campaign))
    assert (row["chosen_model"].startswith("stand-in"), row["chosen_revision"]) == (True, None)
    assert revision.language_model.name not in str(row)


def test_a_prompt_of_the_campaign_itself_is_read_as_it_is():
    campaign = make_campaign()
    item = judged(campaign, make_models(campaign), 0)
    item.prompt = create_prompt(messages=[{"role": "system", "content": "S"}, *USER], person=None, language="fr")
    item.save()
    (row,), _dropped = rows_of(scope_of(campaign))
    assert (row["prompt"], row["language"]) == ([{"role": "system", "content": "S"}, *USER], "fr")


def test_where_an_expert_settled_an_item_the_expert_chooses_if_that_is_asked_for():
    campaign = make_campaign(questions=[PREFERENCE])
    models = make_models(campaign)
    item = make_item(campaign, contestants=models, slots=2, texts=("Good.", "Bad."))
    judge(item, 0)
    judge(item, 0)
    unsettled = judged(campaign, models, 0, texts=("Good.", "Bad."))
    expert = reviewer()
    start_adjudication(item_id=item.pk, see_others=False, actor=expert, now=timezone.now())
    order = Impression.objects.latest("pk").order
    settle(item, "ab"[order.index(1)], expert)

    def chosen(**filters):
        rows, _dropped = rows_of(scope_of(campaign, **filters))
        return {row["item"]: tuple(row[name] for name in ("chosen_model", "adjudicated", "conflict")) for row in rows}

    assert chosen(by_experts=True) == {item.pk: ("beta", True, True), unsettled.pk: ("alpha", False, False)}
    assert chosen() == {item.pk: ("alpha", False, False), unsettled.pk: ("alpha", False, False)}
    votes, _dropped = rows_of(scope_of(campaign), "votes")
    assert [(row["item"], row["settles"]) for row in votes] == [
        *[(item.pk, False)] * 2,
        (unsettled.pk, False),
        (item.pk, True),
    ]


def test_the_margin_of_a_pair_that_an_expert_settled_is_the_experts():
    """The votes' mean strength speaks for the other response: it would make every such margin 0."""
    campaign = make_campaign(questions=[PREFERENCE])
    item = make_item(campaign, contestants=make_models(campaign), slots=2, texts=("Good.", "Bad."))
    judge(item, 0, strength=1)
    judge(item, 0, strength=2)
    expert = reviewer()
    start_adjudication(item_id=item.pk, see_others=False, actor=expert, now=timezone.now())
    order = Impression.objects.latest("pk").order
    settle(item, "ab"[order.index(1)], expert, strength=3)
    (row,), _dropped = rows_of(scope_of(campaign, by_experts=True), "reward_pairs")
    assert (row["chosen_model"], row["strength"], row["margin"], row["conflict"]) == ("beta", 1.0, 1.0, True)
    assert (row["n_judgments"], row["vote_share"]) == (2, 0.0)

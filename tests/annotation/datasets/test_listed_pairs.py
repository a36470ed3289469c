"""Pairs of items that were ranked or rated: which there are, what they say, and what is left out."""

import re

import pandas as pd
import pytest
from datasets import load_dataset
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from annotation.datasets.folders import version_folder
from annotation.models import Item
from annotation.queries.answered import lines_of
from annotation.questions import Asked
from annotation.use_cases.claim_slot import claim_slot
from annotation.use_cases.show_item import show_item
from annotation.use_cases.submit_judgment import submit_judgment
from tests.annotation.datasets.rows import build, make_models, rows_of, scope_of, seeds
from tests.annotation.numbering import number_log
from tests.factories import ACCEPTABLE, make_campaign, make_item, make_respondent, make_user, new_key

pytestmark = pytest.mark.django_db(transaction=True)
ULTRA = {
    "name": "ratings",
    "type": "rating",
    "settings": {"attributes": ["Instruction following", "Truth", "Honesty", "Help"], "points": 5},
}
WHOLE = {"name": "ratings", "type": "rating", "settings": {"points": 5}}
ORDER = {"name": "order", "type": "ranking"}
BEST_WORST = {"name": "order", "type": "ranking", "settings": {"mode": "best_worst"}}
FOUR = ("One.", "Two.", "Three.", "Four.")


def say(item: Item, answer) -> None:
    """`answer` gives the raw answers from the positions in the order shown."""
    respondent = make_respondent(item.campaign)
    assignment = claim_slot(campaign=item.campaign, respondent=respondent, now=timezone.now()).assignment
    assert assignment.item_id == item.pk
    impression = show_item(
        campaign=item.campaign,
        instrument=item.campaign.instrument,
        item_id=item.pk,
        responses=item.responses.count(),
        respondent=respondent,
        assignment=assignment,
        prompt_design="assigned",
        seed=next(seeds),
    )
    submit_judgment(
        assignment_id=assignment.pk,
        lease_token=assignment.lease_token,
        key=new_key(),
        respondent=respondent,
        answers=answer(impression.order),
        now=timezone.now(),
    )


def rate(item: Item, *scores, **more) -> None:
    """The same score for every attribute; by position."""
    settings = item.campaign.instrument.questions.get(name="ratings").settings
    names = settings.get("attributes") or ["overall"]
    say(
        item,
        lambda order: (
            {"ratings": {name: [scores[place] for place in order] for name in names}}
            | {name: [values[place] for place in order] for name, values in more.items()}
        ),
    )


def rank(item: Item, *places) -> None:
    say(item, lambda order: {"order": [places[place] for place in order]})


def rated(questions, *answers, texts=FOUR, **options):
    campaign = make_campaign(questions=questions)
    models = make_models(campaign, "alpha", "beta", "gamma", "delta")[: len(texts)]
    item = make_item(campaign, contestants=models, texts=texts, slots=max(1, len(answers)), **options)
    return campaign, item


def test_four_that_were_rated_make_pairs_of_the_best_with_each_other_one():
    campaign, item = rated([ULTRA], 1, 2)
    rate(item, 2, 5, 1, 4)
    rate(item, 3, 5, 1, 5)
    rows, dropped = rows_of(scope_of(campaign), "reward_pairs")
    assert [(row["chosen_model"], row["rejected_model"]) for row in rows] == [
        ("beta", "alpha"),
        ("beta", "gamma"),
        ("beta", "delta"),
    ]
    assert [row["id"] for row in rows] == [f"{campaign.slug}-item-{item.pk}-1-{other}" for other in (0, 2, 3)]
    assert [(row["chosen_score"], row["rejected_score"]) for row in rows] == [(5.0, 2.5), (5.0, 1.0), (5.0, 4.5)]
    assert [row["margin"] for row in rows] == [pytest.approx(each) for each in (2.5 / 4, 1.0, 0.5 / 4)]
    assert [row["strength"] for row in rows] == [row["margin"] for row in rows]
    assert [(row["n_judgments"], row["vote_share"], row["agreement"]) for row in rows] == [
        (2, 1.0, 1.0),
        (2, 1.0, 1.0),
        (2, 0.75, 0.5),
    ]
    assert (rows[0]["chosen"][0]["content"], rows[0]["rejected"][0]["content"]) == ("Two.", "One.")
    assert (dropped, {row["conflict"] for row in rows}) == ({}, {False})
    pairs, _dropped = rows_of(scope_of(campaign))
    assert [row["id"] for row in pairs] == [row["id"] for row in rows]


def test_equal_best_ones_are_a_tie_that_is_counted_and_both_stand_above_the_rest():
    campaign, item = rated([WHOLE], 1)
    rate(item, 5, 2, 5, 1)
    rows, dropped = rows_of(scope_of(campaign))
    assert [(row["chosen_model"], row["rejected_model"]) for row in rows] == [
        ("alpha", "beta"),
        ("alpha", "delta"),
        ("gamma", "beta"),
        ("gamma", "delta"),
    ]
    assert dropped == {"tie": 1}
    campaign, item = rated([WHOLE], 1)
    rate(item, 3, 3, 3, 3)
    assert rows_of(scope_of(campaign)) == ([], {"tie": 6})


def test_two_that_were_rated_and_not_compared_make_a_pair_of_one_item():
    campaign, item = rated([WHOLE], 1, texts=("One.", "Two."))
    rate(item, 2, 4)
    (row,), _dropped = rows_of(scope_of(campaign), "reward_pairs")
    assert (row["id"], row["chosen_model"], row["margin"]) == (f"{campaign.slug}-item-{item.pk}", "beta", 0.5)


def test_rankings_make_pairs_by_the_share_of_the_others_that_each_stands_above():
    campaign, item = rated([ORDER], 1, 2)
    rank(item, 1, 2, 3, 4)
    rank(item, 2, 1, 3, 3)
    rows, dropped = rows_of(scope_of(campaign), "reward_pairs")
    assert dropped == {"tie": 1}
    assert [(row["chosen_model"], row["rejected_model"]) for row in rows] == [
        ("alpha", "gamma"),
        ("alpha", "delta"),
        ("beta", "gamma"),
        ("beta", "delta"),
    ]
    assert [row["margin"] for row in rows] == [pytest.approx(each) for each in (7 / 12, 9 / 12, 7 / 12, 9 / 12)]
    assert {row["chosen_score"] for row in rows} == {None}


def test_of_a_best_and_a_worst_the_best_stands_above_all_others():
    campaign, item = rated([BEST_WORST], 1)
    say(item, lambda order: {"order": {"best": "abcd"[order.index(2)], "worst": "abcd"[order.index(0)]}})
    rows, dropped = rows_of(scope_of(campaign))
    assert [(row["chosen_model"], row["rejected_model"]) for row in rows] == [
        ("gamma", "alpha"),
        ("gamma", "beta"),
        ("gamma", "delta"),
    ]
    assert dropped == {}


def test_pairs_that_people_differ_about_and_those_that_nobody_would_accept_are_counted():
    campaign, item = rated([WHOLE, ACCEPTABLE | {"settings": {}}], 1, 2)
    rate(item, 5, 1, 4, 2, acceptable=(False, False, True, True))
    rate(item, 4, 1, 5, 2, acceptable=(False, False, True, True))
    rows, dropped = rows_of(scope_of(campaign, minimum_agreement=0.8))
    assert [(row["chosen_model"], row["rejected_model"]) for row in rows] == [
        ("alpha", "delta"),
        ("gamma", "beta"),
        ("gamma", "delta"),
    ]
    assert dropped == {"tie": 1, "neither_acceptable": 1}
    assert [row["chosen_acceptable"] for row in rows] == [False, True, True]


def test_what_nobody_ranked_or_rated_is_no_pair():
    campaign, item = rated([{"name": "why", "type": "rationale"}], 1)
    say(item, lambda order: {"why": "Because of this."})
    assert rows_of(scope_of(campaign)) == ([], {"not_a_pair": 1})


def test_a_dataset_of_rated_fours_loads_with_its_pairs(tmp_path, settings, monkeypatch):
    settings.MEDIA_ROOT, settings.ENCRYPTION_KEY = tmp_path / "media", bytes(range(32))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    campaign = make_campaign(questions=[ULTRA])
    models = make_models(campaign, "alpha", "beta", "gamma", "delta")
    for number in range(12):
        item = make_item(campaign, contestants=models, texts=FOUR, prompt=f"Question {number}?")
        rate(item, 1 + number % 4, 5, 2, 3)
    version = build(campaign)
    counted = version.counts["views"]
    assert [sum(counted[view]["rows"].values()) for view in ("preference_pairs", "reward_pairs")] == [36, 36]
    files = sorted((version_folder(version) / "reward_pairs").glob("*.parquet"))
    rows = load_dataset("parquet", data_files=[str(file) for file in files], split="train", cache_dir=str(tmp_path))
    frame = pd.concat(pd.read_parquet(file) for file in files)
    assert len(rows) == len(frame) == 36
    assert frame["id"].is_unique
    assert frame["margin"].to_list() == [(row["chosen_score"] - row["rejected_score"]) / 4 for row in rows]
    assert {row["chosen_model"] for row in rows} == {"beta"}
    card = (version_folder(version) / "README.md").read_text()
    assert "the best response, by the mean score" in card


def test_a_rating_leaves_in_the_order_asked_and_no_vote_is_called_like_a_pair():
    campaign, item = rated([ULTRA], 1)
    rate(item, 1, 2, 3, 4)
    scope = scope_of(campaign)
    (vote,), _dropped = rows_of(scope, "votes")
    assert vote["ratings__rating_attributes"] == ULTRA["settings"]["attributes"]
    pairs, _dropped = rows_of(scope)
    assert vote["id"] == f"{campaign.slug}-vote-{vote['sequence']}"
    assert vote["id"] not in {row["id"] for row in pairs}


def test_the_form_says_why_there_are_no_pairs_and_does_not_ask_for_them(client):
    client.force_login(make_user(role=Role.RESEARCHER))
    campaign, item = rated([{"name": "why", "type": "rationale"}], 1)
    say(item, lambda order: {"why": "Because of this."})
    number_log()
    without = client.get(reverse("dataset-new", args=[campaign.slug])).content.decode()
    campaign, item = rated([WHOLE], 1)
    rate(item, 1, 2, 3, 4)
    number_log()
    there = client.get(reverse("dataset-new", args=[campaign.slug])).content.decode()
    assert ("so there are no pairs" in without, "so there are no pairs" in there) == (True, False)
    checked = [re.findall(r'name="views" value="(\w+)"[^>]* checked', page) for page in (without, there)]
    assert checked == [["votes"], ["preference_pairs", "reward_pairs", "votes"]]


def test_a_reviewer_reads_attributes_as_they_were_asked():
    asked = Asked("ratings", "rating", settings=ULTRA["settings"])
    names = ULTRA["settings"]["attributes"]
    stored = {"values": {name: [4] for name in sorted(names, key=len)}, "scale": {}}
    said = " ".join(lines_of(asked, stored, 1))
    assert sorted(names, key=said.index) == names
    assert list(stored["values"]) != names

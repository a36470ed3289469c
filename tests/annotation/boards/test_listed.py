"""Boards of campaigns that ask no preference: rankings, scores, thumbs and acceptability."""

from dataclasses import replace

import numpy as np
import pytest
from django.utils import timezone

from annotation.boards import CODE_VERSION, canonical_json, compute_standings, digest_of
from annotation.boards.forms import fit_listed, implied_pairs
from annotation.boards.listed import ListedRows
from annotation.boards.wording import board_sentence, reason_words
from annotation.models import Campaign, LeaderboardSnapshot
from annotation.queries import standing_judgments
from annotation.questions import Form, Standing, all_types
from annotation.use_cases.refresh_board import refresh_board
from annotation.use_cases.submit_judgment import submit_judgment
from annotation.use_cases.verify_log import verify_log
from ranking import Covariance, fit_bradley_terry
from tests.annotation.boards.factories import make_board
from tests.annotation.numbering import number_log
from tests.factories import (
    ACCEPTABLE,
    PREFERENCE,
    RATIONALE,
    claim_and_show,
    make_campaign,
    make_contestant,
    make_item,
    make_respondent,
    new_key,
)

NOW = timezone.now
RATING = {"name": "ratings", "type": "rating", "settings": {"points": 5}}
ORDER = {"name": "order", "type": "ranking"}
BEST_WORST = {"name": "order", "type": "ranking", "settings": {"mode": "best_worst"}}
THUMBS = {"name": "thumb", "type": "thumbs"}
UTILITIES = np.array([1.2, 0.5, 0.0, -0.6, -1.1])


def made(rng, *, prompts: int, form: Form = Form.ORDER, best_worst=False, people=25, each=3, shown=4) -> ListedRows:
    """Judgments of people who share what prompts add, and who rate by a level of their own."""
    m, n = len(UTILITIES), prompts * each
    prompt, person = np.repeat(np.arange(prompts), each), rng.integers(0, people, n)
    contestant = np.array([rng.permutation(m)[:shown] for _ in range(prompts)])[prompt]
    of_prompt = 0.8 * rng.standard_normal((prompts, m))
    worth = UTILITIES[contestant] + of_prompt[prompt[:, None], contestant] + 0.8 * rng.standard_normal((n, shown))
    if form is Form.SCORES:
        value = np.clip(np.round(3 + worth + rng.standard_normal(people)[person][:, None]), 1, 5)
    else:
        value = 1 + (-worth).argsort(axis=1).argsort(axis=1)
        value = np.where(value == 1, 1, np.where(value == shown, 3, 2)) if best_worst else value
    zero = np.zeros(n, dtype=np.int64)
    return ListedRows(
        form=form,
        contestants=[*range(1, m + 1)],
        merged={},
        respondent=person,
        prompt=prompt,
        source=zero,
        design=zero,
        open_ties=np.full(n, best_worst),
        start=shown * np.arange(n + 1),
        contestant=contestant.ravel(),
        value=value.ravel().astype(float),
        acceptable=np.full(n * shown, np.nan),
    )


@pytest.mark.parametrize(
    ("form", "best_worst"), [(Form.SCORES, False), (Form.ORDER, False), (Form.ORDER, True)], ids=["four", "order", "bw"]
)
def test_intervals_of_four_at_a_time_hold_the_truth_and_those_of_independent_pairs_do_not(form, best_worst):
    """The truth is what a log without end says of the same people."""
    truth = fit_listed(made(np.random.default_rng(1), prompts=8_000, each=1, form=form, best_worst=best_worst))
    gap = truth.strength[0] - truth.strength[1]
    rng, held, apart, worlds, in_order = np.random.default_rng(2), 0, 0, 100, 0
    for _ in range(worlds):
        rows = made(rng, prompts=50, form=form, best_worst=best_worst)
        fit = fit_listed(rows)
        off = abs(fit.strength[0] - fit.strength[1] - gap)
        held += off < 2.06 * np.sqrt(fit.difference_variance()[0, 1])
        in_order += fit.strength.argmax() == 0 and fit.strength.argmin() == 4
        if form is Form.SCORES:
            continue
        pairs = fit_bradley_terry(replace(implied_pairs(rows), weight=None), covariance=Covariance.HESSIAN)
        apart += off < 1.96 * np.sqrt(pairs.difference_variance()[0, 1])
    print(
        f"{form}: held {held / worlds:.3f}, as independent pairs {apart / worlds:.3f}, ends found {in_order / worlds}"
    )
    assert 0.9 <= held / worlds <= 0.99
    assert in_order / worlds > 0.95
    if form is Form.ORDER:
        assert apart / worlds < 0.88


def test_pairs_of_one_judgment_are_one_cluster_where_no_prompt_is_known():
    rows = made(np.random.default_rng(3), prompts=60, each=1, people=5)
    unknown = replace(rows, prompt=np.full(len(rows), -1), respondent=np.full(len(rows), -1))
    told, doubled = fit_listed(unknown), implied_pairs(unknown)
    assert len(np.unique(doubled.prompt)) == 60
    assert told.clustering.degrees_of_freedom == 59
    assert doubled.weight.sum() == pytest.approx(60 * 3)


def test_who_stands_between_the_best_and_the_worst_was_not_compared():
    rows = made(np.random.default_rng(4), prompts=30, best_worst=True)
    assert len(implied_pairs(rows)) == 30 * 3 * 5
    assert not (implied_pairs(rows).outcome == 0.5).any()
    tied = replace(rows, open_ties=np.zeros(len(rows), dtype=bool))
    assert (implied_pairs(tied).outcome == 0.5).sum() == 30 * 3


def answered(questions, answer, *, responses: int, items: int = 24, people: int = 6) -> Campaign:
    """`answer` gives the raw answers from the names of the contestants in the order shown."""
    campaign = make_campaign(questions=questions, running=True)
    models = [make_contestant(campaign, name) for name in ("Ash", "Birch", "Cedar", "Elm")]
    crowd = [make_respondent(campaign) for _ in range(people)]
    for number in range(items):
        who = [models[(number + step) % 4] for step in range(responses)]
        make_item(campaign, contestants=who, texts=["Text."] * responses, prompt=f"Prompt {number % 12}?")
        person = crowd[number % people]
        assignment, impression = claim_and_show(campaign, person, seed=number)
        submit_judgment(
            assignment_id=assignment.pk,
            lease_token=assignment.lease_token,
            key=new_key(),
            respondent=person,
            answers=answer([who[position].name for position in impression.order], number),
            now=NOW(),
        )
    number_log()
    return campaign


def noisy(name: str, number: int) -> float:
    return -("Ash", "Birch", "Cedar", "Elm").index(name) + 1.7 * np.random.default_rng([number, ord(name[0])]).normal()


def rated(names: list[str], number: int) -> dict:
    return {"ratings": {"overall": [int(min(5, max(1, round(4 + noisy(name, number))))) for name in names]}}


def extremes(names: list[str], number: int) -> dict:
    worth = [noisy(name, number) for name in names]
    return {"order": {"best": "abcd"[int(np.argmax(worth))], "worst": "abcd"[int(np.argmin(worth))]}}


def ranked(names: list[str], number: int) -> dict:
    worth = np.array([noisy(name, number) for name in names])
    return {"order": [int(place) for place in 1 + (-worth).argsort().argsort()]}


def found(campaign: Campaign) -> dict:
    return compute_standings(standing_judgments(campaign), method="bradley_terry", seed=1, merged={})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("questions", "answer", "form"),
    [([RATING], rated, "scores"), ([BEST_WORST], extremes, "order"), ([ORDER], ranked, "order")],
    ids=["ratings", "best-worst", "order"],
)
def test_four_responses_at_a_time_give_a_board_that_follows_from_the_log(questions, answer, form):
    campaign = answered(questions, answer, responses=4)
    standings = found(campaign)
    assert standings["form"] == form
    assert standings["entries"][0]["model"] == "Ash"
    assert standings["entries"][-1]["model"] == "Elm"
    for entry in standings["entries"]:
        assert entry["lower"] < entry["rating"] < entry["upper"]
        assert 1 <= entry["rank_low"] <= entry["rank"] <= entry["rank_high"] <= 4
        assert entry["votes"] == 24
    assert standings["people"]["judgments"] == 24
    board = make_board(campaign)
    assert refresh_board(board_id=board.pk, now=NOW()).judgments == 24
    assert verify_log(now=NOW()).ok


@pytest.mark.django_db
def test_ratings_stand_on_their_own_scale():
    standings = found(answered([RATING], rated, responses=4))
    assert standings["scale"]["unit"] == "score"
    assert all(1 <= entry["rating"] <= 5 for entry in standings["entries"])


@pytest.mark.django_db
def test_thumbs_give_the_share_of_yes():
    def thumb(names, number):
        return {"thumb": noisy(names[0], number) > -1.4}

    standings = found(answered([THUMBS], thumb, responses=1, items=36))
    first, last = standings["entries"][0], standings["entries"][-1]
    assert (standings["form"], standings["scale"]["unit"]) == ("share", "percent")
    assert 100 >= first["rating"] > last["rating"] >= 0
    assert all(0 <= entry["lower"] <= entry["rating"] <= (entry["upper"] or 100) for entry in standings["entries"])
    assert first["wins"] / first["votes"] == pytest.approx(first["win_rate"])
    assert first["rating"] / 100 == pytest.approx(first["win_rate"], abs=0.05)


@pytest.mark.django_db
def test_scores_of_single_responses_are_compared_by_their_means():
    def rate(names, number):
        return {"ratings": {"overall": [int(min(5, max(1, round(4 + noisy(names[0], number)))))]}}

    standings = found(answered([RATING], rate, responses=1, items=36))
    assert standings["reason"] is None
    assert standings["entries"][0]["rating"] > standings["entries"][-1]["rating"]


@pytest.mark.django_db
def test_a_preference_counts_before_all_else_as_it_always_did():
    def both(names, number):
        return rated(names, number) | {"preference": {"choice": "a" if noisy(names[0], number) > -1 else "b"}}

    campaign = answered([RATING, PREFERENCE | {"settings": {}}], both, responses=2)
    judgments = standing_judgments(campaign)
    options = {"method": "bradley_terry", "seed": 1, "merged": {}}
    now, before = (compute_standings(judgments, **options, version=version) for version in ("2", "1"))
    assert canonical_json(now) == canonical_json(before)
    assert "form" not in now


@pytest.mark.django_db
def test_a_snapshot_from_before_still_follows_from_the_log():
    campaign = answered([RATING], rated, responses=2)
    board = make_board(campaign)
    new = refresh_board(board_id=board.pk, now=NOW())
    old = compute_standings(standing_judgments(campaign), method=board.method, seed=1, merged={}, version="1")
    assert (old["reason"], new.standings["reason"]) == ("no_votes", None)
    fields = {"board": board, "method": board.method, "slice": {}, "retired_sources": [], "judgments": 24}
    LeaderboardSnapshot.objects.create(
        number=2, code_version="1", last_sequence=new.last_sequence, standings=old, digest=digest_of(old), **fields
    )
    assert verify_log(now=NOW()).ok
    broken = old | {"reason": None}
    LeaderboardSnapshot.objects.create(
        number=3,
        code_version="1",
        last_sequence=new.last_sequence,
        standings=broken,
        digest=digest_of(broken),
        **fields,
    )
    assert not verify_log(now=NOW()).ok
    assert CODE_VERSION == "4"


@pytest.mark.django_db
def test_a_board_that_nothing_asked_orders_says_so_and_counts_who_judged():
    campaign = answered([RATIONALE | {"required": True}], lambda names, number: {"why": "Because."}, responses=3)
    standings = found(campaign)
    assert standings["people"]["judgments"] == 24
    assert "Nobody has judged" not in board_sentence(standings)
    assert "none of the questions" in str(reason_words(standings)).lower()


@pytest.mark.django_db
def test_nobody_judged_is_said_only_where_nobody_did():
    standings = found(make_campaign(questions=[RATING]))
    assert board_sentence(standings) == "Nobody has judged anything here yet."
    assert standings["entries"] == []
    assert standings["people"]["judgments"] == 0


@pytest.mark.django_db
def test_scores_that_are_all_the_same_order_nobody():
    standings = found(answered([RATING], lambda names, number: {"ratings": {"overall": [3] * 4}}, responses=4))
    assert standings["reason"] == "all_alike"
    assert {entry["rating"] for entry in standings["entries"]} == {None}


@pytest.mark.django_db
def test_a_question_takes_part_by_what_it_declares(monkeypatch):
    """The rationale gives no column; a type that declares one is read, whatever it is called."""
    campaign = answered([ACCEPTABLE | {"settings": {}}, RATIONALE], accepts, responses=2)
    assert found(campaign)["form"] == "share"
    monkeypatch.setattr(all_types()["acceptable"], "standing", lambda asked: None, raising=False)
    assert found(campaign)["reason"] in ("no_votes", "nothing_ranks")
    monkeypatch.setattr(
        all_types()["rationale"], "standing", lambda asked: Standing("acceptable", Form.SHARE), raising=False
    )
    assert found(campaign)["form"] == "share"


def accepts(names: list[str], number: int) -> dict:
    return {"acceptable": [noisy(name, number) > -1.5 for name in names], "why": None}

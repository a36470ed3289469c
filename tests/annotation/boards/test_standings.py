"""What a board says is what the fit says that one would make by hand from the same votes."""

from datetime import UTC, datetime

import numpy as np
import pytest
from django.utils import timezone

from annotation.boards.people import sources_of
from annotation.enums import RespondentKind, SourceKind
from annotation.models import Contestant, Judgment, Respondent, Source
from annotation.queries import standing_judgments
from annotation.ratings import read_pairs
from annotation.use_cases.submit_judgment import submit_judgment
from inference_workers.models import LanguageModel, LanguageModelRevision
from ranking import Comparisons, acceptability, fit_bradley_terry, fit_worth, generator, rank_ranges
from tests.annotation.boards.factories import entries, imported, judge, make_board, refreshed, standings, three
from tests.annotation.numbering import number_log
from tests.factories import claim_and_show, make_campaign, make_contestant, make_item, make_respondent, new_key
from tests.inference_workers.factories import make_revision

pytestmark = pytest.mark.django_db(transaction=True)
TODAY = datetime.now(UTC).date().isoformat()


def test_a_board_equals_the_fit_made_by_hand():
    campaign = make_campaign()
    ada, bea, cleo = three(campaign)
    for better, worse, times in ((ada, bea, 4), (bea, ada, 2), (bea, cleo, 3), (cleo, bea, 1), (ada, cleo, 2)):
        for _ in range(times):
            judge(campaign, better, worse)
    judge(campaign, ada, cleo, choice="tie")
    board = standings(make_board(campaign))
    pairs = [(0, 1)] * 4 + [(1, 0)] * 2 + [(1, 2)] * 3 + [(2, 1)] + [(0, 2)] * 3
    fit = fit_bradley_terry(
        Comparisons(
            a=np.array([a for a, _ in pairs]),
            b=np.array([b for _, b in pairs]),
            outcome=np.array([1.0] * 12 + [0.5]),
            count=3,
            annotator=np.arange(13),
            prompt=np.arange(13),
        )
    )
    points, ranks = fit.to_points(), rank_ranges(fit)
    assert [
        {name: entry[name] for name in ("model", "rating", "lower", "upper", "rank", "rank_low", "rank_high")}
        for entry in board["entries"]
    ] == [
        {
            "model": name,
            "rating": pytest.approx(points.points[index], abs=1e-5),
            "lower": pytest.approx(points.lower[index], abs=1e-5),
            "upper": pytest.approx(points.upper[index], abs=1e-5),
            "rank": ranks.rank[index],
            "rank_low": ranks.lower[index],
            "rank_high": ranks.upper[index],
        }
        for index, name in enumerate(("ada", "bea", "cleo"))
    ]
    assert [(e["votes"], e["wins"], e["win_rate"], e["provisional"]) for e in board["entries"]] == [
        (9, 6, round(6.5 / 9, 6), True),
        (10, 5, 0.5, True),
        (7, 1, round(1.5 / 7, 6), True),
    ]


def test_a_board_says_on_whose_votes_it_stands():
    campaign = make_campaign()
    ada, bea, _ = three(campaign)
    visitor = make_respondent(campaign, kind=RespondentKind.VISITOR)
    judge(campaign, ada, bea, respondent=visitor, prompt="One?")
    judge(campaign, bea, ada, respondent=visitor, prompt="Two?")
    judge(campaign, ada, bea, prompt="Two?")
    assert standings(make_board(campaign))["people"] == {
        "judgments": 3,
        "respondents": {"visitor": 1, "annotator": 1},
        "unnamed_judgments": 0,
        "period": [TODAY, TODAY],
        "prompts": {"own": 0, "given": 2, "unknown": 0},
        "sources": {"live": 3, "import": 0, "simulation": 0},
    }


def test_votes_that_neither_is_acceptable_are_left_out_and_counted():
    campaign = make_campaign()
    ada, bea, _ = three(campaign)
    for _ in range(3):
        judge(campaign, ada, bea, acceptable=(True, False))
    judge(campaign, bea, ada, acceptable=(False, False))
    judge(campaign, ada, bea, choice="cannot_compare")
    board = standings(make_board(campaign))
    assert board["excluded"] == {
        "both_bad": 0,
        "both_bad_rate": 0.0,
        "neither": 1,
        "neither_rate": 0.2,
        "cannot_compare": 1,
        "left_out": 2,
    }
    assert {name: (e["votes"], e["wins"], e["judgments"]) for name, e in entries(board).items()} == {
        "ada": (3, 3, 5),
        "bea": (3, 0, 5),
    }
    shares = acceptability(np.array([0] * 4 + [1] * 4), np.array([True] * 3 + [False] * 5), 2)
    assert entries(board)["ada"]["acceptable"] == {
        "share": 0.75,
        "lower": pytest.approx(shares.lower[0], abs=1e-6),
        "upper": pytest.approx(shares.upper[0], abs=1e-6),
        "judged": 4,
    }


def test_the_other_method_counts_them_as_half_a_win_for_each():
    campaign = make_campaign()
    ada, bea, _ = three(campaign)
    for _ in range(3):
        judge(campaign, ada, bea)
    judge(campaign, ada, bea, acceptable=(False, False))
    left_out, half = standings(make_board(campaign)), standings(make_board(campaign, method="bt_half"))
    assert [(e["votes"], e["wins"], e["win_rate"]) for e in left_out["entries"]] == [(3, 3, 1.0), (3, 0, 0.0)]
    assert [(e["votes"], e["wins"], e["win_rate"]) for e in half["entries"]] == [(4, 3, 0.875), (4, 3 - 3, 0.125)]
    assert half["entries"][0]["rating"] < left_out["entries"][0]["rating"]
    assert (left_out["excluded"]["left_out"], half["excluded"]["left_out"]) == (1, 0)


def test_imported_both_bad_votes_are_left_out_or_half_by_the_method(tmp_path):
    board = imported(tmp_path, "x,y,a\nx,y,a\ny,x,a\nx,y,both_bad\nx,y,tie\n").board
    left_out = refreshed(board).standings
    assert (left_out["excluded"]["both_bad"], left_out["excluded"]["both_bad_rate"]) == (1, 0.2)
    assert [entry["acceptable"] for entry in left_out["entries"]] == [None, None]
    assert {name: (e["votes"], e["wins"]) for name, e in entries(left_out).items()} == {"x": (4, 2), "y": (4, 1)}
    half = standings(make_board(board.campaign, method="bt_half"))
    assert {name: (e["votes"], e["wins"]) for name, e in entries(half).items()} == {"x": (5, 2), "y": (5, 1)}


def test_people_whom_a_file_does_not_name_are_no_cluster_and_no_person(tmp_path):
    board = refreshed(imported(tmp_path, "x,y,a\ny,x,a\nx,y,b\n").board).standings
    assert board["fit"]["covariance"] == "sandwich"
    assert (board["people"]["respondents"], board["people"]["unnamed_judgments"]) == ({}, 3)
    assert board["people"]["period"] is None
    assert Respondent.objects.count() == 1


def test_judges_a_file_names_are_clusters(tmp_path):
    lines = "".join(f"x,y,{'a' if judge % 3 else 'b'},judge {judge}\n" * 2 for judge in range(20))
    board = refreshed(imported(tmp_path, lines, header="a,b,outcome,judge").board).standings
    assert (board["fit"]["covariance"], board["fit"]["people"]) == ("annotator", 20)
    assert board["people"]["respondents"] == {"imported": 20}


def test_an_undefeated_model_has_no_upper_bound():
    campaign = make_campaign()
    ada, bea, _ = three(campaign)
    judge(campaign, ada, bea)
    board = entries(standings(make_board(campaign)))
    assert (board["ada"]["upper"], board["bea"]["lower"]) == (None, None)
    assert (board["ada"]["provisional"], board["bea"]["provisional"]) == (True, True)
    assert board["ada"]["lower"] < board["ada"]["rating"]


def test_a_board_without_votes_says_why_it_has_no_ratings():
    board = standings(make_board())
    assert (board["entries"], board["reason"], board["worth"]) == ([], "no_votes", None)


def test_judgments_that_compare_nothing_are_counted_and_nobody_is_rated():
    campaign = make_campaign()
    ada, bea, _ = three(campaign)
    judge(campaign, ada, bea, acceptable=(False, False))
    board = standings(make_board(campaign))
    assert board["reason"] == "no_votes"
    assert [(e["model"], e["rating"], e["rank"], e["group"], e["votes"], e["judgments"]) for e in board["entries"]] == [
        ("ada", None, None, None, 0, 1),
        ("bea", None, None, None, 0, 1),
    ]


def test_models_that_never_met_are_ranked_in_groups_of_their_own():
    campaign = make_campaign()
    ada, bea, cleo = three(campaign)
    dora, eve = make_contestant(campaign, "dora"), make_contestant(campaign, "eve")
    for better, worse in ((ada, bea), (bea, cleo), (cleo, ada), (dora, eve), (dora, eve)):
        judge(campaign, better, worse)
    board = standings(make_board(campaign))
    assert "not_connected" in board["notes"]
    assert [(e["model"], e["group"], e["rank"], e["rank_high"]) for e in board["entries"][3:]] == [
        ("dora", 2, 1, 2),
        ("eve", 2, 2, 2),
    ]
    assert {e["group"] for e in board["entries"][:3]} == {1}


def test_a_merged_contestant_counts_as_the_one_it_was_merged_into():
    campaign = make_campaign()
    ada, bea, cleo = three(campaign)
    judge(campaign, ada, bea)
    judge(campaign, cleo, bea)
    Contestant.objects.filter(pk=cleo.pk).update(merged_into=ada)
    board = standings(make_board(campaign))
    assert {e["model"]: e["votes"] for e in board["entries"]} == {"ada": 2, "bea": 2}
    assert board["merged"] == {str(cleo.pk): ada.pk}


def test_a_board_of_a_slice_takes_its_rows_only():
    campaign = make_campaign()
    ada, bea, _ = three(campaign)
    judge(campaign, ada, bea)
    item = judge(campaign, bea, ada).item
    type(item).objects.filter(pk=item.pk).update(category="maths", flags=["long", "hard"], language="de")
    for slice in ({"category": "maths"}, {"flags": ["hard"]}, {"language": "de", "flags": ["long"]}):
        assert entries(standings(make_board(campaign, slice=slice)))["bea"]["wins"] == 1
    assert standings(make_board(campaign, slice={"category": "poems"}))["entries"] == []


def test_revisions_of_a_model_can_be_told_apart():
    campaign = make_campaign()
    first = make_revision()
    second = LanguageModelRevision.objects.create(
        language_model=first.language_model, endpoint=first.endpoint, provider_model="words=5", number=2
    )
    old, new = (
        Contestant.objects.create(kind="language_model", name="Ada", revision=revision) for revision in (first, second)
    )
    judge(campaign, new, old)
    assert set(entries(standings(make_board(campaign)))) == {"Ada", "Ada, revision 2"}


def test_a_model_that_is_not_released_stands_under_a_stand_in_name():
    campaign = make_campaign()
    revision = make_revision()
    secret = Contestant.objects.create(kind="language_model", name="secret", revision=revision)
    LanguageModel.objects.filter(pk=revision.language_model_id).update(visibility="hidden")
    judge(campaign, secret, make_contestant(campaign, "known"))
    assert set(entries(standings(make_board(campaign)))) == {f"stand-in {secret.pk}", "known"}


def priced(campaign, contestants, people, *, answers):
    ada, bea, cleo = contestants
    for person in people:
        for number in range(answers):
            better, worse = ((ada, bea), (ada, cleo), (bea, cleo))[number % 3]
            judge(campaign, better, worse, respondent=person, amount=f"{number + 1}.50")


def test_worth_equals_the_fit_made_by_hand():
    campaign = make_campaign()
    contestants = three(campaign)
    people = [make_respondent(campaign) for _ in range(3)]
    priced(campaign, contestants, people, answers=6)
    board = standings(make_board(campaign))
    rows = list(Judgment.objects.order_by("pk"))
    index = {contestant.pk: number for number, contestant in enumerate(contestants)}
    fit = fit_worth(
        Comparisons(
            a=np.array([index[row.contestants[0]] for row in rows]),
            b=np.array([index[row.contestants[1]] for row in rows]),
            outcome=np.full(18, 0.5),
            count=3,
            annotator=np.repeat(np.arange(3), 6),
            prompt=np.arange(18),
            amount=np.array([float(row.net_utility) for row in rows]),
        ),
        rng=generator(1),
        draws=2,
    )
    assert {name: entry["worth"]["value"] for name, entry in entries(board).items()} == pytest.approx(
        dict(zip(("ada", "bea", "cleo"), fit.worth, strict=True)), abs=1e-6
    )
    assert [entry["worth"]["answers"] for entry in board["entries"]] == [12, 12, 12]
    block = {name: board["worth"][name] for name in ("asked", "answered", "response_rate", "people", "reason", "notes")}
    assert block == {
        "asked": 18,
        "answered": 18,
        "response_rate": 1.0,
        "people": 3,
        "reason": None,
        "notes": ["few_annotators", "few_clusters"],
    }


def test_the_response_rate_counts_refusals_and_silence_and_no_tie():
    campaign = make_campaign()
    ada, bea, _ = three(campaign)
    person = make_respondent(campaign)
    judge(campaign, ada, bea, respondent=person, amount="2")
    judge(campaign, ada, bea, respondent=person, amount="0", zero="no_worth")
    judge(campaign, ada, bea, respondent=person, amount="0", zero="refuse")
    judge(campaign, ada, bea, respondent=person)
    judge(campaign, ada, bea, respondent=person, choice="tie")
    judge(campaign, ada, bea, respondent=person, choice="cannot_compare")
    assert standings(make_board(campaign))["worth"] == {
        "asked": 4,
        "answered": 2,
        "refused": 1,
        "skipped": 1,
        "ties": 1,
        "response_rate": 0.5,
        "refused_share": 0.25,
        "min_answers": 5,
        "draws": 2000,
        "estimand": "panel",
        "incentive": "stated",
        "reason": "too_few_answers",
        "notes": [],
    }


def test_a_visitor_who_types_a_million_weighs_no_more_than_the_others():
    def values(largest):
        campaign = make_campaign()
        contestants = three(campaign)
        people = [make_respondent(campaign) for _ in range(4)]
        priced(campaign, contestants, people[:3], answers=6)
        ada, bea, cleo = contestants
        for better, worse in ((bea, ada), (bea, cleo), (cleo, ada)) * 2:
            judge(campaign, better, worse, respondent=people[3], amount=largest)
        return [entry["worth"]["value"] for entry in standings(make_board(campaign))["entries"]]

    assert values("1000000") == pytest.approx(values("1"), abs=1e-6)


def test_amounts_that_are_all_zero_are_a_reason_and_no_error():
    campaign = make_campaign()
    ada, bea, _ = three(campaign)
    person = make_respondent(campaign)
    for _ in range(5):
        judge(campaign, ada, bea, respondent=person, amount="0", zero="no_worth")
    assert standings(make_board(campaign))["worth"]["reason"] == "too_few_answers"


def test_what_people_say_here_of_imported_items_is_given_here():
    campaign = make_campaign()
    source = Source.objects.create(campaign=campaign, kind=SourceKind.IMPORT, name="items.csv")
    item = make_item(campaign, source=source)
    judgment = judged_item(campaign, item)
    number_log()
    found = sources_of(read_pairs(standing_judgments(campaign), merged={}))
    assert judgment.source == source
    assert found == {"live": 1, "import": 0, "simulation": 0}


def judged_item(campaign, item):
    respondent = make_respondent(campaign)
    assignment, _impression = claim_and_show(campaign, respondent)
    return submit_judgment(
        assignment_id=assignment.pk,
        lease_token=assignment.lease_token,
        key=new_key(),
        respondent=respondent,
        answers={"preference": {"choice": "a", "strength": None}},
        now=timezone.now(),
    )

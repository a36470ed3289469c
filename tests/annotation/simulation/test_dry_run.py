"""A dry run goes through the real code and leaves nothing behind that a view would show."""

from datetime import timedelta
from decimal import Decimal

import numpy as np
import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from annotation.enums import CampaignState, ItemPurpose
from annotation.models import Campaign, Impression, Judgment, JudgmentText, Respondent, Source
from annotation.queries import standing_judgments
from annotation.queries.dry_runs import left_dry_runs
from annotation.simulation.dry_run import dry_run
from annotation.use_cases.cast_shadow import NothingToRehearse, cast_shadow
from tests.factories import (
    ACCEPTABLE,
    AMOUNT,
    PREFERENCE,
    RATIONALE,
    make_campaign,
    make_contestant,
    make_item,
    make_user,
)

pytestmark = pytest.mark.django_db

NOW = timezone.now
STEPS = {"name": "steps", "type": "steps", "settings": {"to_ranking": "no"}}
WORDS_ALONE = RATIONALE | {"required": True}
WORDS = RATIONALE | {"required": True, "condition": {"question": "preference", "values": ["a", "b"]}}


@pytest.fixture
def other_session():
    """Another connection to the tests' database, inside a transaction."""
    with psycopg.connect(**connection.get_connection_params(), autocommit=False) as other:
        yield other
        other.rollback()


def rehearsable(*, items: int = 8, questions=(PREFERENCE, ACCEPTABLE, AMOUNT, WORDS), contestants: int = 3, **fields):
    campaign = make_campaign(questions=list(questions), running=False, overlap=2)
    Campaign.objects.filter(pk=campaign.pk).update(**fields)
    models = [make_contestant(campaign, name) for name in ("Ash", "Birch", "Cedar")[:contestants]]
    for number in range(items):
        pair = [models[number % contestants], models[(number + 1) % contestants]]
        make_item(campaign, contestants=pair, prompt=f"Which, {number}?")
    return Campaign.objects.get(pk=campaign.pk)


def rehearse(campaign: Campaign, *, items: int = 8, people: int = 4, seed: int = 7):
    source = cast_shadow(campaign_id=campaign.pk, items=items, people=people, seed=seed, actor=None, now=NOW())
    return dry_run(source_id=source.pk, clock=NOW)


def test_everything_is_asked_and_answered_by_people_who_do_not_exist():
    campaign = rehearsable()
    source = rehearse(campaign)
    shadow = source.campaign
    judgments = Judgment.objects.filter(campaign=shadow)
    assert judgments.count() == 8 * 2
    assert Impression.objects.filter(campaign=shadow).count() == 16
    assert all(set(each.answers) >= {"preference", "acceptable", "worth"} for each in judgments)
    assert {each.answers.get("why", {}) is None for each in judgments} == {False}
    assert not JudgmentText.objects.exists()
    assert set(Respondent.objects.filter(campaign=shadow).values_list("kind", flat=True)) == {"simulated"}


def test_it_is_left_out_of_every_view_and_closed():
    campaign = rehearsable()
    source = rehearse(campaign)
    assert not standing_judgments(campaign).exists()
    assert not standing_judgments(source.campaign).exists()
    assert (source.state, source.campaign.state, source.campaign.shadow_of) == ("retired", "closed", campaign)
    assert not campaign.judgments.exists()
    assert Campaign.objects.get(pk=campaign.pk).state == CampaignState.DRAFT


def test_the_report_tells_cost_hours_and_what_the_votes_would_separate():
    campaign = rehearsable(items=30, pay_per_judgment="0.40", expected_seconds=90, contestants=3)
    report = rehearse(campaign, items=30, people=6).details["report"]
    assert (report["judgments"], report["hours"], report["cost"]) == (60, 1.5, "24.00")
    assert report["forecast"]["stops_at"] is None
    assert [row["name"] for row in report["board"]] == sorted(
        (row["name"] for row in report["board"]), key=lambda name: -rating_of(report, name)
    )
    assert {row["name"] for row in report["board"]} == {"Ash", "Birch", "Cedar"}
    assert all(row["half_width"] > 0 for row in report["board"])


def test_cost_and_hours_are_those_of_what_people_needed_checks_training_and_disagreement_included():
    """The dry run is of all items, so the forecast is what it took, to the cent."""
    campaign = rehearsable(
        items=12,
        questions=(PREFERENCE,),
        overlap=3,
        overlap_limit=5,
        gold_share=0.2,
        repeat_share=0.1,
        pay_per_judgment="0.25",
        expected_seconds=60,
        budget_money="5.00",
    )
    for purpose, count in ((ItemPurpose.GOLD, 3), (ItemPurpose.TRAINING, 2), (ItemPurpose.QUALIFICATION, 2)):
        for number in range(count):
            expected = [{"question": "preference", "values": ["a"]}]
            make_item(campaign, prompt=f"{purpose} {number}", slots=0, purpose=purpose, expected=expected)
    source = rehearse(campaign, items=12, people=6)
    report = source.details["report"]
    whole = report["forecast"]
    given = Judgment.objects.filter(source=source)
    assert report["shown"] == whole["total"] == report["simulated"] == given.count()
    assert report["judgments"] == given.filter(item__purpose="work", item__repeat_of=None).count() > 12 * 3
    assert (whole["first"], whole["people"]) == (
        given.filter(item__purpose__in=["training", "qualification"]).count(),
        6,
    )
    assert report["cost"] == f"{Decimal('0.25') * given.count():.2f}"
    assert report["hours"] == round(given.count() / 60, 1)
    assert (whole["stops_at"], whole["stopped_by"]) == (20, "money")
    assert report["planned_for"] == whole["work_at_stop"] < report["judgments"]


RATING = {"name": "ratings", "type": "rating", "settings": {"points": 5}}
BEST_WORST = {"name": "order", "type": "ranking", "settings": {"mode": "best_worst"}}
THUMBS = {"name": "thumb", "type": "thumbs"}


@pytest.mark.parametrize(
    ("question", "responses", "unit"),
    [(RATING, 4, "score"), (BEST_WORST, 4, "points"), (THUMBS, 1, "percent")],
    ids=["ratings", "best-worst", "thumbs"],
)
def test_other_questions_have_expected_intervals_and_judgments_that_separate_neighbours(question, responses, unit):
    campaign = make_campaign(questions=[question], running=False, overlap=2)
    Campaign.objects.filter(pk=campaign.pk).update(responses_per_item=responses)
    models = [make_contestant(campaign, name) for name in ("Ash", "Birch", "Cedar", "Elm")]
    for number in range(12):
        who = [models[(number + step) % 4] for step in range(responses)]
        make_item(campaign, contestants=who, texts=["Text."] * responses, prompt=f"Which, {number}?")
    report = rehearse(campaign, items=12, people=5).details["report"]
    assert (report["unit"], report["why_no_board"]) == (unit, "")
    assert {row["name"] for row in report["board"]} == {"Ash", "Birch", "Cedar", "Elm"}
    assert all(row["half_width"] > 0 for row in report["board"])
    # None where two happen to be level: no number of judgments separates them.
    assert any(row["votes_to_separate"] for row in report["board"][:-1])


def test_amounts_have_expected_intervals_in_their_unit_and_answers_that_separate_neighbours():
    campaign = rehearsable(items=30, questions=(PREFERENCE, AMOUNT | {"required": True}))
    worth = rehearse(campaign, items=30, people=6).details["report"]["worth"]
    assert (worth["why"], worth["currency"]) == ("", "")
    assert {row["name"] for row in worth["rows"]} == {"Ash", "Birch", "Cedar"}
    assert [row["rating"] for row in worth["rows"]] == sorted((row["rating"] for row in worth["rows"]), reverse=True)
    assert all(0 < row["half_width"] < 3 for row in worth["rows"])
    assert all(row["votes_to_separate"] > 0 for row in worth["rows"][:-1])


def test_why_there_is_no_board_is_kept_as_a_code_that_a_page_has_the_words_for():
    campaign = rehearsable(items=2, questions=(PREFERENCE,))
    source = rehearse(campaign, items=2, people=2)
    client = Client()
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))

    def shown(why):
        details = source.details | {"report": source.details["report"] | {"board": [], "why_no_board": why}}
        details["report"]["worth"] = {"rows": [], "why": "one_prompt"}
        Source.objects.filter(pk=source.pk).update(details=details)
        return client.get(reverse("campaign-dry-run", args=[campaign.slug])).content.decode()

    words = "No vote compares two models yet, so nobody has a rating."
    # What was kept before, in the language of whichever process wrote it.
    assert (words in shown("no_votes"), "Niemand hat gestimmt." in shown("Niemand hat gestimmt.")) == (True, True)
    assert "All amounts are about one prompt" in shown("no_votes")


@pytest.mark.parametrize(
    ("questions", "contestants", "why"), [((WORDS_ALONE,), 2, "nothing_ranks"), ((PREFERENCE,), 1, "no_votes")]
)
def test_the_report_says_by_a_code_why_there_is_no_board(questions, contestants, why):
    report = rehearse(rehearsable(items=2, questions=questions, contestants=contestants), items=2, people=2).details
    assert (report["report"]["board"], report["report"]["why_no_board"]) == ([], why)


def rating_of(report, name):
    return next(row["rating"] for row in report["board"] if row["name"] == name)


def test_an_older_transaction_that_holds_the_numbers_up_takes_nothing_from_the_report(other_session):
    """An import of a million rows is one transaction, of minutes."""
    other_session.execute("SELECT pg_current_xact_id()")
    source = rehearse(rehearsable())
    numbered = Judgment.objects.filter(source=source, log_entry__isnull=False).count()
    report = source.details["report"]
    assert (numbered, report["why_no_board"], len(report["board"])) == (0, "", 3)


@pytest.mark.slow
def test_the_planted_order_is_found_again():
    campaign = rehearsable(items=100, questions=(PREFERENCE,), contestants=3)
    report = rehearse(campaign, items=100, people=12, seed=3).details["report"]
    truth = [row["truth"] for row in report["board"]]
    rating = [row["rating"] for row in report["board"]]
    assert np.corrcoef(truth, rating)[0, 1] > 0.9


def test_the_same_seed_gives_the_same_report_but_for_the_order_in_which_items_came():
    campaign = rehearsable(questions=(PREFERENCE,))
    first, second = rehearse(campaign, seed=5), rehearse(campaign, seed=5)
    assert first.details["report"]["simulated"] == second.details["report"]["simulated"] == 16
    assert {r["name"]: r["truth"] for r in first.details["report"]["board"]} == {
        r["name"]: r["truth"] for r in second.details["report"]["board"]
    }


def test_a_dry_run_that_was_cut_off_goes_on_and_a_finished_one_is_left_alone(monkeypatch):
    campaign = rehearsable(questions=(PREFERENCE,))
    source = cast_shadow(campaign_id=campaign.pk, items=8, people=4, seed=1, actor=None, now=NOW())
    moments = iter([NOW() for _ in range(9)])

    def dying() -> object:
        return next(moments)

    with pytest.raises(RuntimeError, match="StopIteration"):
        try:
            dry_run(source_id=source.pk, clock=dying)
        except StopIteration as end:
            raise RuntimeError("StopIteration") from end
    begun = Judgment.objects.filter(source=source).count()
    assert 0 < begun < 16
    # Whoever looks at once leaves it to the worker that may still live.
    assert left_dry_runs(now=NOW()) == []
    assert dry_run(source_id=source.pk, clock=NOW).details["state"] == "running"
    forget_the_worker(source.pk)
    assert left_dry_runs(now=NOW()) == [source.pk]
    assert dry_run(source_id=source.pk, clock=NOW).details["state"] == "done"
    assert Judgment.objects.filter(source=source).count() == 16
    assert dry_run(source_id=source.pk, clock=NOW).details["state"] == "done"


def forget_the_worker(source_id: int) -> None:
    source = Source.objects.get(pk=source_id)
    source.details["touched_at"] = (NOW() - timedelta(minutes=3)).isoformat()
    source.save()


def test_attentive_people_pass_the_test_and_careless_ones_are_screened_out():
    campaign = rehearsable(questions=(PREFERENCE,), pass_mark=0.75)
    for number in range(4):
        make_item(
            campaign,
            prompt=f"Test {number}",
            slots=0,
            purpose=ItemPurpose.QUALIFICATION,
            expected=[{"question": "preference", "values": ["a"]}],
        )
    report = rehearse(campaign, people=12).details["report"]
    assert report["people"]["active"] >= 6


def test_without_items_there_is_nothing_to_rehearse():
    with pytest.raises(NothingToRehearse):
        rehearse(make_campaign(running=False))
    assert not Campaign.objects.filter(shadow_of__isnull=False).exists()


def test_a_closed_campaign_is_not_tried_any_more(client):
    campaign = rehearsable()
    from accounts.enums import Role
    from tests.factories import make_user

    Campaign.objects.filter(pk=campaign.pk).update(state="closed")
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    address = f"/campaigns/{campaign.slug}/dry-run"
    assert "Start a dry run" not in client.get(address).content.decode()
    refused = client.post(address, {"items": 2, "people": 2})
    assert (refused.status_code, Campaign.objects.filter(shadow_of=campaign).exists()) == (422, False)


def test_admins_ask_for_one_and_read_what_came_of_it(client, django_capture_on_commit_callbacks):
    from accounts.enums import Role
    from tests.factories import make_user

    campaign = rehearsable(items=4)  # nobody can give five amounts
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    address = f"/campaigns/{campaign.slug}/dry-run"
    assert client.post(address, {"items": "0", "people": "4"}).status_code == 422
    assert client.post(address, {"items": "4", "people": "4"}).status_code == 302
    assert "under way" in client.get(address).content.decode()
    dry_run(source_id=Source.objects.get(kind="simulation").pk, clock=NOW)
    page = client.get(f"{address}/state").content.decode()
    assert "Hours of work" in page
    assert "How this is worked out" in page
    assert "Nobody has given five amounts yet" in page
    assert "hx-trigger" not in page

"""The pages for watching: what they show, what they cost, and what downloads."""

import csv
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from accounts.texts import write_personal_text
from accounts.use_cases.erase_person import erase_person
from annotation.enums import ItemPurpose
from annotation.models import Campaign, Flag, Judgment, JudgmentText, Respondent
from annotation.queries import quality, said
from annotation.queries.summaries import kept_summary
from annotation.tasks import summarise
from annotation.use_cases import summarise_quality as use_case
from annotation.use_cases.block_respondent import block_respondent
from annotation.web.tables import defused
from tests.annotation.numbering import number_log
from tests.annotation.people.working import joined
from tests.annotation.review.reviewing import reviewed_campaign, settle
from tests.annotation.watching.planted import (
    EXPECTED,
    PAIR,
    Planted,
    plant_items,
    plant_judgments,
    plant_people,
    planted_campaign,
)
from tests.annotation.work.test_undo import judges
from tests.factories import make_campaign, make_item, make_user

pytestmark = pytest.mark.django_db
PAGES = ("", "-agreement", "-annotators", "-items", "-rationales")


@pytest.fixture
def admin():
    client = Client()
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    return client


@pytest.fixture
def campaign():
    campaign = planted_campaign(slug="trial")
    people = plant_people(campaign, [Planted()] * 2 + [Planted(right=0.1, left=0.9)])
    gold = plant_items(campaign, 8, purpose=ItemPurpose.GOLD, expected=EXPECTED)
    plant_judgments(campaign, people, [*plant_items(campaign, 30, category="=SUM(A1)"), *gold])
    return campaign


def page(admin, name="", slug="trial", **values):
    answer = admin.get(reverse(f"campaign-watch{name}", args=[slug]), values)
    assert answer.status_code == 200
    return answer.content.decode()


def rows(admin, name="", slug="trial", **values):
    return list(csv.DictReader(StringIO(page(admin, name, slug, format="csv", **values))))


def words_of(judgment: Judgment, words: str) -> None:
    text = write_personal_text(person=judgment.respondent.person, text=words)
    JudgmentText.objects.create(judgment=judgment, question="why", personal_text=text)


def test_progress_says_what_is_paid_and_what_is_left(campaign, admin):
    Campaign.objects.update(pay_per_judgment=Decimal("0.25"), budget_money=100, budget_judgments=50)
    shown = page(admin)
    assert "Nothing is paid" not in shown
    figures = {row["figure"]: row["value"] for row in rows(admin, table="progress")}
    assert figures["Answers that stand, with checks and repeats"] == "114"
    assert (Decimal(figures["Money left"]), figures["Judgments left in the budget"]) == (100, "50")
    hours = rows(admin, table="hours")
    assert len(hours) == 48
    assert sum(int(row["answers"]) for row in hours) == 114
    assert sum(int(row["work"]) for row in hours) == 90


def test_who_stands_out_does_so_in_words_and_the_table_sorts(campaign, admin):
    shown = page(admin, "-annotators")
    assert "prefers the left side" in shown
    assert "1 of 3 stands out" in shown
    names = list(Respondent.objects.order_by("pk").values_list("pseudonym", flat=True))
    by_checks = page(admin, "-annotators", sort="checks", order="up")
    assert 'aria-sort="ascending"' in by_checks
    assert by_checks.index(names[2]) < min(by_checks.index(name) for name in names[:2])
    assert page(admin, "-annotators", sort="checks", order="down").index(names[2]) > 0
    table = {row["annotator"]: row for row in rows(admin, "-annotators")}
    assert set(table) == set(names)
    assert table[names[2]]["look"].startswith("prefers the left side")
    assert table[names[0]]["checks_of"] == "8.0"


def test_who_stands_out_leads_to_their_page_which_says_why_and_leads_to_their_judgments(campaign, admin):
    *_careful, third = Respondent.objects.order_by("pk")
    shown = page(admin, "-annotators")
    address = reverse("campaign-person", args=["trial", third.pk])
    assert f'<a href="{address}">{third.pseudonym}</a>' in shown
    table = rows(admin, "-annotators")
    assert list(table[0])[:3] == ["annotator", "look", "state"]
    person = admin.get(address).content.decode()
    assert "prefers the left side" in person
    assert all(label in person for label in ("Checks right", "Left side", "Beyond chance", "Drift of time"))
    queue = f"{reverse('review-queue', args=['trial'])}?annotator={third.pseudonym}"
    assert f'href="{queue}"' in person
    assert third.pseudonym in admin.get(queue).content.decode()
    first = admin.get(reverse("campaign-person", args=["trial", _careful[0].pk])).content.decode()
    assert ("Nothing stands out." in first, "There is no test" in first) == (True, True)


def test_a_blocked_person_stays_in_the_list_with_the_reason(campaign, admin):
    *_careful, third = Respondent.objects.order_by("pk")
    block_respondent(respondent_id=third.pk, reason="always left", actor=None, now=timezone.now())
    number_log()
    table = {row["annotator"]: row for row in rows(admin, "-annotators")}
    assert table[third.pseudonym]["look"] == "blocked: always left"
    assert (table[third.pseudonym]["state"], table[third.pseudonym]["judgments"]) == ("Blocked", "0")
    assert len(table) == 3
    assert "Nobody stands out" in page(admin, "-annotators")
    person = admin.get(reverse("campaign-person", args=["trial", third.pk])).content.decode()
    assert "blocked: always left" in person


def test_a_coin_flipper_without_gold_is_flagged_for_it(admin):
    coins = planted_campaign(slug="coins")
    people = plant_people(coins, [Planted(), Planted(), Planted(), Planted(right=0.5)])
    plant_judgments(coins, people, plant_items(coins, 100))
    table = rows(admin, "-annotators", slug="coins")
    assert [bool(row["look"]) for row in table] == [True, False, False, False]
    assert table[0]["look"].startswith("agrees with the others no more than a guess")
    assert table[0]["annotator"] == list(people)[3].pseudonym


def test_agreement_names_what_it_is_of(campaign, admin):
    assert "All questions together" not in page(admin, "-agreement")
    assert "Of the question that can be compared" in page(admin)


def test_a_cell_that_a_spreadsheet_would_run_stays_a_text(campaign, admin):
    assert {row["slice"] for row in rows(admin, "-agreement", table="slices")} == {"'=SUM(A1)"}
    assert ">=SUM(A1)<" in page(admin, "-agreement")
    assert [defused(value) for value in ("+1", "@x", " -2", "\tx", "＝1", "a=b", -0.5, None)] == [
        "'+1",
        "'@x",
        "' -2",
        "'\tx",
        "'＝1",
        "a=b",
        -0.5,
        None,
    ]


@pytest.mark.parametrize("name", PAGES)
def test_a_table_that_there_is_not_is_not_found(campaign, admin, name):
    address = reverse(f"campaign-watch{name}", args=["trial"])
    assert admin.get(address, {"format": "csv", "table": "no-such"}).status_code == 404


def test_flags_are_shown_with_their_words_and_lead_to_their_items(campaign, admin):
    first, second, third = Respondent.objects.order_by("pk")
    item = campaign.items.earliest("pk")
    text = write_personal_text(person=first.person, text="=It <b>names</b> my neighbour")
    Flag.objects.create(item=item, respondent=first, reason="personal", personal_text=text)
    lost = write_personal_text(person=second.person, text="gone")
    Flag.objects.create(item=item, respondent=second, reason="other", personal_text=lost)
    Flag.objects.create(item=item, respondent=third, reason="broken", resolved_at=timezone.now())
    erase_person(person_id=second.person_id, now=timezone.now())
    shown = page(admin, "-items")
    assert "=It &lt;b&gt;names&lt;/b&gt; my neighbour" in shown
    assert reverse("campaign-item", args=["trial", item.pk]) in shown
    table = rows(admin, "-items", table="flags")
    assert [row["words"] for row in table] == ["Erased", "'=It <b>names</b> my neighbour", ""]
    assert [bool(row["resolved"]) for row in table] == [False, False, True]


def test_what_an_expert_settled_says_so_wherever_its_item_is_listed_and_in_the_files(admin):
    campaign = reviewed_campaign()
    settled, open_one = (differed_about(campaign) for _number in range(2))
    for judgment in Judgment.objects.all():
        words_of(judgment, "because")
        Flag.objects.create(item=judgment.item, respondent=judgment.respondent, reason="other")
    number_log()
    tables = (("-items", "items"), ("-items", "flags"), ("-rationales", "rationales"))
    assert {row["settled"] for name, table in tables for row in rows(admin, name, table=table)} == {""}
    settle(settled, "a")
    for name, table in tables:
        said = {row["item"]: row["settled"] for row in rows(admin, name, table=table)}
        assert said == {str(settled.pk): "by an expert", str(open_one.pk): ""}
    assert page(admin, "-items").count(">by an expert<") == 3
    assert page(admin, "-rationales").count("settled by an expert") == 2
    listed = admin.get(reverse("campaign-items", args=["trial"])).content.decode()
    assert listed.count("Settled by an expert") == 1


def differed_about(campaign):
    item = make_item(campaign, slots=2)
    for choice in "ab":
        judges(campaign, joined(campaign), choice)
    return item


def test_rationales_are_found_however_they_are_written_and_looked_for_piece_by_piece(campaign, admin, monkeypatch):
    judgments = list(Judgment.objects.filter(item__purpose="work").order_by("pk"))
    for number, judgment in enumerate(judgments[:10]):
        words_of(judgment, f"Straße {number} <i>leads</i> there")
    shown = page(admin, "-rationales")
    assert shown.count("&lt;i&gt;leads&lt;/i&gt;") == 10
    found = page(admin, "-rationales", q="STRASSE 7")
    assert "Straße 7" in found
    assert "Straße 6" not in found
    assert "1 found among 10 texts" in found
    assert [row["words"] for row in rows(admin, "-rationales", q="straße 3")] == ["Straße 3 <i>leads</i> there"]
    monkeypatch.setattr(said, "LOOKED_THROUGH", 4)
    first = page(admin, "-rationales", q="Straße 2")
    assert "0 found among 4 texts" in first
    before = first.split("before=")[1].split('"')[0].split("&")[0]
    assert 'class="written"' not in first
    second = page(admin, "-rationales", q="Straße 2", before=before)
    assert "1 found among 4 texts" in second


def test_rationales_are_narrowed_by_annotator_and_by_question(admin):
    asked = [*PAIR, *({"name": name, "type": "rationale", "required": False} for name in ("why", "advice"))]
    campaign = make_campaign(slug="reasons", questions=asked)
    people = plant_people(campaign, [Planted()] * 2)
    judgments = plant_judgments(campaign, people, plant_items(campaign, 3))
    for judgment in judgments:
        for name in ("why", "advice"):
            text = write_personal_text(person=judgment.respondent.person, text=f"{name} by {judgment.respondent_id}")
            JudgmentText.objects.create(judgment=judgment, question=name, personal_text=text)
    first, second = people
    assert page(admin, "-rationales", slug="reasons").count('class="written"') == 12

    def found(**values):
        return {row["words"] for row in rows(admin, "-rationales", slug="reasons", **values)}

    assert found(annotator=first.pseudonym[:8]) == {f"why by {first.pk}", f"advice by {first.pk}"}
    assert found(question="why") == {f"why by {first.pk}", f"why by {second.pk}"}
    assert found(annotator=second.pseudonym, question="advice", q="BY") == {f"advice by {second.pk}"}
    assert found(annotator="nobody") == set()
    assert len(found(question="no-such")) == 4
    for words in ("", "by"):
        shown = page(admin, "-rationales", slug="reasons", annotator="nobody", q=words)
        assert "begins like several or nobody’s" in shown
        assert "None of these texts holds the words" not in shown
        assert "0 found" not in shown


def test_an_erased_persons_words_are_neither_found_nor_shown(campaign, admin):
    judgments = list(Judgment.objects.filter(item__purpose="work").order_by("pk"))
    words_of(judgments[0], "to be forgotten")
    erase_person(person_id=judgments[0].respondent.person_id, now=timezone.now())
    shown = page(admin, "-rationales", q="forgotten")
    assert "0 found among 1 text." in shown
    assert "1 was erased" in shown


def test_every_page_of_a_campaign_that_nobody_judged_says_so(admin):
    planted_campaign(slug="empty")
    assert "There is no forecast" in page(admin, slug="empty") or "No judgments are wanted" in page(admin, slug="empty")
    assert "nothing to compare yet" in page(admin, "-agreement", slug="empty")
    assert "Nobody has judged yet" in page(admin, "-annotators", slug="empty")
    assert "Nobody has flagged an item" in page(admin, "-items", slug="empty")
    assert "Nobody has written anything yet" in page(admin, "-rationales", slug="empty")


def test_a_long_log_is_summarised_by_a_worker_and_then_shown_from_what_is_kept(campaign, admin, monkeypatch):
    monkeypatch.setattr(quality, "AT_ONCE", 50)
    asked = []
    monkeypatch.setattr(use_case, "ask_for_summary", lambda campaign: asked.append(campaign.pk))
    waiting = page(admin, "-annotators")
    assert ("are being computed" in waiting, 'hx-trigger="every 3s"' in waiting) == (True, True)
    assert asked == [campaign.pk]
    summarise(campaign.pk)
    assert "1 of 3 stands out" in page(admin, "-annotators")
    assert asked == [campaign.pk]
    people = {Respondent.objects.earliest("pk"): Planted()}
    plant_judgments(campaign, people, plant_items(campaign, 5))
    assert rows(admin, table="progress")[5]["value"] == "114"
    assert asked == [campaign.pk]  # it is not a minute old
    kept = use_case.kept_summary(campaign)
    use_case.summary_for(campaign=campaign, now=kept.made_at + timedelta(seconds=61))
    assert asked == [campaign.pk] * 2
    summarise(campaign.pk)
    assert rows(admin, table="progress")[5]["value"] == "119"


def test_a_worker_is_asked_once_until_it_is_done(campaign, monkeypatch):
    sent = []
    monkeypatch.setattr(use_case.current_app, "signature", lambda *a, **k: sent.append(k["args"]) or Nothing())
    use_case.ask_for_summary(campaign)
    use_case.ask_for_summary(campaign)
    assert sent == [[campaign.pk]]
    summarise(campaign.pk)
    use_case.ask_for_summary(campaign)
    assert sent == [[campaign.pk]] * 2


class Nothing:
    def apply_async(self, **options):
        pass


def test_what_is_kept_is_what_was_computed(campaign):
    computed = use_case.summarise_quality(campaign_id=campaign.pk, now=timezone.now())
    kept = kept_summary(campaign)
    assert kept == computed


def test_without_redis_a_short_log_is_summarised_all_the_same(campaign, admin, settings):
    away = settings.CACHES["summaries"] | {"LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = settings.CACHES | {"summaries": away}
    assert "1 of 3 stands out" in page(admin, "-annotators")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_the_same_number_of_questions_however_long_the_log_is(campaign, admin, name):
    def cost():
        page(admin, name)
        with CaptureQueriesContext(connection) as queries:
            page(admin, name)
        return len(queries)

    people = plant_people(campaign, [Planted()])
    judgments = plant_judgments(campaign, people, plant_items(campaign, 6), seed=4)
    say_and_flag(judgments[:1])
    before = cost()
    people = plant_people(campaign, [Planted()] * 3)
    say_and_flag(plant_judgments(campaign, people, plant_items(campaign, 10, category="other"), seed=4)[::3])
    assert cost() == before


def say_and_flag(judgments):
    for judgment in judgments:
        words_of(judgment, "because")
        Flag.objects.create(
            item=judgment.item,
            respondent=judgment.respondent,
            reason="other",
            personal_text=write_personal_text(person=judgment.respondent.person, text="so"),
        )

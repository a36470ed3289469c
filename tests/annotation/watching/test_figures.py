"""The figures of the pages for watching, against what was planted and against ranking called directly."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.utils import timezone

from annotation.boards.agreement import agreement_on, overall_agreement, pairs_of
from annotation.boards.measures import Measure, read_measures
from annotation.enums import ItemPurpose, SourceState
from annotation.models import Item, Judgment, Respondent
from annotation.policies.flags import reasons_to_look
from annotation.policies.forecast import forecast_end
from annotation.queries import instrument_questions
from annotation.queries.quality import progress_of, standing_answers, summarised
from annotation.selection.draws import draw_order
from annotation.use_cases.submit_judgment import submit_judgment
from ranking import Comparisons, ItemJudgments, Measurement, annotator_drift, krippendorff_alpha, side_bias
from tests.annotation.numbering import number_log
from tests.annotation.watching.planted import (
    EXPECTED,
    Planted,
    plant_items,
    plant_judgments,
    plant_people,
    planted_campaign,
)
from tests.factories import claim_and_show, make_campaign, make_item, make_respondent, new_key

pytestmark = pytest.mark.django_db

CAREFUL = Planted()
LEFT = Planted(left=0.8)
FAST = Planted(right=0.5, seconds=1.5)
WRONG = Planted(right=0.1)
TIRED = Planted(pace=0.3)
NOW = timezone.now()


def figures(campaign):
    return {each.respondent: each for each in summarised(campaign, NOW).annotators}


def words(figures_of_one):
    return reasons_to_look(figures_of_one)


@pytest.fixture
def crowd():
    campaign = planted_campaign()
    people = plant_people(campaign, [CAREFUL] * 3 + [LEFT, FAST, WRONG, TIRED])
    gold = plant_items(campaign, 10, purpose=ItemPurpose.GOLD, expected=EXPECTED)
    plant_judgments(campaign, people, [*plant_items(campaign, 20), *gold, *plant_items(campaign, 20)])
    return campaign, people


def test_everybody_who_was_planted_to_stand_out_does_with_a_reason_and_nobody_else(crowd):
    campaign, people = crowd
    found = figures(campaign)
    reasons = {planted: words(found[respondent.pk]) for respondent, planted in people.items()}
    assert reasons[CAREFUL] == []
    assert [reason for reason in reasons[LEFT] if reason.startswith("prefers the left side")] != []
    assert "faster than 3 s on 100 %" in reasons[FAST]
    assert any(reason.startswith("mostly says the opposite of the others") for reason in reasons[WRONG])
    assert any(reason.startswith("right on") for reason in reasons[WRONG])
    assert [reason[:6] for reason in reasons[TIRED]] == ["takes "]


def test_checks_are_counted_as_they_were_answered(crowd):
    campaign, people = crowd
    found = figures(campaign)
    for respondent in people:
        answers = Judgment.objects.filter(respondent=respondent, item__purpose=ItemPurpose.GOLD)
        right = sum((each.preference == "a") == (each.order[0] == 0) for each in answers)
        assert (found[respondent.pk].checks.part, found[respondent.pk].checks.whole) == (pytest.approx(right), 10)


def test_agreement_is_what_ranking_says_of_the_same_judgments(crowd):
    campaign, _people = crowd
    rows = standing_answers(campaign).filter(item__purpose=ItemPurpose.WORK)
    items, people, values = [], [], []
    for each in rows.order_by("log_entry__sequence"):
        items.append(each.item_id)
        people.append(each.respondent_id)
        values.append(float((each.preference == "a") == (each.order[0] == 0)))
    everyone, annotator = np.unique(people, return_inverse=True)
    judged = ItemJudgments(item=np.array(items), annotator=annotator, value=np.array(values), annotators=len(everyone))
    direct = krippendorff_alpha(judged, measurement=Measurement.ORDINAL, rng=np.random.default_rng(1))
    overall = summarised(campaign, NOW).questions[0]
    assert overall.alpha == pytest.approx(direct.coefficient)
    assert (overall.lower, overall.upper) == (
        pytest.approx(direct.lower, abs=0.02),
        pytest.approx(direct.upper, abs=0.02),
    )
    assert (overall.units, overall.judgments) == (direct.items, direct.judgments)
    by_hand = []
    for item in set(items):
        said = [value for value, of in zip(values, items, strict=True) if of == item]
        ones, count = sum(said), len(said)
        by_hand.append(1 - 2 * ones * (count - ones) / (count * (count - 1)))
    assert overall.same == pytest.approx(np.mean(by_hand))


def test_side_bias_speed_and_drift_are_what_ranking_says(crowd):
    campaign, people = crowd
    found = figures(campaign)
    for respondent in people:
        own = Judgment.objects.filter(respondent=respondent).order_by("log_entry__sequence")
        work = [each for each in own.select_related("item") if each.item.purpose == "work"]
        outcome = np.array([1.0 if each.preference == "a" else 0.0 for each in work])
        zeros = np.zeros(len(work), dtype=np.int64)
        rows = Comparisons(a=zeros, b=zeros + 1, outcome=outcome, count=2, annotator=zeros)
        share = side_bias(rows, level=0.99).everyone
        left = found[respondent.pk].left
        assert (left.share, left.lower) == (pytest.approx(share.share[0]), pytest.approx(share.lower[0]))
        seconds = np.array([each.active_ms / 1000 for each in own])
        drift = annotator_drift(seconds, np.zeros(len(seconds), dtype=np.int64), annotators=1)
        assert found[respondent.pk].drift.factor == pytest.approx(float(drift.factor[0]))
        assert found[respondent.pk].median_seconds == pytest.approx(float(np.median(seconds)))


def test_repeats_are_compared_with_the_answer_before_and_count_for_nothing_else():
    campaign = planted_campaign()
    people = plant_people(campaign, [Planted(right=1.0), Planted(right=0.5)])
    items = plant_items(campaign, 40)
    plant_judgments(campaign, people, items)
    before = summarised(campaign, NOW)
    repeats = [plant_items(campaign, 1, repeat_of=item)[0] for item in items]
    plant_judgments(campaign, people, repeats, seed=5)
    after = summarised(campaign, NOW)
    sure, guessing = (figures(campaign)[respondent.pk] for respondent in people)
    assert (sure.repeats.part, sure.repeats.whole) == (40, 40)
    answers = Judgment.objects.filter(respondent=next(r for r, p in people.items() if p.right == 0.5))
    said = {each.item_id: (each.preference == "a") == (each.order[0] == 0) for each in answers}
    assert guessing.repeats.part == sum(said[each.pk] == said[each.repeat_of_id] for each in repeats)
    assert after.questions[0].alpha == before.questions[0].alpha
    assert [each.judgments for each in after.annotators] == [40, 40]


def test_slices_are_of_their_own_items_and_groups_of_their_own_people():
    campaign = planted_campaign()
    people = plant_people(campaign, [Planted(right=1.0)] * 3 + [Planted(right=0.5)] * 3)
    easy = plant_items(campaign, 30, category="easy", language="en")
    plant_judgments(campaign, people, easy)
    hard = plant_items(campaign, 30, category="hard")
    plant_judgments(campaign, {respondent: Planted(right=0.5) for respondent in people}, hard, seed=3)
    sure = [respondent.pk for respondent, planted in people.items() if planted.right == 1.0]
    Respondent.objects.filter(pk__in=sure).update(groups=["experts"])
    found = {(each.kind, each.name): each for each in summarised(campaign, NOW).slices}
    assert set(found) == {("category", "easy"), ("category", "hard"), ("language", "en"), ("group", "experts")}
    assert found["category", "easy"].alpha == found["language", "en"].alpha
    assert found["category", "easy"].alpha > found["category", "hard"].upper
    assert found["group", "experts"].judgments == 3 * 60


def test_the_items_that_people_differ_most_about_come_first():
    campaign = planted_campaign()
    people = plant_people(campaign, [Planted(right=1.0)] * 4)
    plain = plant_items(campaign, 3)
    plant_judgments(campaign, people, plain)
    split = plant_items(campaign, 1)
    half = {respondent: Planted(right=float(k % 2)) for k, respondent in enumerate(people)}
    plant_judgments(campaign, half, split)
    assert summarised(campaign, NOW).items == [{"item": split[0].pk, "apart": pytest.approx(2 / 3), "people": 4}]


def test_a_retired_source_a_correction_and_what_is_not_numbered_yet_are_seen():
    campaign = planted_campaign()
    people = plant_people(campaign, [CAREFUL, CAREFUL])
    items = plant_items(campaign, 20)
    first, *_rest = plant_judgments(campaign, people, items)
    assert summarised(campaign, NOW).questions[0].judgments == 40
    later = plant_judgments(campaign, people, plant_items(campaign, 1), seed=9, numbered=False)
    assert summarised(campaign, NOW).questions[0].judgments == 40
    number_log()
    assert summarised(campaign, NOW).questions[0].judgments == 42
    other = {"a": "b", "b": "a"}[first.preference]
    corrected = Judgment.objects.get(pk=first.pk)
    corrected.pk, corrected.supersedes_id, corrected.preference = None, first.pk, other
    corrected._state.adding = True
    Judgment.objects.bulk_create([corrected])
    number_log()
    found = summarised(campaign, NOW)
    assert found.questions[0].judgments == 42
    assert sum(each.judgments for each in found.annotators) == 42
    campaign.sources.update(state=SourceState.RETIRED)
    assert (summarised(campaign, NOW).questions, summarised(campaign, NOW).annotators) == ([], [])
    assert len(later) == 2


def two_questions(rng, items):
    """Six people answer two questions about each item; who knows the one answer knows the other."""
    item, who = np.repeat(np.arange(items), 6), np.tile(np.arange(6), items)
    truth, is_hard = rng.integers(0, 2, items), rng.random(items) < 0.5
    right = rng.random(len(item)) < np.where(is_hard[item], 0.5, 0.95)
    values = np.where(right, truth[item], 1 - truth[item]).astype(float)
    measures = [Measure(name, Measurement.ORDINAL, item * 16, item, who, values, np.arange(6)) for name in ("x", "y")]
    # The second is asked in one case of three.
    return [measures[0], measures[1].select(item % 3 == 0)]


def test_all_questions_together_are_their_mean_and_its_interval_holds_the_truth():
    measures = two_questions(np.random.default_rng(1), 90)
    each = [agreement_on(measure) for measure in measures]
    overall = overall_agreement(measures, each)
    assert overall.alpha == pytest.approx((3 * each[0].alpha + each[1].alpha) / 4)
    assert (overall.judgments, overall.units) == (540 + 180, 90 + 30)
    assert overall_agreement(measures[:1], each[:1]).lower == each[0].lower
    assert overall_agreement([], []) is None
    long = two_questions(np.random.default_rng(2), 9000)
    truth = np.average(
        [krippendorff_alpha(m.judgments(), measurement=m.measurement).coefficient for m in long], weights=[3, 1]
    )
    inside = []
    for seed in range(20):
        measures = two_questions(np.random.default_rng(100 + seed), 60)
        found = overall_agreement(measures, [agreement_on(measure) for measure in measures])
        inside.append(found.lower <= truth <= found.upper)
    assert sum(inside) >= 16


EVERYTHING = [
    {"name": "preference", "type": "preference"},
    {"name": "acceptable", "type": "acceptable", "settings": {"mode": "per_response"}},
    {"name": "quality", "type": "rating", "settings": {"to_ranking": "yes"}},
    {"name": "topics", "type": "labels", "settings": {"options": ["fun", "law"], "least": 0}},
    {"name": "why", "type": "rationale", "required": False},
]


def test_every_kind_of_question_is_compared_by_what_it_asks():
    campaign = make_campaign(questions=EVERYTHING)
    item = make_item(campaign, slots=2)
    for order, better in (([0, 1], "a"), ([1, 0], "b")):
        respondent = make_respondent(campaign)
        seed = next(seed for seed in range(99) if list(draw_order(2, seed=seed).order) == order)
        assignment, _impression = claim_and_show(campaign, respondent, seed=seed)
        good, bad = (0, 1) if better == "a" else (1, 0)
        submit_judgment(
            assignment_id=assignment.pk,
            lease_token=assignment.lease_token,
            key=new_key(),
            respondent=respondent,
            answers={
                "preference": {"choice": better, "strength": None},
                "acceptable": [side == good for side in (0, 1)],
                "quality": {"overall": [5 if side == good else 2 for side in (0, 1)]},
                "topics": ["fun"],
                "why": "because",
            },
            now=timezone.now(),
        )
        assert bad in (0, 1)
    number_log()
    measures = read_measures(
        standing_answers(campaign), instrument_questions(campaign.instrument_id), instrument=campaign.instrument_id
    )
    assert [(each.question, len(each)) for each in measures] == [
        ("preference", 2),
        ("acceptable", 4),
        ("quality", 4),
        ("topics", 2),
    ]
    # Both prefer, accept and rate the same response, on whichever side it was shown.
    assert [pairs_of(each).apart.tolist() for each in measures] == [[0.0], [0.0, 0.0], [0.0, 0.0], [0.0]]
    assert {agreement_on(each).same for each in measures} == {1.0}
    assert item.pk == Item.objects.get().pk


def test_a_forecast_holds_the_pace_and_its_range_grows_with_its_swings():
    now = datetime(2026, 5, 1, 12, tzinfo=UTC)
    began = now - timedelta(days=9)
    steady = forecast_end([10] * 48, left=120, first_at=began, now=now)
    assert (steady.end, steady.earliest, steady.latest) == (now + timedelta(hours=12),) * 3
    swinging = forecast_end([0, 20] * 24, left=120, first_at=began, now=now)
    assert swinging.earliest < swinging.end < swinging.latest
    assert swinging.end == steady.end
    burst = forecast_end([0] * 46 + [240, 0], left=120, first_at=began, now=now)
    assert (burst.end, burst.latest) == (now + timedelta(hours=12), None)
    young = forecast_end([0] * 42 + [12] * 6, left=120, first_at=now - timedelta(hours=5), now=now)
    assert (young.hours, young.end) == (5, now + timedelta(hours=10))
    assert forecast_end([10] * 48, left=0, first_at=began, now=now) is None
    assert forecast_end([10] * 48, left=9, first_at=now - timedelta(hours=1), now=now) is None
    assert forecast_end([0] * 48, left=9, first_at=began, now=now) is None


def test_progress_counts_slots_and_hours():
    campaign = make_campaign()
    make_item(campaign, slots=3)
    people = [make_respondent(campaign) for _ in range(2)]
    assignment, _impression = claim_and_show(campaign, people[0])
    submit_judgment(
        assignment_id=assignment.pk,
        lease_token=assignment.lease_token,
        key=new_key(),
        respondent=people[0],
        answers={"preference": {"choice": "tie", "strength": None}},
        now=timezone.now(),
    )
    claim_and_show(campaign, people[1])
    progress = progress_of(campaign, timezone.now())
    assert (progress.done, progress.claimed, progress.open, progress.wanted) == (1, 1, 1, 3)
    assert (progress.answers, progress.work, progress.people, progress.last_day, progress.taken) == (1, 1, 1, 1, 2)
    assert [hour.answers for hour in progress.hours] == [0] * 47 + [1]

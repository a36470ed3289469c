"""Items that everybody judges: when they come, that they count, and that people's scales come from them."""

import itertools
from collections import Counter

import numpy as np
import pytest

from annotation.boards.worth import worth_of
from annotation.enums import ItemPurpose
from annotation.models import Assignment, Impression, Item
from annotation.policies.anchors import REPEATED, chance, last_place_for_repeats, places_for_anchors
from annotation.queries import standing_judgments
from annotation.ratings import PairRows, read_pairs
from annotation.selection.draws import stream
from annotation.use_cases.next_anchor import ANCHOR
from annotation.use_cases.next_assignment import QuotaReached, next_assignment
from tests.annotation.boards.factories import pair_rows
from tests.annotation.items.uploads import imported
from tests.annotation.numbering import number_log
from tests.annotation.worth.bidding import NOW, answers_for, bids, paid_campaign, prepared, submitted
from tests.factories import make_contestant, make_item


def test_every_set_of_places_is_equally_likely():
    places, anchors = 7, 3
    for chosen in itertools.combinations(range(places), anchors):
        probability, left = 1.0, anchors
        for place in range(places):
            due = chance(left, place=place, places=places)
            probability *= due if place in chosen else 1 - due
            left -= place in chosen
        assert probability == pytest.approx(1 / 35)


def test_from_seeds_of_impressions_places_are_uniform_too():
    """Twelve anchors among forty places, for 300 people: chi-squared on the counts, p above one in ten thousand."""
    rng, counts = np.random.default_rng(1), np.zeros(40)
    for _ in range(300):
        left = 12
        for place in range(40):
            shown = stream(int(rng.integers(2**62)), ANCHOR).random() < chance(left, place=place, places=40)
            counts[place] += shown
            left -= shown
        assert left == 0
    expected = 300 * 12 / 40
    # The counts of one person are dependent: without replacement the variance is 28/39 of the independent one's.
    statistic = ((counts - expected) ** 2 / expected).sum() / (28 / 39)
    assert statistic < 85  # 39 degrees of freedom


@pytest.mark.parametrize(("items", "first", "last"), [(None, 40, 80), (60, 40, 60), (30, 21, 30), (3, 1, 3)])
def test_repeats_fit_behind_the_anchors(items, first, last):
    assert (places_for_anchors(items), last_place_for_repeats(items)) == (first, last)


@pytest.mark.django_db
def test_everybody_judges_all_anchors_among_their_first_items_and_some_again_at_the_end():
    campaign = paid_campaign(items=12, session_items=16)
    anchors = [make_item(campaign, purpose=ItemPurpose.ANCHOR, slots=0, prompt=f"Anchor {n}?") for n in range(5)]
    for _ in range(2):
        respondent = prepared(campaign)
        while bids(campaign, respondent, "3.00").finished != "locked":
            pass
        met = Assignment.objects.filter(respondent=respondent).order_by("pk").select_related("item")
        places = {each.item_id: place for place, each in enumerate(met)}
        assert len(places) == 16
        assert all(places[anchor.pk] < 7 for anchor in anchors)
        again = [each.item for each in met if each.item.repeat_of_id]
        assert len(again) == REPEATED
        assert {item.repeat_of_id for item in again} <= {anchor.pk for anchor in anchors}
        assert min(places[item.pk] for item in again) >= 7
        assert all(places[item.pk] - places[item.repeat_of_id] > 5 for item in again)
    shown_as = Counter(Impression.objects.values_list("parameters__shown_as", flat=True))
    assert shown_as == {"anchor": 18, None: 14}


@pytest.mark.django_db
def test_anchors_are_for_whoever_has_reached_a_quota_too_and_count_for_boards():
    campaign = paid_campaign(items=2, session_items=9, quota_per_annotator=1)
    sides = [make_contestant(campaign) for _ in range(2)]
    make_item(campaign, purpose=ItemPurpose.ANCHOR, slots=0, contestants=sides)
    respondent = prepared(campaign)
    for _ in range(2):
        given = next_assignment(campaign=campaign, respondent=respondent, now=NOW())
        submitted(given, respondent, answers_for(given, "3.00"))
    with pytest.raises(QuotaReached):
        # Its repeat waits for five other items.
        next_assignment(campaign=campaign, respondent=respondent, now=NOW())
    number_log()
    pairs = read_pairs(standing_judgments(campaign), merged={})
    assert (len(pairs), sorted(pairs.is_anchor.tolist()), pairs.incentive) == (2, [False, True], "paid_delegated")


def rows(anchors: int, *, people: int = 24, work: int = 40) -> PairRows:
    """People with scales from a third to three times, who priced the anchors and each some of the work: of three
    contestants the first is worth 2 more than the second and 3 more than the third."""
    rng = np.random.default_rng(5)
    spread = rng.normal(0, 0.6, people)
    scale = np.exp(spread - spread.mean())
    worth = np.array([0.0, -2.0, -3.0])
    a, b, amount, who, prompt, is_anchor = [], [], [], [], [], []
    for person in range(people):
        mine = [*range(anchors), *(anchors + rng.choice(work, 12, replace=False))]
        for item in mine:
            i, j = [(0, 1), (1, 2), (2, 0)][item % 3]
            anchor = item < anchors
            true = (1.0 + item if anchor else worth[i] - worth[j]) + rng.normal(0, 0.2)
            for column, value in zip(
                (a, b, amount, who, prompt, is_anchor),
                (i, j, true * scale[person], person, item, anchor),
                strict=True,
            ):
                column.append(value)
    return pair_rows(
        contestants=[1, 2, 3],
        a=np.array(a),
        b=np.array(b),
        amount=np.array(amount),
        respondent=np.array(who),
        prompt=np.array(prompt),
        is_anchor=np.array(is_anchor),
    )


def test_twelve_anchors_put_people_on_one_scale_and_give_back_what_was_planted():
    block, entries = worth_of(rows(12), seed=1)
    assert block["estimand"] == "panel"
    assert "anchored" in block["notes"]
    found = [entries[position]["value"] for position in range(3)]
    assert found[0] - found[1] == pytest.approx(2, abs=0.15)
    assert found[0] - found[2] == pytest.approx(3, abs=0.15)


def test_under_six_anchors_amounts_count_as_typed():
    block, _entries = worth_of(rows(5), seed=1)
    assert (block["estimand"], "few_anchors" in block["notes"], "anchored" in block["notes"]) == ("money", True, False)


def test_without_anchors_everybodys_amounts_count_the_same_in_total():
    block, _entries = worth_of(rows(0), seed=1)
    assert (block["estimand"], "few_anchors" in block["notes"], "anchored" in block["notes"]) == ("panel", False, False)


def test_a_hundredth_at_the_endowment_is_called_censored():
    pairs = rows(0)
    pairs.at_bound[:2] = True
    assert "censored" not in worth_of(pairs, seed=1)[0]["notes"]
    pairs.at_bound[:6] = True
    assert "censored" in worth_of(pairs, seed=1)[0]["notes"]


@pytest.mark.django_db(transaction=True)
def test_a_file_marks_anchors_which_have_no_quota(tmp_path, settings):
    settings.DATA_DIR = tmp_path / "data"
    campaign = paid_campaign(items=0)
    lines = (
        "prompt,response_1,response_2,model_1,model_2,purpose",
        "Same?,One.,One.,Ash,Birch,anchor",
        "Other?,One.,Two.,Ash,Birch,",
    )
    assert imported(campaign, tmp_path, "\n".join(lines)).items == 2
    slots = {item.purpose: item.slots.count() for item in Item.objects.filter(campaign=campaign)}
    assert slots == {"anchor": 0, "work": campaign.overlap}

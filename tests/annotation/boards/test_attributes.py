"""What single attributes and labels come to on a board, beside its order."""

import numpy as np
import pytest
from django.utils import timezone

from annotation.boards import canonical_json, compute_standings
from annotation.boards.attributes import _interval
from annotation.models import Contestant, Judgment
from annotation.queries import standing_judgments
from annotation.questions import Facet, Form
from annotation.use_cases.refresh_board import refresh_board
from annotation.use_cases.verify_log import verify_log
from tests.annotation.boards.factories import make_board
from tests.annotation.boards.test_listed import answered, found, noisy, rated
from tests.factories import PREFERENCE

FIVE = ["Helpfulness", "Correctness", "Coherence", "Complexity", "Verbosity"]
RATING = {"name": "ratings", "type": "rating", "settings": {"attributes": FIVE, "points": 5, "first": 0}}
LABELS = {
    "name": "faults",
    "type": "labels",
    "title": "What is wrong?",
    "settings": {"options": ["Wrong fact", "Rude"], "mode": "response", "least": 0},
}


def helpful(names, number):
    side = "a" if noisy(names[0], number) > noisy(names[1], number) else "b"
    scores = {
        each: [int(min(4, max(0, round(3 + noisy(name, number * 7 + at))))) for name in names]
        for at, each in enumerate(FIVE)
    }
    return {
        "ratings": scores,
        "preference": {"choice": side},
        "faults": [["Rude"] if score < 2 else [] for score in scores["Coherence"]],
    }


@pytest.fixture
def campaign(db):
    return answered([RATING, PREFERENCE | {"settings": {}}, LABELS], helpful, responses=2, items=48)


def test_a_board_of_preferences_has_the_mean_of_every_attribute_by_model_with_its_interval(campaign):
    said = found(campaign)["attributes"]
    assert [(each["question"], each["name"], each["unit"]) for each in said] == [
        *(("ratings", name, "score") for name in FIVE),
        ("faults", "Wrong fact", "percent"),
        ("faults", "Rude", "percent"),
    ]
    ash = Contestant.objects.get(name="Ash").pk
    given: dict[str, list[int]] = {name: [] for name in FIVE}
    for judgment in Judgment.objects.all():
        if ash in judgment.contestants:
            for name in FIVE:
                given[name].append(judgment.answers["ratings"]["values"][name][judgment.contestants.index(ash)])
    for line in said[:5]:
        assert (line["lowest"], line["highest"]) == (0, 4)
        (of_ash,) = (each for each in line["models"] if each["contestant"] == ash)
        assert of_ash["value"] == pytest.approx(np.mean(given[line["name"]]), abs=1e-6)
        assert of_ash["judged"] == len(given[line["name"]]) == 24
        assert 0 <= of_ash["lower"] < of_ash["value"] < of_ash["upper"] <= 4
    never, rude = said[5:]
    assert {each["value"] for each in never["models"]} == {0.0}
    assert [each["value"] for each in rude["models"]] == sorted(each["value"] for each in rude["models"])
    assert all(0 <= each["lower"] <= each["value"] <= each["upper"] <= 100 for each in rude["models"])


def test_snapshots_with_and_without_attributes_follow_from_the_log(campaign):
    board = make_board(campaign)
    assert "attributes" in refresh_board(board_id=board.pk, now=timezone.now()).standings
    assert verify_log(now=timezone.now()).ok
    options = {"method": "bradley_terry", "seed": 1, "merged": {}}
    before = compute_standings(standing_judgments(campaign), **options, version="2")
    now = compute_standings(standing_judgments(campaign), **options)
    assert canonical_json(before) == canonical_json(
        {name: now[name] for name in now if name not in ("attributes", "orders", "level")}
    )


@pytest.mark.django_db
def test_a_rating_of_the_whole_that_makes_the_board_is_not_said_twice():
    rating = {"name": "ratings", "type": "rating", "settings": {"points": 5}}
    second = rating | {"name": "style", "settings": {"points": 7, "to_ranking": "no"}}

    def both(names, number):
        return rated(names, number) | {"style": rated(names, number + 1)["ratings"]}

    said = found(answered([rating, second], both, responses=2))["attributes"]
    assert [(each["question"], each["name"], each["highest"]) for each in said] == [("style", "", 7)]


def test_intervals_of_means_allow_for_people_and_prompts_that_occur_again():
    """40 people of whom each is lenient or not: independent scores would give an interval a third as wide."""
    rng = np.random.default_rng(5)
    held = narrow = 0
    for _ in range(100):
        person, prompt = np.repeat(np.arange(40), 20), np.tile(np.arange(20), 40)
        value = 3 + rng.normal(0, 0.7, 40)[person] + rng.normal(0, 0.5, 20)[prompt] + rng.normal(0, 0.5, 800)
        places = (person + prompt) % 2
        low, high = _interval(Facet("", Form.SCORES, -9, 9), np.array([1, 2]), places, person, prompt, value)
        held += low[0] < 3 < high[0]
        narrow += abs(value[places == 0].mean() - 3) < 1.96 * value[places == 0].std() / 20
    assert held >= 88
    assert narrow < 75

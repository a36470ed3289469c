"""What is said after an item to practise on, and after a test."""

import re

import pytest

from annotation.models import Campaign, Impression, Judgment
from annotation.queries.feedback import names_sides
from tests.annotation.work.test_pages import answer, fields, joined, open_item
from tests.factories import PREFERENCE, make_campaign, make_item

pytestmark = pytest.mark.django_db

FIRST_IS_RIGHT = [{"question": "preference", "values": ["a"]}]


def training(explanation: str) -> Campaign:
    campaign = make_campaign(questions=[PREFERENCE])
    values = {"purpose": "training", "expected": FIRST_IS_RIGHT, "explanation": explanation, "slots": 0}
    make_item(campaign, prompt="How **many** legs?", texts=("It has six legs.", "It has eight."), **values)
    return campaign


def lists(page: str) -> list[str]:
    return re.findall(r"<dd>(.*?)</dd>", page)


def test_the_item_the_answer_and_what_would_have_been_right_are_shown_as_they_were_seen():
    campaign = training("Insects have six.")
    orders = set()
    for _ in range(12):
        page = answer(joined(campaign), campaign, preference="b").content.decode()
        judgment = Judgment.objects.latest("pk")
        right = "AB"[judgment.order.index(0)]
        orders.add(tuple(judgment.order))
        assert lists(page) == ["B", right]
        assert "It has six legs." in page[page.index(f'id="side-{right}-0"') :][:200]
        assert ("That is right" in page) == (right == "B")
    assert len(orders) == 2


def test_an_explanation_that_names_sides_has_its_item_shown_as_it_was_written():
    campaign = training("A is right, because insects have six legs.")
    for _ in range(6):
        page = answer(joined(campaign), campaign, preference="a").content.decode()
        assert "That is right" in page
    shown = {(tuple(each.order), each.side_design, each.p_side) for each in Impression.objects.all()}
    assert shown == {((0, 1), "assigned", None)}


@pytest.mark.parametrize(
    ("words", "names"),
    [("A is right", True), ("In **B** it is wrong.", True), ("Vitamin-C is not meant", False), ("I'd rather", False)],
)
def test_sides_are_named_by_a_letter_alone(words, names):
    assert names_sides(words) is names


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["plain", "script"])
def test_whoever_passes_the_test_reads_so(headers):
    campaign = make_campaign(questions=[PREFERENCE])
    make_item(campaign, purpose="qualification", expected=FIRST_IS_RIGHT, slots=0)
    make_item(campaign, prompt="The first that counts?")
    client = joined(campaign)
    page, address = open_item(client, campaign)
    side = "ab"[Impression.objects.get().order.index(0)]
    after = client.post(address, fields(page) | {"preference": side}, headers=headers).content.decode()
    assert ("You have passed the test" in after, "The first that counts?" in after) == (True, True)
    assert "/undo" not in after

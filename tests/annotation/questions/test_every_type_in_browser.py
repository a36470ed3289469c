"""The page of an item for every question type and mode, on a phone and on a desk: a picture, its width, and axe.

`CARDINAL_SCREENSHOTS` names the folder for the pictures.
"""

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from accounts.use_cases.create_person import person_of_user
from annotation.enums import RespondentKind
from annotation.questions import all_types
from annotation.use_cases.enrol_respondent import enrol_respondent
from tests.annotation.questions.cases import Case, every_case, in_session
from tests.browser import DESK, PHONE, check_axe, look
from tests.factories import make_campaign, make_item, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CASES = every_case()
TEXTS = (
    "Light of every colour is scattered by air, and **blue** the most: its waves are short.\n\n"
    "1. Sunlight meets molecules of air.\n2. Short waves change their way more often.\n3. They come from everywhere.",
    "Because it reflects the sea. The sea is blue, and so the sky above it is blue as well; over land the colour"
    " comes from far away.",
    "```python\nscattered = 1 / wavelength**4\n```\n\nHalve the wavelength, and sixteen times as much is scattered.",
)


def item_page(name: str, case: Case, user) -> str:
    """The address of an item of a campaign that asks this, after what must come before."""
    question = {"name": "q", "type": case.type, "settings": case.settings}
    campaign = make_campaign(questions=[*case.before, question], name="Blue skies")
    make_item(campaign, texts=TEXTS[: len(case.texts)], prompt="Why is the sky blue?")
    person = person_of_user(user=user, now=timezone.now())
    respondent = enrol_respondent(campaign=campaign, person=person, kind=RespondentKind.ANNOTATOR, now=timezone.now())
    in_session(campaign, respondent, case.incentive)
    return f"/annotate/{campaign.slug}/item"


def unfold(page: Page, case: Case) -> None:
    """What is asked only after an answer."""
    if case.before:
        page.keyboard.press("a")
    if case.unfolds:
        page.get_by_label(case.unfolds).check()


def test_every_type_is_looked_at():
    assert {case.type for case in CASES.values()} == set(all_types())


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_every_types_page_fits_and_has_no_fault_that_axe_finds(open_page, viewport):
    user, faults = make_user(), []
    page = open_page("/annotate", viewport, user=user, reduced_motion="reduce")
    for name, case in CASES.items():
        page.goto(item_page(name, case, user))
        assert page.locator("[data-question=q]").count() == 1, name
        unfold(page, case)
        try:
            look(page, name.replace(" ", "-"))
        except AssertionError as fault:
            faults.append(str(fault))
    assert faults == []


def test_a_label_that_is_taken_away_is_found(open_page):
    user = make_user()
    page = open_page(item_page("rationale item", CASES["rationale item"], user), DESK, user=user)
    check_axe(page)
    page.evaluate("document.querySelector('label[for=question-q]').remove()")
    with pytest.raises(AssertionError, match="'label'"):
        check_axe(page)

"""Pay and studies in a real browser: an admin pays, an annotator reads what they earned, a stand-in sends people."""

from decimal import Decimal

import pytest
from playwright.sync_api import expect

from accounts.enums import Role
from annotation.models import Campaign, Payment, Respondent, StudyParticipant
from annotation.use_cases.accrue_fees import accrue_fees
from tests.annotation.pay.stand_in import stand_in
from tests.annotation.pay.test_pages import owe
from tests.annotation.people.working import joined, judged
from tests.browser import DESK, PHONE, look
from tests.factories import PREFERENCE, later, make_campaign, make_item, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def campaign() -> Campaign:
    campaign = make_campaign(
        slug="trial", name="Blue skies", purpose="To see which answer helps.", questions=[PREFERENCE]
    )
    Campaign.objects.filter(pk=campaign.pk).update(pay_per_judgment=Decimal("0.1250"), screen_out_pay=2)
    campaign.refresh_from_db()
    for _ in range(4):
        make_item(campaign, slots=4)
    return campaign


@pytest.fixture
def people(campaign) -> list[Respondent]:
    people = [joined(campaign, username=name) for name in ("ada", "grace", "edsger")]
    for respondent, count in zip(people, (4, 3, 1), strict=True):
        for _ in range(count):
            judged(campaign, respondent)
    accrue_fees(campaign_id=campaign.pk, now=later())
    return people


@pytest.fixture
def admin():
    return make_user(role=Role.CAMPAIGN_ADMIN, username="admin")


def test_an_admin_gives_bonuses_pays_and_confirms(open_page, campaign, people, admin):
    page = open_page("/campaigns/trial/payments", user=admin)
    page.get_by_text("To one person").click()
    page.get_by_label("Pseudonym").fill(people[0].pseudonym)
    page.get_by_label("Amount").fill("2.5")
    page.get_by_label("Reason").fill("Careful reasons.")
    page.get_by_role("button", name="Give the bonus", exact=True).click()
    expect(page.get_by_text("One bonus was given.")).to_be_visible()
    page.get_by_text("To a list of people").click()
    page.get_by_label("Lines").fill(f"{people[1].pseudonym}, 1, Good\nnobody, 2, Good")
    page.get_by_role("button", name="Give the bonuses").click()
    expect(page.get_by_text("Line 2: Nobody here has the pseudonym “nobody”.")).to_be_visible()
    look(page, "pay-refused")
    page.get_by_role("button", name="Make a payout").click()
    expect(page.get_by_role("heading", name="Payout 1", exact=True)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Payment, as CSV").click()
    assert f"{people[0].pseudonym},ada,3.00,USD,5" in download.value.path().read_text()
    look(page, "payout")
    page.get_by_label("Reference of the payment").fill("transfer 7")
    page.get_by_role("button", name="It is paid").click()
    expect(page.get_by_text("transfer 7")).to_be_visible()
    assert Payment.objects.get().payout.total == Decimal("3.49")
    page.goto("/campaigns/trial/payments/entries")
    page.get_by_role("link", name="Take back").click()
    page.get_by_label("Reason").fill("Meant for somebody else.")
    look(page, "take-back")
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_text("Meant for somebody else.")).to_be_visible()
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        for name in ("payments", "payments/entries"):
            page.goto(f"/campaigns/trial/{name}")
            look(page, name.replace("/", "-"))


def test_an_annotator_reads_what_they_earned(open_page, campaign, people, admin):
    owe(people[0], "2.50", reason="Careful reasons.")
    page = open_page("/campaigns/trial/payments", user=admin)
    page.get_by_role("button", name="Make a payout").click()
    expect(page.get_by_role("heading", name="Payout 1", exact=True)).to_be_visible()
    mine = open_page("/annotate", user=people[0].person.user)
    expect(mine.get_by_text("3.00 USD earned")).to_be_visible()
    look(mine, "home")
    mine.get_by_role("link", name="Earnings").click()
    for size in (DESK, PHONE):
        mine.set_viewport_size(size)
        expect(mine.get_by_text("Careful reasons.")).to_be_visible()
        look(mine, "earnings")
    assert people[1].pseudonym not in mine.content()


def set_up(page, prolific) -> None:
    """What the admin does, by hand, on both sides."""
    for label, text in {
        "Study id": "5f3c9a",
        "Places": "2",
        "Judgments per person": "2",
        "Completion code": "DONE1",
        "Screen-out code": "OUT2",
        "Over-quota code": "FULL3",
    }.items():
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Add the study").click()
    expect(page.get_by_role("cell", name="0 of 2")).to_be_visible()
    prolific.study_address = page.get_by_label("Enter it at Prolific").input_value()
    prolific.meanings = {"DONE1": "completed", "OUT2": "screened out", "FULL3": "over quota"}


def sent(open_page, prolific, participant, size=DESK):
    page = open_page(viewport=size)
    session = f"s-{participant}"
    page.goto(f"{prolific.address}/take-part?PROLIFIC_PID={participant}&STUDY_ID=5f3c9a&SESSION_ID={session}")
    page.get_by_role("link", name="Open study link").click()
    return page


def start(page) -> Respondent:
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("You can start.")).to_be_visible()
    return StudyParticipant.objects.latest("pk").respondent


def go_back(page, name) -> None:
    page.get_by_role("button", name="Finish and go back to Prolific").click()
    look(page, name)
    page.get_by_role("link", name="Back to Prolific").click()
    expect(page.get_by_text("Submission:")).to_be_visible()


def test_a_stand_in_sends_people_and_takes_them_back_with_their_codes(open_page, campaign, admin, settings):
    with stand_in() as prolific:
        settings.PROLIFIC_RETURN_URL = prolific.return_address
        desk = open_page("/campaigns/trial/studies", user=admin)
        set_up(desk, prolific)

        first = sent(open_page, prolific, "aa11", PHONE)
        look(first, "study-enter")
        respondent = start(first)
        for _ in range(2):
            judged(campaign, respondent)
        first.goto("/annotate/trial/item")
        look(first, "study-done")
        go_back(first, "study-leave")
        assert prolific.taken == [("DONE1", "completed")]

        second = sent(open_page, prolific, "bb22")
        Respondent.objects.filter(pk=start(second).pk).update(state="screened_out")
        second.goto("/annotate/trial")
        go_back(second, "study-screened-out")
        # Prolific sends somebody in their place, who finds it free; after them every place is taken.
        start(sent(open_page, prolific, "cc33"))
        fourth = sent(open_page, prolific, "dd44")
        fourth.get_by_role("button", name="Start").click()
        look(fourth, "study-full")
        fourth.get_by_role("link", name="Back to Prolific").click()
        expect(fourth.get_by_text("Submission:")).to_be_visible()
        assert [code for code, _meaning in prolific.taken] == ["DONE1", "OUT2", "FULL3"]

        # Back with the same link: the same person, and the same code.
        again = sent(open_page, prolific, "aa11")
        again.get_by_role("button", name="Start").click()
        again.get_by_role("link", name="Back to Prolific").click()
        expect(again.get_by_text("Submission: completed")).to_be_visible()
        wrong = open_page("/study/trial?PROLIFIC_PID=aa11")
        look(wrong, "study-wrong")
        desk.reload()
        expect(desk.get_by_role("cell", name="2 of 2")).to_be_visible()
        look(desk, "studies")
        states = StudyParticipant.objects.order_by("pk").values_list("state", flat=True)
        assert list(states) == ["completed", "screened_out", "started", "over_quota"]

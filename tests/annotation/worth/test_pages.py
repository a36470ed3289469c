"""The pages of a session in which amounts are paid, without script: as somebody posts them, and as somebody cheats."""

import re
import subprocess
import sys
from html import unescape

import pytest
from django.test import Client

from accounts.enums import Role
from annotation.models import Campaign, Delivery, Draw, Judgment, Respondent, WorthSession
from annotation.policies.arms import price_direction
from annotation.policies.comprehension import cards_of
from annotation.queries.sessions import step_in
from annotation.use_cases.hold_draw import hold_draw
from tests.annotation.work.test_pages import answer, joined, open_item
from tests.annotation.worth.bidding import NOW, PREFERENCE, STATED, bids, paid_campaign, prepared, standing
from tests.factories import make_campaign, make_item, make_user

pytestmark = pytest.mark.django_db


def at(client: Client, campaign: Campaign, step: str, **values):
    return client.post(f"/annotate/{campaign.slug}/amounts/{step}", values)


def right_answers(campaign: Campaign) -> dict[str, str]:
    session = WorthSession.objects.get(campaign=campaign)
    return {question.name: question.right for question in step_in(session, campaign).questions}


def page(client: Client, campaign: Campaign) -> str:
    return unescape(client.get(f"/annotate/{campaign.slug}").content.decode())


def through_practice(client: Client, campaign: Campaign) -> WorthSession:
    page(client, campaign)
    session = WorthSession.objects.get(campaign=campaign)
    at(client, campaign, "check", **right_answers(campaign))
    for number, card in enumerate(cards_of(session.seed, session.endowment)):
        at(client, campaign, "practice", card=number, bid=f"{card.value:.2f}")
    return session


def bid(client: Client, campaign: Campaign, amount: str):
    return answer(client, campaign, **{"preference": "a", "worth.a": amount, "worth.keep": amount})


def test_from_the_first_page_to_the_receipt():
    campaign = paid_campaign(items=2)
    client = joined(campaign)
    first = page(client, campaign)
    session = WorthSession.objects.get(campaign=campaign)
    assert session.commitment in first
    assert session.seed not in first
    assert "We give you 10.00 USD." in first
    assert "A price is already sealed; your number cannot change it." in first
    assert at(client, campaign, "check", **right_answers(campaign)).status_code == 302
    value = cards_of(session.seed, session.endowment)[0].value
    assert f"we buy it back at {value}" in page(client, campaign)
    told = at(client, campaign, "practice", card=0, bid=str(value / 2)).content.decode()
    assert f"{value} is best." in told
    done = at(client, campaign, "practice", card=1, bid="7.00").content.decode()
    assert "To the items" in done
    shown, _address = open_item(client, campaign)
    assert "your number cannot change it" in unescape(shown)
    assert bid(client, campaign, "4.00").status_code == 302
    assert "1 item is in the draw so far" in page(client, campaign)
    bid(client, campaign, "6.00")
    locked = page(client, campaign)
    assert "Your answers are locked" in locked
    assert session.seed not in locked
    assert at(client, campaign, "draw").status_code == 302
    drawn = page(client, campaign)
    draw = Draw.objects.get(session=session)
    assert f"/receipts/{draw.token}" in drawn
    assert "What this was about" in drawn
    assert "Some items were the same for everybody" not in drawn
    seen = Client().get(f"/receipts/{draw.token}")
    assert seen.status_code == 200
    assert "It holds" in seen.content.decode()
    assert "model A" not in seen.content.decode()


def test_the_receipts_own_lines_of_python_print_what_it_shows():
    campaign = paid_campaign(items=3)
    respondent = prepared(campaign)
    for amount in ("4.00", None, "6.00"):
        bids(campaign, respondent, amount)
    draw = hold_draw(respondent_id=respondent.pk, now=NOW())
    shown = Client().get(f"/receipts/{draw.token}").content.decode()
    lines = unescape(re.search(r"<code data-recipe>(.*?)</code>", shown, re.DOTALL)[1])
    ran = subprocess.run([sys.executable, "-I", "-c", lines], capture_output=True, text=True, check=True, timeout=20)
    assert ran.stdout.split() == [
        *("commitment", draw.commitment, "answer", str(draw.judgment_id)),
        *("price", f"{draw.price:.2f}", "payout", f"{draw.payout:.2f}"),
    ]


def test_an_amount_above_the_endowment_is_refused_with_the_page_as_it_was():
    campaign = paid_campaign(items=1)
    client = joined(campaign)
    through_practice(client, campaign)
    refused = bid(client, campaign, "10.01")
    assert refused.status_code == 422
    assert "You have 10.00 USD to pay from" in refused.content.decode()
    assert bid(client, campaign, "10.00").status_code == 302


def test_a_locked_amount_is_not_changed_by_a_direct_post_whatever_it_carries():
    campaign = paid_campaign(items=2)
    client = joined(campaign)
    through_practice(client, campaign)
    bid(client, campaign, "4.00")
    first = Judgment.objects.get()
    form = {"key": "a-new-key", "preference": "a", "worth.a": "9.00"}
    # The control: before the lock the same post is a correction.
    assert client.post(f"/annotate/{campaign.slug}/history/{first.pk}", form).status_code == 302
    corrected = Judgment.objects.get(supersedes=first)
    bid(client, campaign, "6.00")
    respondent = Respondent.objects.get(campaign=campaign, person__isnull=False)
    before = [(each.pk, each.amount_low) for each in standing(respondent)]
    for when in ("locked", "drawn"):
        posted = client.post(
            f"/annotate/{campaign.slug}/history/{corrected.pk}", form | {"key": f"{when}-key", "worth.a": "1.00"}
        )
        assert posted.status_code == 409
        assert "Your answers are locked for the draw" in posted.content.decode()
        again = client.post(
            f"/annotate/{campaign.slug}/items/{corrected.assignment_id}",
            form | {"key": f"{when}-other", "lease_token": "0" * 32},
        )
        assert again.status_code in (302, 409)
        assert [(each.pk, each.amount_low) for each in standing(respondent)] == before
        looked = client.get(f"/annotate/{campaign.slug}/history/{corrected.pk}").content.decode()
        assert "Store the correction" not in looked
        assert "both stay in the record" not in looked
        assert "Look or correct" not in client.get(f"/annotate/{campaign.slug}/history").content.decode()
        at(client, campaign, "draw")


def test_a_check_with_a_gap_is_no_attempt_and_the_second_wrong_one_is_paid():
    campaign = paid_campaign(items=1)
    client = joined(campaign)
    page(client, campaign)
    right = right_answers(campaign)
    gap = at(client, campaign, "check", below=right["below"])
    assert gap.status_code == 422
    assert "Choose one answer." in gap.content.decode()
    wrong = right | {"best": "less"}
    told = at(client, campaign, "check", **wrong)
    assert told.status_code == 422
    assert "Your true maximum is best." in told.content.decode()
    ended = unescape(at(client, campaign, "check", **wrong).content.decode())
    assert "Two attempts at the check were not right." in ended
    assert "Your true maximum is best." in ended
    assert "You are paid 1.50 USD for having come." in ended
    # Later too, without the questions.
    assert "You are paid 1.50 USD for having come." in page(client, campaign)
    assert WorthSession.objects.get().attempts == 2
    assert at(client, campaign, "check", **right).status_code == 409


def test_where_nothing_is_paid_the_way_is_shorter_and_ends_without_a_draw():
    campaign = make_campaign(questions=[PREFERENCE, STATED])
    make_item(campaign)
    client = joined(campaign)
    first = page(client, campaign)
    assert "No money changes hands here" in first
    assert WorthSession.objects.get().commitment not in first
    at(client, campaign, "check", **right_answers(campaign))
    assert "save you exactly 4.00 USD" in page(client, campaign)
    assert "That is it" in at(client, campaign, "practice", card=0, bid="4").content.decode()
    assert answer(client, campaign, **{"worth.a": "3.00"}).status_code == 302
    assert at(client, campaign, "lock").status_code == 409
    nothing = unescape(client.get(f"/annotate/{campaign.slug}/item").content.decode())
    assert "What this was about" in nothing
    assert "receipts" not in nothing


def test_the_place_in_a_session_is_told_and_what_the_last_answer_does():
    campaign = paid_campaign(items=2)
    client = joined(campaign)
    through_practice(client, campaign)
    first = open_item(client, campaign)[0]
    assert ("item 1 of 2" in first, "With it your answers are locked" in first) == (True, False)
    ahead = client.get(f"/annotate/{campaign.slug}/ahead").content.decode()
    assert ("item 2 of 2" in ahead, "With it your answers are locked" in ahead) == (True, True)
    bid(client, campaign, "3")
    assert "With it your answers are locked" in open_item(client, campaign)[0]


def test_rows_are_checked_and_practised_where_rows_are_asked():
    listed = STATED | {"settings": {"mode": "price_list", "prices": ["0", "1", "2", "5"]}}
    campaign = make_campaign(questions=[PREFERENCE, listed])
    make_item(campaign)
    client = joined(campaign)
    first = page(client, campaign)
    assert "in a row" in first
    assert "You type an amount" not in first
    at(client, campaign, "check", **right_answers(campaign))
    shown = page(client, campaign)
    assert ("A at 2.00 USD" in shown, "save you exactly 1.50 USD" in shown, 'name="bid"' in shown) == (
        True,
        True,
        False,
    )
    assert "checked" not in shown[shown.index("price-list__rows") :]
    rows = {"row.a-0": "pay", "row.a-1": "pay", "row.a-2": "pay", "row.a-3": "free"}
    # Every row, and one word where they contradict each other.
    gap = at(client, campaign, "practice", card=0, **rows | {"row.a-3": ""})
    assert (gap.status_code, "Choose in every row." in gap.content.decode()) == (422, True)
    crossed = at(client, campaign, "practice", card=0, **rows | {"row.a-0": "free"})
    assert (crossed.status_code, "would not pay a lower one" in crossed.content.decode()) == (422, True)
    told = unescape(at(client, campaign, "practice", card=0, **rows).content.decode())
    assert ("You took A at 2.00." in told, "You left" in told) == (True, False)
    session = WorthSession.objects.get()
    (kept,) = session.practice
    assert (kept["bid"], kept["rows"], kept["prices"]) == (
        "2.00",
        [True, True, True, False],
        ["0.00", "1.00", "2.00", "5.00"],
    )
    assert session.deviation == pytest.approx(1 / 3)
    assert kept["direction"] == price_direction(session.respondent_id)
    assert session.state == "items"


def test_steps_out_of_order_change_nothing():
    campaign = paid_campaign(items=2)
    client = joined(campaign)
    page(client, campaign)
    for step in ("practice", "lock", "draw"):
        assert at(client, campaign, step, card=0, bid="4.00").status_code == 409
    session = WorthSession.objects.get()
    assert (session.state, session.practice, session.attempts) == ("check", [], 0)


def test_an_admin_sees_the_draws_hands_over_what_was_bought_and_says_so_once():
    campaign = paid_campaign(items=1, endowments=("5.00", "20.00"))
    for amount in ("5.00", "0.01", None):
        respondent = prepared(campaign)
        bids(campaign, respondent, amount)
        hold_draw(respondent_id=respondent.pk, now=NOW())
    admin = Client()
    admin.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    listed = admin.get(f"/campaigns/{campaign.slug}/draws").content.decode()
    assert all(draw.token in listed for draw in Draw.objects.all())
    lines = admin.get(f"/campaigns/{campaign.slug}/draws?format=csv&table=draws").content.decode().splitlines()
    assert len(lines) == 4
    draw = Draw.objects.filter(amount__isnull=False).latest("amount")
    shown = admin.get(f"/campaigns/{campaign.slug}/draws/{draw.pk}").content.decode()
    chosen = {0: "First.", 1: "Second."}[0 if draw.bought else 1]
    assert chosen in shown
    for _ in range(2):
        assert admin.post(f"/campaigns/{campaign.slug}/draws/{draw.pk}").status_code == 302
    assert Delivery.objects.filter(draw=draw).count() == 1

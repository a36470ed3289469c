"""The acceptance of asking for amounts, in the order in which it is written; what stands elsewhere is named."""

import csv
import json
import re
from decimal import Decimal
from hashlib import sha256
from html import unescape
from importlib import import_module
from io import StringIO

import numpy as np
import pytest
from django.test import Client

from accounts.enums import Role
from annotation.boards.worth import worth_of
from annotation.models import Draw, LedgerEntry, Payout, Respondent, WorthSession
from annotation.policies.comprehension import cards_of, deviation_of
from annotation.use_cases.hold_draw import hold_draw
from annotation.use_cases.make_payouts import make_payouts
from annotation.use_cases.next_assignment import next_assignment
from tests.annotation.boards.factories import pair_rows
from tests.annotation.datasets.rows import rows_of, scope_of
from tests.annotation.worth.bidding import NOW, answers_for, bids, paid_campaign, prepared, submitted
from tests.factories import make_item, make_user
from tests.ranking.worlds import worth_world

# What holds of the arithmetic is tested beside it.
ELSEWHERE = {
    "zero-stake pairs average 0": "tests.ranking.test_worth:test_pairs_without_stakes_are_worth_nothing",
    "equal orders, 100 boards: at most 5 list an established disagreement": (
        "tests.ranking.test_two_orders:test_equal_orders_hardly_ever_list_an_established_disagreement"
    ),
    "high-stake prompts oversampled fivefold": (
        "tests.ranking.test_worth:test_prompts_drawn_five_times_too_often_are_weighed_back"
    ),
    "one visitor typing 1,000,000": (
        "tests.ranking.test_worth:test_one_visitor_typing_a_million_moves_the_headline_by_less_than_one_standard_error"
    ),
    "changing a locked amount fails": (
        "tests.annotation.worth.test_pages:test_a_locked_amount_is_not_changed_by_a_direct_post_whatever_it_carries"
    ),
}


@pytest.mark.parametrize("what", ELSEWHERE)
def test_what_stands_elsewhere_is_there(what):
    module, _, name = ELSEWHERE[what].partition(":")
    assert callable(getattr(import_module(module), name))


def rederived(page: str) -> dict[str, str]:
    """Everything from the receipt's page alone, by the standard library: seed, answer, price and payout."""
    lines = unescape(re.search(r"<code data-recipe>(.*?)</code>", page, re.DOTALL)[1])
    seed = re.search(r'seed = "(\w+)"', lines)[1]
    answers = json.loads(re.search(r"answers = (\[.*\])", lines)[1])
    shown = re.search(r'amount, endowment = (?:None|Decimal\("([\d.]+)"\)), Decimal\("([\d.]+)"\)', lines)
    endowment = Decimal(shown[2])

    def number(what: str, below: int) -> int:
        return int(sha256(f"{seed}:{what}".encode()).hexdigest(), 16) % below

    price = Decimal(number("price", int(endowment * 100) + 1)) / 100
    bought = shown[1] is not None and price <= Decimal(shown[1])
    return {
        "commitment": sha256(seed.encode()).hexdigest(),
        "answer": answers[number("item", len(answers))],
        "price": price,
        "payout": endowment - price if bought else endowment,
    }


@pytest.mark.slow
@pytest.mark.django_db
def test_of_fifty_truthful_bidders_seed_draw_payout_and_file_are_derived_again_from_the_receipts_alone():
    campaign = paid_campaign(items=2, endowments=("5.00", "12.00"))
    rng, told, drawn = np.random.default_rng(1), {}, []
    for _ in range(50):
        respondent = prepared(campaign)
        session = WorthSession.objects.get(respondent=respondent)
        told[respondent.pk] = session.commitment
        for _ in range(2):
            worth = Decimal(f"{rng.uniform(0, 8):.2f}")
            bids(campaign, respondent, min(worth, session.endowment) if rng.random() < 0.8 else None)
        drawn.append((respondent, hold_draw(respondent_id=respondent.pk, now=NOW())))
    make_payouts(campaign_id=campaign.pk, actor=None, now=NOW())
    admin, anybody = Client(), Client()
    admin.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    payout = Payout.objects.get(campaign=campaign)
    address = f"/campaigns/{campaign.slug}/payments/payouts/{payout.number}?file=payment"
    rows = list(csv.DictReader(StringIO(admin.get(address).content.decode())))
    paid = {row["pseudonym"]: Decimal(row["amount"]) for row in rows}
    for respondent, draw in drawn:
        again = rederived(anybody.get(f"/receipts/{draw.token}").content.decode())
        assert again["commitment"] == told[respondent.pk]
        assert (again["answer"], again["price"], again["payout"]) == (draw.judgment_id, draw.price, draw.payout)
        # Two items at 0.20 beside the draw.
        assert paid[respondent.pseudonym] == again["payout"] + Decimal("0.40")
    assert sum(paid.values()) == payout.total == sum(LedgerEntry.objects.values_list("amount", flat=True))
    assert {draw.endowment for _respondent, draw in drawn} == {Decimal(5), Decimal(12)}
    assert 0 < Draw.objects.filter(bought=True).count() < 50
    assert Respondent.objects.filter(campaign=campaign).count() == 50


# Of every bid, relative to what the card is worth: a truthful one of 4.00 lies between 2.80 and 5.20 in two of three.
NOISE = 0.3


def area(low: np.ndarray, high: np.ndarray) -> float:
    """The probability that one of `high` is above one of `low`; half of it for a tie."""
    above = (high[:, None] > low[None, :]).mean()
    return float(above + 0.5 * (high[:, None] == low[None, :]).mean())


def deviations(share: float, people: int, rng: np.random.Generator) -> np.ndarray:
    found = []
    for _ in range(people):
        cards = cards_of(rng.bytes(16).hex(), Decimal("10.00"))
        bid = [min(max(share * float(card.value) * (1 + NOISE * rng.standard_normal()), 0.0), 10.0) for card in cards]
        practice = [{"value": f"{card.value:.2f}", "bid": f"{each:.2f}"} for card, each in zip(cards, bid, strict=True)]
        found.append(deviation_of(practice))
    return np.array(found)


def test_who_bids_half_as_in_a_first_price_auction_is_told_by_practice():
    rng = np.random.default_rng(2)
    truthful, half = deviations(1.0, 500, rng), deviations(0.5, 500, rng)
    found = area(half, truthful)
    print(f"AUC {found:.4f} at noise {NOISE}; mean deviations {truthful.mean():+.3f} and {half.mean():+.3f}")
    assert found >= 0.95
    # The control: who bids the truth is not told from who does.
    assert abs(area(truthful, deviations(1.0, 500, rng)) - 0.5) < 0.05


@pytest.mark.django_db(transaction=True)
def test_identical_pairs_protests_ties_and_zeros_stay_distinct_through_export():
    campaign = paid_campaign(items=0, session_items=9)
    sides = [each.contestant for each in make_item(campaign, prompt="Same?", texts=("One.", "One.")).responses.all()]
    for prompt in ("Protest?", "Zero?", "Given?"):
        make_item(campaign, prompt=prompt, contestants=sides)
    respondent = prepared(campaign)
    for _ in range(4):
        bid_on_next(campaign, respondent)
    rows = {row["prompt"][0]["content"]: row for row in rows_of(scope_of(campaign), "votes")[0]}
    states = {name: (json.loads(row["answers"])["worth"]["state"], row["net_utility"]) for name, row in rows.items()}
    assert {name: state for name, (state, _net) in states.items()} == {
        "Same?": "implied",
        "Protest?": "protest",
        "Zero?": "zero",
        "Given?": "given",
    }
    assert states["Protest?"][1] is None
    assert float(states["Same?"][1]) == float(states["Zero?"][1]) == 0
    assert abs(float(states["Given?"][1])) == 3


def bid_on_next(campaign, respondent) -> None:
    """A tie on the identical pair, a protest, a true zero and an amount, by what the item asks."""
    given = next_assignment(campaign=campaign, respondent=respondent, now=NOW())
    prompt = given.assignment.item.prompt.messages[0]["content"]
    answers = answers_for(given, {"Same?": None, "Given?": "3.00"}.get(prompt, "0"))
    if prompt == "Protest?":
        answers["worth"]["zero"] = "refuse"
    submitted(given, respondent, answers)


def test_of_four_annotators_with_heavy_stakes_the_claim_is_downgraded_and_the_flag_fires():
    votes = worth_world(3000, 16, prompts=3000, annotators=4, log_stake_sd=1.5).votes
    pairs = pair_rows(
        contestants=list(range(1, votes.count + 1)),
        a=votes.a,
        b=votes.b,
        amount=votes.amount,
        respondent=votes.annotator,
        prompt=votes.prompt,
    )
    block, _entries = worth_of(pairs, seed=1)
    assert block["heavy_tailed"] is True
    assert "few_annotators" in block["notes"]

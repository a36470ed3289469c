"""Sessions in which amounts are asked: where somebody stands in theirs, what is in the draw, and what it came to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Prefetch, QuerySet

from annotation.enums import COUNTED, EntryKind, Incentive, ItemPurpose, ItemState, JudgmentKind, WorthState
from annotation.models import Campaign, Draw, Item, Judgment, LedgerEntry, Question, Respondent, WorthSession
from annotation.policies.comprehension import (
    PER_RESPONSE,
    PRICE_LIST,
    Card,
    CheckQuestion,
    cards_of,
    check_questions,
)
from annotation.policies.draws import commitment_of, outcome_of, recipe
from annotation.queries.shown import shown_item
from annotation.questions.amount.typed_decimal import amount_text


def money_of(respondent_id: int) -> dict[str, Any]:
    """The members of a Situation that this person's session decides."""
    session = WorthSession.objects.filter(respondent=respondent_id).values_list("incentive", "endowment").first()
    incentive, endowment = session or (Incentive.STATED.value, None)
    return {"incentive": incentive, "endowment": endowment}


def amount_question(campaign: Campaign) -> Question | None:
    """The question for amounts of the published instrument; an instrument has one at most."""
    return Question.objects.filter(instrument=campaign.instrument_id, type="amount").first()


def candidates_of(respondent_id: int) -> QuerySet[Judgment]:
    """The standing answers that are in the draw, in the order in which the seed counts them: all about work and
    anchors, also those without an amount."""
    return Judgment.objects.filter(
        respondent=respondent_id, kind=JudgmentKind.ANSWER, superseded_by__isnull=True, item__purpose__in=COUNTED
    ).order_by("pk")


def named_amount(judgment: Judgment) -> Decimal | None:
    """What was bid for the response that was chosen; None where nothing was chosen or no price was named."""
    return judgment.amount_low if judgment.preference in ("a", "b") else None


@dataclass(frozen=True)
class Step:
    """What one's session shows between the items and after them."""

    session: WorthSession
    questions: list[CheckQuestion]
    cards: list[Card]
    answered: int
    draw: Draw | None
    mode: str = ""  # how amounts are asked
    prices: Sequence[Decimal] = ()  # of a price list, the lowest first

    @property
    def is_per_response(self) -> bool:
        return self.mode == PER_RESPONSE

    @property
    def is_price_list(self) -> bool:
        """Whether what is practised are rows."""
        return not self.is_paid and self.mode == PRICE_LIST

    @property
    def has_anchors(self) -> bool:
        anchors = Item.objects.filter(campaign=self.session.campaign_id, purpose=ItemPurpose.ANCHOR)
        return anchors.exclude(state=ItemState.VOID).exists()

    @property
    def is_paid(self) -> bool:
        return self.session.incentive != Incentive.STATED

    @property
    def card(self) -> Card | None:
        """The practice card that comes next."""
        done = len(self.session.practice)
        return self.cards[done] if done < len(self.cards) else None

    @property
    def card_number(self) -> int:
        return len(self.session.practice)

    @property
    def can_lock(self) -> bool:
        return self.is_paid and self.session.state == WorthState.ITEMS and self.answered > 0

    @property
    def can_draw(self) -> bool:
        return self.session.state == WorthState.LOCKED and self.answered > 0


def step_of(respondent: Respondent) -> Step | None:
    """None before the session began, and where no amounts are asked."""
    session = WorthSession.objects.select_related("draw").filter(respondent=respondent).first()
    if session is None:
        return None
    return step_in(session, respondent.campaign)


def step_in(session: WorthSession, campaign: Campaign) -> Step:
    question = amount_question(campaign)
    mode = "" if question is None else question.settings["mode"]
    prices = list_prices(question)
    return Step(
        session=session,
        questions=check_questions(session.endowment, session.currency, mode),
        cards=cards_of(session.seed, session.endowment, prices),
        answered=candidates_of(session.respondent_id).count(),
        draw=getattr(session, "draw", None),
        mode=mode,
        prices=prices,
    )


def list_prices(question: Question | None) -> list[Decimal]:
    """Empty where no list is asked."""
    if question is None or question.settings["mode"] != PRICE_LIST:
        return []
    return [Decimal(price) for price in question.settings["prices"]]


@dataclass(frozen=True)
class Receipt:
    """A draw, and the same computed anew from its seed. Nothing in it says who the person is."""

    draw: Draw
    checks: dict[str, bool]
    recipe: str
    entry: LedgerEntry | None
    side: str
    chosen_position: int | None

    @property
    def amount(self) -> str:
        return "–" if self.draw.amount is None else amount_text(self.draw.amount)

    @property
    def paid_at(self) -> datetime | None:
        """When somebody confirmed the payment of the file that it is in."""
        paid = getattr(self.entry, "paid", None)
        payment = getattr(paid.line.payout, "payment", None) if paid else None
        return payment.paid_at if payment else None

    @property
    def reversed(self) -> bool:
        return getattr(self.entry, "reversed_by", None) is not None

    @property
    def holds(self) -> bool:
        return all(self.checks.values())


def receipt_of(draw: Draw) -> Receipt:
    """Computed anew from the seed and from the log, not from what the draw says of itself."""
    judgment = draw.judgment
    amount = named_amount(judgment)
    again = outcome_of(draw.seed, answers=len(draw.candidates), amount=amount, endowment=draw.endowment)
    chosen = {"a": 0, "b": 1}.get(judgment.preference)
    return Receipt(
        draw=draw,
        checks={
            "commitment": commitment_of(draw.seed) == draw.commitment == draw.session.commitment,
            "answer": draw.candidates[again.index] == draw.judgment_id and draw.item_id == judgment.item_id,
            "amount": amount == draw.amount,
            "price": again.price == draw.price,
            "payout": (again.bought, again.payout) == (draw.bought, draw.payout),
        },
        recipe=recipe(seed=draw.seed, answers=draw.candidates, amount=draw.amount, endowment=draw.endowment),
        entry=LedgerEntry.objects.select_related("paid__line__payout__payment", "reversed_by")
        .filter(draw=draw, kind=EntryKind.DRAW)
        .first(),
        side="" if chosen is None else "AB"[chosen],
        chosen_position=None if chosen is None else judgment.order[chosen],
    )


def draw_by_token(token: str) -> Draw | None:
    related = Draw.objects.select_related("session__campaign", "session__respondent", "judgment", "item", "delivery")
    return related.filter(token=token).first()


def draws_of(campaign: Campaign) -> QuerySet[Draw]:
    """The newest first, each with what was paid of it. A constant number of queries."""
    entries = LedgerEntry.objects.filter(kind=EntryKind.DRAW).select_related("paid__line__payout__payment")
    return (
        Draw.objects.filter(session__campaign=campaign)
        .select_related("session__respondent", "session__campaign", "judgment", "delivery")
        .prefetch_related(Prefetch("ledger", queryset=entries, to_attr="entries"))
        .order_by("-pk")
    )


def deviations_in(campaign: Campaign) -> dict[int, float | None]:
    """Of each respondent with a session: the mean deviation of their practice bids; None before the last card."""
    return dict(WorthSession.objects.filter(campaign=campaign).values_list("respondent", "deviation"))


@dataclass(frozen=True)
class Arm:
    """What came of one endowment: where means differ between arms, what people are given moves what they say."""

    endowment: Decimal
    people: int
    failed: int
    deviation: float | None  # mean of the practice cards; None before the first
    answers: int
    mean: float | None
    at_bound: float | None  # share of amounts that are all of the endowment


ARMS = """
SELECT w.endowment, count(DISTINCT w.id), count(DISTINCT w.id) FILTER (WHERE w.state = 'ended'),
    (SELECT avg(v.deviation) FROM annotation_worthsession v
     WHERE v.campaign_id = %(campaign)s AND v.endowment = w.endowment),
    count(j.id), avg(j.amount_low)::float, avg((j.amount_low = w.endowment)::int)::float
FROM annotation_worthsession w
LEFT JOIN (
    annotation_judgment j JOIN annotation_item i ON i.id = j.item_id AND i.purpose IN ('work', 'anchor')
) ON j.respondent_id = w.respondent_id AND j.kind = 'answer' AND j.amount_low IS NOT NULL
    AND j.preference IN ('a', 'b')
    AND NOT EXISTS (SELECT 1 FROM annotation_judgment n WHERE n.supersedes_id = j.id)
WHERE w.campaign_id = %(campaign)s AND w.endowment IS NOT NULL
GROUP BY w.endowment ORDER BY w.endowment
"""


def arms_of(campaign: Campaign) -> list[Arm]:
    with connection.cursor() as cursor:
        cursor.execute(ARMS, {"campaign": campaign.pk})
        return [Arm(*row) for row in cursor.fetchall()]


def handed_over(draw: Draw) -> dict[str, Any]:
    """What the asker receives: the chosen response where it was bought, the other one where it was not."""
    judgment = draw.judgment
    item = shown_item(draw.item_id, judgment.order)
    chosen = {"a": 0, "b": 1}.get(judgment.preference)
    if chosen is None or len(item.responses) != 2:
        return {"item": item, "response": item.responses[0] if item.responses else None, "is_either": True}
    return {"item": item, "response": item.responses[chosen if draw.bought else 1 - chosen], "is_either": False}

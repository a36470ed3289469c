"""Sessions in which amounts are asked: where somebody stands in theirs, what is in the draw, and what it came to."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, QuerySet

from annotation.enums import EntryKind, Incentive, ItemPurpose, JudgmentKind, WorthState
from annotation.models import Campaign, Draw, Judgment, LedgerEntry, Question, Respondent, WorthSession
from annotation.policies.comprehension import Card, CheckQuestion, cards_of, check_questions
from annotation.policies.draws import commitment_of, outcome_of, recipe

IN_DRAW = (ItemPurpose.WORK, ItemPurpose.ANCHOR)


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
        respondent=respondent_id, kind=JudgmentKind.ANSWER, superseded_by__isnull=True, item__purpose__in=IN_DRAW
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
    is_per_response: bool = False

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
    per_response = question is not None and question.settings.get("mode") == "per_response"
    return Step(
        session=session,
        questions=check_questions(session.endowment, session.currency, is_per_response=per_response),
        cards=cards_of(session.seed, session.endowment),
        answered=candidates_of(session.respondent_id).count(),
        draw=getattr(session, "draw", None),
        is_per_response=per_response,
    )


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
        .select_related("session__respondent", "judgment", "delivery")
        .prefetch_related(Prefetch("ledger", queryset=entries, to_attr="entries"))
        .order_by("-pk")
    )

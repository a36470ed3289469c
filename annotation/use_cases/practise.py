from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from annotation.enums import WorthState
from annotation.models import WorthSession
from annotation.policies.comprehension import Card, cards_of, deviation_of
from annotation.transitions import WORTH
from annotation.use_cases.record_event import record_event
from annotation.use_cases.take_check import NotAtThisStep, held_session
from foundation.transitions import check


@dataclass(frozen=True)
class Practised:
    """One answered card, to be talked about: the only feedback on an amount that anybody gets."""

    card: Card
    bid: Decimal
    endowment: Decimal | None
    is_last: bool

    @property
    def bought(self) -> bool:
        return self.card.price is not None and self.card.price <= self.bid

    @property
    def earned(self) -> Decimal | None:
        return None if self.endowment is None else self.card.earned(self.bid, self.endowment)

    @property
    def best(self) -> Decimal | None:
        """What the true value would have left."""
        return None if self.endowment is None else self.card.earned(self.card.value, self.endowment)


class BeyondEndowment(NotAtThisStep):
    """Nobody can bid more than they were given."""


def practise(*, respondent_id: int, number: int, bid: Decimal, now: datetime) -> Practised:
    """The bid for a practice card. After the last one the mean deviation from the cards' value is kept, and items come.

    Raises NotAtThisStep, also for a card that was answered before, BeyondEndowment and NotActive.
    """
    with transaction.atomic():
        respondent, session = held_session(respondent_id, WorthState.PRACTICE)
        cards = cards_of(session.seed, session.endowment)
        if number != len(session.practice) or number >= len(cards):
            raise NotAtThisStep(f"card {number} is not the next one")
        if session.endowment is not None and bid > session.endowment:
            raise BeyondEndowment(f"{bid} is more than {session.endowment}")
        card = cards[number]
        price = None if card.price is None else f"{card.price:.2f}"
        session.practice = [*session.practice, {"value": f"{card.value:.2f}", "bid": f"{bid:f}", "price": price}]
        is_last = len(session.practice) == len(cards)
        _keep(session, is_last)
        record_event(subject=session, verb="practised", actor=respondent.person, data=session.practice[-1])
    return Practised(card, bid, session.endowment, is_last)


def _keep(session: WorthSession, is_last: bool) -> None:
    fields = ["practice"]
    if is_last:
        check(WORTH, session.state, WorthState.ITEMS)
        session.state, session.deviation = WorthState.ITEMS, deviation_of(session.practice)
        fields += ["state", "deviation"]
    session.save(update_fields=fields)

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from annotation.enums import WorthState
from annotation.models import WorthSession
from annotation.policies.comprehension import Card, bid_in_list, cards_of, deviation_of
from annotation.queries.sessions import amount_question, list_prices
from annotation.transitions import WORTH
from annotation.use_cases.record_event import record_event
from annotation.use_cases.take_check import NotAtThisStep, held_session
from foundation.transitions import check

# What is kept of a list that was practised on, as of those that are asked.
OF_LISTS = ("prices", "direction", "rows", "first_rows")


@dataclass(frozen=True)
class Practised:
    """One answered card, to be talked about: the only feedback on an amount that anybody gets."""

    card: Card
    bid: Decimal
    endowment: Decimal | None
    is_last: bool
    # Of a price list, the lowest price first: what was taken, and at which prices.
    rows: Sequence[bool] = ()
    prices: Sequence[Decimal] = ()

    @property
    def too_dear(self) -> list[Decimal]:
        """Prices that were taken although they are more than the card is worth."""
        return [price for price, taken in zip(self.prices, self.rows, strict=True) if taken and price > self.card.value]

    @property
    def missed(self) -> list[Decimal]:
        """Prices that were left although they are less than the card is worth."""
        return [
            price for price, taken in zip(self.prices, self.rows, strict=True) if not taken and price < self.card.value
        ]

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


def practise(
    *, respondent_id: int, number: int, bid: Decimal, now: datetime, answered: Mapping[str, Any] | None = None
) -> Practised:
    """The bid for a practice card. After the last one the mean deviation from the cards' value is kept, and items come.

    `answered` is a whole price list as its question stores it; the bid is then what its rows say. Raises NotAtThisStep,
    also for a card that was answered before, BeyondEndowment and NotActive.
    """
    with transaction.atomic():
        respondent, session = held_session(respondent_id, WorthState.PRACTICE)
        prices = list_prices(amount_question(respondent.campaign))
        cards = cards_of(session.seed, session.endowment, prices)
        if number != len(session.practice) or number >= len(cards):
            raise NotAtThisStep(f"card {number} is not the next one")
        if session.endowment is not None and bid > session.endowment:
            raise BeyondEndowment(f"{bid} is more than {session.endowment}")
        card = cards[number]
        rows: Sequence[bool] = () if answered is None else answered["rows"]
        if answered is not None:
            bid = bid_in_list(rows, prices, card.value)
        session.practice = [*session.practice, _kept(card, bid, answered)]
        is_last = len(session.practice) == len(cards)
        _keep(session, is_last)
        record_event(subject=session, verb="practised", actor=respondent.person, data=session.practice[-1])
    return Practised(card, bid, session.endowment, is_last, rows, prices if rows else ())


def _kept(card: Card, bid: Decimal, answered: Mapping[str, Any] | None) -> dict[str, Any]:
    price = None if card.price is None else f"{card.price:.2f}"
    kept: dict[str, Any] = {"value": f"{card.value:.2f}", "bid": f"{bid:f}", "price": price}
    return kept | {name: answered[name] for name in OF_LISTS} if answered is not None else kept


def _keep(session: WorthSession, is_last: bool) -> None:
    fields = ["practice"]
    if is_last:
        check(WORTH, session.state, WorthState.ITEMS)
        session.state, session.deviation = WorthState.ITEMS, deviation_of(session.practice)
        fields += ["state", "deviation"]
    session.save(update_fields=fields)

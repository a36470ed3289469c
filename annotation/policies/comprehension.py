"""What is asked before amounts are: whether the mechanism is understood, and cards of known value to practise on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotation.policies.draws import CENT, PRACTICE, price_from

Text = str | Promise
# One explanation between them; who is wrong again is paid and leaves, or goes on where nothing is paid by amounts.
ATTEMPTS = 2
PER_RESPONSE, PRICE_LIST = "per_response", "price_list"
# Of what the cards are worth, as shares of the endowment; of a card where nothing is paid, in the unit of amounts.
CARD_SHARES = (Decimal("0.4"), Decimal("0.7"))
STATED_CARDS = (Decimal("4.00"),)


@dataclass(frozen=True)
class CheckQuestion:
    """One question of the check. `choices` are value and words."""

    name: str
    text: Text
    choices: Sequence[tuple[str, Text]]
    right: str
    why: Text


@dataclass(frozen=True)
class Card:
    """Something whose worth is known: it is bought back for `value`. `price` is sealed; None where nothing is paid."""

    value: Decimal
    price: Decimal | None

    def earned(self, bid: Decimal, endowment: Decimal) -> Decimal:
        """What the card would have left somebody with who bids so much."""
        if self.price is None or self.price > bid:
            return endowment
        return endowment - self.price + self.value


def check_questions(endowment: Decimal | None, currency: str, mode: str = "") -> list[CheckQuestion]:
    """Three about the sealed price; where amounts are only stated, two about what they mean, or what a row does."""
    if endowment is not None:
        return _paid(endowment, currency)
    return _listed() if mode == PRICE_LIST else _stated(mode == PER_RESPONSE)


def wrong_answers(questions: Sequence[CheckQuestion], answers: Mapping[str, str]) -> list[CheckQuestion]:
    return [question for question in questions if answers.get(question.name) != question.right]


def cards_of(seed: str, endowment: Decimal | None, prices: Sequence[Decimal] = ()) -> list[Card]:
    """The practice cards of one session, in their order. `prices` are those of a list: its card lies between two."""
    if endowment is None and prices:
        below, above = prices[len(prices) // 2 - 1], prices[len(prices) // 2]
        return [Card(((below + above) / 2).quantize(CENT, ROUND_HALF_UP), None)]
    if endowment is None:
        return [Card(value, None) for value in STATED_CARDS]
    values = [(share * endowment).quantize(CENT, ROUND_HALF_UP) for share in CARD_SHARES]
    return [Card(value, price_from(seed, f"{PRACTICE} {number}", endowment)) for number, value in enumerate(values)]


def bid_in_list(rows: Sequence[bool], prices: Sequence[Decimal], value: Decimal) -> Decimal:
    """What a list says of a card of known worth: that worth where the rows allow it, else the bound that they leave.

    Rows and prices run from the lowest. Of a list that takes a price above one it left, the first price left counts.
    """
    taken = list(rows).index(False) if False in rows else len(rows)
    low = prices[taken - 1] if taken else Decimal(0)
    high = prices[taken] if taken < len(prices) else low
    return min(max(value, low), max(low, high))


def deviation_of(cards: Sequence[Mapping[str, str]]) -> float:
    """Mean of (bid - value) / value over practice cards as a session stores them; about -0.5 of who bids half."""
    shares = [(Decimal(card["bid"]) - Decimal(card["value"])) / Decimal(card["value"]) for card in cards]
    return float(sum(shares) / len(shares))


def _paid(endowment: Decimal, currency: str) -> list[CheckQuestion]:
    high, low = (f"{(share * endowment).quantize(CENT)} {currency}" for share in (Decimal("0.5"), Decimal("0.3")))
    given = f"{endowment:.2f} {currency}"
    return [
        CheckQuestion(
            "below",
            _("Your number for having A is %(number)s. The sealed price is %(price)s. What happens?")
            % {"number": high, "price": low},
            _what_happens(high, low, given),
            "pay_price",
            _("The price is at or below your number: you get A and pay the price, not your number."),
        ),
        CheckQuestion(
            "above",
            _("Your number for having A is %(number)s. The sealed price is %(price)s. What happens?")
            % {"number": low, "price": high},
            _what_happens(low, high, given),
            "keep",
            _("The price is above your number: you keep B and all of %(given)s.") % {"given": given},
        ),
        _best_number(high),
    ]


def _what_happens(number: str, price: str, given: str) -> list[tuple[str, Text]]:
    return [
        ("pay_number", _("I get A and pay %(amount)s") % {"amount": number}),
        ("pay_price", _("I get A and pay %(amount)s") % {"amount": price}),
        ("keep", _("I keep B and all of %(given)s") % {"given": given}),
    ]


def _best_number(worth: str) -> CheckQuestion:
    return CheckQuestion(
        "best",
        _("Having A instead of B is worth %(worth)s to you. Which number is best for you?") % {"worth": worth},
        [
            ("less", _("Less than %(worth)s, so that I pay less") % {"worth": worth}),
            ("more", _("More than %(worth)s, so that I surely get A") % {"worth": worth}),
            ("true", _("Exactly %(worth)s") % {"worth": worth}),
        ],
        "true",
        _(
            "Your number cannot change the price. With less you may miss A at a price that you would gladly pay; with"
            " more you may pay more than A is worth to you. Your true maximum is best."
        ),
    )


def _stated(is_per_response: bool) -> list[CheckQuestion]:
    most = (
        _("The most I would pay, once, to receive that response")
        if is_per_response
        else _("The most I would pay, once, to have the better one instead of the other")
    )
    return [
        CheckQuestion(
            "money",
            _("You type an amount. What happens with your money?"),
            [
                ("charged", _("The amount is taken from my pay")),
                ("nothing", _("Nothing: no money changes hands")),
                ("paid", _("The amount is paid to me")),
            ],
            "nothing",
            _("Amounts are only stated here. Your pay is the same whatever you type, and you cannot lose money."),
        ),
        CheckQuestion(
            "meaning",
            _("What does an amount stand for?"),
            [
                ("points", _("Points out of ten")),
                ("cost", _("What such a service should cost a month")),
                ("most", most),
            ],
            "most",
            _("It is the most you would pay, once. Zero is a fine answer."),
        ),
    ]


def _listed() -> list[CheckQuestion]:
    return [
        CheckQuestion(
            "money",
            _("You choose A at a price. What happens with your money?"),
            [
                ("charged", _("The price is taken from my pay")),
                ("nothing", _("Nothing: no money changes hands")),
                ("paid", _("The price is paid to me")),
            ],
            "nothing",
            _("Prices are only asked about here. Your pay is the same whatever you choose, and you cannot lose money."),
        ),
        CheckQuestion(
            "meaning",
            _("What do you say by choosing A at a price in a row?"),
            [
                ("points", _("That A is so many points better than B")),
                ("cost", _("That such a service should cost so much a month")),
                ("most", _("That I would pay this price, once, to have A instead of B")),
            ],
            "most",
            _(
                "Choose A in every row whose price you would pay, once, to have A, and B for free in every other one."
                " Where the price is 0, A costs nothing."
            ),
        ),
    ]

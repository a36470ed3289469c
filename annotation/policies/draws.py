"""What a session's seed decides: the endowment, the item that counts and its price. Anybody can compute it again."""

from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256

from annotation.questions.amount.typed_decimal import amount_text

CENT = Decimal("0.01")
# The seed's uses. A label once given keeps its meaning, so that old receipts can be verified.
ENDOWMENT, ITEM, PRICE, PRACTICE = "endowment", "item", "price", "practice"


def commitment_of(seed: str) -> str:
    """What is shown before the first answer: it fixes the seed and tells nothing of it."""
    return sha256(seed.encode()).hexdigest()


def number_from(seed: str, label: str, below: int) -> int:
    """0 to below - 1, each as likely as any other to within one part in 2**200."""
    return int(sha256(f"{seed}:{label}".encode()).hexdigest(), 16) % below


def price_from(seed: str, label: str, endowment: Decimal) -> Decimal:
    """A whole number of cents from 0 to the endowment, both ends included."""
    return Decimal(number_from(seed, label, cents(endowment) + 1)) / 100


def cents(amount: Decimal) -> int:
    return int(amount * 100)


@dataclass(frozen=True)
class Outcome:
    """`index` is the place of the drawn answer among those that count; without an amount nothing is bought."""

    index: int
    price: Decimal
    bought: bool
    payout: Decimal


def drawn_index(seed: str, answers: int) -> int:
    return number_from(seed, ITEM, answers)


def outcome_of(seed: str, *, answers: int, amount: Decimal | None, endowment: Decimal) -> Outcome:
    """What the seed makes of the drawn answer's `amount`: bought at the price where that is not above the amount."""
    price = price_from(seed, PRICE, endowment)
    bought = amount is not None and price <= amount
    return Outcome(drawn_index(seed, answers), price, bought, endowment - price if bought else endowment)


# What a receipt shows with its own values in place of the names in braces.
RECIPE = """\
from decimal import Decimal
from hashlib import sha256

seed = "{seed}"
answers = {answers}
amount, endowment = {amount}, Decimal("{endowment}")
number = lambda what, below: int(sha256(f"{{seed}}:{{what}}".encode()).hexdigest(), 16) % below
price = Decimal(number("price", int(endowment * 100) + 1)) / 100
bought = amount is not None and price <= amount
print("commitment", sha256(seed.encode()).hexdigest())
print("answer", answers[number("item", len(answers))])
print("price", f"{{price:.2f}}")
print("payout", f"{{endowment - price if bought else endowment:.2f}}")
"""


def recipe(*, seed: str, answers: list[int], amount: Decimal | None, endowment: Decimal) -> str:
    """Python of the standard library that prints the commitment, the drawn answer, the price and the payout."""
    shown = "None" if amount is None else f'Decimal("{amount_text(amount)}")'
    return RECIPE.format(seed=seed, answers=answers, amount=shown, endowment=amount_text(endowment))

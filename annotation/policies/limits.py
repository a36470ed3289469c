"""How much one person, a group and a campaign as a whole may have."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Limits:
    """None, or nothing for a group, is no limit."""

    per_person: int | None
    share_per_person: float | None
    of_groups: Mapping[str, int]
    judgments: int | None
    money: Decimal | None
    pay_per_judgment: Decimal | None


def person_is_done(limits: Limits, *, own: int, wanted: int | None) -> bool:
    """`own` judgments were given to this person of the `wanted` ones of the campaign. A share grants one at least."""
    if limits.per_person is not None and own >= limits.per_person:
        return True
    if limits.share_per_person is None or wanted is None:
        return False
    return own >= max(1, int(limits.share_per_person * wanted))


def group_is_done(limits: Limits, given: Mapping[str, int]) -> bool:
    """Whether any group with a quota that the person belongs to has had its number."""
    return any(name in limits.of_groups and count >= limits.of_groups[name] for name, count in given.items())


def budget_is_spent(limits: Limits, *, taken: int | None) -> bool:
    """`taken` judgments are given or being given: whether one more would be too many, or could not be paid."""
    if taken is None:
        return False
    if limits.judgments is not None and taken >= limits.judgments:
        return True
    if limits.money is None or not limits.pay_per_judgment:
        return False
    return limits.pay_per_judgment * (taken + 1) > limits.money

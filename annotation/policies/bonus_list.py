"""A list of bonuses as an admin pastes or uploads it: CSV of pseudonym, amount and reason, a line for each person."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO

from django.utils.translation import gettext as _

from annotation.errors import AnnotationError

MOST_LINES = 1_000
LONGEST_REASON = 300
# More is a slip of the decimal point.
LARGEST = Decimal("99999.99")
AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?", re.ASCII)
HEAD = ("pseudonym", "amount", "reason")


@dataclass(frozen=True)
class Bonus:
    line: int
    pseudonym: str
    amount: Decimal
    reason: str


@dataclass(frozen=True)
class Problem:
    """What is wrong with one line; 0 for the list as a whole."""

    line: int
    text: str


class BonusesRefused(AnnotationError):
    """Nothing was written; `problems` says why, line by line. `good` are the lines that can be read."""

    def __init__(self, problems: Sequence[Problem], good: Sequence[Bonus] = ()) -> None:
        super().__init__("; ".join(f"{each.line}: {each.text}" for each in problems))
        self.problems, self.good = list(problems), list(good)


def read_bonuses(text: str) -> list[Bonus]:
    """A head line may stand first, and empty lines anywhere. Raises BonusesRefused with every problem."""
    found: list[Bonus] = []
    problems: list[Problem] = []
    reader = csv.reader(StringIO(text.removeprefix("\ufeff")), skipinitialspace=True)
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if not any(cells) or (reader.line_num == 1 and tuple(cell.lower() for cell in cells) == HEAD):
                continue
            line = _read(cells, reader.line_num)
            (found if isinstance(line, Bonus) else problems).append(line)  # type: ignore[arg-type]
            if len(found) + len(problems) > MOST_LINES:
                raise BonusesRefused([Problem(0, _("At most %(count)d lines.") % {"count": MOST_LINES})])
    except csv.Error:
        problems.append(Problem(reader.line_num, _("This is no line of CSV.")))
    problems += _named_twice(found)
    if not found and not problems:
        problems.append(Problem(0, _("The list is empty.")))
    if problems:
        raise BonusesRefused(sorted(problems, key=lambda each: each.line), found)
    return found


def read_amount(text: str) -> Decimal:
    """Whole cents above zero. Raises ValueError with words for whoever typed it."""
    if not AMOUNT.fullmatch(text):
        raise ValueError(_("“%(amount)s” is no amount in whole cents, such as 2.50.") % {"amount": text[:40]})
    amount = Decimal(text)
    if not 0 < amount <= LARGEST:
        raise ValueError(_("An amount is above 0 and at most %(most)s.") % {"most": LARGEST})
    return amount


def _read(cells: Sequence[str], line: int) -> Bonus | Problem:
    if len(cells) != len(HEAD):
        return Problem(line, _("A line is: pseudonym, amount, reason. A reason with commas stands in quotes."))
    pseudonym, amount, reason = cells
    if not pseudonym or not reason or len(reason) > LONGEST_REASON:
        return Problem(
            line, _("A pseudonym and a reason of at most %(length)d characters.") % {"length": LONGEST_REASON}
        )
    try:
        return Bonus(line, pseudonym, read_amount(amount), reason)
    except ValueError as error:
        return Problem(line, str(error))


def _named_twice(found: Sequence[Bonus]) -> list[Problem]:
    first: dict[str, int] = {}
    problems = []
    for bonus in found:
        if first.setdefault(bonus.pseudonym, bonus.line) != bonus.line:
            text = _("%(pseudonym)s stands in line %(line)d already.")
            problems.append(Problem(bonus.line, text % {"pseudonym": bonus.pseudonym, "line": first[bonus.pseudonym]}))
    return problems

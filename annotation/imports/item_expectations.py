"""What a right answer to an item is, as a file says it."""

import json
from collections.abc import Sequence
from typing import Any

from annotation.imports.cells import BadCell
from annotation.imports.problems import show
from annotation.questions import Asked, get_type
from foundation.text import UnsafeJSON, load_json

PREFERENCE = "preference"
# Files repeat the same few.
MOST_REMEMBERED = 1000


class Expectations:
    """Reads expectations against the questions of a campaign. Sides are by position of the responses in the file."""

    def __init__(self, questions: Sequence[Asked]) -> None:
        self._marks = {
            question.name: [mark for mark, _words in get_type(question.type).mark_options(question)]
            for question in questions
        }
        self._preference = next((question.name for question in questions if question.type == PREFERENCE), None)
        self._read: dict[str, str] = {}

    def read(self, cell: str) -> str:
        """Canonical JSON: [{"question": name, "values": [marks]}]. Raises BadCell.

        A cell that is no JSON is an answer to the campaign's preference question: the letter of the better response,
        or tie.
        """
        if cell not in self._read:
            if len(self._read) >= MOST_REMEMBERED:
                self._read.clear()
            self._read[cell] = json.dumps(self._expected(cell), sort_keys=True)
        return self._read[cell]

    def _expected(self, cell: str) -> list[dict[str, Any]]:
        if not cell.startswith(("[", "{")):
            if self._preference is None:
                raise BadCell(f"expected is {show(cell)}, but the campaign has no preference question it could answer")
            return [self._checked({"question": self._preference, "values": [cell.lower()]})]
        try:
            value = load_json(cell)
        except UnsafeJSON as error:
            raise BadCell(f"expected is {show(cell)}, not readable as JSON") from error
        listed = value if isinstance(value, list) else [value]
        if not listed:
            raise BadCell("expected is an empty list")
        found = [self._checked(each) for each in listed]
        if len({each["question"] for each in found}) < len(found):
            raise BadCell("expected names a question twice")
        return found

    def _checked(self, given: Any) -> dict[str, Any]:
        if not isinstance(given, dict) or set(given) != {"question", "values"} or not isinstance(given["values"], list):
            raise BadCell(f'expected holds {show(given)}, not {{"question": name, "values": [answers]}}')
        name, values = given["question"], [str(value) for value in given["values"]]
        if name not in self._marks:
            known = ", ".join(self._marks) or "none yet"
            raise BadCell(f"expected names the question {show(name)}; the campaign has {known}")
        marks = self._marks[name]
        if not marks:
            raise BadCell(f"expected: nothing can be expected of an answer to {name}")
        wrong = [value for value in values if value not in marks]
        if wrong or not values:
            said = show(wrong[0]) if wrong else "nothing"
            raise BadCell(f"expected is {said} for {name}, not one of {', '.join(marks)}")
        return {"question": name, "values": list(dict.fromkeys(values))}

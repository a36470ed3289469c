"""What is posted for labels, and what becomes of it."""

from tests.annotation.questions.cases import Case

CASES = {
    "item": Case(
        {"mode": "item"},
        posts=lambda shown: {"q.2": "Complete"},
        stored=lambda shown: {"mode": "item", "labels": ["Complete"]},
        exported=lambda shown: {"labels": ["Complete"], "labels_by_response": None},
        measure={0: 1.0},
    ),
    "response": Case(
        {"mode": "response"},
        posts=lambda shown: {f"q.{shown.letter(0)}1": "Correct", f"q.{shown.letter(1)}3": "Clear"},
        stored=lambda shown: {"mode": "response", "labels": shown.by([["Correct"], ["Clear"]])},
        exported=lambda shown: {"labels": None, "labels_by_response": shown.by([["Correct"], ["Clear"]])},
        measure={0: 1.0},
    ),
}

"""What is posted for confidence, and what becomes of it."""

from tests.annotation.questions.cases import Case

CASES = {
    "": Case(
        {},
        posts=lambda shown: {"q": "4"},
        stored=lambda shown: {"level": 4, "levels": 5},
        columns=lambda shown: {"confidence": 4},
        exported=lambda shown: {"confidence_levels": 5},
    ),
}

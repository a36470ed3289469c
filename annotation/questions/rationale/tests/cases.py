"""What is posted for a rationale, and what becomes of it."""

from tests.annotation.questions.cases import WORDS, Case

CASES = {
    "item": Case(
        {},
        posts=lambda shown: {"q": WORDS},
        stored=lambda shown: {"given": True},
        exported=lambda shown: {"rationale_given": True, "critique_characters": None},
    ),
    "response": Case(
        {"mode": "response"},
        posts=lambda shown: {f"q.{shown.letter(0)}": WORDS, f"q.{shown.letter(1)}": WORDS + "!"},
        stored=lambda shown: {"mode": "response", "characters": shown.by([len(WORDS), len(WORDS) + 1])},
        exported=lambda shown: {"rationale_given": True, "critique_characters": shown.by([len(WORDS), len(WORDS) + 1])},
    ),
}

"""What is posted for a rationale, and what becomes of it."""

from tests.annotation.questions.cases import WORDS, Case

CASES = {
    "": Case(
        {},
        posts=lambda shown: {"q": WORDS},
        stored=lambda shown: {"given": True},
        exported=lambda shown: {"rationale_given": True},
    ),
}

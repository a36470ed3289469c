"""What is posted for a context, and what becomes of it."""

from tests.annotation.questions.cases import WORDS, Case

CASES = {
    "": Case(
        {},
        posts=lambda shown: {"q": "for-everyday-use"},
        stored=lambda shown: {"context": "for-everyday-use", "words": "For everyday use"},
        columns=lambda shown: {"context": "for-everyday-use"},
        exported=lambda shown: {"context_words": "For everyday use"},
        measure={0: 1.0},
    ),
    "own": Case(
        {"own": "allowed"},
        unfolds="Another, in my own words",
        posts=lambda shown: {"q": "own", "q.own": WORDS},
        stored=lambda shown: {"context": "own", "words": None},
        columns=lambda shown: {"context": "own"},
        exported=lambda shown: {"context_words": None},
        measure={0: 1.0},
    ),
}

"""What is posted for a better version, and what becomes of it."""

from tests.annotation.questions.cases import WORDS, Case

CASES = {
    "": Case(
        {},
        posts=lambda shown: {"q.of": shown.letter(0), "q.text": WORDS},
        stored=lambda shown: {"of": shown.order.index(0), "given": True, "characters": len(WORDS)},
        exported=lambda shown: {
            "rewrite_given": True,
            "rewrite_of": shown.order.index(0),
            "rewrite_characters": len(WORDS),
        },
    ),
}

"""What is posted for a preference with its strength, and what becomes of it."""

from tests.annotation.questions.cases import Case

CASES = {
    "": Case(
        {},
        posts=lambda shown: {"q": shown.letter(0), "q.strength": "2"},
        stored=lambda shown: {"choice": shown.letter(0), "strength": 2 * shown.sign, "scale": 3},
        columns=lambda shown: {"preference": shown.letter(0), "strength": 2 * shown.sign, "strength_scale": 3},
        measure={0: 1.0},
        pairs=lambda shown: {"preference": shown.letter(0)},
    ),
}

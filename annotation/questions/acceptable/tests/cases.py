"""What is posted for what is good enough, and what becomes of it."""

from tests.annotation.questions.cases import Case

CASES = {
    "per_response": Case(
        {"mode": "per_response"},
        posts=lambda shown: {f"q.{shown.letter(0)}": "yes", f"q.{shown.letter(1)}": "no"},
        stored=lambda shown: shown.by([True, False]),
        columns=lambda shown: {"acceptable": shown.by([True, False])},
        measure={0: 1.0, 1: 0.0},
        pairs=lambda shown: dict(zip(("acceptable_a", "acceptable_b"), shown.by([1, 0]), strict=True)),
    ),
    "neither": Case(
        {"mode": "neither"},
        posts=lambda shown: {"q": shown.letter(1)},
        stored=lambda shown: shown.by([False, True]),
        columns=lambda shown: {"acceptable": shown.by([False, True])},
        measure={0: 0.0, 1: 1.0},
        pairs=lambda shown: dict(zip(("acceptable_a", "acceptable_b"), shown.by([0, 1]), strict=True)),
    ),
}

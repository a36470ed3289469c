"""What is posted for rankings, and what becomes of it."""

from tests.annotation.questions.cases import THREE, Case

CASES = {
    "order": Case(
        {"mode": "order"},
        **THREE,
        posts=lambda shown: {f"q.{shown.letter(position)}": place for position, place in enumerate("133")},
        stored=lambda shown: {"mode": "order", "tiers": shown.by([1, 2, 2])},
        columns=lambda shown: {"tiers": shown.by([1, 2, 2])},
        exported=lambda shown: {"ranking_mode": "order"},
        measure={0: 1.0, 1: 2.0, 2: 2.0},
    ),
    "best_worst": Case(
        {"mode": "best_worst"},
        **THREE,
        posts=lambda shown: {"q.best": shown.letter(0), "q.worst": shown.letter(2)},
        stored=lambda shown: {"mode": "best_worst", "tiers": shown.by([1, 2, 3])},
        columns=lambda shown: {"tiers": shown.by([1, 2, 3])},
        exported=lambda shown: {"ranking_mode": "best_worst"},
        measure={0: 1.0, 1: 2.0, 2: 3.0},
    ),
}

"""What is posted for ratings, and what becomes of it."""

from tests.annotation.questions.cases import THREE, Case

CASES = {
    "": Case(
        {},
        **THREE,
        posts=lambda shown: {f"q.{shown.letter(position)}": level for position, level in enumerate("531")},
        stored=lambda shown: {"values": {"overall": shown.by([5, 3, 1])}},
        columns=lambda shown: {"scores": shown.by([5.0, 3.0, 1.0])},
        exported=lambda shown: {
            **{"rating_attributes": ["overall"], "rating_values": [shown.by([5, 3, 1])]},
            **{"rating_scale": "points", "rating_lowest": 1, "rating_highest": 5},
        },
        measure={0: 5.0, 1: 3.0, 2: 1.0},
    ),
    "by attribute": Case(
        {"attributes": ["Right", "Clear"], "scale": "line", "to_ranking": "no"},
        posts=lambda shown: {
            f"q.{shown.letter(position)}{attribute}": value
            for position, attribute, value in ((0, 1, "100"), (1, 1, "0"), (0, 2, "50"), (1, 2, "7"))
        },
        stored=lambda shown: {"values": {"Right": shown.by([100, 0]), "Clear": shown.by([50, 7])}},
        exported=lambda shown: {
            **{"rating_attributes": ["Right", "Clear"], "rating_values": [shown.by([100, 0]), shown.by([50, 7])]},
            **{"rating_scale": "line", "rating_lowest": 0, "rating_highest": 100},
        },
    ),
}

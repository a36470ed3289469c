"""What is posted for steps, and what becomes of it."""

from tests.annotation.questions.cases import Case, Expected

STEPS = "1. Add two and two.\n2. That is five."


def steps(mode: str, posts: Expected, exported: Expected) -> Case:
    return Case(
        {"mode": mode},
        texts=(STEPS, "1. Four."),
        posts=posts,
        stored=lambda shown: {"mode": mode, "segmentation": 1},
        columns=lambda shown: {"scores": shown.by([0.5, 1.0])},
        exported=lambda shown: {
            **{"steps_mode": mode, "steps_count": shown.by([2, 1]), "steps_segmentation": 1},
            **{"steps_offsets": shown.by([[[0, 19], [20, 36]], [[0, 8]]])},
            **{"steps_first_fault": None, "steps_marks": None, **exported(shown)},
        },
        measure={0: 0.5, 1: 1.0},
    )


CASES = {
    "first_fault": steps(
        "first_fault",
        lambda shown: {f"q.{shown.letter(0)}": "1", f"q.{shown.letter(1)}": "none"},
        lambda shown: {"steps_first_fault": shown.by([1, None])},
    ),
    "each": steps(
        "each",
        lambda shown: {
            **{f"q.{shown.letter(0)}-1": "good", f"q.{shown.letter(0)}-2": "bad", f"q.{shown.letter(1)}-1": "neutral"},
        },
        lambda shown: {"steps_marks": shown.by([["good", "bad"], ["neutral"]])},
    ),
}

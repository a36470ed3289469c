"""What is posted for a thumb, and what becomes of it."""

from tests.annotation.questions.cases import Case

CASES = {
    "": Case(
        {},
        texts=("Only.",),
        orders=([0],),
        posts=lambda shown: {"q": "down"},
        stored=lambda shown: False,
        columns=lambda shown: {"thumb": False},
        measure={0: 0.0},
    ),
}

"""The sentence on whose preferences a board shows, for each kind of people, prompts and time."""

import pytest

from annotation.boards.forms import REASONS as FORM_REASONS
from annotation.boards.wording import FORMS, METHODS, NOTES, REASONS, board_sentence, reason_words
from annotation.boards.worth import OWN_NOTES
from annotation.boards.worth import REASONS as WORTH_REASONS
from annotation.enums import Method
from annotation.questions import Form
from ranking import Note


def said(**fields):
    people = {
        "judgments": 900,
        "respondents": {"visitor": 38},
        "unnamed_judgments": 0,
        "period": ["2026-11-03", "2026-11-12"],
        "prompts": {"own": 812, "given": 0, "unknown": 0},
        "sources": {"live": 900, "import": 0, "simulation": 0},
    }
    return board_sentence({"people": people | fields})


SENTENCES = {
    "visitors and their own prompts": (
        {},
        "What 38 visitors preferred on 812 prompts of their own, 3 November 2026 to 12 November 2026.",
    ),
    "one of each, on one day": (
        {
            "respondents": {"annotator": 1, "expert": 2},
            "prompts": {"own": 1, "given": 1, "unknown": 0},
            "period": ["2026-11-03", "2026-11-03"],
        },
        "What 1 annotator and 2 experts preferred on 1 prompt of their own and 1 given prompt, 3 November 2026.",
    ),
    "an import that names nobody and nothing": (
        {
            "respondents": {},
            "unnamed_judgments": 900,
            "prompts": {"own": 0, "given": 0, "unknown": 900},
            "period": None,
            "sources": {"live": 0, "import": 900, "simulation": 0},
        },
        "What people whom an imported file does not name preferred on prompts that are not known.",
    ),
    "all simulated": (
        {
            "respondents": {"simulated": 24},
            "prompts": {"own": 0, "given": 0, "unknown": 900},
            "period": None,
            "sources": {"live": 0, "import": 0, "simulation": 900},
        },
        "What 24 simulated people preferred on prompts that are not known."
        " All of it is simulated: these people do not exist.",
    ),
    "partly simulated": (
        {
            "judgments": 1300,
            "respondents": {"simulated": 24, "visitor": 2},
            "prompts": {"own": 100, "given": 0, "unknown": 1200},
            "period": ["2026-11-03", "2026-11-04"],
            "sources": {"live": 100, "import": 0, "simulation": 1200},
        },
        "What 2 visitors and 24 simulated people preferred on 100 prompts of their own and 1,200 prompts that are not"
        " known, 3 November 2026 to 4 November 2026. 1,200 of 1,300 judgments are simulated: nobody gave them.",
    ),
    "nobody": ({"judgments": 0}, "Nobody has judged anything here yet."),
}


@pytest.mark.parametrize("case", SENTENCES)
def test_the_sentence_says_who_preferred_on_what_and_when(case):
    fields, sentence = SENTENCES[case]
    assert said(**fields) == sentence


def test_there_are_words_for_every_code():
    assert set(NOTES) == {note.value for note in Note} | OWN_NOTES
    assert set(METHODS) == set(Method.values)
    assert set(REASONS) == {"no_votes", "nothing_ranks", *WORTH_REASONS.values(), *FORM_REASONS.values()}
    assert set(FORMS) == set(Form)


@pytest.mark.parametrize(
    ("judgments", "neither", "cannot_compare", "said"),
    [
        (0, 0, 0, "No vote compares two models yet, so nobody has a rating."),
        (1, 1, 0, "1 vote so far, of “neither is acceptable”, which compares nobody."),
        (1200, 1200, 0, "1,200 votes so far, all of “neither is acceptable”, which compares nobody."),
        (1, 0, 1, "1 vote so far, of “I cannot judge”, which compares nobody."),
        (3, 2, 1, "3 votes so far, all of “neither is acceptable” or “I cannot judge”, which compare nobody."),
    ],
)
def test_votes_that_compare_nobody_are_named_where_nobody_has_a_rating(judgments, neither, cannot_compare, said):
    excluded = {"left_out": judgments, "neither": neither, "cannot_compare": cannot_compare}
    assert reason_words({"reason": "no_votes", "people": {"judgments": judgments}, "excluded": excluded}) == said


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ("scores", "How 8 annotators rated responses to 24 given prompts, 3 November 2026."),
        ("order", "In which order 8 annotators put responses to 24 given prompts, 3 November 2026."),
        ("share", "Which responses to 24 given prompts 8 annotators said yes to, 3 November 2026."),
        (None, "What 8 annotators judged on 24 given prompts, 3 November 2026."),
    ],
)
def test_a_preference_is_claimed_only_where_it_was_asked(form, sentence):
    people = {
        "judgments": 72,
        "respondents": {"annotator": 8},
        "unnamed_judgments": 0,
        "period": ["2026-11-03", "2026-11-03"],
        "prompts": {"own": 0, "given": 24, "unknown": 0},
        "sources": {"live": 72, "import": 0, "simulation": 0},
    }
    assert board_sentence({"people": people, "form": form}) == sentence

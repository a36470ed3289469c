"""Answers that are none: cut, refusing, in another language."""

import tomllib
from pathlib import Path

import pytest

from inference_workers.enums import Rejection
from inference_workers.policies.languages import is_in_another_language
from inference_workers.policies.refusals import BEGINS_WITHIN, LONGEST, RULES, is_refusal
from inference_workers.policies.rejection import RejectedText
from inference_workers.policies.screen import Asked, Screen
from inference_workers.policies.wording import plain_pattern, plain_text
from tests.inference_workers.leaks.corpus import LANGUAGES, part_of

WRITTEN = tomllib.loads((Path(__file__).parent / "refusals.toml").read_text())


def ending(text, *, cut=False, **asked):
    screen = Screen([], Asked(**asked))
    try:
        screen.push(text)
        screen.finish(cut=cut)
    except RejectedText as refusal:
        return refusal.code
    return None


# -- refusing


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_is_told_from_an_answer_that_only_speaks_of_one(language):
    assert [text for text in WRITTEN[language]["refusals"] if not is_refusal(text)] == []
    assert [text for text in WRITTEN[language]["answers"] if is_refusal(text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_is_needed(language):
    """Each finds a refusal of its language that the others there do not."""
    texts = [plain_text(text) for text in WRITTEN[language]["refusals"]]
    found = [
        {text for text in texts if (hit := plain_pattern(rule).search(text)) and hit.start() <= BEGINS_WITHIN}
        for rule in RULES[language]
    ]
    assert all(found), [rule for rule, own in zip(RULES[language], found, strict=True) if not own]


def test_at_most_one_answer_in_a_hundred_is_taken_for_a_refusal():
    answers = part_of("development").answers
    wrong = [case.text for case in answers if is_refusal(case.text)]
    print(f"taken for refusals: {len(wrong)} of {len(answers)}")
    assert len(wrong) <= len(answers) / 100


def test_a_text_that_goes_on_after_what_it_will_not_do_is_an_answer():
    text = "I can't give medical advice. What helps most people is this: " + "Rest, drink and keep warm. " * 30
    assert len(text) > LONGEST
    assert not is_refusal(text)


# -- in another language


@pytest.fixture(scope="module")
def lines():
    """200 short lines, twenty of each language."""
    found = {}
    for language, texts in part_of("development").texts.items():
        carriers = [carrier.replace("{name}", "") for carrier in texts["carriers"]]
        subjects = [line for topic in texts["topics"] for line in topic]
        found[language] = [*texts["openers"], *texts["closers"], *subjects, *texts["alike"], *carriers]
        assert len(found[language]) == 20
    return found


def test_answers_in_another_language_are_found_and_no_other_is(lines):
    joined = {language: [" ".join(own[start::5]) for start in range(5)] for language, own in lines.items()}
    prompts = {language: own[0] + " " + own[4] for language, own in joined.items()}
    # Languages that are told apart badly are not held against each other.
    pairs = [(a, b) for a in LANGUAGES for b in LANGUAGES if a != b and {a, b} != {"es", "pt"}]
    found = [is_in_another_language(text, prompt=prompts[asked]) for asked, other in pairs for text in joined[other]]
    wrong = [text for own in LANGUAGES for text in joined[own] if is_in_another_language(text, prompt=prompts[own])]
    print(f"found {sum(found)} of {len(found)}, wrong {len(wrong)}")
    assert sum(found) >= 0.95 * len(found)
    assert wrong == []


def test_answers_in_their_prompts_language_pass():
    answers = part_of("development").answers
    prompts = {case.language: case.text for case in answers if case.variant == "usual"}
    wrong = [case.text for case in answers if is_in_another_language(case.text, prompt=prompts[case.language])]
    print(f"taken for another language: {len(wrong)} of {len(answers)}")
    assert len(wrong) <= len(answers) / 100


def test_of_a_short_line_no_language_is_told(lines):
    assert not [one for one in lines["de"] if len(one) < 55 and is_in_another_language(one, prompt=lines["en"][8])]


GERMAN = "Der Himmel ist blau, weil kleine Teilchen die kurzen Wellen des Lichts stärker streuen als die langen."


@pytest.mark.parametrize(
    ("prompt", "answer", "instructions", "is_other"),
    [
        ("Please tell me why the sky is blue in the daytime.", GERMAN, "", True),
        ("Please tell me in German why the sky is blue.", GERMAN, "", False),
        ("Translate: the sky is blue because of small particles.", GERMAN, "", False),
        ("Please tell me why the sky is blue in the daytime.", GERMAN, "Always answer in German.", False),
        ("Sky?", GERMAN, "", False),
        ("Write a loop that prints the numbers from one to ten.", f"```\n# {GERMAN}\nprint(1)\n```", "", False),
        ("请告诉我白天的天空为什么是蓝色的，写两句话。", GERMAN, "", True),
        ("请用德语告诉我白天的天空为什么是蓝色的。", GERMAN, "", False),
    ],
)
def test_what_the_prompt_asks_for_decides(prompt, answer, instructions, is_other):
    assert is_in_another_language(answer, prompt=prompt, instructions=instructions) is is_other
    asked = {"prompt": prompt, "instructions": instructions}
    assert ending(answer, **asked) == (Rejection.WRONG_LANGUAGE if is_other else None)


# -- cut


def test_a_text_that_its_limit_ended_is_refused_unless_its_model_may_be_cut():
    assert ending("The sky is", cut=True) == Rejection.CUT
    assert ending("The sky is", cut=True, accepts_cut=True) is None
    assert ending("The sky is blue.") is None


def test_a_text_that_a_stop_token_ended_is_whole_however_long_its_model_went_on():
    assert ending("The sky is blue.<|im_end|>\nuser: and the sea?", cut=True) is None


def test_a_refusal_is_refused_at_its_end():
    assert ending(WRITTEN["en"]["refusals"][0]) == Rejection.REFUSING

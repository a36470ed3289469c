import json
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from inference_workers.enums import Priority, Rejection
from inference_workers.policies.folders import ModelNotAllowed, model_folder
from inference_workers.policies.loops import is_looping
from inference_workers.policies.rejection import RejectedText
from inference_workers.policies.retry import LONGEST_VISITOR_RETRY_SECONDS, retry_delay
from inference_workers.policies.screen import Screen
from inference_workers.policies.tags import TagFilter
from inference_workers.queries import SOON

CORPUS = [json.loads(line) for line in (Path(__file__).parent / "leak_corpus.jsonl").read_text().splitlines()]


def screened(names, pieces):
    """Everything that readers were given, and the rejection if there was one."""
    screen, given = Screen(names), ""
    try:
        for piece in pieces:
            reset, text = screen.push(piece)
            given = text if reset else given + text
        given += screen.finish()
    except RejectedText as refusal:
        return given, refusal.code
    assert screen.text == given
    return given, None


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case["text"][:40])
def test_corpus_of_answers_that_name_their_model_and_answers_that_do_not(case, size):
    pieces = [case["text"][start : start + size] for start in range(0, len(case["text"]), size)]
    given, rejection = screened(case["names"], pieces)
    if case["leaks"]:
        assert rejection == Rejection.IDENTITY_LEAK
        assert case["before"].startswith(given.rstrip())
        assert size > 1 or given.rstrip() == case["before"]
    else:
        assert (given, rejection) == (case["text"].strip(), None)


def test_what_only_begins_like_a_name_is_held_until_it_differs():
    screen = Screen(["SmolLM", "Hugging Face"])
    assert [screen.push(piece)[1] for piece in ["I am Smo", "l", "dering", ", hug", "ging trees"]] == [
        "I am ",
        "",
        "Smoldering",
        ", ",
        "hugging ",
    ]
    # A short word is held until it ends: it may be the beginning of a name in base64.
    assert screen.finish() == "trees"


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["<think>hm, SmolLM</think>\n\nFour."], "Four."),
        (["<thi", "nk>hm</th", "ink>", "Four."], "Four."),
        (["Four <b>", " and <", "think"], "Four <b> and <think"),
        (["Four.<|im_", "end|>\nuser: and five?"], "Four."),
        (["Four.", "<think>never closed"], "Four."),
        (["  \n Four", " ", "\n\n", "five", " \n"], "Four \n\nfive"),
        (["Four\r", "\nfive\x00\x07"], "Four\nfive"),
    ],
)
def test_reasoning_stop_tokens_and_outer_white_space_are_left_out(pieces, text):
    assert screened(["SmolLM"], pieces) == (text, None)


def test_reasoning_whose_beginning_was_in_the_prompt_is_taken_back():
    screen = Screen([])
    assert screen.push("They want four.") == (False, "They want four.")
    assert screen.push(" So.</think>\nFour.") == (True, "Four.")
    assert (screen.finish(), screen.text) == ("", "Four.")


@pytest.mark.parametrize("pieces", [[], [""], [" \n"], ["<think>all of it"], ["<|im_end|>"], ["\x00"]])
def test_a_text_without_anything_to_read_is_refused_as_empty(pieces):
    assert screened([], pieces) == ("", Rejection.EMPTY)


def test_filtering_in_pieces_of_any_size_gives_the_same_text():
    raw = "One <think>two</think> three [THINK]four[/THINK] < five <thi six.<|eot_id|> seven"
    for size in range(1, len(raw)):
        tags = TagFilter()
        text = "".join(tags.push(raw[start : start + size]) for start in range(0, len(raw), size)) + tags.finish()
        assert text == "One  three  < five <thi six."


@pytest.mark.parametrize("unit", ["a", "ab ", "I like it very much. ", "x" * 119 + "y"])
def test_a_thousand_characters_of_one_unit_are_a_loop(unit):
    assert is_looping("It began well. " + unit * (1000 // len(unit) + 1))
    assert not is_looping("It began well. " + (unit * 999)[:985])


def test_a_long_text_that_only_resembles_itself_is_no_loop():
    assert not is_looping("".join(f"{number}. I like it very much.\n" for number in range(100)))


def test_a_looping_text_is_refused_while_it_streams():
    given, rejection = screened([], ["again and "] * 1000)
    assert rejection == Rejection.LOOPING
    assert len(given) <= 1200


def test_retries_wait_longer_each_time_or_as_long_as_the_endpoint_asks():
    batch = partial(retry_delay, priority=Priority.BATCH)
    assert [batch(attempts, None) for attempts in (1, 2, 3, 9)] == [1.0, 4.0, 15.0, 15.0]
    assert [batch(1, asked) for asked in (0.1, 7.0, 3600.0)] == [1.0, 7.0, 60.0]


def test_a_waiting_person_is_tried_again_for_soon_or_not_at_all():
    visitor = partial(retry_delay, priority=Priority.VISITOR)
    assert [visitor(attempts, None) for attempts in (1, 2, 3, 9)] == [0.5, 1.5, 1.5, 1.5]
    assert [visitor(1, asked) for asked in (0.1, 1.2, 1.6, 3600.0)] == [0.5, 1.2, None, None]
    # A pump that has nothing else to do stays for a retry that is due within SOON.
    assert timedelta(seconds=LONGEST_VISITOR_RETRY_SECONDS) < SOON


@pytest.mark.parametrize("name", ["..", "../secrets", ".", "", "a/../..", "/etc", "/srv/models", "/srv/models/../x"])
def test_models_outside_the_allowed_folders_are_refused(tmp_path, name):
    with pytest.raises(ModelNotAllowed):
        model_folder(name, models=tmp_path / "models", allowed=["/srv/models"])


def test_models_below_the_data_directory_and_allowed_folders_are_found(tmp_path):
    models = tmp_path / "models"
    assert model_folder("tiny-a", models=models, allowed=[]) == models / "tiny-a"
    assert model_folder("/srv/models/big", models=models, allowed=["/srv/models"]) == Path("/srv/models/big")


def test_a_link_that_leads_out_of_the_models_folder_is_refused(tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    (models / "out").symlink_to(tmp_path)
    with pytest.raises(ModelNotAllowed):
        model_folder("out", models=models, allowed=[])

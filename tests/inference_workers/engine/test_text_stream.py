"""Text comes out whole: no half character, no NUL, no surrogate, no stop string, however it was cut into pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_workers.engine.text_stream import TextStream, TokenText, clean
from tests.inference_workers.engine.tiny_models import tiny_tokenizer

TOKENIZER = tiny_tokenizer()


def decode(ids):
    return TOKENIZER.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def shown(pieces: list[str], *stop: str) -> list[str]:
    stream = TextStream(stop)
    return [*(stream.push(piece) for piece in pieces), stream.flush()]


@pytest.mark.parametrize(
    ("pieces", "stop", "expected"),
    [
        (["ab", "cE", "N", "xE", "ND zz", "q"], ("END",), ["ab", "c", "", "ENx", "", "", ""]),
        (["one\n", "\ntwo"], ("\n\n",), ["one", "", ""]),
        (["aXbY"], ("Y", "X"), ["a", ""]),
        (["ab", "c"], ("abcd",), ["", "", "abc"]),
        (["a\ud83d", "\ude00b"], (), ["a", "😀b", ""]),
        (["a\ud83d", "b"], (), ["a", "b", ""]),
        (["a\ud83d"], (), ["a", ""]),
        (["\udc00a\0b"], (), ["ab", ""]),
        (["E\0", "ND"], ("END",), ["", "", ""]),
        (["E\ud83d", "ND"], ("END",), ["", "", ""]),
    ],
)
def test_pieces_are_shown_as_soon_as_they_are_certain(pieces, stop, expected):
    assert shown(pieces, *stop) == expected


@given(
    st.lists(st.text(alphabet="abX\ud83d\ude00\0\n", max_size=6), max_size=12),
    st.sampled_from(["X", "ab", "aba", "\n\n"]),
)
def test_what_is_shown_does_not_depend_on_where_the_text_was_cut(pieces, stop):
    whole = clean("".join(pieces))
    assert "".join(shown(pieces, stop)) == whole.split(stop)[0]


@given(st.lists(st.integers(0, 511), max_size=60))
def test_tokens_become_the_text_that_decoding_them_at_once_gives(ids):
    text = TokenText(decode)
    assert "".join(text.push(token) for token in ids) == decode(ids).rstrip("\ufffd").replace("\ufffd", "")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_text_survives_being_cut_into_tokens(written):
    text = TokenText(decode)
    ids = TOKENIZER(written, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    assert "".join(text.push(token) for token in ids) == written.replace("\ufffd", "")


def test_a_character_is_shown_with_its_last_byte():
    text = TokenText(decode)
    pieces = [text.push(token) for token in TOKENIZER("a😀b")["input_ids"]]
    assert pieces == ["a", "", "", "", "😀", "b"]


@given(st.text(alphabet=st.characters(), max_size=30))
def test_clean_text_can_be_stored_and_sent(raw):
    text = clean(raw)
    assert "\0" not in text
    assert text.encode("utf-8").decode("utf-8") == text
    assert clean(text) == text

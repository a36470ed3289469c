import re

from hypothesis import given
from hypothesis import strategies as st

from annotation.questions.slugs import stable_slugs


def test_a_slug_is_the_words_in_short():
    texts = ["Names its source", "日本語", "größer, besser"]
    assert [*stable_slugs(texts).values()] == ["names-its-source", "日本語", "größer-besser"]


def test_what_makes_the_same_slug_or_none_is_told_apart_by_its_own_digits():
    slugs = stable_slugs(["Too long", "too long!", "!!!", "None", "x" * 80], taken=["none"])
    assert [re.sub(r"[0-9a-f]{8}$", "#", slug) for slug in slugs.values()] == [
        "too-long-#",
        "too-long-#",
        "#",
        "none-#",
        "x" * 60 + "-#",
    ]
    assert len(set(slugs.values())) == 5


def test_a_slug_does_not_depend_on_the_place_in_the_list():
    texts = ["Too long", "too long!", "Right"]
    assert stable_slugs(texts) == stable_slugs(reversed(texts))


@given(st.lists(st.text(min_size=1), max_size=6, unique=True))
def test_whatever_the_words_slugs_differ_and_hold_no_separator(texts):
    slugs = stable_slugs(texts, taken=["none"])
    assert [*slugs] == texts
    assert len({*slugs.values(), "none", ""}) == len(texts) + 2
    assert not any(re.search(r"[\s,]", slug) or len(slug) > 69 for slug in slugs.values())

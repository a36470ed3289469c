"""How often rules find what people would say that a prompt asks for: on prompts they were made with, and on others."""

from hashlib import sha256
from pathlib import Path

import pytest

from annotation.policies import categories
from annotation.policies.categories import RULES_VERSION, categories_by_rule, main_category

HERE = Path(__file__).parent
FOUND_BY_WORDS = [name for name in categories.ORDER if name not in (categories.LONG_PROMPT, categories.MULTI_TURN)]
# Both parts were written before the rules; the held-out one is read by this file alone.
DIGESTS = {
    "seen": "e0bd283f7327bd360836972de0d9e347eaeee98b92dc363a917c9a9bd62a6a1d",
    "held_out": "920ec9989cde0ec00c0b1c1c3eb36647be8c1acf967908fad522459232cb3056",
}
# Of the rules as they are. The held-out part was looked at once, with these.
VERSION = "rules-59b4842b7358"


def part(name):
    """(text, categories) of each prompt."""
    rows = [line.split("|", 1) for line in (HERE / f"{name}.txt").read_text().splitlines()]
    return [
        (text.strip().replace("\\n", "\n"), {each.strip() for each in given.split(",") if each.strip()})
        for given, text in rows
    ]


def asked(text):
    return [{"role": "user", "content": text}]


def scored(name):
    """By category: how many of the found ones are right, and how many of the right ones are found."""
    rows = [(given, set(categories_by_rule(asked(text)))) for text, given in part(name)]
    found = {}
    for category in FOUND_BY_WORDS:
        both = sum(category in given and category in said for given, said in rows)
        precision = both / max(1, sum(category in said for _given, said in rows))
        recall = both / max(1, sum(category in given for given, _said in rows))
        found[category] = (precision, recall)
        print(f"{name} {category}: precision {precision:.2f}, recall {recall:.2f}")
    return found


def test_corpus_is_the_one_that_was_written_before_the_rules():
    assert {name: sha256((HERE / f"{name}.txt").read_bytes()).hexdigest() for name in ("seen", "held_out")} == DIGESTS
    assert sum(len(part(name)) for name in DIGESTS) >= 150
    assert not {text for text, _given in part("seen")} & {text for text, _given in part("held_out")}


def test_rules_find_what_they_were_made_with():
    found = scored("seen")
    assert {name: figures for name, figures in found.items() if min(figures) < 0.9} == {}


def test_rules_find_it_in_prompts_that_they_were_not_made_with():
    """The same hand wrote prompts and rules within an hour, so others' prompts will fare worse than these figures."""
    assert RULES_VERSION == VERSION
    found = scored("held_out")
    assert {name: figures for name, figures in found.items() if min(figures) < 0.8} == {}


def test_the_shape_of_a_prompt_is_a_category_too():
    chat = [*asked("Hello"), {"role": "assistant", "content": "Hi"}, *asked("Who wrote Emma?")]
    assert categories_by_rule(chat) == ["factual", "multi_turn"]
    assert categories_by_rule(asked("word " * 500)) == ["long_prompt"]
    assert categories_by_rule([]) == []


def test_a_prompt_is_filed_under_the_first_of_its_categories():
    found = categories_by_rule(asked('Write a haiku about rain without using the word "rain".'))
    assert (found, main_category(found), main_category([])) == (["creative", "constraints"], "creative", "")


@pytest.mark.parametrize("text", ["1 " * 1500, "a" * 3000, "how do you say " * 200, "twice " * 500, "((" * 1500])
def test_no_text_holds_the_rules_up(text):
    """One pattern that goes back and forth would take hours with these."""
    assert isinstance(categories_by_rule(asked(text)), list)

"""The rules that a site begins with find what they are about and leave what only looks like it."""

import pytest

from inference_workers.policies.default_rules import DEFAULT_RULES
from inference_workers.policies.house_rules import Rule, RuleBook, check_rule
from tests.inference_workers.house_rules.corpus import BENIGN, FOUND

KEYS = dict(enumerate(each.key for each in DEFAULT_RULES))
RULES = [
    Rule(number, each.kind, each.pattern, each.action, each.on_visitors, each.on_models)
    for number, each in enumerate(DEFAULT_RULES)
]


def broken(text):
    return [KEYS[hit.rule.id] for hit in RuleBook(RULES).hits(text, of_model=False)]


def test_every_default_rule_can_be_looked_for():
    for rule in RULES:
        check_rule(rule)
    assert set(KEYS.values()) == set(FOUND)


@pytest.mark.parametrize(("key", "text"), [(key, text) for key, texts in FOUND.items() for text in texts])
def test_a_rule_finds_what_it_is_about_and_no_other_does(key, text):
    assert broken(text) == [key]


def test_of_the_texts_that_only_look_like_it_none_is_found():
    assert len(BENIGN) + sum(map(len, FOUND.values())) >= 120
    assert {text: found for text in BENIGN if (found := broken(text))} == {}

"""The held-out part: nothing but this file reads it, so that no rule can be made to fit it."""

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from inference_workers.policies import leaks
from tests.inference_workers.leaks.corpus import KINDS, LANGUAGES, part_of
from tests.inference_workers.leaks.scoring import WHOLE, is_caught, is_spared, scores

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
DIGESTS = {
    "development": "75be86c8d32131b177338407ecaa7d52d4a145305e193c94ba427d150f6927e3",
    "held_out": "282e6956d27ecf598425b0f88dbf5b2ed40a4e31cbe8cf51fee963e7296396c5",
}
# These words tell of the part without reading it.
MAY_NAME_IT = {"corpus.py", "test_held_out.py"}


def test_corpus_is_the_one_that_was_written_before_the_filter():
    assert {name: part_of(name).digest() for name in DIGESTS} == DIGESTS


def test_corpus_has_sixty_names_of_twenty_five_vendors_and_two_thousand_answers_in_ten_languages():
    parts = [part_of("development"), part_of("held_out")]
    models = {model.name for part in parts for model in part.models}
    vendors = {model.vendor for part in parts for model in part.models}
    answers = [case for part in parts for case in part.answers]
    assert len(models) >= 60
    assert len(vendors) >= 25
    assert len({case.text for case in answers}) >= 2000
    assert {case.language for case in answers} == set(LANGUAGES)
    assert {case.variant for case in answers} == {"usual", "alike", "about others", "technical"}
    for part in parts:
        leaks = part.leaks
        assert {case.kind for case in leaks} == set(KINDS)
        assert {case.language for case in leaks} == set(LANGUAGES)
        assert all(case.leak is not None and 0 <= case.leak < len(case.text) for case in leaks)


def test_parts_share_no_name_no_vendor_no_token_no_way_to_write_and_no_sentence():
    development, held_out = part_of("development"), part_of("held_out")
    for part, other in ((development, held_out), (held_out, development)):
        assert not _names(part) & _names(other)
        assert not set(part.tokens) & set(other.tokens)
        assert not set(part.snippets) & set(other.snippets)
        assert not _sentences(part) & _sentences(other)
    for kind in set(KINDS) - {"claim", "token"}:
        ours, theirs = development.variants[kind], held_out.variants[kind]
        written = {write("Hexa Vario 3", "Tetra") for write in ours.values()} - {None}
        assert not written & {write("Hexa Vario 3", "Tetra") for write in theirs.values()}, kind


def test_no_development_test_reads_the_held_out_part():
    readers = {
        path.name
        for path in HERE.parents[1].rglob("*.py")
        if "held_out" not in path.parent.name and {"leaks", "held_out"} <= set(re.findall(r"\w+", path.read_text()))
    }
    assert readers == MAY_NAME_IT


def test_corpus_was_committed_before_the_filter_and_not_changed_since():
    if not (ROOT / ".git").exists() or git("rev-parse", "--is-shallow-repository") == "true":
        pytest.skip("not run: the history is not here")
    corpus = git("log", "--format=%H", "--", str(HERE / "held_out"), str(HERE / "development")).split()
    made = git("log", "--format=%H", "--diff-filter=A", "--", leaks.__file__).split()
    assert len(corpus) == len(made) == 1
    assert made[0] in git("rev-list", f"{corpus[0]}..{made[0]}").split()


def git(*command):
    done = subprocess.run(["git", "-C", str(ROOT), *command], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_of_the_held_out_part_the_filter_finds_most_leaks_and_spares_answers():
    part = part_of("held_out")
    cases, answers = part.leaks, part.answers
    found = {size: scores(cases, is_caught, size) for size in (1, 3, WHOLE)}
    # In pieces every fifth answer, for the sake of time: what is given out does not depend on the pieces.
    spared = {size: scores(answers if size == WHOLE else answers[::5], is_spared, size) for size in found}
    print(table(found, spared))
    assert {size: score[""].share >= 0.95 for size, score in found.items()} == dict.fromkeys(found, True)
    assert {size: score[""].share >= 0.99 for size, score in spared.items()} == dict.fromkeys(found, True)
    assert Counter(kind for score in found.values() for kind, one in score.items() if one.share < 0.8) == {}


def table(found, spared):
    lines = [f"{'caught by piece size':<22}" + "".join(f"{_size(size):>17}" for size in found)]
    for kind in ("", *KINDS):
        shares = [f"{score[kind].right}/{score[kind].cases} {score[kind].share:.3f}" for score in found.values()]
        lines.append(f"{kind or 'all':<22}" + "".join(f"{share:>17}" for share in shares))
    refused = [f"{one.cases - one.right}/{one.cases}" for one in (score[""] for score in spared.values())]
    return "\n".join([*lines, f"{'answers refused':<22}" + "".join(f"{share:>17}" for share in refused)])


def _size(size):
    return "whole" if size == WHOLE else str(size)


def _names(part):
    return {name.casefold() for model in part.models for name in (*model.names, model.vendor)}


def _sentences(part):
    found = set()
    for texts in part.texts.values():
        for sentences in texts.values():
            for one in sentences:
                found |= {one} if isinstance(one, str) else set(one)
    return found

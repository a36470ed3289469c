"""The leak filter, made and tried on the development part of the corpus alone."""

import unicodedata
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from inference_workers.policies import encoded, leaks, lookalikes, names
from inference_workers.policies.lookalikes import read_character
from inference_workers.policies.screen import SCREEN_VERSION, Screen
from tests.inference_workers.leaks.corpus import KINDS, Case, part_of
from tests.inference_workers.leaks.scoring import WHOLE, is_caught, is_spared, scores, shown

# What each version of the rules consisted of. Whoever changes a rule gives the rules a new version and a line here.
RULES = {
    "2": "c4e3e527c6efafc0",
    "3": "a0396c47e145ed61",
    "4": "5133fb49c6005080",
    "5": "7cb82abc9bbeb88b",
}
RULE_FILES = (
    *("claims", "encoded", "known", "languages", "leaks", "lookalikes", "loops", "names"),
    *("refusals", "screen", "tags", "tokens", "wording"),
)


@pytest.fixture(scope="module")
def development():
    return part_of("development")


@pytest.mark.parametrize("size", [1, 3, WHOLE])
def test_leaks_are_caught_and_answers_are_spared(development, size):
    found = scores(development.leaks, is_caught, size)
    assert {kind: score.share >= 0.95 for kind, score in found.items()} == dict.fromkeys(("", *KINDS), True)
    assert scores(development.answers[::5], is_spared, size)[""].share >= 0.99


def test_a_leak_gives_out_nothing_of_itself_in_pieces_of_any_size(development):
    for case in development.leaks[::29]:
        for size in (2, 5, 7, 13):
            assert is_caught(case, size), (case, size)


def test_a_text_is_given_out_whole_in_pieces_of_any_size(development):
    for case in development.answers[::90]:
        assert {shown(case, size) for size in (1, 2, 5, 11, WHOLE)} == {(case.text, None)}


@pytest.mark.parametrize("letter", "aehlotz")
def test_every_latin_letter_with_a_mark_reads_as_the_letter_too(letter):
    named = [chr(code) for code in range(0xC0, 0x2C0) if _is_marked(chr(code), letter)]
    assert len(named) >= 3
    assert [character for character in named if letter not in read_character(character).letters] == []


def _is_marked(character, letter):
    name = unicodedata.name(character, "")
    return name.startswith((f"LATIN SMALL LETTER {letter.upper()} WITH", f"LATIN CAPITAL LETTER {letter.upper()} WITH"))


def test_no_character_of_formatting_breaks_a_name():
    marks = [chr(code) for code in range(0x80, 0xE0100) if unicodedata.category(chr(code)) == "Cf"]
    assert len(marks) > 100
    assert [hex(ord(mark)) for mark in marks if not _leaks(["Gemini"], f"Ask {mark.join('Gemini')} now.")] == []


@pytest.mark.parametrize(
    ("text", "is_leak"),
    [
        ("I am Gemini, made by Google.", True),
        ("I'm a language model trained by the researchers at Mistral AI.", True),
        ("My creators at Anthropic taught me this.", True),
        ("OpenAI trained me on many texts.", True),
        ("I am ChatGPT.", True),
        ("I am Google's assistant.", True),
        ("I am Google certified and I work at Microsoft.", False),
        ("I used a tool developed by Google for this.", False),
        ("Gemini is a language model made by Google.", False),
        ("As Claude Monet said, I paint what I see.", False),
        ("You could ask ChatGPT or Gemini about it.", False),
    ],
)
def test_a_claim_is_a_leak_and_a_remark_is_none(text, is_leak):
    assert _leaks(["Zephyr"], text) is is_leak


@pytest.mark.parametrize(
    ("name", "text", "is_leak"),
    [
        ("Meta", "This is M e t a speaking.", True),
        ("Meta", "Me, ta and the metal.", False),
        ("Phi", "Call me p h i.", False),
        ("Anthropic", "Das sind Anthropics Regeln.", True),
        ("Cohere", "The group coheres.", False),
        ("Gemini", "Try MyGeminiPro today.", True),
        ("Gemini", "The geminivirus spreads.", False),
        ("Claude", "Ask @claude or #Claude!", True),
        ("Llama", "Die ⓁⓁⓐⓜⓐ war hier.", True),
        ("Claude", "I am CIaude, with a capital I.", True),
        ("Gemini", "Gemlni wrote this.", True),
        ("Alpha", "My AIpha side.", True),
        ("Phi", "AI and phl.", False),
    ],
)
def test_where_a_name_ends_and_what_may_stand_between_its_letters(name, text, is_leak):
    assert _leaks([name], text) is is_leak


def test_a_long_run_of_letters_and_digits_is_not_held_until_its_end():
    run = "".join(b64encode(sha256(bytes([number])).digest())[:40].decode() for number in range(100))
    screen = Screen(["Gemini"])
    given = "".join(screen.push(run[start : start + 50])[1] for start in range(0, len(run), 50))
    assert run.startswith(given)
    assert 0 <= len(run) - len(given) <= encoded.LONGEST


def _leaks(own, text):
    return not is_spared(Case("", "", "en", tuple(own), text, None), WHOLE)


# -- controls: with one stage away, what it is for passes, and nothing else has been caught by it


def no_look_alikes(patch):
    patch.setattr(lookalikes, "looks_like", lambda character: frozenset())


def no_folding(patch):
    """Letters only as they are: neither accents nor widths are taken off."""
    no_look_alikes(patch)
    patch.setattr(lookalikes, "fold", lambda character: character.lower() if character.isalnum() else "")


def nothing_invisible(patch):
    for module in (lookalikes, names, leaks):
        patch.setattr(module, "is_invisible", lambda character: False)


def no_leet(patch):
    patch.setattr(lookalikes, "LEET", {})


def no_gaps(patch):
    patch.setattr(names, "INTERRUPTED_FROM", 99)
    patch.setattr(names, "SPELLED_OUT_FROM", 99)


def no_own_names(patch):
    made = leaks.LeakGuard.__init__

    def make(guard, own):
        made(guard, own)
        guard._own = {}

    patch.setattr(leaks.LeakGuard, "__init__", make)


def no_decoding(patch):
    patch.setattr(leaks, "says_encoded", lambda run, own: False)


def no_claims(patch):
    patch.setattr(leaks, "known_names", dict)


def no_tokens(patch):
    patch.setattr(leaks, "find_token", lambda text: -1)


@pytest.mark.parametrize(
    ("stage", "kinds"),
    [
        (no_look_alikes, ("homoglyph",)),
        (no_folding, ("homoglyph", "full-width", "accents")),
        (nothing_invisible, ("zero-width",)),
        (no_leet, ("leet",)),
        (no_gaps, ("spaced", "punctuated")),
        (no_own_names, ("plain", "alias", "joined")),
        (no_decoding, ("base64",)),
        (no_claims, ("claim",)),
        (no_tokens, ("token",)),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_control_without_a_stage_what_it_is_for_passes(development, monkeypatch, stage, kinds):
    cases = [case for case in development.leaks if case.kind in kinds]
    with monkeypatch.context() as patch:
        stage(patch)
        _forget()
        found = scores(cases, is_caught, WHOLE)
    _forget()
    assert {kind: found[kind].share < 0.5 for kind in kinds} == dict.fromkeys(kinds, True), found
    assert scores(cases, is_caught, WHOLE)[""].share >= 0.95


def _forget():
    for remembered in (read_character, lookalikes.fold, lookalikes.looks_like):
        getattr(remembered, "cache_clear", lambda: None)()


# -- the record


def test_rules_have_a_version_of_their_own():
    whole = sha256()
    for name in RULE_FILES:
        whole.update((Path(leaks.__file__).parent / f"{name}.py").read_bytes())
    assert RULES[SCREEN_VERSION] == whole.hexdigest()[:16]

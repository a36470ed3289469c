"""Which language a prompt is in, and whether an answer is in another."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

from inference_workers.policies.wording import plain_pattern, plain_text

# Of less text no language is told. Chinese and Japanese say as much in a third of the characters.
LEAST_ANSWER = 60
LEAST_PROMPT = 20
DENSE = 3
# How sure of both: on 200 lines of 36 characters on average none of which it was as sure was of another language.
SURE_OF_ANSWER = 0.95
SURE_OF_PROMPT = 0.8
# As much of the answer decides; more costs time and changes nothing.
READ = 2000
# Languages that are told apart badly count as one.
ALIKE = [
    {"no", "nb", "nn", "da", "sv"},
    {"hr", "sr", "bs", "sl", "mk", "sh"},
    {"id", "ms", "jv"},
    {"pt", "gl", "es", "ca", "oc", "an", "ast"},
    {"cs", "sk"},
    {"ru", "uk", "be", "bg"},
    {"zh", "yue", "wuu", "lzh"},
    {"ar", "arz", "ary"},
    {"hi", "mr", "ne", "sa"},
    {"de", "lb", "nds", "nl", "af", "fy"},
    {"fr", "wa"},
    {"it", "co", "scn", "vec"},
    {"en", "sco"},
]
FAMILY = {language: "/".join(sorted(alike)) for alike in ALIKE for language in alike}

_CODE = re.compile(r"```.*?(?:```|$)|`[^`\n]*`|\$\$.*?\$\$|https?://\S+", re.DOTALL)
_DENSE = re.compile(r"[぀-ヿ一-鿿]")
# A prompt that speaks of a language may ask for one.
_SPEAKS_OF_LANGUAGE = plain_pattern(
    r"translat|übersetz|traduc|traduz|traduir|tradurr|перевед|перевод|перевест|翻译|翻譯|翻訳|訳して|和訳|ترجم"
    r"|\b(?:english|german|french|spanish|italian|portuguese|russian|chinese|mandarin|japanese|arabic|korean|dutch|polish|"
    r"turkish|hindi|latin|greek|hebrew|ukrainian|czech|swedish|danish|norwegian|finnish|hungarian|vietnamese|thai|persian|"
    r"language|englisch|deutsch|französisch|spanisch|italienisch|portugiesisch|russisch|chinesisch|japanisch|arabisch|"
    r"lateinisch|griechisch|türkisch|polnisch|niederländisch|sprache|anglais|allemand|français|espagnol|italien|portugais|"
    r"russe|chinois|japonais|arabe|langue|inglés|inglese|inglês|alemán|alemão|tedesco|francés|francese|francês|español|"
    r"castellano|spagnolo|espanhol|italiano|portugués|portoghese|português|ruso|russo|chino|cinese|chinês|japonés|"
    r"giapponese|japonês|árabe|arabo|idioma|lengua|lingua|língua)"
    r"|(?:англий|немецк|французск|испанск|итальянск|португальск|русск|китайск|японск|арабск|латын|язык)"
    r"|[一-鿿゠-ヿ]{1,6}[語语]|[英中德法日俄西]文|言語|语言"
    r"|(?:الإنجليزية|الألمانية|الفرنسية|الإسبانية|الإيطالية|البرتغالية|الروسية|الصينية|اليابانية|العربية|لغة)"
)


def is_in_another_language(answer: str, *, prompt: str, instructions: str = "") -> bool:
    """Whether the answer to `prompt` is surely in one language and the prompt surely in another. False where the prompt
    or the instructions before it speak of a language, and of code."""
    if _SPEAKS_OF_LANGUAGE.search(plain_text(f"{instructions}\n{prompt}")):
        return False
    asked, said = _bare(prompt), _bare(answer)
    if not _is_enough(asked, LEAST_PROMPT) or not _is_enough(said, LEAST_ANSWER):
        return False
    wanted, found = _language_of(asked, SURE_OF_PROMPT), _language_of(said, SURE_OF_ANSWER)
    return bool(wanted and found) and wanted != found


UNKNOWN = "unknown"


@dataclass(frozen=True)
class Told:
    """A language by its code, or UNKNOWN; `sure` is how sure, in 0..1, of the code that was likeliest."""

    language: str
    sure: float | None


def language_of(text: str) -> Told:
    """Of a prompt. Unknown where it has too few letters, and where none is as sure as SURE_OF_PROMPT; code in it is
    passed over. For a worker: the model is large.
    """
    bare = _bare(text)
    if not _is_enough(bare, LEAST_PROMPT):
        return Told(UNKNOWN, None)
    language, share = _identifier().rank(bare)[0]
    return Told(language if share >= SURE_OF_PROMPT else UNKNOWN, float(share))


# What `language_of` is made of: another package, model or bound gives another version.
LANGUAGES_VERSION = f"py3langid-{version('py3langid')}-{SURE_OF_PROMPT}-{LEAST_PROMPT}"


def _bare(text: str) -> str:
    return " ".join(_CODE.sub(" ", text).split())[:READ]


def _is_enough(text: str, least: int) -> bool:
    letters = sum(character.isalpha() for character in text)
    return letters + (DENSE - 1) * len(_DENSE.findall(text)) >= least


def _language_of(text: str, sure: float) -> str | None:
    shares: Counter[str] = Counter()
    for language, share in _identifier().rank(text):
        shares[FAMILY.get(language, language)] += share
    ((found, share),) = shares.most_common(1)
    return found if share >= sure else None


@cache
def _identifier() -> Any:
    """Loaded when the first answer ends: it takes a second and a hundred megabytes, of a worker alone."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

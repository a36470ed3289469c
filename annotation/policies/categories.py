"""What a prompt asks for, by rules: lexical ones over its last message, and the shape of the whole. Several may hold.

English above all, then German, French and Spanish, and a little of others. How often the rules are right is told in
tests/annotation/categories.
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256

from inference_workers.policies.wording import plain_pattern, plain_text

# In characters, of the whole last message.
LONG = 2000
# As much of a message is read for words: what is asked stands at its beginning or its end.
ENDS = 1500

# In the order of `main_category`: the first that holds is what a prompt is filed under where there is room for one.
CODE, MATHEMATICS, TRANSLATION, ROLEPLAY = "code", "mathematics", "translation", "roleplay"
REWRITING, CREATIVE, FACTUAL, CONSTRAINTS = "rewriting", "creative", "factual", "constraints"
LONG_PROMPT, MULTI_TURN = "long_prompt", "multi_turn"
ORDER = (CODE, MATHEMATICS, TRANSLATION, ROLEPLAY, REWRITING, CREATIVE, FACTUAL, CONSTRAINTS, LONG_PROMPT, MULTI_TURN)

_LANGUAGES = (
    r"english|german|french|spanish|italian|portuguese|russian|chinese|mandarin|japanese|arabic|korean"
    r"|dutch|polish|turkish|hindi|latin|greek|englisch\w*|deutsch\w*|franzosisch\w*|spanisch\w*"
    r"|italienisch\w*|portugiesisch\w*|russisch\w*|anglais|allemand|francais|espagnol|italien|portugais"
    r"|russe|ingles\w*|aleman|frances\w*|espanol|italiano|inglese|tedesco"
)
_WORK = (
    r"poem|poetry|haiku|sonnet|limerick|ballad|lyrics|song|rap|story|stories|tale|fable|myth|novel|plot"
    r"|scene|dialogue|monologue|screenplay|slogan|tagline|villain|short film|opening paragraph"
)

# Over the text as it stands: signs and code.
RAW: Mapping[str, str] = {
    CODE: (
        r"```|^\s*(?:def|class|import|from|#include|public static|SELECT\b.*\bFROM)\b|\b\w+Error:"
        r"|\bconsole\.log\b|=>|</\w+>|\bgit (?:commit|push|rebase|merge)\b|\w+\(\w*\):?\s*(?:return|\{)"
        r"|\.(?:py|js|ts|cpp|rs)\b"
    ),
    MATHEMATICS: (
        r"\b[a-z]\s?\^\s?\d|\d\s?[*×÷]\s?\d|\d\w?\s?[+\-*/]\s?\d*\w?\s?=|√|∫|∑|\[\[\d|\\(?:frac|int|sum|sqrt)"
        r"|\b(?:sin|cos|ln|log)\(|\)\^\d"
    ),
    TRANSLATION: (r"翻译|翻譯|翻訳|訳して|перевед|переведи|перевод"),
}
# Over plain text: small letters without accents.
PLAIN: Mapping[str, str] = {
    CODE: (
        r"\b(?:python|javascript|typescript|java|c\+\+|c#|rust|golang|php|ruby|kotlin|swift|html|css|sql"
        r"|postgres\w*|mysql|sqlite|regex|bash|shell|powershell|linux command|git|docker\w*|kubernetes|django"
        r"|flask|react|vue|node\.?js|pandas|numpy|pytorch|api|json schema|compiler|stack ?trace|nullpointer\w*"
        r"|memory leak|unit tests?|refactor\w*|debug\w*|algorithm in|skript|programmier\w*|mypy|one-liner"
        r"|binary search|linked list|recursion)\b|\b(?:go|rust) (?:service|program|code|function)\b|\b(?:write"
        r"|implement|create|schreibe?|ecris|escribe|crea)\b[^.?!\n]{0,30}\b(?:function|script|program|class"
        r"|query|funktion|fonction|funcion|programa)\b"
    ),
    MATHEMATICS: (
        r"\b(?:solve|simplify|integral|integrate|derivative|differentiate|equation|prove(?: that| by)|theorem"
        r"|determinant|matrix|probability|factori[sz]e|prime number|square root|logarithm|polynomial"
        r"|hypotenuse|perimeter|limit of|how many ways|average speed|diagonals?|sum of|calculate|compute"
        r"|percent of|% of|berechne|losung der gleichung|wahrscheinlichkeit|ableitung|gleichung"
        r"|flache eine[sr]|resous|resoudre|calcule|derivee|probabilite|resuelve|derivada|ecuacion|calcula)\b"
        r"|% (?:of|off)\b|\b(?:twice|half|three times|a third|a quarter)\b[^?\n]{0,150}\bhow (?:many|much"
        r"|old)\b|\d[^?\n]{0,120}\b(?:how many|how much|what do i pay)\b[^?\n]{0,40}\b(?:left|remain|pay"
        r"|altogether|in total)\b"
    ),
    CREATIVE: (
        r"\b(?:<work>)s?\b|\b(?:gedicht\w*|geschichte (?:uber|von|fur|uber)|marchen|liedtext|poeme"
        r"|petite histoire|conte|poema|cuento|novela|relato|poesia|racconto)\b|\binvent\w*\b"
        r"|\bcome up with (?:a|an|some)? ?(?:name|plot|story|character|world)|\bwrite (?:a|an"
        r"|some) (?:\w+ )?(?:joke|riddle|toast|parody)|\bmake up a\b"
    ),
    CONSTRAINTS: (
        r"\b(?:exactly|at most|at least|no more than|no longer than|fewer than|less than|more than|under"
        r"|within|in|of|to|hochstens|genau|maximal|mindestens|en|exactement|au plus|moins de|moins de dix"
        r"|como maximo) (?:\w+ )?(?:\d+|one|two|three|four|five|six|seven|eight|ten|twelve|a single|einem|zwei"
        r"|drei|vier|funf|une|deux|trois|dix|dos|tres)(?: seule?)?[ -](?:word|sentence|line|paragraph"
        r"|character|bullet|point|wort|worter\w*|satz|satze\w*|zeile|mot|phrase|ligne|palabra|frase)"
        r"|\bwithout (?:using|mentioning|the word|adjectives|any)\b|\bdo not (?:use|mention|include)\b"
        r"|\bdon't (?:use|mention)\b|\b(?:only in|nothing else|only with)\b|\banswer (?:only )?(?:in|with) "
        r"|\bvalid (?:json|yaml|xml)\b|\bin (?:json|yaml|xml|bullet points|all capital\w*|alphabetical order"
        r"|capital letters)\b|\b(?:each|every) (?:on its own line|sentence|line|paragraph|word)\b"
        r"|\bseparated by\b|\bin a table with\b|\bor no only\b|\busing only\b|\bstart(?:s|ing)? (?:every"
        r"|each)\b|\bkeep it under\b|\bas bullet points\b"
    ),
    TRANSLATION: (
        r"\btranslat\w*\b|\bubersetz\w*\b|\btradu(?:is|ire|isez|ce|cir|ci|zir|zca|ction)\w*\b|\bhow (?:do"
        r"|would) (?:you|i|we) say\b[^?]{0,80}\bin (?:<languages>)|\bwie sagt man\b|\bcomment dit-on\b"
        r"|\bcomo se dice\b|\b(?:<languages>) (?:word|translation) (?:for|of)\b|\b(?:<languages>) (?:to"
        r"|into) (?:<languages>)\b|\bmean\w* in (?:<languages>)\b"
    ),
    ROLEPLAY: (
        r"^(?:\W*)(?:you are (?:a|an|the|my|now)\b|act (?:as|like)\b|pretend\b|du bist (?:ein|der|die)"
        r"|tu es (?:un|une|le|la)|vous etes (?:un|une)|eres (?:un|una)|actua como|sei un"
        r"|imagine (?:that )?you(?:'re| are)|stell dir vor, du bist|fais comme si)|\bi want you to act as\b"
        r"|\bplay the role of\b|\bi am the (?:waiter|customer|patient|student|player)\b|\brole-?play\b"
        r"|\byou(?:'re| are) the (?:dungeon|game) master\b|\bfrom now on,? you (?:answer|speak|are)\b"
        r"|\bpretend (?:to be|you)"
    ),
    REWRITING: (
        r"\b(?:summari[sz]e|rewrite|rephrase|paraphrase|proofread|shorten|reword|condense|tl;?dr"
        r"|fasse\b.{0,80}\bzusammen|kurze|korrigiere|umformulier\w*|resume|corrige\w*|reformule\w*|resumen?"
        r"|reescribe)\b|\b(?:fix|correct|improve|check) (?:the|my|this|these) (?:\w+ )?(?:grammar|english"
        r"|spelling|wording|sentence|text|email)|\bfix the grammar\b|\bmake (?:this|the following|it"
        r"|my)\b[^:.?!]{0,60}\b(?:polite|shorter|formal|clearer|simpler|longer)\b|\bimprove the wording\b"
        r"|\bturn (?:this|these|the following)\b[^:]{0,40}\binto\b"
    ),
    FACTUAL: (
        r"^\W*(?:(?:who|when|where) (?:is|are|was|were|did|do|does|wrote|painted|invented|discovered|won"
        r"|founded|made)\b|who \w+(?:ed|te|t)\b|(?:what|which) (?:is|was|are|were) the (?:capital|longest"
        r"|largest|highest|tallest|smallest|biggest|fastest|oldest|population|currency|chemical symbol"
        r"|boiling point|name|official|national)|(?:what|which|in which|in what) (?:year|country|planet|city"
        r"|team|element|river|century|animal|language)\b|how (?:tall|far|old|high|deep|long|heavy|big"
        r"|fast) (?:is|was|are)\b|how many (?:\w+ ){1,3}(?:does|do|are there|has|have)\b|wer (?:hat|war|ist)\b"
        r"|wann\b|wo (?:liegt|ist)\b|wie viele \w+ hat|wie (?:hoch|lang|alt|gro\w+) ist|qui (?:a|est|etait)\b"
        r"|quand\b|ou se trouve|quelle? est l[ae']? ?(?:population|capitale|plus)|¿?(?:cuando|quien|donde"
        r"|cual es (?:el|la) (?:capital|poblacion|animal|rio|pais)))"
    ),
}


def _filled(pattern: str) -> str:
    return pattern.replace("<languages>", _LANGUAGES).replace("<work>", _WORK)


_RAW = {name: re.compile(pattern, re.MULTILINE) for name, pattern in RAW.items()}
_PLAIN = {name: plain_pattern(_filled(pattern)) for name, pattern in PLAIN.items()}
# What counts as something else where both hold: a sum asked as "how many" is no question of fact.
INSTEAD = ((MATHEMATICS, FACTUAL), (CODE, FACTUAL), (TRANSLATION, FACTUAL), (CODE, MATHEMATICS))


def _digest() -> str:
    content = repr((LONG, ENDS, ORDER, RAW, PLAIN, INSTEAD, _LANGUAGES, _WORK))
    return sha256(content.encode()).hexdigest()[:12]


# Goes with every label; another rule is another version.
RULES_VERSION = f"rules-{_digest()}"


def categories_by_rule(messages: Sequence[Mapping[str, str]]) -> list[str]:
    """In the order of `ORDER`; none where nothing is known of it."""
    said = [message["content"] for message in messages if message["role"] == "user"]
    text = said[-1] if said else ""
    read = text if len(text) <= 2 * ENDS else f"{text[:ENDS]}\n{text[-ENDS:]}"
    plain = plain_text(read)
    found = {name for name, pattern in _RAW.items() if pattern.search(read)}
    found |= {name for name, pattern in _PLAIN.items() if pattern.search(plain)}
    found -= {other for name, other in INSTEAD if name in found}
    if len(text) > LONG:
        found.add(LONG_PROMPT)
    if len(said) > 1:
        found.add(MULTI_TURN)
    return [name for name in ORDER if name in found]


def main_category(categories: Sequence[str]) -> str:
    """The one that a prompt is filed under; "" where it has none."""
    return next((name for name in ORDER if name in categories), "")

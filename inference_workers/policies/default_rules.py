"""House rules that a site begins with: few, and each says what it is about. What they find and what they leave is held
by a corpus, `tests/inference_workers/house_rules`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from inference_workers.enums import RuleAction, RuleKind


@dataclass(frozen=True, slots=True)
class DefaultRule:
    """`says` is what a visitor reads whose text it refuses."""

    key: str
    name: str
    says: str
    kind: str
    pattern: str
    action: str
    on_visitors: bool = True
    on_models: bool = True


_SEXUAL = r"(?:sex(?:ual(?:ly|i[sz]ed)?|y)?|nude|naked|erotic(?:a|ally)?|porn\w{0,8}|explicit)"
_CHILD = (
    r"(?:child(?:ren)?|kids?|toddlers?|infants?|bab(?:y|ies)|minors?|preteens?|pre-teens?|under ?-?age(?:d)?"
    r"|school ?(?:girl|boy)s?|little (?:girl|boy)s?|(?:[1-9]|1[0-7])[ -]?(?:years?[ -]old|yo|y/o))"
)
_MAKE = r"(?:write|describe|draw|generate|create|make|show|send|give|find|tell|share|roleplay|role-play|pretend)"
# What is asked for is sexual and about a child, in one sentence. To ask about law, help or history is something else.
_CHILDREN = "\n".join(
    (
        rf"\b{_MAKE}\b[^.!?\n]{{0,60}}\b{_SEXUAL} (?:\w{{1,12}} ){{0,3}}(?:of|about|with|featuring|involving"
        rf"|between|to) (?:\w{{1,12}} ){{0,4}}{_CHILD}\b",
        rf"\b{_MAKE}\b[^.!?\n]{{0,60}}\b{_SEXUAL} (?:\w{{1,12}} ){{0,1}}{_CHILD}\b",
        r"\b(?:kiddie|kiddy|toddler|pre-?teen|pedo|paedo)[ -]?porn\b",
        r"\b(?:want|need|buy|sell|selling|trade|trading|share|send|download|looking for|got any"
        r"|where (?:can i|to) (?:get|find|buy|download)) (?:\w{1,10} ){0,2}"
        r"(?:child porn\w{0,8}|csam|cp (?:pics?|vids?|videos?|links?))\b",
        r"\b(?:schreib\w{0,3}|beschreib\w{0,3}|zeig\w{0,3}|erstell\w{0,3}|mal\w{0,3}|erzahl\w{0,3})\b[^.!?\n]{0,60}"
        r"\b(?:sexuell\w{0,3}|nackt\w{0,3}|erotisch\w{0,3}|porno\w{0,10}|sexgeschichte)\b[^.!?\n]{0,30}"
        r"\b(?:kind(?:er|ern|es)?|minderjahrig\w{0,3}|kleinkind\w{0,3}|schulmadchen"
        r"|(?:[1-9]|1[0-7])[ -]?jahrig\w{0,3})\b",
        r"\b(?:ecris|ecrivez|decris|montre|dessine|genere|raconte)\b[^.!?\n]{0,60}"
        r"\b(?:sexuel\w{0,4}|nue?s?|erotique\w{0,2}|porno\w{0,10})\b[^.!?\n]{0,30}"
        r"\b(?:enfants?|mineure?s?|fillettes?|petite fille|petit garcon|(?:[1-9]|1[0-7]) ans)\b",
        r"\b(?:escribe|describe|muestra|dibuja|genera|cuenta)\w{0,3}\b[^.!?\n]{0,60}"
        r"\b(?:sexual\w{0,3}|desnud\w{1,3}|erotic\w{1,2}|porno\w{0,10})\b[^.!?\n]{0,30}"
        r"\b(?:nin[oa]s?|menor(?:es)?(?: de edad)?|(?:[1-9]|1[0-7]) anos)\b",
    )
)
_HOME = r"(?:home address|private address|where (?:he|she|they) lives?|private (?:phone )?number)"
_ADDRESSES = "\n".join(
    (
        r"\b(?:dox|doxx) (?:him|her|them|this (?:person|guy|man|woman|girl|user|streamer)|my (?:ex|neighbou?r|boss"
        r"|teacher|classmate|coworker|colleague))\b",
        rf"\b(?:find|give me|tell me|get me|look up|dig up|track down|figure out)\b[^.!?\n]{{0,40}}"
        rf"\b(?:his|her|their|(?:ex|neighbou?r|boss|teacher|classmate|coworker|colleague|girlfriend|boyfriend)'?s?)\b"
        rf"[^.!?\n]{{0,20}}\b{_HOME}\b",
        r"\b(?:find|tell me|figure out|track down)\b[^.!?\n]{0,30}\bwhere (?:my ex"
        r"|this (?:girl|woman|guy|man|streamer|user)|that (?:girl|woman|guy|man))\b[^.!?\n]{0,20}"
        r"\b(?:lives?|is living)\b",
        r"\b(?:finde|such\w{0,2}|gib mir|sag mir)\b[^.!?\n]{0,40}\b(?:meine[rs]? ex\w{0,8}|nachbar\w{0,3}|seine|ihre)\b"
        r"[^.!?\n]{0,30}\b(?:privatadresse|wohnadresse|privatnummer|wo (?:er|sie) wohnt)\b",
        r"\b(?:trouve|donne|dis)[ -]?(?:moi)?\b[^.!?\n]{0,40}\b(?:l'adresse (?:personnelle|privee)"
        r"|ou (?:il|elle) habite|ou habite mon ex\w{0,3})\b",
        r"\b(?:encuentra|busca|dame|dime)\b[^.!?\n]{0,40}\b(?:donde vive (?:mi ex|el|ella|esa|ese)"
        r"|la direccion (?:particular|personal|privada) de (?:mi|el|ella|esa|ese))\b",
    )
)
_CRISIS = "\n".join(
    (
        r"\bi(?: really| just| only)? (?:want|am going|plan|intend|have decided|would like|'m going) to (?:kill myself"
        r"|end my (?:own )?life|hang myself|commit suicide|take my own life|die tonight)\b",
        r"\bi(?:'m| am)(?: feeling)? suicidal\b",
        r"\bi (?:want to|wanna) (?:die|kms|hurt myself|cut myself)"
        r"(?: (?:now|tonight|today|so (?:bad|much)))?\s*(?:[.!?]|$)",
        r"\b(?:painless|easiest|quickest|best) (?:way|method) (?:for me )?to"
        r" (?:kill myself|end my life|commit suicide)\b",
        r"\bich (?:will|mochte|werde) (?:mich (?:umbringen|toten)|mir das leben nehmen|nicht mehr leben|sterben)\b",
        r"\bje (?:veux|vais) (?:me (?:suicider|tuer)|mourir|en finir avec (?:la|ma) vie)\b",
        r"\b(?:quiero|voy a) (?:suicidarme|matarme|quitarme la vida|morirme)\b",
        r"\b(?:voglio|vado a) (?:suicidarmi|uccidermi|togliermi la vita|morire)\b",
        r"\b(?:quero|vou) (?:me matar|suicidar-me|me suicidar|tirar a (?:minha )?(?:propria )?vida|morrer)\b",
        r"(?:^|\W)я (?:хочу|собираюсь) (?:покончить с собои|убить себя|умереть|покончить жизнь)",
        r"我(?:想|要|打算)(?:自杀|死|结束(?:自己的)?生命)",
        r"(?:死にたい|自殺したい|自殺しようと思)",
    )
)

DEFAULT_RULES: Sequence[DefaultRule] = (
    DefaultRule(
        key="children",
        name="Sexual texts about children",
        says="Sexual texts about children are not written here.",
        kind=RuleKind.PATTERN,
        pattern=_CHILDREN,
        action=RuleAction.REFUSE,
    ),
    DefaultRule(
        key="addresses",
        name="Where private people live",
        says="Nobody is looked for here: not where a private person lives, and not their number.",
        kind=RuleKind.PATTERN,
        pattern=_ADDRESSES,
        action=RuleAction.REFUSE,
        on_models=False,
    ),
    DefaultRule(
        key="cards",
        name="Card numbers",
        says="Write no numbers of bank cards.",
        kind=RuleKind.CHECK,
        pattern="card",
        action=RuleAction.MASK,
    ),
    DefaultRule(
        key="emails",
        name="E-mail addresses",
        says="Write no e-mail addresses of people.",
        kind=RuleKind.CHECK,
        pattern="email",
        action=RuleAction.FLAG,
    ),
    DefaultRule(
        key="phones",
        name="Telephone numbers",
        says="Write no telephone numbers of people.",
        kind=RuleKind.CHECK,
        pattern="phone",
        action=RuleAction.FLAG,
    ),
    DefaultRule(
        key="crisis",
        name="Somebody who may want to die",
        says="",
        kind=RuleKind.PATTERN,
        pattern=_CRISIS,
        action=RuleAction.SUPPORT,
        on_models=False,
    ),
)

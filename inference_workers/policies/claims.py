"""What a text says of itself: "I am", "I was made by", "my developer is", in ten languages.

A claim is read around a known name: what stands before it, and where that is not enough, what comes after.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from inference_workers.policies.wording import plain_pattern, plain_text

# As much before a name and after it is read.
BEFORE = 160
AFTER = 60
# Stands before the first character of a text, so that a rule can tell its beginning.
BEGINNING = "\x02"
_STOPS = re.compile(r"[!?。！？؟\n]|\.\s")
# What may belong to the name still: "Claude 3.5 Sonnet".
_REST_OF_NAME = re.compile(
    r"^(?:[-.+]?[a-z]*\d[\w.]*| (?=[a-z]*\d)[\w.]+| (?:pro|mini|chat|large|small|instruct|plus)\b)*"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """`before` ends where the name begins, `after` begins where it ends; None is anything."""

    before: re.Pattern[str] | None
    after: re.Pattern[str] | None


def makes_claim(claims: Iterable[Claim], before: str, after: str, *, begins: bool) -> bool:
    """Whether a known name between the two makes one of the claims; `begins` where `before` is all there was."""
    left = (BEGINNING if begins else "") + plain_text(before)
    right = plain_text(after)
    rests = {right, _REST_OF_NAME.sub("", right)}
    return any(
        (claim.before is None or claim.before.search(left))
        and (claim.after is None or any(claim.after.search(rest) for rest in rests))
        for claim in claims
    )


def is_sentence_over(text: str) -> bool:
    return bool(_STOPS.search(text))


def _of(before: str | None, after: str | None = None) -> Claim:
    return Claim(plain_pattern(f"(?:{before})$") if before else None, plain_pattern(f"^(?:{after})") if after else None)


# Words between the claim and the name: "I am the model Claude", "made by the team at OpenAI".
_EN = r"(?:\s(?:the|an?|ai|large|language|model|assistant|chatbot|called|named|version|of))*[\s,:]*"
_EN_BY = (
    r"(?:\s(?:the|an?|team|people|folks|researchers|engineers|scientists|developers|company|lab|at|of|from))*[\s,:]*"
)
_EN_MADE = r"(?:made|created|developed|built|trained|designed|powered|produced|engineered|fine-?tuned)"
_DE = r"(?:\s(?:der|die|das|dem|eine?|einem|ki|assistent|assistentin|sprachmodell|modell|chatbot|namens))*[\s,:]*"
_DE_BY = r"(?:\s(?:der|die|dem|den|einem|einer|team|forschern|entwicklern|firma|unternehmen|leuten|bei|von))*[\s,:]*"
_DE_MADE = r"(?:entwickelt|trainiert|erschaffen|geschaffen|gebaut|erstellt|programmiert|entworfen|konzipiert|gemacht)"
_FR = r"(?:\s(?:l[ae]|une?|l'|ia|modele|assistante?|chatbot|nomme))*[\s,:]*"
_FR_BY = (
    r"(?:\s(?:l[ae]s?|une?|equipes?|societe|entreprise|chercheurs|ingenieurs|de|d'|chez|l'equipe|l'entreprise))*[\s,:]*"
)
_FR_MADE = r"(?:developpe|cree|concu|entraine|construit|fabrique|programme|mis au point|realise)e?s?"
_ES = r"(?:\s(?:el|la|una?|ia|modelo|asistente|chatbot|llamad[oa]))*[\s,:]*"
_ES_BY = r"(?:\s(?:el|la|l[oa]s|equipo|empresa|compania|investigadores|ingenieros|de|del|en))*[\s,:]*"
_ES_MADE = r"(?:desarrollad|cread|entrenad|disenad|construid|hech|programad|lanzad)[oa]s?"
_IT = r"(?:\s(?:il|la|lo|una?|l'|ia|modello|assistente|chatbot|chiamat[oa]))*[\s,:]*"
_IT_BY = r"(?:\s?(?:il|la|gli|team|di|ricercatori|ingegneri|azienda|societa|squadra|in|presso))*[\s,:]*"
_IT_MADE = r"(?:sviluppat|creat|addestrat|progettat|costruit|fatt|realizzat|programmat)[oai]"
_PT = r"(?:\s(?:[oa]|uma?|ia|modelo|assistente|chatbot|chamad[oa]))*[\s,:]*"
_PT_BY = r"(?:\s(?:[oa]s?|equipe|equipa|time|empresa|pesquisadores|engenheiros|d[aeo]|n[ao]))*[\s,:]*"
_PT_MADE = r"(?:desenvolvid|criad|treinad|projetad|construid|feit|programad|lancad)[oa]s?"
_RU = r"(?:\s(?:языковая|модель|ассистент|помощник|нейросеть|чат-бот|ии|по имени))*[\s,:–—-]*"
_RU_BY = (
    r"(?:\s(?:компани\w+|команд\w+|исследовател\w+|инженер\w+|разработчик\w+|лаборатори\w+|фирм\w+|из|в|от))*[\s,:–—-]*"
)
_RU_MADE = r"(?:разработа|созда|обуч|натренирова|сдела|построи|выпусти|запусти|программирова)"
_ZH_MADE = r"(?:开发|训练|研发|创建|创造|打造|推出|设计|提供|制造|构建)"
_JA_MADE = r"(?:開発|訓練|作成|製作|設計|学習|提供|構築|作)"
_AR = r"(?:\s(?:هو|هي|المساعد|مساعد|النموذج|نموذج|الذكي|اللغوي))*[\s,:،]*"
_AR_BY = r"(?:\s(?:شركة|فريق|باحثي|مهندسي|مختبر|قبل|يد|في|لدى|من))*[\s,:،]*"
_AR_MADE = r"(?:طور|أنشأ|درب|صنع|صمم|بن|ابتكر)"

# "I am Claude": of models.
BEING = [
    _of(
        r"\b(?:i am|i'm|my name is|call me|i go by|i(?: a|')m (?:called|named|known as)|"
        r"you(?: a|')re (?:now |currently )?(?:talking|speaking|chatting) (?:to|with))" + _EN
    ),
    _of(r"\x02[^\w\x02]*(?:(?:hello|hi|hey|greetings|sure)\b[^\w]*)*(?:this is|it's)" + _EN),
    _of(r"(?:\x02|[.!?\n]\s?)as" + _EN, r",\si\b"),
    _of(
        r"\b(?:ich bin|ich hei(?:ss|sz)e|mein name ist|nenn(?:e|en sie)? mich|"
        r"(?:du|sie) (?:sprichst|sprechen|redest|reden|chattest|chatten|schreibst|schreiben)"
        r"(?: gerade| jetzt| hier)? mit)" + _DE
    ),
    _of(r"\x02[^\w\x02]*(?:(?:hallo|hi|guten tag|servus)\b[^\w]*)*hier (?:ist|spricht|schreibt)" + _DE),
    _of(
        r"\b(?:je suis|je m'appelle|mon nom est|moi,? c'est|appelez-moi|appelle-moi|"
        r"(?:vous (?:parlez|discutez|echangez)|tu (?:parles|discutes))(?: actuellement| maintenant)? (?:avec|a))" + _FR
    ),
    _of(
        r"\b(?:soy|me llamo|mi nombre es|llamame|puedes llamarme|"
        r"est(?:as|a) (?:hablando|charlando|chateando|conversando) con|te habla)" + _ES
    ),
    _of(
        r"(?:(?:\x02|[.!?,;:\n]\s?|\bio )sono|\bmi chiamo|\bil mio nome e|\bchiamami|"
        r"\bsta(?:i)? (?:parlando|chattando) con)" + _IT
    ),
    _of(
        r"\b(?:sou|meu nome e|me chamo|chamo-me|pode me chamar de|"
        r"(?:voce )?esta(?:s)? (?:falando|conversando|a falar|a conversar) com)" + _PT
    ),
    _of(r"\b(?:меня зовут|мое имя|зовите меня)" + _RU),
    _of(
        r"\b(?:вы|ты) (?:сеичас )?(?:разговариваете|разговариваешь|общаетесь|общаешься|говорите|говоришь|беседуете) с"
        + _RU
    ),
    _of(r"\bя" + _RU, r"(?:\s[a-z0-9.+-]+)*\s?(?:[,.!;:–—-]|$)"),
    _of(r"\x02[^\w\x02]*(?:(?:привет|здравствуите|добрыи день)\b[^\w]*)*это" + _RU),
    _of(r"(?:我是|我叫|我的名字是|我的名字叫|我名叫|叫我)(?:一个|一款|人工智能|助手|语言模型|模型|名为|叫)*\s?"),
    _of(r"[你您](?:现在|正在|目前)*在?(?:与|和|跟)\s?", r"\s?[\w .+-]{0,20}?(?:对话|聊天|交谈|交流|说话)"),
    _of(
        r"(?:私は|わたしは|僕は|名前は)(?:ai|アシスタント|言語モテル)?の?\s?",
        r"[a-z0-9 .+-]*\s?(?:てす|といいます|と申します|と言います|という|と呼|、|。|$)",
    ),
    _of(None, r"[a-z0-9 .+-]*\s?と(?:申します|いいます|言います)"),
    _of(r"あなたは(?:今|現在|いま)?、?\s?", r"[a-z0-9 .+-]*\s?と(?:話|会話|チャット|対話)"),
    _of(r"(?:^|[\s\x02])(?:أنا|اسمي|أدعى|(?:أنت |أنك )?تتحدث (?:الآن )?(?:مع|إلى))" + _AR),
    _of(r"\x02[^\w\x02]*(?:(?:مرحبا|أهلا|السلام عليكم)\b[^\w]*)*(?:معك|معكم|هنا)" + _AR),
]

# "I am OpenAI's assistant": of vendors, whose names alone nobody is.
POSSESSED = (
    r"(?:'s?\s|\s)[^.!?\n]{0,25}\b(?:assistant|model|ai|chatbot|assistent|sprachmodell|modele|modelo|modello|chat-?bot)\b"
    r"|\s?(?:的)?(?:ai|人工智能|语言模型|大模型|助手|模型)"
    r"|\s?の[^。\n]{0,8}(?:ai|アシスタント|モテル)"
)

# "I was made by OpenAI": of both.
ORIGIN = [
    _of(
        rf"\b(?:i (?:was|am|have been|got)|i'm|i've been)\b[^.!?\n]{{0,30}}\b{_EN_MADE}\b[^.!?\n]{{0,12}}\b(?:by|at)"
        + _EN_BY
    ),
    _of(
        rf"\b(?:i am|i'm|as) an? [^.!?\n]{{0,40}}\b(?:model|assistant|ai|chatbot|bot|system|program)\b"
        rf"(?:,|\s{_EN_MADE})?[^.!?\n]{{0,30}}\b(?:by|from|of|at)" + _EN_BY
    ),
    _of(r"\bmy (?:developers?|creators?|makers?|provider)\b(?: (?:is|are|at))?" + _EN_BY),
    _of(None, rf"[^.!?\n]{{0,12}}\b{_EN_MADE} me\b"),
    _of(
        r"\bich (?:wurde|bin|werde)\b[^.!?\n]{0,30}\b(?:von|vom|durch|bei|beim)" + _DE_BY,
        rf"[^.!?\n]{{0,40}}\b{_DE_MADE}",
    ),
    _of(
        rf"\b(?:ich bin|als)\b[^.!?\n]{{0,50}}\b{_DE_MADE}(?:es|er|e|en)?\b[^.!?\n]{{0,12}}\b(?:von|vom|durch)" + _DE_BY
    ),
    _of(
        r"\b(?:ich bin|als) (?:eine? )?[^.!?\n]{0,30}"
        r"\b(?:ki|ki-modell|modell|sprachmodell|assistent|assistentin|chatbot|programm|system)\b"
        r"[^.!?\n]{0,15}\b(?:von|vom|aus)" + _DE_BY
    ),
    _of(r"\bmeine? (?:entwickler(?:in|innen)?|schopfer|hersteller|anbieter)\b(?: (?:ist|sind|bei|von))?" + _DE_BY),
    _of(None, rf"[^.!?\n]{{0,10}}\s(?:hat|haben) mich\b[^.!?\n]{{0,25}}\b{_DE_MADE}"),
    _of(rf"\bj'ai ete\b[^.!?\n]{{0,20}}\b{_FR_MADE}\b[^.!?\n]{{0,12}}\b(?:par|chez)" + _FR_BY),
    _of(rf"\b(?:je suis|en tant que|comme)\b[^.!?\n]{{0,50}}\b{_FR_MADE}\b[^.!?\n]{{0,12}}\b(?:par|chez)" + _FR_BY),
    _of(
        r"\b(?:je suis|en tant qu[e'])[^.!?\n]{0,20}\b(?:ia|modele|assistante?|chatbot)\b"
        r"[^.!?\n]{0,15}\b(?:de|d'|chez|par)" + _FR_BY
    ),
    _of(r"\b(?:mon|mes) (?:developpeur|createur|concepteur|fournisseur)s?\b,?(?: (?:est|sont))?" + _FR_BY),
    _of(None, rf"[^.!?\n]{{0,10}}\sm'a(?:\s[^.!?\n]{{0,12}})?\s?{_FR_MADE}"),
    _of(rf"\b(?:fui|he sido|soy)\b[^.!?\n]{{0,45}}\b{_ES_MADE}\b[^.!?\n]{{0,12}}\b(?:por|en)" + _ES_BY),
    _of(rf"\bcomo\b[^.!?\n]{{0,40}}\b{_ES_MADE} por" + _ES_BY, r"[^.!?\n]{0,4},|$"),
    _of(
        r"\b(?:soy|como) (?:una? )?[^.!?\n]{0,25}\b(?:ia|modelo|asistente|chatbot|inteligencia artificial)\b"
        r"[^.!?\n]{0,15}\b(?:de|por)" + _ES_BY
    ),
    _of(r"\bmis? (?:desarrollador|creador|fabricante|proveedor)(?:a|es)?\b(?: (?:es|son))?" + _ES_BY),
    _of(
        None,
        r"[^.!?\n]{0,10}\sme (?:desarrollo|creo|entreno|diseno|construyo|hizo|ha (?:creado|desarrollado|entrenado))",
    ),
    _of(
        rf"\b(?:sono stat[oa]|vengo|sono)\b[^.!?\n]{{0,45}}\b{_IT_MADE}\b[^.!?\n]{{0,12}}"
        r"\b(?:d[ae]l(?:la|l')?|dai|da|in)" + _IT_BY
    ),
    _of(rf"\bcome\b[^.!?\n]{{0,40}}\b{_IT_MADE} d[ae](?:l|lla|ll'|i)?" + _IT_BY, r"[^.!?\n]{0,4},|$"),
    _of(
        r"\b(?:sono|come) (?:un[ao']? ?)?[^.!?\n]{0,25}\b(?:ia|modello|assistente|chatbot|intelligenza artificiale)\b"
        r"[^.!?\n]{0,15}\b(?:di|da|del|della)" + _IT_BY
    ),
    _of(r"\b(?:il mio|i miei) (?:sviluppator|creator|produttor|fornitor)[ei]\b(?: (?:e|sono))?" + _IT_BY),
    _of(None, rf"[^.!?\n]{{0,10}}\smi ha(?:nno)?\s{_IT_MADE}"),
    _of(rf"\b(?:fui|sou)\b[^.!?\n]{{0,45}}\b{_PT_MADE}\b[^.!?\n]{{0,12}}\b(?:por|pel[ao]s?|n[ao])" + _PT_BY),
    _of(rf"\bcomo\b[^.!?\n]{{0,40}}\b{_PT_MADE} (?:por|pel[ao])" + _PT_BY, r"[^.!?\n]{0,4},|$"),
    _of(
        r"\b(?:sou|como) (?:uma? )?[^.!?\n]{0,25}\b(?:ia|modelo|assistente|chatbot|inteligencia artificial)\b"
        r"[^.!?\n]{0,15}\b(?:d[eao]|por|pel[ao])" + _PT_BY
    ),
    _of(r"\b(?:meus?|o meu|os meus) (?:desenvolvedor|criador|programador|fabricante)(?:es)?\b(?: (?:e|sao))?" + _PT_BY),
    _of(
        None,
        r"[^.!?\n]{0,10}\s(?:me (?:desenvolveu|criou|treinou|projetou|construiu|fez)|(?:desenvolveu|criou|treinou)-me)",
    ),
    _of(rf"\bменя {_RU_MADE}\w*" + _RU_BY),
    _of(rf"\b(?:я|как)\b[^.!?\n]{{0,50}}\b{_RU_MADE}\w*" + _RU_BY),
    _of(r"\bя\b[^.!?\n]{0,25}\b(?:ии|модель|ассистент|помощник|неиросеть|чат-бот)\b[^.!?\n]{0,10}\b(?:от|из)" + _RU_BY),
    _of(r"\bмо(?:и|ими?) (?:разработчики?|создател[ьи])\b[\s:–—-]*" + _RU_BY),
    _of(None, rf"[^.!?\n]{{0,10}}\s(?:{_RU_MADE}\w* меня|меня {_RU_MADE})"),
    _of(r"我(?:是|其实|最初)*(?:由|被)(?:来自)?\s?", rf"[^。！？\n]{{0,14}}{_ZH_MADE}"),
    _of(r"(?:我是|作为)[^。！？\n]{0,20}(?:由|来自|出自)\s?"),
    _of(
        r"(?:我是|作为)(?:一个|一款|由)?\s?",
        rf"[^。！？\n]{{0,12}}{_ZH_MADE}的[^。！？\n]{{0,10}}(?:模型|助手|ai|人工智能)",
    ),
    _of(r"我的(?:开发者|创造者|开发商|制造商|创建者|研发团队|开发团队)(?:是|为|来自)\s?"),
    _of(None, rf"[^。！？\n]{{0,8}}{_ZH_MADE}了我"),
    _of(
        r"(?:私は|わたしは|僕は)[^。！？\n]{0,12}",
        rf"[^。！？\n]{{0,14}}(?:によって|により|に|て)[^。！？\n]{{0,10}}{_JA_MADE}(?:され|られ)",
    ),
    _of(
        r"(?:私は|わたしは|僕は|^|[。\x02])\s?",
        rf"か[^。！？\n]{{0,4}}{_JA_MADE}(?:した|った)[^。！？\n]{{0,14}}(?:モテル|アシスタント|ai|人工知能)"
        r"(?:てす|として[、,]?(?:私|わたし|お答)|。|$)",
    ),
    _of(
        r"(?:私は|わたしは|僕は)\s?",
        r"の[^。！？\n]{0,8}(?:ai|アシスタント|モテル|人工知能)(?:てす|なので|として|、|。)",
    ),
    _of(r"私の(?:開発元|開発者|作成者|提供元|製作者|開発会社|生みの親)は\s?"),
    _of(r"(?:تم |جرى )?(?:تطويري|إنشائي|تدريبي|تصميمي|بنائي|إطلاقي)(?: (?:بواسطة|من|على|في))?" + _AR_BY),
    _of(rf"{_AR_MADE}(?:ت|ه|ها|تها|ته)?ني" + _AR_BY),
    _of(
        r"(?:أنا|بصفتي|كوني|باعتباري|كنموذج)[^.!؟\n]{0,30}(?:نموذج|ذكاء|مساعد)[^.!؟\n]{0,20}"
        rf"\s(?:من|بواسطة|{_AR_MADE}(?:ت|ه|ته|تها))" + _AR_BY
    ),
    _of(r"(?:مطوري|صانعي|مطوروي|الشركة المطورة لي)(?: (?:هو|هي|هم))?" + _AR_BY),
]
OF_MODELS = [*BEING, *ORIGIN]
OF_VENDORS = [*(Claim(claim.before, _of(None, POSSESSED).after) for claim in BEING if claim.before), *ORIGIN]

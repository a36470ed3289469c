"""Answers that are none: "I'm sorry, but I can't help with that", in ten languages.

Only short texts that begin so are refusals. A text that says what it will not do and goes on with what it will, a
letter that declines an invitation, or a story in which somebody refuses is an answer.
"""

import re

from inference_workers.policies.wording import plain_pattern, plain_text

# A refusal is over after as many characters, and begins within as many.
LONGEST = 600
BEGINS_WITHIN = 90

# Of letters and quotations, which say what their author or somebody else refuses.
_OTHERS_WORDS = plain_pattern(
    r"\s*(?:dear|hi|hello|subject|betreff|objet|asunto|oggetto|assunto|тема|liebe[rs]?|sehr geehrte[rs]?|hallo|"
    r"cher|chère|bonjour|salut|estimad[oa]|querid[oa]|hola|gentile|car[oa]|egregi[oa]|buongiorno|ciao|prezad[oa]|ol[áa]|"
    r"уважаем\w+|дорог\w+|здравствуйте|привет|عزيزي|عزيزتي|السيد)\b[^.!?\n]{0,40}[,:،!\n]"
    r"|\s*(?:亲爱的|尊敬的|您好|拝啓)"
)
_QUOTATION = re.compile(r"\s*[\"“„«‹'‘「『>]")


def _one_of(words: str) -> str:
    return f"(?:{'|'.join(words.split())})"


_EN_DO = _one_of(
    r"help assist answer provide comply fulfill? do\s(?:that|this) write create generate discuss continue "
    r"engage respond support offer produce complete share give"
)
_DE_DO = _one_of(
    r"helfen behilflich unterstützen beantworten geben bereitstellen erstellen schreiben erfüllen nachkommen "
    r"weiterhelfen liefern dienen antworten tun"
)
_FR_DO = _one_of(
    r"aider assister répondre fournir écrire créer générer donner satisfaire accéder traiter continuer partager "
    r"faire"
)
_ES_DO = _one_of(
    r"ayudar asistir responder proporcionar escribir crear generar dar ofrecer cumplir hacer compartir "
    r"continuar brindar facilitar atender"
)
_IT_DO = _one_of(
    r"aiutar assister risponder fornir scriver crear generar dar soddisfar far condivider continuar offrir "
    r"trattar"
)
_PT_DO = _one_of(
    r"ajudar auxiliar responder fornecer escrever criar gerar dar oferecer cumprir atender fazer compartilhar "
    r"partilhar continuar"
)
_RU_DO = _one_of(
    r"помочь помогать ответить отвечать предоставить написать создать выполнить сделать обсуждать дать "
    r"поддержать продолжить"
)
_ZH_DO = _one_of(r"帮 协助 回答 提供 满足 完成 讨论 写 生成 创作 回应 继续 支持 处理")
_JA_DO = _one_of(r"お答え 回答 お手伝い 提供 対応 お応え 作成 ご説明 お話し 支援 協力 お助け")
_AR_DO = _one_of(r"مساعد أساعد الإجاب إجاب أجيب تقديم أقدم كتاب أكتب تلبي توفير إنشاء مناقش الاستمرار فعل تنفيذ")

RULES = {
    "en": [
        r"\b(?:i|we) (?:can't|cannot|can not|won't|will not|am unable to|am not able to|am not allowed to)"
        rf"\b[^.!?\n]{{0,25}}\b{_EN_DO}\b",
        rf"\bi'm (?:unable|not able|not allowed)\b[^.!?\n]{{0,25}}\b{_EN_DO}\b",
        r"\bi(?: must|'ll have to| have to| would have to)(?: respectfully| politely)? (?:decline|refuse)\b",
        r"\bas an? (?:ai|language model|assistant)\b[^.!?\n]{0,40}\bi (?:can't|cannot|am unable|am not able|won't)\b",
        r"\b(?:that|this) is(?: not|n't) something i (?:can|may) (?:help|assist|do)",
    ],
    "de": [
        rf"\b(?:ich (?:kann|darf|möchte|werde)|(?:kann|darf|möchte|werde) ich)\b[^.!?\n]{{0,45}}"
        rf"\b(?:nicht|keine?n?)\b[^.!?\n]{{0,45}}\b{_DE_DO}\b",
        r"\bich bin\b[^.!?\n]{0,20}\bnicht (?:in der lage|befugt|berechtigt|imstande)\b",
        r"\bich muss\b[^.!?\n]{0,40}\bablehnen\b",
    ],
    "fr": [
        rf"\bje ne (?:peux|puis|suis|saurais|pourrai)\b[^.!?\n]{{0,45}}\b{_FR_DO}\b",
        r"\bje (?:refuse de|dois (?:refuser|décliner)|suis dans l'impossibilité)\b",
    ],
    "es": [
        rf"\bno (?:puedo|podré|podría|me es posible|estoy en condiciones|soy capaz|me está permitido)\b"
        rf"[^.!?\n]{{0,25}}\b{_ES_DO}",
        r"\b(?:debo|tengo que) (?:rechazar|declinar|negarme)\b",
    ],
    "it": [
        rf"\bnon (?:posso|sono in grado|mi è possibile|sono autorizzat[oa]|potrei)\b[^.!?\n]{{0,25}}\b{_IT_DO}",
        r"\b(?:devo|sono costrett[oa] a) (?:rifiutar|declinar)",
    ],
    "pt": [
        rf"\bnão (?:posso|consigo|sou capaz|me é possível|estou autorizad[oa]|poderei)\b[^.!?\n]{{0,25}}\b{_PT_DO}",
        r"\b(?:devo|tenho de|preciso) (?:recusar|declinar)\b",
    ],
    "ru": [
        rf"\b(?:не (?:могу|смогу|вправе|в состоянии|имею права|буду))\b[^.!?\n]{{0,35}}\b{_RU_DO}\b",
        r"\bя вынужден[аы]? отказать",
    ],
    "zh": [
        rf"(?:我|抱歉|对不起|很遗憾)[,\s]?(?:暂时)?(?:无法|不能|没办法|没有办法|不可以|不便)[^。!?\n]{{0,14}}{_ZH_DO}",
        r"我(?:必须|只能|不得不)?拒绝",
    ],
    "ja": [
        rf"(?:申し訳|すみません|ごめんなさい|残念ながら|恐れ入りますが|私|その|ご)[^。\n]{{0,30}}{_JA_DO}[^。\n]{{0,10}}"
        r"(?:できません|できかねます|致しかねます|いたしかねます|しかねます|することはできない)",
        r"お断り(?:します|いたします|させて)",
    ],
    "ar": [
        r"(?:لا (?:أستطيع|يمكنني|أقدر)|ليس بإمكاني|لن (?:أستطيع|أتمكن)|لست قادرا|غير قادر|يتعذر علي)"
        rf"[^.!؟\n]{{0,25}}{_AR_DO}",
        r"(?:أعتذر عن|أرفض) (?:عدم|الإجابة|المساعدة|تقديم)",
    ],
}
_COMPILED = [plain_pattern(rule) for rules in RULES.values() for rule in rules]


def is_refusal(text: str) -> bool:
    if len(text) > LONGEST or _QUOTATION.match(text):
        return False
    plain = plain_text(text)
    if _OTHERS_WORDS.match(plain):
        return False
    return any((found := rule.search(plain)) and found.start() <= BEGINS_WITHIN for rule in _COMPILED)

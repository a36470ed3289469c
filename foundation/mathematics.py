r"""LaTeX in Markdown: `$…$`, `$$…$$`, `\(…\)` and `\[…\]` become native MathML, without script or font.

latex2mathml's own writer puts `\text{<b>}` out as raw HTML, so its tree is written here, by an allow list.
"""

import re
from functools import lru_cache
from html import escape, unescape
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markdown_it.common.utils import isStrSpace
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

LONGEST_FORMULA = 1_000
DEEPEST_BRACES = 12
FORMULAS_PER_TEXT = 200

_ELEMENT_NAMES = (
    "math mrow mi mn mo mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mmultiscripts"
    " mprescripts mtable mtr mtd mpadded mphantom mstyle menclose merror"
)
ELEMENTS = frozenset(_ELEMENT_NAMES.split())
# No style, class, href or colour: what is left can change a formula's shape only.
_ATTRIBUTE_NAMES = (
    "display displaystyle scriptlevel mathvariant stretchy fence separator largeop movablelimits accent accentunder"
    " symmetric form minsize maxsize lspace rspace linethickness width height depth voffset columnalign columnlines"
    " rowlines columnspacing rowspacing notation"
)
ATTRIBUTES = frozenset(_ATTRIBUTE_NAMES.split())
# Words and lengths of two digits: a formula cannot be laid over its neighbours.
ATTRIBUTE_VALUE = re.compile(
    r"(?:[a-z-]{1,24}|[+-]?\d{0,2}(?:\.\d{1,3})?(?:em|ex|px|pt|%)?)(?: (?:[a-z-]{1,24}|\d?\.?\d{0,3}(?:em|ex)))*"
)

_CLOSERS = {"$": "$", "$$": "$$", r"\(": r"\)", r"\[": r"\]"}
_BRACES = re.compile(r"\\.|[{}]", re.DOTALL)
_ENTITY = re.compile(r"&#x?[0-9A-Fa-f]+;|&[A-Za-z]+;")


def add_mathematics(md: MarkdownIt) -> None:
    md.inline.ruler.before("escape", "formula", formula_inline)
    md.block.ruler.before("fence", "formula", formula_block, {"alt": ["paragraph", "reference", "blockquote", "list"]})


def formula_inline(state: StateInline, silent: bool) -> bool:
    opener = _opener(state.src, state.pos)
    if not opener:
        return False
    start = state.pos + len(opener)
    end = _find_closer(state, opener, start)
    if end < 0:
        return False
    if not silent:
        token = state.push("formula_inline", "math", 0)
        token.content = state.src[start:end]
        token.markup = opener
    state.pos = end + len(_CLOSERS[opener])
    return True


def formula_block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    r"""A formula that begins a line with `$$` or `\[`, also over several lines, whose closer ends a line.

    Apart from the inline rule because lines that begin with `+`, `-` or `=` would be lists and headings.
    """
    begin = state.bMarks[start_line] + state.tShift[start_line]
    opener = state.src[begin : begin + 2]
    if state.is_code_block(start_line) or opener not in ("$$", r"\["):
        return False
    lines: list[str] = []
    length = 0
    for line in range(start_line, end_line):
        if line > start_line and (state.sCount[line] < state.blkIndent or state.isEmpty(line)):
            return False
        first = begin + 2 if line == start_line else state.bMarks[line] + state.tShift[line]
        content = state.src[first : state.eMarks[line]].rstrip()
        length += len(content)
        if length > LONGEST_FORMULA * 4:
            return False
        closed, _, after = content.partition(_CLOSERS[opener])
        lines.append(closed)
        if len(closed) < len(content):
            return not after and _push_block(state, start_line, line, opener, lines, silent)
    return False


def _push_block(
    state: StateBlock, start_line: int, last_line: int, opener: str, lines: list[str], silent: bool
) -> bool:
    source = "\n".join(lines).strip()
    if not source:
        return False
    if not silent:
        token = state.push("formula_block", "math", 0)
        token.block = True
        token.content = source
        token.markup = opener
        token.map = [start_line, last_line + 1]
        state.line = last_line + 1
    return True


def _opener(source: str, position: int) -> str:
    pair = source[position : position + 2]
    if pair in _CLOSERS:
        return pair
    return "$" if pair[:1] == "$" else ""


def _find_closer(state: StateInline, opener: str, start: int) -> int:
    """Where the formula ends, or -1. Prices are no formulas: "$5 or $10" has a space before the second sign."""
    closer = _CLOSERS[opener]
    # The same text is asked from many openers; what one search to the end has not found, none behind it will.
    hopeless = state.env.setdefault("formula_hopeless", {})
    if hopeless.get((id(state.src), closer), len(state.src) + 1) <= start:
        return -1
    if opener == "$" and (start >= state.posMax or isStrSpace(state.src[start])):
        return -1
    limit = min(state.posMax, start + LONGEST_FORMULA * 4)
    position = state.src.find(closer, start, limit)
    while position >= 0:
        if _closes(state, opener, start, position):
            return position
        position = state.src.find(closer, position + 1, limit)
    if limit == state.posMax:
        hopeless[(id(state.src), closer)] = start
    return -1


def _closes(state: StateInline, opener: str, start: int, position: int) -> bool:
    source = state.src
    if not source[start:position].strip() or _escaped(source, start, position):
        return False
    if opener != "$":
        return True
    following = source[position + 1 : position + 2]
    return not isStrSpace(source[position - 1]) and not following.isdigit() and following != "$"


def _escaped(source: str, start: int, position: int) -> bool:
    backslashes = 0
    while position - backslashes > start and source[position - backslashes - 1] == "\\":
        backslashes += 1
    return backslashes % 2 == 1


def render_formula(token: Token) -> str:
    """MathML, or the LaTeX source where it cannot be read."""
    display = token.type == "formula_block" or token.markup in ("$$", r"\[")
    mathml = to_mathml(token.content, display=display)
    if not mathml:
        mathml = f"<code>{escape(token.content)}</code>"
    return f"<p>{mathml}</p>\n" if token.type == "formula_block" else mathml


@lru_cache(maxsize=2048)
def to_mathml(source: str, *, display: bool) -> str:
    """The formula as MathML; empty where it is too long, too deep or no LaTeX."""
    if len(source) > LONGEST_FORMULA or _depth(source) > DEEPEST_BRACES:
        return ""
    try:
        tree = convert_to_element(source, display="block" if display else "inline")
        return _write(tree)
    except Exception:  # noqa: BLE001  (its errors have no common base: KeyError, IndexError and its own)
        return ""


def _depth(source: str) -> int:
    depth = deepest = 0
    for match in _BRACES.finditer(source):
        depth += {"{": 1, "}": -1}.get(match.group(), 0)
        deepest = max(deepest, depth)
    return deepest


def _write(element: Element) -> str:
    if element.tag not in ELEMENTS:
        raise ValueError(f"unexpected element {element.tag}")
    attributes = "".join(
        f' {name}="{escape(value)}"'
        for name, value in element.attrib.items()
        if name in ATTRIBUTES and ATTRIBUTE_VALUE.fullmatch(value)
    )
    # It writes symbols as entities into its tree, to be written without escaping.
    text = _ENTITY.sub(lambda entity: unescape(entity.group()), element.text or "")
    inner = escape(text, quote=False) + "".join(
        _write(child) + escape(child.tail or "", quote=False) for child in element
    )
    return f"<{element.tag}{attributes}>{inner}</{element.tag}>"

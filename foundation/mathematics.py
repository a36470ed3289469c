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
# How far a closer is looked for; a formula between the two limits is shown as its source.
LONGEST_SOURCE = 4_000
MOST_LINES = 40
DEEPEST_BRACES = 12
DEEPEST_ELEMENTS = 30
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

# Environments latex2mathml does not know, as one it does: rows with aligned columns, without numbers.
_ENVIRONMENT = re.compile(r"\\(begin|end)\{(?:aligned|alignat|gathered|gather|multline|eqnarray|equation)\*?\}")
ALIGNMENTS = frozenset({"left", "center", "right"})

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
    if state.src.find(_CLOSERS[opener], begin + 2, begin + LONGEST_SOURCE) < 0:
        return False
    lines: list[str] = []
    for line in range(start_line, min(end_line, start_line + MOST_LINES)):
        if line > start_line and (state.sCount[line] < state.blkIndent or state.isEmpty(line)):
            return False
        first = begin + 2 if line == start_line else state.bMarks[line] + state.tShift[line]
        content = state.src[first : state.eMarks[line]].rstrip()
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
    """Where the formula ends, or -1. The first closer decides, so that prices ("$5 or $10") are no formulas."""
    closer = _CLOSERS[opener]
    if opener == "$" and isStrSpace(state.src[start : start + 1] or " "):
        return -1
    limit = min(state.posMax, start + LONGEST_SOURCE)
    position = state.src.find(closer, start, limit)
    while position >= 0 and _escaped(state.src, start, position):
        position = state.src.find(closer, position + 1, limit)
    if position < 0 or not state.src[start:position].strip():
        return -1
    following = state.src[position + 1 : position + 2]
    if opener == "$" and (isStrSpace(state.src[position - 1]) or following.isdigit()):
        return -1
    return position


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
        tree = convert_to_element(_ENVIRONMENT.sub(r"\\\1{split}", source), display="block" if display else "inline")
        return _write(tree)
    except Exception:  # noqa: BLE001  (its errors have no common base: KeyError, IndexError and its own)
        return ""


def _depth(source: str) -> int:
    depth = deepest = 0
    for match in _BRACES.finditer(source):
        depth += {"{": 1, "}": -1}.get(match.group(), 0)
        deepest = max(deepest, depth)
    return deepest


def _write(element: Element, depth: int = 0) -> str:
    if element.tag not in ELEMENTS or depth > DEEPEST_ELEMENTS:
        raise ValueError(f"{element.tag} at depth {depth}")
    attributes = "".join(
        f' {name}="{escape(value)}"' for name, value in element.attrib.items() if may_keep(name, value)
    )
    if element.tag == "mtd" and element.get("columnalign") in ALIGNMENTS:
        # Chromium aligns cells of formulas by style alone.
        attributes += f' class="align-{element.get("columnalign")}"'
    # It writes symbols as entities into its tree, to be written without escaping.
    text = _ENTITY.sub(lambda entity: unescape(entity.group()), element.text or "")
    inner = "".join(_write(child, depth + 1) + escape(child.tail or "", quote=False) for child in element)
    return f"<{element.tag}{attributes}>{escape(text, quote=False)}{inner}</{element.tag}>"


def may_keep(attribute: str, value: str) -> bool:
    """Whether an attribute of a formula is harmless. `class` is not asked here: the sanitizer has a list of its own."""
    return attribute in ATTRIBUTES and len(value) <= 100 and ATTRIBUTE_VALUE.fullmatch(value) is not None

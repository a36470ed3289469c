"""Untrusted Markdown to HTML: a parser with HTML off, then a sanitizer; the page's CSP stands behind both.

Each layer is enough alone: `parse_markdown` writes no markup of the text's author, `sanitize` neutralizes any HTML.
Where both fail, no script of the text runs, and htmx does nothing that it asks for: see `set_apart`.
No images, no ids, no styles, no attribute that htmx or our scripts read. Only a caller that names files of our own may
have them shown, under the addresses that it gives; a text of a model never has such a caller.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import unquote

import nh3
from django.utils.crypto import salted_hmac
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from foundation import highlighting, mathematics
from foundation.text import clean_text

LONGEST_TEXT = 200_000
MOST_LINES = 10_000
DEEPEST_NESTING = 30
MOST_STEPS = 25_000
MOST_TOKENS = 50_000
LONGEST_HIGHLIGHTED = 20_000
LINK_RELATION = "nofollow noopener noreferrer ugc"
_ELEMENT_NAMES = "p br hr h3 h4 h5 h6 ul ol li blockquote pre code span strong em s del a table thead tbody tr th td"
HTML_ELEMENTS = frozenset(_ELEMENT_NAMES.split())

_ALIGN_CLASSES = {f"align-{side}" for side in mathematics.ALIGNMENTS}
_ABSOLUTE_LINK = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)
OWN_MEDIA = "media:"
_MEDIA_ATTRIBUTES = {"src", "controls", "preload", "aria-label"}


class TooIntricate(Exception):
    """More steps of the parser than any text takes that people read."""


@dataclass(frozen=True)
class OwnMedia:
    """A file of ours that a text may show: an image, an audio or a video at an address of this site."""

    kind: str
    address: str
    width: int | None = None
    height: int | None = None
    captions: str = ""


def render_markdown(text: str, media: Mapping[str, OwnMedia] | None = None) -> SafeString:
    """Untrusted Markdown, with code, tables and LaTeX, as HTML that may stand in a page.

    Text too long or nested too deeply is shown as it was written. `![words](media:name)` shows what `media` has under
    that name, and nothing else is ever loaded.
    """
    text = clean_text(text)
    if len(text) > LONGEST_TEXT or text.count("\n") > MOST_LINES:
        return plain(text)
    html = parse_markdown(text, media)
    if html is None:
        return plain(text)
    own = {address for each in (media or {}).values() for address in (each.address, each.captions) if address}
    cleaner = _make_cleaner(own) if media else _CLEANER
    return mark_safe(cleaner.clean(html))  # noqa: S308  (sanitized)


def shown_apart(text: str, media: Mapping[str, OwnMedia] | None = None) -> SafeString:
    """Untrusted Markdown as it stands in a page: the only way in which templates show one."""
    return set_apart(render_markdown(text, media), text=text) if text else SafeString()


def set_apart(html: SafeString, *, text: str) -> SafeString:
    """HTML made of a foreign text, where htmx looks at nothing.

    A text that closes the element around it does not get away: what stands before its end mark is foreign too
    (static/cardinal/js/foreign.js), and nobody can write that mark without the site's key.
    """
    mark = salted_hmac("foundation.markdown.set_apart", text).hexdigest()[:20]
    return format_html(
        '<div class="foreign" hx-disable data-foreign="{}">{}</div><i hidden data-foreign-end="{}"></i>',
        mark,
        html,
        mark,
    )


def plain(text: str) -> SafeString:
    return mark_safe(f'<pre class="plain">{escape(text)}</pre>')  # noqa: S308  (escaped)


def parse_markdown(text: str, media: Mapping[str, OwnMedia] | None = None) -> str | None:
    """The first layer: HTML whose every tag is ours, or None where the text is more intricate than anyone writes."""
    env: dict[str, Any] = {"media": media or {}}
    parser = _WITH_MEDIA if media else _MARKDOWN
    try:
        tokens = parser.parse(text, env)
    except TooIntricate:
        return None
    if any(_too_deep(token) for token in tokens):
        return None
    return str(parser.renderer.render(tokens, parser.options, env))


def sanitize(html: str) -> str:
    """The second layer: any HTML, less all that is not on the list."""
    return _CLEANER.clean(html)


def _count_step(state: StateInline | StateBlock, *args: Any) -> bool:
    """A rule that never matches: some texts keep the parser busy for seconds, so its steps are counted."""
    state.env["steps"] = steps = state.env.get("steps", 0) + 1
    if steps > MOST_STEPS:
        raise TooIntricate
    return False


def _count_tokens(state: StateCore) -> None:
    """Between blocks and their contents: a table's short rows are filled up with empty cells."""
    if len(state.tokens) > MOST_TOKENS:
        raise TooIntricate


def _too_deep(token: Token) -> bool:
    if token.level >= DEEPEST_NESTING - 1:
        return True
    return any(child.level >= DEEPEST_NESTING - 1 for child in token.children or ())


class MessageRenderer(RendererHTML):
    """What differs from the parser's own: links, images, code, headings, formulas."""

    def heading_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return f"<{_heading(tokens[idx])}>"

    def heading_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return f"</{_heading(tokens[idx])}>\n"

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        address = str(tokens[idx].attrGet("href") or "")
        env["inside_link"] = not address.startswith(OWN_MEDIA)
        return _link(address) if env["inside_link"] else ""

    def link_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        was_link, env["inside_link"] = env.get("inside_link"), False
        return "</a>" if was_link else ""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A link in words: loading an image would tell its server who reads. A file of ours is shown."""
        token = tokens[idx]
        alt = self.renderInlineAsText(token.children or [], options, env)
        address = str(token.attrGet("src") or "")
        if address.startswith(OWN_MEDIA):
            return _own_media(env["media"].get(unquote(address.removeprefix(OWN_MEDIA))), alt)
        label = escape(f"{gettext('image')}: {alt}" if alt else gettext("image"))
        if env.get("inside_link"):
            return label
        return f"{_link(address)}{label}</a>"

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        language = token.info.strip().split(maxsplit=1)[0].lower() if token.info.strip() else ""
        spent = env.get("highlighted", 0) + len(token.content)
        if language not in highlighting.LANGUAGES or spent > LONGEST_HIGHLIGHTED:
            return f"<pre><code>{escape(token.content)}</code></pre>\n"
        env["highlighted"] = spent
        return f"<pre><code>{highlighting.highlight(token.content, language)}</code></pre>\n"

    def formula_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        env["formulas"] = env.get("formulas", 0) + 1
        if env["formulas"] > mathematics.FORMULAS_PER_TEXT:
            return f"<code>{escape(tokens[idx].content)}</code>"
        return mathematics.render_formula(tokens[idx])

    formula_block = formula_inline


def _heading(token: Token) -> str:
    # The page has an h1 and the response a heading of its own: the text's outline begins below.
    return f"h{min(6, int(token.tag[1]) + 2)}"


def _link(address: str) -> str:
    return f'<a href="{escape(address)}" rel="{LINK_RELATION}" target="_blank">'


def _own_media(media: OwnMedia | None, alt: str) -> str:
    if media is None:
        return escape(f"{gettext('image')}: {alt}" if alt else gettext("image"))
    address, words = escape(media.address), escape(alt)
    if media.kind in ("audio", "video"):
        said = f'<track kind="captions" src="{escape(media.captions)}" label="{escape(gettext("Captions"))}">'
        inside = said if media.captions else ""
        return f'<{media.kind} controls preload="metadata" src="{address}" aria-label="{words}">{inside}</{media.kind}>'
    size = f' width="{media.width}" height="{media.height}"' if media.width and media.height else ""
    return f'<img src="{address}" alt="{words}"{size}>'


def _align_by_class(state: StateCore) -> None:
    """The parser aligns by inline style, which a strict CSP forbids."""
    for token in state.tokens:
        if token.type in ("th_open", "td_open") and "style" in token.attrs:
            side = str(token.attrs.pop("style")).partition(":")[2].strip()
            if side in mathematics.ALIGNMENTS:
                token.attrs["class"] = f"align-{side}"


def _may_be_linked(url: str) -> bool:
    return bool(_ABSOLUTE_LINK.match(url))


def _may_be_linked_or_shown(url: str) -> bool:
    return url.startswith(OWN_MEDIA) or _may_be_linked(url)


def _make_parser(may_be_linked: Callable[[str], bool] = _may_be_linked) -> MarkdownIt:
    options = {"html": False, "maxNesting": DEEPEST_NESTING}
    md = MarkdownIt("commonmark", options, renderer_cls=MessageRenderer).enable(["table", "strikethrough"])
    md.validateLink = may_be_linked  # type: ignore[method-assign, assignment]
    md.core.ruler.after("block", "count_tokens", _count_tokens)
    md.core.ruler.push("align_by_class", _align_by_class)
    mathematics.add_mathematics(md)
    md.inline.ruler.before("text", "count_step", _count_step)
    md.block.ruler.before("table", "count_step", _count_step)
    return md


def _keep_attribute(tag: str, name: str, value: str) -> str | None:
    if tag in mathematics.ELEMENTS and name != "class" and not mathematics.may_keep(name, value):
        return None
    return value


def _make_cleaner(own: Collection[str] = ()) -> nh3.Cleaner:
    """With addresses of ours, images and players at exactly these may stay."""

    def keep(tag: str, name: str, value: str) -> str | None:
        if name == "src":
            return value if value in own else None
        if name == "href" and tag == "a" and not _may_be_linked(value):
            return None
        return _keep_attribute(tag, name, value)

    shown = {"img": {"src", "alt", "width", "height"}, "audio": _MEDIA_ATTRIBUTES, "video": _MEDIA_ATTRIBUTES}
    shown["track"] = {"kind", "src", "label"}
    media = shown if own else {}
    return nh3.Cleaner(
        tags=set(HTML_ELEMENTS | mathematics.ELEMENTS | media.keys()),
        clean_content_tags={"script", "style", "template", "iframe", "object", "noscript", "textarea", "title"},
        attributes={
            "*": set(),  # its default would keep title and lang everywhere
            "a": {"href"},
            "ol": {"start"},
            **{tag: set(mathematics.ATTRIBUTES) for tag in mathematics.ELEMENTS},
            **media,
        },
        allowed_classes={
            "span": set(highlighting.CLASSES),
            "th": _ALIGN_CLASSES,
            "td": _ALIGN_CLASSES,
            "mtd": _ALIGN_CLASSES,
        },
        attribute_filter=keep if own else _keep_attribute,
        url_schemes={"http", "https", "mailto"},
        url_relative="pass_through" if own else "deny",
        link_rel=LINK_RELATION,
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )


_MARKDOWN = _make_parser()
_WITH_MEDIA = _make_parser(_may_be_linked_or_shown)
_CLEANER = _make_cleaner()

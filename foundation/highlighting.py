"""Code with a class for each kind of word: seven kinds, one colour each, instead of pygments' eighty."""

from collections.abc import Iterable
from functools import lru_cache
from html import escape
from itertools import groupby

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Name, Number, Operator, String, _TokenType

# Languages people ask models for. A closed list: each lexer is a set of regular expressions run on untrusted text.
_LANGUAGE_NAMES = (
    "awk bash c c++ clojure cpp cs csharp css dart diff docker dockerfile elixir erlang fortran go golang graphql"
    " haskell hs html ini java javascript js json jsx julia kotlin latex lua make makefile matlab nginx nix objective-c"
    " ocaml perl php powershell prolog protobuf ps1 py python python3 r rb ruby rs rust scala scheme sh shell sql swift"
    " tex toml ts tsx typescript vim xml yaml yml zig zsh"
)
LANGUAGES = frozenset(_LANGUAGE_NAMES.split())

KINDS: dict[_TokenType, str] = {
    Comment: "comment",
    Generic.Deleted: "deleted",
    Generic.Inserted: "inserted",
    Generic.Heading: "keyword",
    Generic.Subheading: "keyword",
    Keyword: "keyword",
    Name.Attribute: "name",
    Name.Builtin: "name",
    Name.Class: "name",
    Name.Decorator: "name",
    Name.Exception: "name",
    Name.Function: "name",
    Name.Tag: "name",
    Keyword.Type: "name",
    Number: "number",
    Operator.Word: "keyword",
    String: "string",
}
CLASSES = frozenset(f"code-{kind}" for kind in KINDS.values())


def highlight(source: str, language: str) -> str:
    """`source` escaped, its words in spans. `language` is one of `LANGUAGES`."""
    words = ((_class_of(kind), word) for kind, word in _lexer(language).get_tokens(source))
    return "".join(_write(name, (word for _, word in run)) for name, run in groupby(words, key=lambda item: item[0]))


def _write(name: str, words: Iterable[str]) -> str:
    text = escape("".join(words), quote=False)
    return f'<span class="{name}">{text}</span>' if name else text


@lru_cache(maxsize=512)
def _class_of(kind: _TokenType) -> str:
    """The nearest kind above it in pygments' tree that has a colour."""
    ancestor: _TokenType | None = kind
    while ancestor is not None:
        if ancestor in KINDS:
            return f"code-{KINDS[ancestor]}"
        ancestor = ancestor.parent
    return ""


@lru_cache(maxsize=len(LANGUAGES))
def _lexer(language: str) -> Lexer:
    return get_lexer_by_name(language, stripnl=False, ensurenl=False)

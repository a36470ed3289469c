"""Text as the rules about its words read it: without case, accents, emphasis and quotation marks."""

import re
import unicodedata

from inference_workers.policies.lookalikes import is_invisible

_MARKS = dict.fromkeys(map(ord, '*_`"“”„«»「」『』<>#'))


def plain_text(text: str) -> str:
    whole = unicodedata.normalize("NFKD", text).casefold().translate(_MARKS).replace("’", "'")
    whole = "".join(character for character in whole if not is_invisible(character))
    return re.sub(r"[^\S\n]+", " ", whole)


def plain_pattern(pattern: str) -> re.Pattern[str]:
    """A pattern over plain text may be written with accents; its letters are small ones."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", pattern) if not unicodedata.combining(c))
    return re.compile(bare)

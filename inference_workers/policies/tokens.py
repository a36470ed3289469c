"""Tokens of chat templates, of any family: they say how a model was trained."""

import re

# What stands between bars in angle or square brackets is a token of somebody, also of families nobody has met.
TOKEN = re.compile(
    r"<[|｜][^\s<>|｜]{1,48}[|｜]>"
    r"|\[\|[A-Za-z_]{1,24}\|\]"
    r"|<<?/?SYS>>?|\[/?(?:INST|SYS|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|PREFIX|SUFFIX)\]"
    r"|\[(?:g|s)?MASK\]|<(?:sop|eop|bos|eos|pad|unk|mask)>"
    r"|<(?:start|end)_of_(?:turn|image|role|text)>|<fim_(?:prefix|suffix|middle|pad)>"
    r"|<(?:unused|extra_id_|reserved_|special_|SPECIAL_|extra_)\d{1,4}>|<0x[0-9A-F]{2}>"
    r"|</?tool_(?:call|response)>|<(?:file_sep|repo_name|gh_stars|issue_start|commit_before|empty_output)>"
    r"|\]~!?b\[?\]?|\[e~\["
)
# The end of a text that may still become one.
OPEN = re.compile(r"(?:<[^\s<>]{0,52}|<<[^\s<>]{0,6}>?|\[[^\s\[\]]{0,26}|\]~?!?b?\[?|\[e~?)$")


def find_token(text: str) -> int:
    """Where the first token begins, or -1."""
    found = TOKEN.search(text) if _may_hold(text) else None
    return found.start() if found else -1


def open_token(text: str) -> int:
    """Where the end of `text` may have begun a token; the text's length where it has not."""
    found = OPEN.search(text) if _may_hold(text) else None
    return found.start() if found else len(text)


def _may_hold(text: str) -> bool:
    return "<" in text or "[" in text or "]" in text

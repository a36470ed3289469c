"""Chat messages as they are compared."""

import json
from collections.abc import Sequence

Message = dict[str, str]


def canonical_messages(messages: Sequence[Message]) -> str:
    return json.dumps(list(messages), sort_keys=True, ensure_ascii=False, separators=(",", ":"))

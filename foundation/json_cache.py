"""How what is kept in Redis is written there: as JSON, which runs nothing when it is read."""

import json
from datetime import datetime
from typing import Any


class JSONSerializer:
    """A moment becomes a text. NaN is refused: other readers of JSON would not know it."""

    def dumps(self, value: Any) -> bytes:
        return json.dumps(value, default=_text, allow_nan=False, separators=(",", ":")).encode()

    def loads(self, data: bytes) -> Any:
        return json.loads(data)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not kept as JSON")

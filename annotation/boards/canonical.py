"""One text for one standing, so that two computations can be compared byte for byte."""

import json
from collections.abc import Mapping
from hashlib import sha256
from math import isfinite
from typing import Any

import numpy as np

# Of a number, this many decimals are kept.
DECIMALS = 6


def plain(value: Any) -> Any:
    """Dicts, lists, texts and numbers alone: keys are texts, floats are rounded, what is not finite is null."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        # Adding zero turns -0.0 into 0.0.
        return round(value, DECIMALS) + 0.0 if isfinite(value) else None
    return value


def canonical_json(value: Any) -> str:
    """JSON of a plain value with sorted keys and no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_of(value: Any) -> str:
    """SHA-256 of the canonical JSON, in hex."""
    return sha256(canonical_json(value).encode()).hexdigest()

"""What is posted for marked pieces, and what becomes of it."""

import json
from hashlib import sha256

from tests.annotation.questions.cases import Case


def spans() -> Case:
    mark = {"start": 0, "end": 5, "kind": "wrong", "severity": "major", "category": "fact"}
    return Case(
        {"categories": ["fact"]},
        posts=lambda shown: {"q": json.dumps([{"response": shown.order.index(0), **mark}])},
        stored=lambda shown: {
            "marks": [{"response": shown.order.index(0), **mark, "sha256": sha256(b"First").hexdigest()}]
        },
        columns=lambda shown: {"scores": shown.by([-5.0, 0.0])},
        exported=lambda shown: {
            **{"spans_given": True, "spans_response": [shown.order.index(0)], "spans_start": [0], "spans_end": [5]},
            **{"spans_kind": ["wrong"], "spans_severity": ["major"], "spans_category": ["fact"]},
        },
    )


CASES = {
    "": spans(),
}

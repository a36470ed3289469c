"""Methods that read more than a preference: what it is worth, and whether it would be taken at all."""

from annotation.boards.level import level_of
from annotation.boards.methods.evidence import FEW_VOTES, Board, Evidence, in_order, row, warned
from annotation.enums import Method
from annotation.ratings import BOTH_BAD_VOTE


def worth(evidence: Evidence) -> Board:
    """The worths of the snapshot itself, which are of the same votes: in an order of their own."""
    block = dict(evidence.worth or {})
    priced = [entry for entry in evidence.entries if entry["worth"]]
    rows = []
    for entry in priced:
        own = entry["worth"]
        others = [each["worth"] for each in priced if each is not entry]
        rows.append(
            row(
                entry["contestant"],
                1 + sum(each["value"] > own["value"] for each in others),
                value=own["value"],
                lower=own["lower"],
                upper=own["upper"],
                low=1 + sum(_is_above(each, own) for each in others),
                high=1 + len(others) - sum(_is_above(own, each) for each in others),
            )
        )
    answers = int(block.get("answers_used") or block.get("answered") or 0)
    diagnostics = {
        "answers": answers,
        "people": block.get("people"),
        "response_rate": block.get("response_rate"),
        "tail_share": block.get("tail_share"),
    }
    warnings = warned(answers, block.get("people"), block.get("notes", ()))
    return Board(in_order(rows), "worth", diagnostics, warnings + ["heavy_tailed"] * bool(block.get("heavy_tailed")))


def _is_above(one: dict[str, float], other: dict[str, float]) -> bool:
    """By intervals that do not meet, which is more careful than a test of the difference."""
    return one["lower"] is not None and other["upper"] is not None and one["lower"] > other["upper"]


def outside_option(evidence: Evidence) -> Board:
    """Chances that a response alone would be taken, in their own order."""
    found = level_of(evidence.pairs) or {"entries": [], "answers": 0}
    entries = found["entries"]
    rows = [
        row(
            each["contestant"],
            1 + sum(other["chance"] > each["chance"] for other in entries),
            value=each["chance"],
            lower=0.0 if each["lower"] is None else each["lower"],
            upper=1.0 if each["upper"] is None else each["upper"],
            low=1 + sum((other["lower"] or 0.0) > _upper(each) for other in entries),
            high=len(entries) - sum((each["lower"] or 0.0) > _upper(other) for other in entries),
            side=each["side"],
        )
        for each in entries
    ]
    fitted = evidence.pairs.fitted(Method.BT_HALF)
    asked = fitted & (evidence.pairs.acceptable_a >= 0) & (evidence.pairs.acceptable_b >= 0)
    diagnostics = {
        "answers": found["answers"],
        "neither_share": float(evidence.pairs.neither[asked].mean()) if asked.any() else None,
    }
    warnings = ["few_votes"] * (found["answers"] < FEW_VOTES)
    bad = evidence.pairs.preference == BOTH_BAD_VOTE
    warnings += ["only_imported_bad"] * bool((bad & ~asked).any())
    return Board(in_order(rows), "chance", diagnostics, warnings)


def _upper(entry: dict[str, float | None]) -> float:
    return 1.0 if entry["upper"] is None else entry["upper"]

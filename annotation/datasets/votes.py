"""The votes view: every standing judgment as it was given, with what was shown, how it was drawn and who wrote it."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import F

from annotation.datasets.contents import Content, Readable, Said, Speakers, read_contents
from annotation.datasets.schemas import VOTES
from annotation.datasets.scope import Scope
from annotation.datasets.splits import split_of
from annotation.enums import SourceKind

PAGE = 2000
# Columns of the row that are columns of the judgment or of what it hangs on.
TAKEN = {
    "sequence": "log_entry__sequence",
    "item": "item_id",
    "respondent": "respondent__pseudonym",
    "respondent_kind": "respondent__kind",
    "groups": "respondent__groups",
    "source": "source__name",
    "source_kind": "source__kind",
    "instrument": "instrument__number",
    "guidelines": "guidelines__number",
    "questions_asked": "impression__questions_asked",
    "shown_at": "impression__shown_at",
    "policy": "impression__policy",
    "policy_version": "impression__policy_version",
    "policy_parameters": "impression__parameters",
    "candidate_count": "impression__candidate_count",
    "seed": "impression__seed",
    "floor": "impression__floor",
    **{f"{what}_design": f"impression__{what}_design" for what in ("pair", "side", "prompt", "questions")},
    **{f"p_{what}": f"impression__p_{what}" for what in ("pair", "side", "prompt", "questions")},
    **{
        name: name
        for name in (
            *("order", "contestants", "answers", "preference", "strength", "strength_scale", "acceptable"),
            *("amount_low", "amount_high", "net_utility", "currency", "amount_mode", "incentive", "tiers"),
            *("rendered_at", "first_touch_at", "submitted_at", "active_ms", "device_class"),
        )
    },
}
# Columns that say nothing where they are empty text.
BLANK_IS_NULL = ("preference", "currency", "amount_mode", "incentive", "device_class", "policy", "policy_version")
AMOUNTS = ("amount_low", "amount_high", "net_utility")


class VotesView:
    """Free text that people wrote about responses stays out; what was asked and answered by models is in."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._speakers = Speakers()
        self.schema = VOTES
        self.dropped: Counter[str] = Counter()

    def pages(self) -> Iterator[list[dict[str, Any]]]:
        last = 0
        taken = self._scope.judgments().order_by("log_entry__sequence").annotate(sequence=F("log_entry__sequence"))
        while True:
            page = list(taken.filter(sequence__gt=last).values_list(*TAKEN.values())[:PAGE])
            if not page:
                return
            judgments = [dict(zip(TAKEN, values, strict=True)) for values in page]
            last = judgments[-1]["sequence"]
            yield self._rows(judgments)

    def _rows(self, judgments: list[dict[str, Any]]) -> list[dict[str, Any]]:
        contents = read_contents({judgment["item"] for judgment in judgments})
        self._speakers.get(pk for judgment in judgments for pk in judgment["contestants"])
        return [self._row(judgment, contents[judgment["item"]]) for judgment in judgments]

    def _row(self, judgment: dict[str, Any], content: Content) -> dict[str, Any]:
        contestants: Sequence[int | None] = judgment.pop("contestants")
        responses = [
            self._response(position, pk, content.turns.get(position, []))
            for position, pk in zip(judgment["order"], contestants, strict=True)
        ]
        row = {
            "id": f"{self._scope.campaign.slug}-{judgment['sequence']}",
            "prompt_cluster": content.cluster,
            "split": split_of(content.cluster),
            "language": content.language,
            "category": content.category,
            "flags": content.flags,
            "prompt": content.prompt.messages if content.prompt.readable is Readable.YES else None,
            "follow_ups": [each.messages for each in content.follow_ups],
            "models": [response["model"] for response in responses],
            "responses": responses,
            "simulated": judgment["source_kind"] == SourceKind.SIMULATION,
            **judgment,
            "answers": canonical(judgment["answers"]),
            "policy_parameters": canonical(judgment["policy_parameters"]),
        }
        row |= {name: row[name] or None for name in BLANK_IS_NULL}
        row |= {name: None if row[name] is None else float(row[name]) for name in AMOUNTS}
        return row

    def _response(self, position: int, contestant: int | None, turns: Sequence[Said]) -> dict[str, Any]:
        said = [{"kind": turn.kind, "text": turn.text, **turn.provenance} for turn in turns]
        if contestant is None:
            return {"position": position, "model": None, "kind": None, "turns": said}
        speaker = self._speakers.get([contestant])[contestant]
        return {
            "position": position,
            "model": speaker.name,
            "kind": speaker.kind,
            "system_prompt": speaker.system_prompt or None,
            **speaker.columns,
            "turns": said,
        }


def canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

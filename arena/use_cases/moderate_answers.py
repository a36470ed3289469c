from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from annotation.models import Turn
from arena.enums import JudgedText, ModerationState, Silence
from arena.models import Battle, Moderation, Moderator
from arena.queries.moderation import moderator_of
from arena.use_cases.ask_models import read_completion
from arena.use_cases.moderate import decide, end_moderation, show_to
from inference_workers.enums import Output
from inference_workers.models import CompletionFile
from inference_workers.queries.measures import has_failed


def moderate_answers(battle: Battle, turns: Iterable[Turn], now: datetime) -> dict[Any, Moderation]:
    """What the moderation model says of the turns' completions, by their ids, in the caller's transaction: those that
    it was not shown are shown to it now, and nobody waits. Empty where the arena has no such model."""
    moderator = moderator_of(battle.arena)
    if moderator is None:
        return {}
    of = {turn.job.pk: turn for turn in turns}
    known = {row.completion_id: row for row in Moderation.objects.filter(completion__in=of)}
    person = battle.assignment.respondent.person
    for pk, turn in of.items():
        text, seen = read_completion(turn.job), _seen(moderator, turn)
        if pk not in known and person is not None and (text.strip() or seen):
            about = {"about": JudgedText.ANSWER, "battle": battle, "completion": turn.job}
            known[pk] = show_to(moderator, text, person, now, seen=seen, **about)
    for row in known.values():
        if row.state == ModerationState.ASKED:
            late = row.asked_at + timedelta(seconds=moderator.wait_seconds) <= now
            failed = has_failed(row.revision_id, row.digest)
            decide(row, moderator, at=now, if_silent=Silence.FAILED if failed else Silence.LATE if late else None)
    return known


def _seen(moderator: Moderator, turn: Turn) -> dict[str, str]:
    """An answer that is an image, where the model takes images; sounds and films it is not shown."""
    file: CompletionFile | None = getattr(turn.job, "file", None)
    looks = moderator.takes_images and file is not None and file.kind == Output.IMAGE
    return {"answer": str(turn.job.pk)} if looks else {}


def drop_moderations(*, now: datetime, limit: int = 500) -> int:
    """Of battles that have ended without it, and of arenas that have no such model any more."""
    gone = Moderation.objects.filter(state=ModerationState.ASKED, asked_at__lt=now - timedelta(minutes=1))
    rows = list(gone.order_by("pk")[:limit])
    for row in rows:
        end_moderation(row, ModerationState.DROPPED, now)
    return len(rows)

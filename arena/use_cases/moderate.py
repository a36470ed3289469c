"""What is shown to an arena's moderation model, and what becomes of it."""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts.files import remove_personal_file, write_personal_file
from accounts.models import Person
from annotation.models import Respondent
from arena.enums import JudgedText, ModerationState, OnSilence, Silence
from arena.models import Arena, Battle, Moderation, Moderator
from arena.policies import classes_beyond
from arena.queries.moderation import moderator_of, silent_lately
from arena.transitions import MODERATION
from foundation.media.anew import NewPicture
from foundation.transitions import check
from inference_workers.dispatch import cancel_completion, measure_digest, request_measures
from inference_workers.enums import CompletionState, Priority, Task
from inference_workers.models import Completion
from inference_workers.queries.measures import has_failed, scores_of

# How often a waiting page looks whether the answer is there, in seconds.
LOOK_EVERY = 0.1
CANCELLABLE = (CompletionState.QUEUED, CompletionState.RUNNING)


def moderate(
    texts: Iterable[str],
    *,
    arena: Arena,
    person: Person,
    about: JudgedText,
    now: datetime,
    battle: Battle | None,
    picture: NewPicture | None = None,
) -> Sequence[Moderation]:
    """Show what a visitor wrote to the arena's moderation model, where it has one, the first text with the picture that
    is to go with it, where it takes any; and wait for what it says, but not for longer than the arena's setting. Each
    is decided when this returns, and the picture gone. Outside of transactions: workers have to see what is asked.
    """
    moderator, said = moderator_of(arena), [text for text in texts if text.strip()]
    if moderator is None or not said:
        return ()
    respondent = Respondent.objects.filter(campaign=arena.campaign_id, person=person).first()
    about_it: dict[str, Any] = {"about": about, "battle": battle, "respondent": respondent}
    spared = silent_lately(arena, now=now)
    beside = picture if moderator.takes_images and arena.takes_images else None
    with transaction.atomic():
        first = show_to(moderator, said[0], person, now, **about_it, **_kept(person, beside))
        asked = [first, *(show_to(moderator, text, person, now, **about_it) for text in said[1:])]
    waited = _wait(asked, 0.0 if spared else float(moderator.wait_seconds))
    for each in asked:
        decide(each, moderator, at=now + timedelta(seconds=waited), if_silent=_why(each, spared=spared))
    return asked


def _kept(person: Person, picture: NewPicture | None) -> dict[str, Any]:
    """For the workers to open, until the row has ended."""
    if picture is None:
        return {}
    size = {"width": picture.width, "height": picture.height}
    kept = write_personal_file(person=person, content=picture.content, content_type=picture.content_type, **size)
    return {"seen": {"picture": str(kept.pk)}, "picture": kept}


def show_to(
    moderator: Moderator,
    text: str,
    person: Person,
    now: datetime,
    *,
    seen: Mapping[str, str] | None = None,
    **about: Any,
) -> Moderation:
    """Ask the model about a text, or what is `seen` with it or alone; the row is what waits for its measure."""
    revision, chat = moderator.language_model.serves, [{"role": "user", "content": text, **(seen or {})}]
    row = Moderation.objects.create(
        arena_id=moderator.arena_id,
        revision=revision,
        digest=measure_digest(Task.CLASSES, chat, person),
        limits=moderator.limits,
        with_picture=bool(seen),
        asked_at=now,
        **about,
    )
    request_measures(revision=revision, chats=[chat], person=person, priority=Priority.VISITOR)
    return row


def _wait(asked: Sequence[Moderation], seconds: float) -> float:
    """Until all have an answer, one has failed, or the time is over; returns the seconds that it took. Nothing of the
    database is held meanwhile."""
    began = time.monotonic()
    until = began + seconds
    revision, digests = asked[0].revision_id, {each.digest for each in asked}
    while len(scores_of(revision, digests)) < len(digests):
        if time.monotonic() >= until or any(has_failed(revision, digest) for digest in digests):
            break
        if not connection.in_atomic_block:
            connection.close()
        time.sleep(min(LOOK_EVERY, max(until - time.monotonic(), 0.0)))
    return time.monotonic() - began


def _why(row: Moderation, *, spared: bool) -> Silence:
    if has_failed(row.revision_id, row.digest):
        return Silence.FAILED
    return Silence.SPARED if spared else Silence.LATE


def decide(row: Moderation, moderator: Moderator, *, at: datetime, if_silent: Silence | None) -> None:
    """By the scores, where they are there; else, where nobody waits for them any longer, by the arena's setting."""
    scores = scores_of(row.revision_id, [row.digest]).get(row.digest)
    if scores is not None:
        row.scores = {name: round(score, 3) for name, score in scores.items()}
        row.found = classes_beyond(scores, row.limits)
        end_moderation(row, ModerationState.STOPPED if row.found else ModerationState.PASSED, at)
    elif if_silent is not None:
        row.silence = if_silent
        lets = moderator.on_silence == OnSilence.LET_THROUGH
        end_moderation(row, ModerationState.LET_THROUGH if lets else ModerationState.HELD_BACK, at)


def end_moderation(row: Moderation, state: ModerationState, at: datetime) -> None:
    """Raises ForbiddenTransition where it has ended."""
    check(MODERATION, row.state, state)
    row.state, row.ended_at = state, at
    kept, row.picture = row.picture_id, None
    with transaction.atomic():
        row.save(update_fields=["state", "scores", "found", "silence", "ended_at", "picture"])
        if kept is not None:
            _forget(row, kept)


def _forget(row: Moderation, kept: UUID) -> None:
    """The picture, and the question about it where nobody has answered that."""
    remove_personal_file(kept)
    waiting = Completion.objects.filter(revision=row.revision_id, digest=row.digest, state__in=CANCELLABLE)
    for pk in waiting.values_list("pk", flat=True):
        cancel_completion(pk)

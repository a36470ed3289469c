"""What is shown to an arena's moderation model, and what becomes of it."""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from accounts.models import Person
from annotation.models import Respondent
from arena.enums import JudgedText, ModerationState, OnSilence, Silence
from arena.models import Arena, Battle, Moderation, Moderator
from arena.policies import classes_beyond
from arena.queries.moderation import moderator_of, silent_lately
from arena.transitions import MODERATION
from foundation.transitions import check
from inference_workers.dispatch import measure_digest, request_measures
from inference_workers.enums import Priority, Task
from inference_workers.queries.measures import has_failed, scores_of

# How often a waiting page looks whether the answer is there, in seconds.
LOOK_EVERY = 0.1


def moderate(
    texts: Iterable[str], *, arena: Arena, person: Person, about: JudgedText, now: datetime, battle: Battle | None
) -> Sequence[Moderation]:
    """Show what a visitor wrote to the arena's moderation model, where it has one, and wait for what it says, but not
    for longer than the arena's setting. Each is decided when this returns. Outside of transactions: workers have to see
    what is asked of them.
    """
    moderator, said = moderator_of(arena), [text for text in texts if text.strip()]
    if moderator is None or not said:
        return ()
    respondent = Respondent.objects.filter(campaign=arena.campaign_id, person=person).first()
    about_it = {"about": about, "battle": battle, "respondent": respondent}
    spared = silent_lately(arena, now=now)
    asked = [show_to(moderator, text, person, now, **about_it) for text in said]
    waited = _wait(asked, 0.0 if spared else float(moderator.wait_seconds))
    for each in asked:
        decide(each, moderator, at=now + timedelta(seconds=waited), if_silent=_why(each, spared=spared))
    return asked


def show_to(moderator: Moderator, text: str, person: Person, now: datetime, **about: Any) -> Moderation:
    """Ask the model about a text; the row is what waits for its measure."""
    revision, chat = moderator.language_model.serves, [{"role": "user", "content": text}]
    row = Moderation.objects.create(
        arena_id=moderator.arena_id,
        revision=revision,
        digest=measure_digest(Task.CLASSES, chat, person),
        limits=moderator.limits,
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
    row.save(update_fields=["state", "scores", "found", "silence", "ended_at"])

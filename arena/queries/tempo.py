"""How fast the models of an arena have been, and so how fast all its battles are shown."""

import redis
from django.core.cache import cache
from django.db import connection

from arena.lockstep import Speed, Tempo

SECONDS_KEPT = 60

# Of the latest answers of a day; a model that has answered twice says little yet.
SPEEDS = """
SELECT
    percentile_cont(0.8) WITHIN GROUP (ORDER BY c.first_token_seconds),
    percentile_cont(0.2) WITHIN GROUP (ORDER BY c.completion_tokens / (c.total_seconds - c.first_token_seconds))
FROM (
    SELECT id, revision_id, completion_tokens, first_token_seconds, total_seconds FROM inference_workers_completion
    WHERE state = 'succeeded' AND finished_at > now() - interval '1 day' ORDER BY finished_at DESC LIMIT 2000
) c
JOIN annotation_turn t ON t.completion_id = c.id
JOIN annotation_response r ON r.id = t.response_id
JOIN arena_battle b ON b.item_id = r.item_id
WHERE b.arena_id = %(arena)s AND c.completion_tokens >= 16 AND c.total_seconds > c.first_token_seconds + 0.1
GROUP BY c.revision_id HAVING count(*) >= 3
"""


def speeds(arena_id: int) -> list[Speed]:
    """One for each revision that has answered here lately, told as on its slower days."""
    with connection.cursor() as cursor:
        cursor.execute(SPEEDS, {"arena": arena_id})
        return [Speed(*row) for row in cursor.fetchall()]


def common_tempo(arena_id: int) -> Tempo:
    """A minute old at most. Where Redis is away it is computed each time: streams then live on the rows."""
    try:
        kept: Tempo | None = cache.get_or_set(
            f"arena-tempo:{arena_id}", lambda: Tempo.of(speeds(arena_id)), SECONDS_KEPT
        )
    except redis.RedisError:
        kept = None
    return Tempo.of(speeds(arena_id)) if kept is None else kept

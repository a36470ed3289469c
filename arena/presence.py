"""Who reads a battle while its models answer. Redis knows; where it is away or forgot everything, nobody has left."""

from typing import Any
from uuid import UUID

import redis
import structlog

from inference_workers.streams import sync_client

log = structlog.get_logger(__name__)

# How long a reader may be out of reach, say behind a lost network, before the battle counts as left.
SECONDS = 30
RENEW_SECONDS = 10.0
# A battle is left when a second look finds nobody either: streams that Redis kept waiting have said in between that
# their readers are there.
SECOND_LOOK_AFTER = 10
# Battles that had a reader, each with the second at which a look found none; 0 for none.
READ = "battles:read"
FORGOTTEN_AFTER = 3600


def _key(battle_id: UUID | str) -> str:
    return f"battle:{battle_id}:reader"


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def note_reader(battle_id: UUID) -> None:
    """Somebody reads it; to be said again every RENEW_SECONDS. Never raises for a fault of Redis."""
    try:
        pipeline = sync_client().pipeline(transaction=False)
        pipeline.set(_key(battle_id), 1, ex=SECONDS)
        pipeline.hset(READ, str(battle_id), 0)
        pipeline.expire(READ, FORGOTTEN_AFTER)
        pipeline.execute()
    except redis.RedisError as error:
        log.warning("reader_not_noted", error=type(error).__name__)


def forget_reader(battle_id: UUID) -> None:
    """Nothing is waited for any more, so nobody can leave. Never raises for a fault of Redis."""
    try:
        pipeline = sync_client().pipeline(transaction=False)
        pipeline.hdel(READ, str(battle_id))
        pipeline.delete(_key(battle_id))
        pipeline.execute()
    except redis.RedisError as error:
        log.warning("reader_not_forgotten", error=type(error).__name__)


def left_battles() -> list[UUID]:
    """Battles that had a reader, and had none at this look and at one before. None where Redis cannot be asked."""
    client = sync_client()
    try:
        seen = {_text(name): int(value) for name, value in client.hgetall(READ).items()}
        if not seen:
            return []
        pipeline = client.pipeline(transaction=False)
        pipeline.time()
        for battle in seen:
            pipeline.exists(_key(battle))
        (now, _), *present = pipeline.execute()
        away = [battle for battle, is_there in zip(seen, present, strict=True) if not is_there]
        missed: dict[Any, Any] = {battle: str(now) for battle in away if not seen[battle]}
        if missed:
            client.hset(READ, mapping=missed)
    except redis.RedisError as error:
        log.warning("readers_not_asked_for", error=type(error).__name__)
        return []
    return [UUID(battle) for battle in away if seen[battle] and now - seen[battle] >= SECOND_LOOK_AFTER]

"""Where the readers of a battle's turn are, so that one who comes later joins them. Redis knows; where it forgot, a
reader begins to flow anew."""

import json
from uuid import UUID

import redis
import structlog

from arena.lockstep import Flow
from inference_workers.streams import sync_client

log = structlog.get_logger(__name__)

FORGOTTEN_AFTER = 3600


def _key(battle_id: UUID, turn: str) -> str:
    return f"battle:{battle_id}:flow:{turn}"


def note_flow(battle_id: UUID, turn: str, flow: Flow) -> None:
    """Never raises for a fault of Redis."""
    told = json.dumps([flow.ticks, flow.position, flow.flows, flow.ran_out])
    try:
        sync_client().set(_key(battle_id, turn), told, ex=FORGOTTEN_AFTER)
    except redis.RedisError as error:
        log.warning("flow_not_noted", error=type(error).__name__)


def known_flow(battle_id: UUID, turn: str) -> Flow | None:
    """None where nothing has flowed yet, or Redis does not say."""
    try:
        told = sync_client().get(_key(battle_id, turn))
    except redis.RedisError as error:
        log.warning("flow_not_known", error=type(error).__name__)
        return None
    return None if told is None else Flow(*json.loads(told))

"""Server-sent events: the two responses of a battle in lockstep, and news of a board. A plain ASGI application.

It stands beside Django's own handler because a stream lives for minutes: here it holds no thread and no database
connection, only a coroutine.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from math import ceil
from typing import Any
from uuid import UUID

import redis
import structlog
from asgiref.sync import sync_to_async
from django.db import connection

from arena.lockstep import Lockstep
from arena.queries import AnsweringTurn, answering_turn, newest_snapshot_number
from arena.web.requests import person_of_scope
from inference_workers.streams import START, Kind, StreamEvent, shared_reader

log = structlog.get_logger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# How long without news before the rows are asked, which know the truth when Redis does not.
LOOK_AFTER = 2.0
HEARTBEAT = 15.0
BOARD_TICK = 1.0


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    match scope["path"].strip("/").split("/"):
        case ["streams", "battles", battle_id]:
            events = await battle_events(scope, battle_id)
        case ["streams", "boards", slug]:
            events = await board_events(slug)
        case _:
            events = None
    if events is None or scope["method"] != "GET":
        await send_head(send, 404, b"text/plain")
        await send({"type": "http.response.body", "body": b"not found"})
        return
    await send_head(send, 200, b"text/event-stream")
    await pump(events, receive, send)


async def send_head(send: Send, status: int, content_type: bytes) -> None:
    headers = [
        (b"content-type", content_type),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-robots-tag", b"noindex"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def pump(events: AsyncIterator[str], receive: Receive, send: Send) -> None:
    """Send events until they end or the browser leaves."""

    async def write() -> None:
        async for event in events:
            await send({"type": "http.response.body", "body": event.encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def wait_for_leaving() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    tasks = {asyncio.create_task(write()), asyncio.create_task(wait_for_leaving())}
    finished, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    for task in finished:
        task.result()


def event(name: str, data: Any, *, number: str = "") -> str:
    head = f"id: {number}\n" if number else ""
    return f"{head}event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


async def read_rows(look: Callable[[], Any]) -> Any:
    """Ask the database from a shared thread and give the connection back at once."""

    def look_and_let_go() -> Any:
        try:
            return look()
        finally:
            connection.close()

    return await sync_to_async(look_and_let_go, thread_sensitive=False)()


async def battle_events(scope: Scope, battle_id: str) -> AsyncIterator[str] | None:
    try:
        battle = UUID(battle_id)
    except ValueError:
        return None
    turn = await read_rows(lambda: answering_turn(battle, person=person_of_scope(scope)))
    if turn is None:
        return None
    return BattleStream(battle, turn, last_event_id(scope)).events()


def last_event_id(scope: Scope) -> str:
    return next((v.decode("latin-1") for k, v in scope["headers"] if k == b"last-event-id"), "")


class BattleStream:
    """One reader of one battle's current turn."""

    def __init__(self, battle_id: UUID, turn: AnsweringTurn, resume: str) -> None:
        self.battle_id = battle_id
        self.turn = turn
        self.lockstep = Lockstep(turn.tempo)
        self.restarts = 0
        self.cursors = dict.fromkeys(turn.completions, START)
        self.heard_at = self.sent_at = time.monotonic()
        # The browser kept its text; what follows is shown once there is a reserve behind it.
        self.lockstep.position = parse_resume(resume, turn)
        self.take_rows(turn)

    async def events(self) -> AsyncIterator[str]:
        yield "retry: 2000\n\n"
        while not (self.turn.ended and self.lockstep.done):
            await self.listen()
            for ready in self.release():
                yield ready
        yield event(self.turn.outcome, {"turn": self.turn.number})

    async def listen(self) -> None:
        """Take in what the workers write until it is time to send: what comes between two ticks shows at the second.
        Ask the rows when the workers are silent, or when both texts have ended.
        """
        while (seconds := self.lockstep.seconds_to_tick(time.monotonic())) > 0:
            for each in await self.hear(seconds):
                self.heard_at = time.monotonic()
                self.take(each)
        all_whole = all(side.whole for side in self.lockstep.sides.values())
        if not self.turn.ended and (all_whole or time.monotonic() - self.heard_at > LOOK_AFTER):
            await self.look()

    async def hear(self, seconds: float) -> list[StreamEvent]:
        watching = {i: c for i, c in self.cursors.items() if not self.lockstep.sides[self.turn.completions[i]].whole}
        if watching:
            with contextlib.suppress(redis.RedisError):
                return await shared_reader().read_many(watching, block_ms=ceil(1000 * seconds))
        await asyncio.sleep(seconds)
        return []

    def take(self, news: StreamEvent) -> None:
        side = self.turn.completions[news.completion_id]
        self.cursors[news.completion_id] = news.entry_id
        if news.kind == Kind.DELTA:
            self.lockstep.write(side, news.text)
        elif news.kind == Kind.RESET:
            self.begin_again(side)
        elif news.kind == Kind.DONE:
            self.lockstep.finish(side)
        elif news.kind == Kind.FAILED:
            # The rows say what follows: a replacement, or the end of the battle.
            self.heard_at = 0.0

    def begin_again(self, side: str) -> None:
        had_text = bool(self.lockstep.sides[side].text) or self.lockstep.position > 0
        self.lockstep.rewrite(side)
        if had_text:
            self.restarts += 1
            self.lockstep.restart()

    async def look(self) -> None:
        self.heard_at = time.monotonic()
        turn = await read_rows(lambda: answering_turn(self.battle_id, person=self.turn.person))
        for completion_id, side in turn.completions.items():
            if completion_id not in self.turn.completions:
                self.cursors.pop(next(i for i, s in self.turn.completions.items() if s == side), None)
                self.cursors[completion_id] = START
                self.begin_again(side)
        self.take_rows(turn)

    def take_rows(self, turn: AnsweringTurn) -> None:
        """Once the turn has ended its texts are those of the rows; a void battle has none to show."""
        self.turn = turn
        if turn.ended:
            for side in self.lockstep.sides:
                self.lockstep.finish(side, turn.texts.get(side, "") if turn.outcome == "ready" else "")

    def release(self) -> list[str]:
        now = time.monotonic()
        ready = []
        if self.restarts and self.lockstep.position == 0 and self.sent_restart != self.restarts:
            self.sent_restart = self.restarts
            ready.append(event("restart", {}, number=self.number))
        delta = self.lockstep.release(now)
        if delta:
            ready.append(event("text", delta, number=self.number))
        if not ready and now - self.sent_at > HEARTBEAT:
            ready.append(": still here\n\n")
        if ready:
            self.sent_at = now
        return ready

    sent_restart = 0

    @property
    def number(self) -> str:
        return f"{self.turn.number}.{self.restarts}.{int(self.lockstep.position)}"


def parse_resume(value: str, turn: AnsweringTurn) -> float:
    """Up to where a returning browser has seen this very turn, or 0 to begin at the beginning."""
    parts = value.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 9 for part in parts):
        return 0.0
    number, restarts, position = map(int, parts)
    # The number is whatever a client sends: one too high would be answered when the slower model has come so far.
    is_possible = number == turn.number and position <= turn.shown_at_most
    return float(position) if is_possible and restarts == 0 and not turn.ended else 0.0


async def board_events(slug: str) -> AsyncIterator[str] | None:
    number = await read_rows(lambda: newest_snapshot_number(slug))
    return None if number is None else follow_board(slug, number)


async def follow_board(slug: str, number: int) -> AsyncIterator[str]:
    """Every new number, and first the one that is: a page may be older, and a browser that returns has missed some."""
    yield "retry: 3000\n\n"
    yield event("board", {"number": number}, number=str(number))
    quiet = 0.0
    while True:
        newest = await read_rows(lambda: newest_snapshot_number(slug))
        if newest is None:
            return
        if newest != number:
            number, quiet = newest, 0.0
            yield event("board", {"number": number}, number=str(number))
        elif quiet >= HEARTBEAT:
            quiet = 0.0
            yield ": still here\n\n"
        await asyncio.sleep(BOARD_TICK)
        quiet += BOARD_TICK

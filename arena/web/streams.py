"""Server-sent events: the responses of a battle in lockstep, and news of a board. A plain ASGI application.

It stands beside Django's own handler because a stream lives for minutes: here it holds no thread and no database
connection, only a coroutine.
"""

import asyncio
import contextlib
import json
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, cast
from uuid import UUID

import redis
import structlog
from asgiref.sync import sync_to_async
from django.db import connection
from django.utils import timezone

from accounts.models import Person
from arena.flows import known_flow, note_flow
from arena.lockstep import TICK, Flow, Lockstep
from arena.presence import RENEW_SECONDS, forget_reader, note_reader
from arena.queries import BoardNews, board_news
from arena.queries.answering import AnsweringTurn, answering_turn
from arena.use_cases.settle_completion import open_battle
from arena.web.requests import person_of_scope
from arena.web.shown import Shown, parse_resume
from inference_workers.streams import START, Kind, StreamEvent, follows, shared_reader

log = structlog.get_logger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# How long without news before the rows are asked, which know the truth when Redis does not.
LOOK_AFTER = 2.0
# The same where all answers are whole: until it is known when the battle opens.
LOOK_WHOLE = 0.3
# How long the text that a returning browser or the other readers have may take to be read again; it is there at once.
RECOGNIZED_WITHIN = 1.0
# Ticks by which the clocks of two servers may differ.
SLACK = 2
HEARTBEAT = 15.0
BOARD_TICK = 0.5
looks_at_boards: dict[tuple[asyncio.AbstractEventLoop, str], tuple[float, asyncio.Future[Any]]] = {}


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


async def pump(events: AsyncGenerator[str, None], receive: Receive, send: Send) -> None:
    """Send events until they end or the browser leaves."""

    async def write() -> None:
        async with contextlib.aclosing(events):
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


async def battle_events(scope: Scope, battle_id: str) -> AsyncGenerator[str, None] | None:
    try:
        battle = UUID(battle_id)
    except ValueError:
        return None
    turn = await read_rows(lambda: due_turn(battle, person_of_scope(scope)))
    if turn is None:
        return None
    flow = await sync_to_async(known_flow, thread_sensitive=False)(battle, turn.asking)
    return BattleStream(battle, turn, flow, last_event_id(scope)).events()


def due_turn(battle_id: UUID, person: Person | None) -> AnsweringTurn | None:
    """The turn as it is now: a battle whose hour has come is opened by whoever looks first."""
    turn = answering_turn(battle_id, person=person)
    if turn is not None and turn.is_due:
        open_battle(battle_id=battle_id, now=timezone.now())
        turn = answering_turn(battle_id, person=person)
    return turn


def last_event_id(scope: Scope) -> str:
    return next((v.decode("latin-1") for k, v in scope["headers"] if k == b"last-event-id"), "")


class BattleStream:
    """One reader of one battle's current turn."""

    def __init__(self, battle_id: UUID, turn: AnsweringTurn, flow: Flow | None, resume: str) -> None:
        self.begun_at = self.heard_at = self.sent_at = now = time.monotonic()
        self.battle_id = battle_id
        self.turn = turn
        self.lockstep = Lockstep.of(turn.tempo, turn.completions.values(), now=now, since=turn.seconds_since_asked)
        # What the next reader is told, and how far this one is to come at once.
        self.noted = flow or Flow()
        furthest = self.noted.at(self.lockstep.ticks + SLACK, turn.tempo.pace)
        if flow is not None:
            self.lockstep.join(flow)
        self.shown = Shown.nothing(self.lockstep.sides)
        self.cursors = dict.fromkeys(turn.completions, START)
        # Sides that the workers have ended, and those of whose text a piece is missing: Redis was away or emptied.
        self.over: set[str] = set()
        self.torn: set[str] = set()
        self.returning = parse_resume(resume, turn, furthest)
        self.has_its_place = flow is None and self.returning is None
        self.must_restart = False
        # When the battle opens, on this clock; None while that is not known.
        self.opens_at: float | None = None
        self.take_rows(turn)

    async def events(self) -> AsyncGenerator[str, None]:
        yield "retry: 2000\n\n"
        if self.returning is not None and self.returning.turn < self.turn.number:
            # A follow-up was asked in another tab, and this one's page does not know of it.
            yield event("ready", {"turn": self.returning.turn})
            return
        staying = asyncio.create_task(stay(self.battle_id))
        try:
            while not (self.turn.ended and self.lockstep.done):
                await self.listen()
                released = self.release()
                # First, so that who is cut off in the middle of what is sent is believed when they return.
                await self.note()
                for ready in released:
                    yield ready
        finally:
            staying.cancel()
        await sync_to_async(forget_reader, thread_sensitive=False)(self.battle_id)
        yield event(self.turn.outcome, {"turn": self.turn.number})

    async def listen(self) -> None:
        """Take in what the workers write until it is time to send: what comes between two ticks shows at the second.
        Ask the rows when the workers are silent, or when all texts have ended.
        """
        now = time.monotonic()
        until = now + (self.lockstep.seconds_to_tick(now) if self.has_its_place else TICK)
        while (seconds := until - time.monotonic()) > 0:
            for each in await self.hear(seconds):
                self.heard_at = time.monotonic()
                self.take(each)
        if self.is_to_look(time.monotonic()):
            await self.look()

    def is_to_look(self, now: float) -> bool:
        if self.turn.ended:
            return False
        if self.opens_at is not None:
            return now >= self.opens_at
        all_over = len(self.over) == len(self.lockstep.sides)
        return now - self.heard_at > (LOOK_WHOLE if all_over else LOOK_AFTER)

    async def hear(self, seconds: float) -> list[StreamEvent]:
        watching = {i: cursor for i, cursor in self.cursors.items() if self.turn.completions[i] not in self.over}
        if watching:
            with contextlib.suppress(redis.RedisError):
                return await shared_reader().read_many(watching, block_ms=math.ceil(1000 * seconds))
        await asyncio.sleep(seconds)
        return []

    def take(self, news: StreamEvent) -> None:
        side = self.turn.completions[news.completion_id]
        before, self.cursors[news.completion_id] = self.cursors[news.completion_id], news.entry_id
        if news.kind == Kind.RESET:
            self.begin_again(side)
        elif news.kind == Kind.DELTA:
            # What follows a missing piece is no use; the rows have the whole text in the end.
            if side in self.torn or not follows(news.entry_id, before):
                self.torn.add(side)
            else:
                self.lockstep.write(side, news.text)
        elif news.kind == Kind.DONE:
            self.over.add(side)
            if side not in self.torn:
                self.lockstep.finish(side)
        elif news.kind == Kind.FAILED:
            # The rows say what follows: a replacement, or the end of the battle.
            self.heard_at = 0.0

    def begin_again(self, side: str) -> None:
        self.lockstep.rewrite(side)
        self.over.discard(side)
        self.torn.discard(side)

    async def look(self) -> None:
        self.heard_at = time.monotonic()
        turn = await read_rows(lambda: due_turn(self.battle_id, self.turn.person))
        for completion_id, side in turn.completions.items():
            if completion_id not in self.turn.completions:
                self.cursors.pop(next(i for i, s in self.turn.completions.items() if s == side), None)
                self.cursors[completion_id] = START
                self.begin_again(side)
        self.take_rows(turn)

    def take_rows(self, turn: AnsweringTurn) -> None:
        """Once the turn has ended its texts are those of the rows; a void battle has none to show."""
        self.turn = turn
        self.opens_at = None if turn.opens_in is None else time.monotonic() + turn.opens_in
        if turn.ended:
            self.over = set(self.lockstep.sides)
            for side in self.lockstep.sides:
                self.lockstep.finish(side, turn.texts.get(side, "") if turn.outcome == "ready" else "")

    async def note(self) -> None:
        """Tell who comes later, where the flow has begun, stopped or gone on."""
        flow = self.lockstep.flow
        if flow.follows(self.noted, self.turn.tempo.pace):
            return
        self.noted = flow
        await sync_to_async(note_flow, thread_sensitive=False)(self.battle_id, self.turn.asking, flow)

    def release(self) -> list[str]:
        now = time.monotonic()
        ready = self.news(now) if self.has_found_its_place(now) else []
        if not ready and now - self.sent_at > HEARTBEAT:
            ready.append(": still here\n\n")
        if ready:
            self.sent_at = now
        return ready

    def has_found_its_place(self, now: float) -> bool:
        """Whether it is known what the browser has, and how far the turn's other readers are. One that returns goes on
        behind its text, if that is still the beginning of all texts; else it begins again. It is not kept waiting for
        an answer.
        """
        if self.has_its_place:
            return True
        claimed = 0 if self.returning is None else self.returning.position
        reached = self.noted.at(self.lockstep.ticks_at(now), self.turn.tempo.pace)
        if not self.lockstep.has(max(claimed, reached)) and now - self.begun_at <= RECOGNIZED_WITHIN:
            return False
        self.has_its_place = True
        if self.returning is not None:
            shown = Shown.beginning(self.lockstep.sides, claimed)
            self.must_restart = not self.lockstep.has(claimed) or shown.digest != self.returning.digest
            if not self.must_restart:
                self.shown = shown
                self.lockstep.go_on_from(claimed)
        return True

    def news(self, now: float) -> list[str]:
        """What is to be sent: more text, after a restart where what the browser has is no beginning of it."""
        ready: list[str] = []
        if self.turn.held and not self.turn.ended:
            self.lockstep.wait(now)
            return ready
        if self.turn.ended and self.turn.outcome != "ready":
            return ready
        is_torn = not self.shown.is_beginning_of(self.lockstep)
        if self.must_restart or is_torn:
            self.must_restart = False
            self.shown = Shown.nothing(self.lockstep.sides)
            self.lockstep.restart() if is_torn else self.lockstep.read_again()
            ready.append(event("restart", {}, number=self.number))
        delta = self.lockstep.release(now)
        if delta:
            self.shown.add(delta)
            ready.append(event("text", delta, number=self.number))
        return ready

    @property
    def number(self) -> str:
        return f"{self.turn.number}.{self.lockstep.released}.{self.shown.digest}"


async def stay(battle_id: UUID) -> None:
    """Say again and again that somebody reads this battle."""
    while True:
        await sync_to_async(note_reader, thread_sensitive=False)(battle_id)
        await asyncio.sleep(RENEW_SECONDS)


async def board_events(slug: str) -> AsyncGenerator[str, None] | None:
    news = await read_rows(lambda: board_news(slug))
    return None if news is None else follow_board(slug, news)


async def follow_board(slug: str, news: BoardNews) -> AsyncGenerator[str, None]:
    """Every new snapshot and every move of the points, and first what they are: a page may be older, and a browser that
    returns has missed some.
    """
    yield "retry: 3000\n\n"
    yield snapshot_event(news)
    yield points_event(news)
    quiet = 0.0
    while True:
        newest = await shared_news(slug)
        if newest is None:
            return
        if newest.points != news.points or newest.comparisons != news.comparisons:
            quiet = 0.0
            yield points_event(newest)
        if newest.number != news.number:
            quiet = 0.0
            yield snapshot_event(newest)
        if quiet >= HEARTBEAT:
            quiet = 0.0
            yield ": still here\n\n"
        news = newest
        await asyncio.sleep(BOARD_TICK)
        quiet += BOARD_TICK


async def shared_news(slug: str) -> BoardNews | None:
    """One look at the rows a tick, however many readers a board has in this process."""
    key, now = (asyncio.get_running_loop(), slug), time.monotonic()
    looked_at, look = looks_at_boards.get(key, (-math.inf, None))
    if look is None or now - looked_at >= BOARD_TICK:
        look = asyncio.ensure_future(read_rows(lambda: board_news(slug)))
        looks_at_boards[key] = (now, look)
    # Shielded: one reader who leaves must not take the look from the others.
    return cast(BoardNews | None, await asyncio.shield(look))


def snapshot_event(news: BoardNews) -> str:
    return event("board", {"number": news.number}, number=str(news.number))


def points_event(news: BoardNews) -> str:
    told = {"sequence": news.sequence, "comparisons": news.comparisons, "points": news.points}
    return event("points", told)

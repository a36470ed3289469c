"""Streams on a real Redis."""

import asyncio
from uuid import uuid4

import pytest
import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.launch.processes import free_port
from inference_workers.streams import (
    START,
    Kind,
    SharedReader,
    StreamEvent,
    StreamWriter,
    announce_end,
    async_client,
    read_many,
    read_so_far,
    shared_reader,
    stream_key,
    sync_client,
    valid_cursor,
)
from inference_workers.streams.events import MAX_ENTRIES, SECONDS_KEPT


@pytest.fixture(autouse=True)
def nothing_left():
    sync_client().flushdb()


@pytest.fixture
def completion_id():
    return uuid4()


def written(completion_id, *texts, attempt=1):
    """A writer that has sent each text by itself."""
    writer = StreamWriter(sync_client())
    writer.begin(completion_id, attempt)
    for text in texts:
        writer.add(completion_id, text)
        writer.flush(now=True)
    return writer


def told(completion_id, after=START):
    return [
        (event.entry_id, event.kind, event.text) for event in read_so_far(sync_client(), completion_id, after=after)
    ]


def read(cursors, block_ms=2000):
    async def once():
        client = async_client()
        try:
            return await read_many(client, cursors, block_ms=block_ms)
        finally:
            await client.aclose()

    return asyncio.run(once())


def test_deltas_between_two_flushes_are_one_entry_and_the_stream_expires(completion_id):
    now = [100.0]
    writer = StreamWriter(sync_client(), interval=0.04, clock=lambda: now[0])
    writer.begin(completion_id, 1)
    for text in ["a", "b", "c"]:
        writer.add(completion_id, text)
        writer.flush()
        now[0] += 0.015
    now[0] += 0.04
    writer.flush()
    assert told(completion_id) == [("1-1", Kind.DELTA, "a"), ("1-2", Kind.DELTA, "bc")]
    assert 0 < sync_client().ttl(stream_key(completion_id)) <= SECONDS_KEPT


def test_one_read_brings_the_news_of_several_completions_behind_their_cursors(completion_id):
    other = uuid4()
    written(completion_id, "one", "two")
    written(other, "three")
    announce_end(other, 1, Kind.DONE)
    events = read({completion_id: "1-1", other: START, uuid4(): START})
    assert set(events) == {
        StreamEvent(completion_id, "1-2", Kind.DELTA, "two"),
        StreamEvent(other, "1-1", Kind.DELTA, "three"),
        StreamEvent(other, f"1-{2**32}", Kind.DONE),
    }
    assert [event.is_last for event in events if event.completion_id == other] == [False, True]


@pytest.mark.slow
def test_a_blocked_read_returns_as_soon_as_there_is_news_and_outlasts_the_clients_own_timeout(completion_id):
    async def wait_and_write():
        client = async_client()
        reading = asyncio.create_task(read_many(client, {completion_id: START}, block_ms=120_000))
        await asyncio.sleep(6)
        assert not reading.done()
        written(completion_id, "at last")
        # Long before the block's own end.
        events = await asyncio.wait_for(reading, 60)
        await client.aclose()
        return events

    assert [event.text for event in asyncio.run(wait_and_write())] == ["at last"]


def test_a_read_without_news_returns_nothing(completion_id):
    assert read({completion_id: START}, block_ms=50) == []
    assert read({}, block_ms=50) == []


def test_a_new_attempt_tells_readers_to_forget_and_shuts_the_earlier_one_out(completion_id):
    first = written(completion_id, "half an ans")
    second = written(completion_id, "an answer", attempt=2)
    first.add(completion_id, "from the past")
    first.flush(now=True)
    second.add(completion_id, "!")
    second.flush(now=True)
    assert told(completion_id) == [
        ("1-1", Kind.DELTA, "half an ans"),
        ("2-1", Kind.RESET, ""),
        ("2-2", Kind.DELTA, "an answer"),
        ("2-3", Kind.DELTA, "!"),
    ]


def test_an_end_is_told_once_and_nothing_follows_it_in_its_attempt(completion_id):
    writer = written(completion_id, "an answer")
    announce_end(completion_id, 1, Kind.DONE)
    announce_end(completion_id, 1, Kind.FAILED)
    writer.add(completion_id, "more")
    writer.flush(now=True)
    assert [kind for _, kind, _ in told(completion_id)] == [Kind.DELTA, Kind.DONE]


def test_a_completion_that_never_ran_can_end(completion_id):
    announce_end(completion_id, 0, Kind.FAILED)
    assert told(completion_id) == [(f"0-{2**32}", Kind.FAILED, "")]


def test_readers_go_on_after_redis_was_flushed(completion_id):
    writer = written(completion_id, "one", "two")
    sync_client().flushdb()
    writer.add(completion_id, "three")
    writer.flush(now=True)
    assert told(completion_id, after="1-2") == [("1-3", Kind.DELTA, "three")]


def test_text_waits_while_redis_is_away_and_goes_out_when_it_is_back(completion_id, monkeypatch):
    now = [100.0]
    away = redis.Redis(port=free_port(), socket_connect_timeout=1, retry=Retry(NoBackoff(), 0))
    writer = StreamWriter(away, clock=lambda: now[0])
    writer.begin(completion_id, 1)
    for text in ["one", "two"]:
        writer.add(completion_id, text)
        writer.flush(now=True)
        now[0] += 2
    with monkeypatch.context() as patch:
        patch.setattr("inference_workers.streams.writer.sync_client", lambda: away)
        announce_end(completion_id, 1, Kind.DONE)  # raises nothing; readers find the end in the completion's row
    writer._client = sync_client()
    writer.flush(now=True)
    assert told(completion_id) == [("1-1", Kind.DELTA, "one"), ("1-2", Kind.DELTA, "two")]


def test_an_entry_whose_reply_got_lost_is_not_stored_twice(completion_id):
    writer = written(completion_id, "one")
    lane = writer._lanes[completion_id]
    lane.pending.append(("1-1", {"kind": "delta", "text": "one"}))
    writer.add(completion_id, " two")
    writer.flush(now=True)
    assert told(completion_id) == [("1-1", Kind.DELTA, "one"), ("1-2", Kind.DELTA, " two")]


def test_reset_within_an_attempt_drops_what_was_not_sent(completion_id):
    writer = written(completion_id, "thinking")
    writer.add(completion_id, " aloud")
    writer.reset(completion_id)
    writer.add(completion_id, "Four.")
    writer.flush(now=True)
    assert [(kind, text) for _, kind, text in told(completion_id)] == [
        (Kind.DELTA, "thinking"),
        (Kind.RESET, ""),
        (Kind.DELTA, "Four."),
    ]


def test_a_stream_holds_kind_and_text_and_nothing_else(completion_id):
    written(completion_id, "one")
    written(completion_id, "two", attempt=2)
    announce_end(completion_id, 2, Kind.DONE)
    raw = sync_client().xrange(stream_key(completion_id))
    assert {name for _, entry in raw for name in entry} == {b"kind", b"text"}


def test_a_stream_does_not_grow_without_end(completion_id):
    writer = StreamWriter(sync_client())
    writer.begin(completion_id, 1)
    lane = writer._lanes[completion_id]
    for _ in range(MAX_ENTRIES + 3000):
        lane.put(Kind.DELTA, "x")
    writer.flush(now=True)
    assert sync_client().xlen(stream_key(completion_id)) <= MAX_ENTRIES + 200


def readers():
    """The connections that read streams, in this process's database of Redis, by their ids."""
    client = sync_client()
    mine = f" db={client.connection_pool.connection_kwargs['db']} "
    listing = client.execute_command("CLIENT", "LIST").decode().splitlines()
    return {line.split()[0] for line in listing if "xread" in line and mine in line}


def test_one_connection_serves_readers_at_different_places_of_the_same_streams(completion_id):
    other = uuid4()
    written(completion_id, "one", "two")
    written(other, "three")

    before = readers()  # of tests before this one, which close when they are collected

    async def read_all():
        reader = SharedReader()
        results = await asyncio.gather(
            reader.read_many({completion_id: START}, block_ms=2000),
            reader.read_many({completion_id: "1-1", other: START}, block_ms=2000),
            reader.read_many({completion_id: "1-2"}, block_ms=100),
            reader.read_many({}, block_ms=2000),
        )
        count = len(readers() - before)
        await reader.aclose()
        return [[event.text for event in events] for events in results], count

    results, count = asyncio.run(read_all())
    assert [sorted(texts) for texts in results] == [["one", "two"], ["three", "two"], [], []]
    assert count == 1


def test_an_event_loop_has_one_reader():
    async def ask_twice():
        return shared_reader(), shared_reader()

    first, again = asyncio.run(ask_twice())
    assert first is again
    assert asyncio.run(ask_twice())[0] is not first


def test_a_reader_that_comes_while_others_wait_is_let_in(completion_id):
    async def come_late():
        reader, other = SharedReader(), uuid4()
        waiting = asyncio.create_task(reader.read_many({other: START}, block_ms=60_000))
        await asyncio.sleep(0.3)
        late = asyncio.create_task(reader.read_many({completion_id: START}, block_ms=60_000))
        await asyncio.sleep(0.1)
        written(completion_id, "news")
        events = await late
        assert not waiting.done()
        written(other, "for the first")
        first = await waiting
        again = await reader.read_many({completion_id: START}, block_ms=1000)
        await reader.aclose()
        return [[event.text for event in found] for found in (events, first, again)]

    assert asyncio.run(come_late()) == [["news"], ["for the first"], ["news"]]


def test_a_reader_that_leaves_does_not_disturb_the_others(completion_id):
    async def leave():
        reader = SharedReader()
        leaving = asyncio.create_task(reader.read_many({completion_id: START}, block_ms=5000))
        staying = asyncio.create_task(reader.read_many({completion_id: START}, block_ms=5000))
        await asyncio.sleep(0.1)
        leaving.cancel()
        await asyncio.sleep(0.1)
        written(completion_id, "news")
        events = await staying
        await reader.aclose()
        return [event.text for event in events]

    assert asyncio.run(leave()) == ["news"]


def test_every_waiting_reader_hears_that_redis_is_away(monkeypatch):
    def away():
        return redis.asyncio.Redis(port=free_port(), retry=redis.asyncio.retry.Retry(NoBackoff(), 0))

    async def read_both():
        reader = SharedReader()
        monkeypatch.setattr("inference_workers.streams.shared.async_client", away)
        reads = [reader.read_many({uuid4(): START}, block_ms=1000) for _ in range(2)]
        return await asyncio.gather(*reads, return_exceptions=True)

    assert [type(outcome) for outcome in asyncio.run(read_both())] == [redis.ConnectionError] * 2


@pytest.mark.parametrize(
    "value", [None, "", "0", "$", "1", "1-", "-1", "1-1\n", "１-１", "1-1 COUNT 5", "9" * 20 + "-1", "<script>"]
)
def test_a_cursor_from_outside_that_is_none_means_the_start(value):
    assert valid_cursor(value) == START


def test_a_cursor_that_was_given_out_is_taken_back():
    assert [valid_cursor(value) for value in ("1-1", f"3-{2**32}", START)] == ["1-1", f"3-{2**32}", START]

"""A reader who loses the connection, however and whenever, ends with the texts that are stored, to the letter."""

import asyncio
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.use_cases.create_person import person_of_visitor
from arena import lockstep
from arena.lockstep import Tempo
from arena.queries import answering
from arena.queries.answering import answering_turn
from arena.web import shown, streams
from arena.web.visitors import COOKIE
from inference_workers.models import Completion
from inference_workers.streams import Kind, StreamWriter, announce_end, sync_client
from tests.arena.factories import begin, claimed_turn, fail, finish, make_models
from tests.faults.reading import Tab, follow, follow_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_redis")]

TOKEN = "cookie-of-somebody-whose-network-goes"
# Longer than any chunk, with letters of several bytes, and no two parts alike.
LEFT = "Licht wird gestreut – blaues am stärksten; 青い空, and so the sky is blue all day long."
RIGHT = "Die Luft streut 蓝光 más que el rojo: that is Rayleigh’s law, and nothing else is needed."
HALF = 45
STEP = 15


@pytest.fixture
def quick(monkeypatch):
    """One step after the other, each as soon as it was listened for news, however busy the machine is."""
    release = lockstep.Lockstep.release

    def one_step(self, now):
        return release(self, 0.0 if self.clock is None else self.clock + (self.ticks + 1) * lockstep.TICK)

    monkeypatch.setattr(lockstep.Lockstep, "release", one_step)
    monkeypatch.setattr(lockstep.Lockstep, "seconds_to_tick", lambda self, now: 0.01)
    monkeypatch.setattr(lockstep, "HOLD", 5 * lockstep.TICK)
    monkeypatch.setattr(lockstep, "RESERVE", 0.0)
    monkeypatch.setattr(streams, "LOOK_AFTER", 0.05)
    # The line of the other readers is far ahead of one whose steps are those of its listening.
    monkeypatch.setattr(streams, "RECOGNIZED_WITHIN", 0.3)
    tempo = Tempo(pace=STEP / lockstep.TICK, lead=2 * lockstep.TICK)
    monkeypatch.setattr(answering, "common_tempo", lambda arena: tempo)


def client_of() -> Client:
    client = Client()
    client.cookies[COOKIE] = TOKEN
    return client


class Writing:
    """A battle whose models have written the first half; a worker's part by hand."""

    def __init__(self) -> None:
        make_models()
        self.battle = begin(person_of_visitor(token=TOKEN, now=timezone.now()))
        Completion.objects.filter(state="queued").update(created_at="2026-01-01T00:00Z")
        self.client = client_of()
        self.texts = (LEFT, RIGHT)
        self.writer = StreamWriter(sync_client())
        self.jobs = claimed_turn(self.battle)
        self.first_jobs = list(self.jobs)
        for job in self.jobs:
            self.writer.begin(job.pk, job.attempt)
        self.write(0, HALF)

    def write(self, start: int, end: int | None = None) -> None:
        for job, text in zip(self.jobs, self.texts, strict=True):
            for letter in text[start:end]:
                self.writer.add(job.pk, letter)
            self.writer.flush(now=True)

    def write_second_half(self) -> None:
        self.write(HALF)

    def end(self) -> None:
        for job, text in zip(self.jobs, self.texts, strict=True):
            if Completion.objects.get(pk=job.pk).state == "running":
                announce_end(job.pk, job.attempt, Kind.DONE)
                finish(job, text)

    def stored(self) -> dict[str, str]:
        turn = answering_turn(self.battle.pk, person=self.battle.assignment.respondent.person)
        assert turn.outcome == "ready"
        return turn.texts


def nothing(writing: Writing) -> None:
    writing.write_second_half()


def both_end(writing: Writing) -> None:
    writing.write_second_half()
    writing.end()


def one_ends(writing: Writing) -> None:
    writing.write_second_half()
    job = writing.jobs[0]
    announce_end(job.pk, job.attempt, Kind.DONE)
    finish(job, writing.texts[0])


def another_attempt(writing: Writing) -> None:
    """The worker died; the next one writes another text for one side."""
    job = writing.jobs[1]
    writing.texts = (
        LEFT,
        "Quite another answer, at which the second worker arrived in its own way, and longer.",
    )
    Completion.objects.filter(pk=job.pk).update(attempt=2)
    job.attempt = 2
    writing.writer.begin(job.pk, 2)
    writing.writer.add(writing.jobs[0].pk, LEFT[HALF:])
    writing.writer.add(job.pk, writing.texts[1])
    writing.writer.flush(now=True)


def a_replacement(writing: Writing) -> None:
    """One side's text was refused, and its model is asked again."""
    fail(writing.jobs[0], "identity_leak")
    (again,) = [job for job in claimed_turn(writing.battle) if job.pk not in {each.pk for each in writing.jobs}]
    writing.texts = ("What the same model wrote when it was asked again, about as long as it was before.", RIGHT)
    writing.writer.begin(again.pk, again.attempt)
    writing.writer.add(again.pk, writing.texts[0])
    writing.writer.add(writing.jobs[1].pk, RIGHT[HALF:])
    writing.writer.flush(now=True)
    writing.jobs = [again, writing.jobs[1]]


def redis_forgets(writing: Writing) -> None:
    sync_client().flushdb()
    writing.write_second_half()


HAPPENINGS = [nothing, both_end, one_ends, another_attempt, a_replacement, redis_forgets]


def read_with_cuts(cut_after: Callable[[Tab], bool], happening: Callable[[Writing], None]) -> tuple[Writing, Tab]:
    """Read, lose the connection, miss what happens, and read on to the end."""
    writing, tab = Writing(), Tab()
    follow_once(writing.client, writing.battle, tab, until=cut_after)
    happening(writing)

    async def read_on() -> None:
        reading = asyncio.create_task(follow(writing.client, writing.battle, tab))
        await asyncio.sleep(0.05)
        await asyncio.to_thread(in_thread, writing.end)
        await reading

    asyncio.run(read_on())
    return writing, tab


def in_thread(act: Callable[[], None]) -> None:
    try:
        act()
    finally:
        connection.close()


def texts_sent(tab: Tab) -> int:
    return tab.events.count("text")


@pytest.mark.parametrize("happening", HAPPENINGS)
def test_a_reader_cut_off_after_any_chunk_has_the_stored_texts(happening, quick):
    cuts = range(1, HALF // STEP + 1)
    for cut in cuts:
        writing, tab = read_with_cuts(lambda tab, cut=cut: texts_sent(tab) == cut, happening)
        assert tab.texts == writing.stored(), f"cut after {cut}: {tab.events}"
        # Who has read how far is forgotten with the texts: then nobody is believed.
        is_begun_again = happening in (another_attempt, a_replacement, redis_forgets)
        assert ("restart" in tab.events) == is_begun_again, f"cut after {cut}: {tab.events}"
    print(f"faults injected: {len(cuts)} cuts, texts equal: {len(cuts)}")


def test_a_reader_cut_off_after_every_chunk_has_the_stored_texts(quick):
    """One connection for each piece of the texts."""
    writing, tab = Writing(), Tab()
    both_end(writing)
    connections = 0
    while not tab.is_over:
        had = texts_sent(tab)
        follow_once(writing.client, writing.battle, tab, until=lambda tab, had=had: texts_sent(tab) > had)
        connections += 1
    print(f"faults injected: {connections - 1} cuts")
    assert connections == max(len(LEFT), len(RIGHT)) // STEP + 2
    assert (tab.texts, tab.events.count("restart")) == (writing.stored(), 0)


@pytest.mark.parametrize(
    "said", ["0.45.", "0.9.000000000000000000000000", "nonsense", "0.-1.x", "7.3.aa", "0.99999999.ff"]
)
def test_an_id_that_nobody_gave_out_begins_again(quick, said):
    writing, tab = Writing(), Tab(last_id=said, texts={"a": "what", "b": "ever"})
    both_end(writing)
    follow_once(writing.client, writing.battle, tab)
    assert (tab.texts, tab.events[0]) == (writing.stored(), "restart")


def test_control_without_the_id_the_text_stands_there_twice(quick):
    def forget(tab: Tab) -> bool:
        tab.last_id = ""
        return texts_sent(tab) == 2

    writing, tab = read_with_cuts(forget, nothing)
    assert all(tab.texts[side] != text and tab.texts[side].endswith(text) for side, text in writing.stored().items())


def test_control_a_server_that_ignores_the_id_sends_the_text_twice(quick, monkeypatch):
    monkeypatch.setattr(streams, "parse_resume", lambda value, turn, furthest: None)
    writing, tab = read_with_cuts(lambda tab: texts_sent(tab) == 2, both_end)
    assert all(tab.texts[side] == text[: 2 * STEP] + text for side, text in writing.stored().items())


def test_control_a_server_that_goes_on_unseen_mixes_two_texts(quick, monkeypatch):
    monkeypatch.setattr(shown.Shown, "digest", property(lambda self: "the same"))
    writing, tab = read_with_cuts(lambda tab: texts_sent(tab) == 2, another_attempt)
    assert tab.texts != writing.stored()

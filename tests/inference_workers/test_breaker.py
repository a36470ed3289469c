"""The breaker as a state machine under a clock of the test's own, and the buckets over any course of a minute."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from foundation.transitions import ForbiddenTransition, check
from inference_workers.enums import BreakerState, Rejection
from inference_workers.policies.breaker import (
    OPEN_SECONDS,
    OPENS_AFTER,
    Breaker,
    Verdict,
    after,
    may_be_tried,
    tried_with,
    verdict_of,
)
from inference_workers.policies.limits import Left, Wanted, affordable, burst_of, filled
from inference_workers.transitions import BREAKER

START = datetime(2026, 1, 1, tzinfo=UTC)
CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN


class BreakerMachine(RuleBasedStateMachine):
    """Requests begin, end well or badly, die and pass late; the endpoint is asked only as the breaker says."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.breaker = Breaker()
        self.running: set[UUID] = set()
        self.begun = 0
        self.probe: UUID | None = None
        self.in_a_row = 0
        self.opened_at: datetime | None = None

    def begin(self) -> UUID:
        """By its number: a run that is played again must draw the same."""
        self.begun += 1
        completion = UUID(int=self.begun)
        self.running.add(completion)
        return completion

    def end(self, completion: UUID, verdict: Verdict) -> None:
        self.running.discard(completion)
        before = self.breaker
        self.breaker = after(before, verdict, completion=completion, now=self.now)
        if before.state == CLOSED and verdict != Verdict.NOTHING:
            self.in_a_row = self.in_a_row + 1 if verdict == Verdict.FAILED else 0
        if self.breaker.state == OPEN and before.state != OPEN:
            self.opened_at, self.in_a_row = self.now, 0

    @rule(seconds=st.integers(1, 400))
    def time_passes(self, seconds):
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.breaker.state == CLOSED)
    @rule()
    def request_begins(self):
        self.begin()

    @precondition(lambda self: self.breaker.state != CLOSED)
    @rule()
    def probe_begins_if_it_may(self):
        if may_be_tried(self.breaker, now=self.now, probe_runs=self.breaker.probe in self.running):
            assert self.now >= self.opened_at + timedelta(seconds=OPEN_SECONDS[0])
            self.probe = self.begin()
            self.breaker = tried_with(self.breaker, self.probe)

    @precondition(lambda self: self.running)
    @rule(verdict=st.sampled_from(Verdict), data=st.data())
    def request_ends(self, verdict, data):
        self.end(data.draw(st.sampled_from(sorted(self.running))), verdict)

    @precondition(lambda self: self.breaker.state == HALF_OPEN and self.breaker.probe in self.running)
    @rule()
    def probe_answers(self):
        self.end(self.breaker.probe, Verdict.ANSWERED)
        assert self.breaker == Breaker()

    @precondition(lambda self: self.breaker.state == HALF_OPEN and self.breaker.probe in self.running)
    @rule(verdict=st.sampled_from([Verdict.FAILED, Verdict.SHUT]))
    def probe_fails(self, verdict):
        before = self.breaker
        self.end(before.probe, verdict)
        assert (self.breaker.state, self.breaker.openings) == (OPEN, before.openings + 1)

    @precondition(lambda self: self.breaker.state == HALF_OPEN and self.breaker.probe in self.running)
    @rule()
    def probes_worker_dies(self):
        self.running.discard(self.breaker.probe)
        assert may_be_tried(self.breaker, now=self.now, probe_runs=False)

    @invariant()
    def is_open_after_so_many_failures_in_a_row_and_not_before(self):
        if self.breaker.state == CLOSED:
            assert self.breaker.failures == self.in_a_row < OPENS_AFTER

    @invariant()
    def open_has_an_end_within_its_longest(self):
        if self.breaker.state == OPEN:
            assert self.opened_at < self.breaker.opened_until <= self.opened_at + timedelta(seconds=OPEN_SECONDS[-1])
            tried = may_be_tried(self.breaker, now=self.now, probe_runs=False)
            assert tried == (self.now >= self.breaker.opened_until)

    @invariant()
    def one_probe_at_a_time(self):
        if self.breaker.state == HALF_OPEN and self.breaker.probe in self.running:
            assert not may_be_tried(self.breaker, now=self.now, probe_runs=True)


TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_who_began_before_it_opened_neither_closes_nor_opens_it_again():
    opened = Breaker()
    for _ in range(OPENS_AFTER):
        opened = after(opened, Verdict.FAILED, completion=uuid4(), now=START)
    assert opened.opened_until == START + timedelta(seconds=OPEN_SECONDS[0])
    assert after(opened, Verdict.ANSWERED, completion=uuid4(), now=START) == opened
    tried = tried_with(opened, uuid4())
    assert after(tried, Verdict.ANSWERED, completion=uuid4(), now=START) == tried


def test_a_refused_key_opens_it_at_once():
    opened = after(Breaker(failures=1), Verdict.SHUT, completion=uuid4(), now=START)
    assert (opened.state, opened.opened_until) == (OPEN, START + timedelta(seconds=OPEN_SECONDS[0]))


def test_only_an_open_breaker_can_be_tried():
    assert not may_be_tried(Breaker(), now=START, probe_runs=False)
    with pytest.raises(ForbiddenTransition):
        check(BREAKER, CLOSED, HALF_OPEN)


@pytest.mark.parametrize(
    ("code", "retryable", "verdict"),
    [
        ("", False, Verdict.ANSWERED),
        *[(code, False, Verdict.ANSWERED) for code in Rejection.values],
        ("endpoint_unreachable", True, Verdict.FAILED),
        ("endpoint_status", True, Verdict.FAILED),
        ("endpoint_status", False, Verdict.NOTHING),
        ("endpoint_rate_limited", True, Verdict.NOTHING),
        ("endpoint_key_refused", False, Verdict.SHUT),
        ("endpoint_no_credit", False, Verdict.SHUT),
        ("context_too_long", False, Verdict.NOTHING),
        ("endpoint_filtered", False, Verdict.NOTHING),
        ("out_of_memory", True, Verdict.NOTHING),
    ],
)
def test_what_the_end_of_an_attempt_says_of_its_endpoint(code, retryable, verdict):
    assert verdict_of(code, retryable=retryable) == verdict


@settings(deadline=None)
@given(per_minute=st.integers(1, 600), pauses=st.lists(st.floats(0, 20), min_size=1, max_size=120))
def test_no_minute_wherever_it_begins_holds_more_requests_than_its_limit(per_minute, pauses):
    left, now, started = None, 0.0, []
    wanted = [Wanted(uuid4(), is_batch=True, most_tokens=1, most_cost=Decimal())] * per_minute
    for pause in pauses:
        now += pause
        left = filled(left, per_minute, pause)
        chosen = affordable(wanted, Left(left, None, None))
        left -= len(chosen)
        started += [now] * len(chosen)
    for begin in set(started):
        assert sum(begin <= each < begin + 60 for each in started) <= per_minute


def test_a_limit_is_nearly_used_by_whoever_wants_all_of_it():
    left, count = None, 0
    for _ in range(600):
        left = filled(left, 60, 1.0)
        chosen = affordable([Wanted(uuid4(), True, 1, Decimal())] * 60, Left(left, None, None))
        left, count = left - len(chosen), count + len(chosen)
    assert 500 <= count <= 600


def test_who_comes_first_is_not_overtaken_and_people_know_no_budget():
    def want(tokens=10, cost="1", batch=True):
        return Wanted(uuid4(), batch, tokens, Decimal(cost))

    person, dear, cheap = want(batch=False, cost="9"), want(cost="3"), want(cost="1")
    assert affordable([person, dear, cheap], Left(None, None, Decimal(2))) == [person]
    assert affordable([person, cheap, dear], Left(None, None, Decimal(2))) == [person, cheap]
    large, small = want(tokens=500), want(tokens=10)
    full = float(burst_of(600))
    assert affordable([large, small], Left(None, full, None), tokens_per_minute=600) == [large]
    assert affordable([large, small], Left(None, full - 1, None), tokens_per_minute=600) == []

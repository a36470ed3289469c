"""What the benchmark of streams makes of what it reads."""

import pytest

from benchmarks.stream_readers import lateness
from benchmarks.streams import PACE, SERVERS, Measured, Reader, read, rows_of, serving


def test_late_is_what_comes_after_its_place_in_the_pace():
    on_time = [(10 + number / 10, 6 * number) for number in range(5)]
    assert lateness(on_time, 60) == pytest.approx([0] * 5)
    # A stream that waited, and then sent everything at once.
    held = [(10.0, 6), (10.5, 12), (10.5, 36)]
    assert lateness(held, 60) == pytest.approx([0, 0.4, 0])
    assert lateness([], 60) == []


def test_the_added_lateness_is_what_comes_on_top_of_the_bare_streams():
    ours, bare = Measured(late=[0.0] * 99 + [0.2] * 2, votes=[0.1]), Measured(late=[0.05] * 100)
    rows = {row.name: row for row in rows_of(100, ours, bare)}
    assert rows["added lateness p99"].ours == pytest.approx(150)
    assert rows["lateness p99"].ratio == pytest.approx(4)


@pytest.mark.slow
def test_the_bare_server_sends_to_all_its_readers_at_the_common_pace():
    with serving(SERVERS["bare"]) as (_, port):
        found = read(port, [Reader("token", number) for number in range(5)], 2.0)
    assert found["silent"] == 0
    assert len(found["late"]) > 5 * 5
    assert PACE == 60

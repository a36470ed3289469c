"""Many rows at once: the planner knows of them before anybody asks for a board."""

import pytest
from django.db import connection
from django.utils import timezone

from annotation.models import Item, Judgment, LogEntry
from annotation.use_cases.import_votes import import_votes
from annotation.use_cases.sequence_log import sequence_log
from tests.annotation.imports.files import write


def known_rows() -> float:
    """Of the table of those three that the planner holds for the smallest; -1 where it never looked."""
    names = [model._meta.db_table for model in (Item, Judgment, LogEntry)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(reltuples) FROM pg_class WHERE relname = ANY(%s)", [names])
        return cursor.fetchone()[0]


@pytest.mark.django_db
@pytest.mark.parametrize(("votes", "is_told"), [(1000, True), (10, False)], ids=["many", "few"])
def test_the_planner_is_told_of_a_large_import_and_of_its_numbers(tmp_path, votes, is_told):
    before = known_rows()
    text = "a,b,outcome\n" + "x,y,a\n" * votes
    import_votes(path=write(tmp_path, text, "votes.csv"), board_slug="votes", now=timezone.now())
    sequence_log(now=timezone.now())
    assert known_rows() >= 1000 if is_told else known_rows() == before

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Person, User
from accounts.use_cases.create_person import person_of_visitor, visitor_digest
from annotation.models import Judgment
from annotation.use_cases.submit_judgment import submit_judgment
from foundation.models import IdempotencyRecord
from foundation.planned import find_planned, insert_planned
from tests.factories import PREFERENCE, claim_and_show, make_campaign, make_item, make_respondent, new_key

pytestmark = pytest.mark.django_db


def record(key: str = "one") -> IdempotencyRecord:
    now = timezone.now()
    said = {"scope": "test", "key": key, "body_hash": "0" * 64, "response": {"ä": [1, None]}}
    return IdempotencyRecord(**said, created_at=now, expires_at=now + timedelta(hours=1))


def make_judgment() -> Judgment:
    campaign = make_campaign(questions=[PREFERENCE])
    make_item(campaign)
    respondent = make_respondent(campaign)
    claim, _ = claim_and_show(campaign, respondent)
    held = {"assignment_id": claim.pk, "lease_token": claim.lease_token, "respondent": respondent, "key": new_key()}
    return submit_judgment(**held, answers={"preference": {"choice": "a", "strength": 1}}, now=timezone.now())


def columns(row) -> dict:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_a_row_is_written_as_save_writes_it():
    planned = insert_planned(record())
    saved = record("two")
    saved.save()
    assert columns(planned) == columns(IdempotencyRecord.objects.get(pk=planned.pk))
    apart = {"id", "key", "created_at", "expires_at"}
    assert [(name, value) for name, value in columns(planned).items() if name not in apart] == [
        (name, value) for name, value in columns(saved).items() if name not in apart
    ]
    planned.delete()
    assert not IdempotencyRecord.objects.filter(key="one").exists()


def test_what_the_database_fills_in_is_told():
    earlier = make_judgment()
    values = columns(earlier) | {"id": None, "kind": "answer", "order": [1, 0], "supersedes_id": earlier.pk}
    left = {name: value for name, value in values.items() if name not in {"transaction", "created_at"}}
    row = insert_planned(Judgment(**left))
    assert row.pk > earlier.pk
    assert row.transaction > 0
    assert columns(row) == columns(Judgment.objects.get(pk=row.pk))


def test_a_refusal_of_the_database_is_djangos():
    insert_planned(record())
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_planned(record())


def test_a_row_that_is_there_or_that_somebody_listens_to_is_refused():
    row = insert_planned(record())
    with pytest.raises(ValueError, match="no new row"):
        insert_planned(row)

    def listener(**kwargs: object) -> None: ...

    post_save.connect(listener, sender=User)
    try:
        with pytest.raises(TypeError, match="listeners"):
            insert_planned(User(username="heard"))
    finally:
        post_save.disconnect(listener, sender=User)


def test_a_row_is_found_as_the_compiler_finds_it_by_a_statement_planned_once():
    person = person_of_visitor(token="t" * 20, now=timezone.now())
    digest = visitor_digest("t" * 20)
    with CaptureQueriesContext(connection) as asked:
        found = [find_planned(Person, column="visitor_digest", value=digest) for _ in range(8)]
    assert columns(found[0]) == columns(Person.objects.get(pk=person.pk))
    assert (len(asked), len(set(found)), found[0]._state.adding) == (8, 1, False)
    assert find_planned(Person, column="visitor_digest", value="nobody") is None
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT %accounts_person%'")
        assert cursor.fetchone() == (1,)


def test_one_row_is_found_by_a_column_that_has_each_value_once():
    with pytest.raises(ValueError, match=r"Person\.kind is not unique"):
        find_planned(Person, column="kind", value="visitor")

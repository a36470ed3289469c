"""How many battles a visitor is told to wait for."""

import pytest

from arena.queries.waiting import wait_of
from inference_workers.enums import Priority
from inference_workers.models import Completion
from tests.arena.factories import begin, make_models
from tests.factories import make_person
from tests.inference_workers.factories import make_endpoint

pytestmark = pytest.mark.django_db


def waits(battle, person):
    return wait_of(battle.pk, person=person).ahead


def test_the_battles_that_came_before_at_the_same_endpoints_are_counted():
    make_models(2, endpoint=make_endpoint())
    first, second, third = (make_person() for _ in range(3))
    battles = [begin(each) for each in (first, second, third)]
    assert [waits(battle, each) for battle, each in zip(battles, (first, second, third), strict=True)] == [0, 1, 2]


def test_a_batch_lets_visitors_go_first_and_another_endpoint_keeps_nobody_waiting():
    make_models(2, endpoint=make_endpoint())
    before, person = make_person(), make_person()
    begin(before)
    battle = begin(person)
    others = Completion.objects.filter(turn__response__item__battle__assignment__respondent__person=before)
    assert (others.count(), waits(battle, person)) == (2, 1)
    others.update(priority=Priority.BATCH)
    assert waits(battle, person) == 0
    others.update(priority=Priority.VISITOR)
    for completion in others:
        completion.revision.pk, completion.revision.endpoint = None, make_endpoint()
        completion.revision.number += 100
        completion.revision.save()
        Completion.objects.filter(pk=completion.pk).update(revision=completion.revision)
    assert waits(battle, person) == 0

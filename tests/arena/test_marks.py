"""What admins make of what was found: marks on what the moderation model stopped, and how often who found was right."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.models import Event
from arena.models import Arena, Moderation, RuleFinding
from arena.queries.marks import Marked, marks_in
from arena.use_cases.add_house_rule import add_house_rule
from arena.use_cases.hold_to_rules import HouseRuleBroken
from arena.use_cases.look_at_finding import look_at_finding
from arena.use_cases.look_at_moderation import NothingStopped, look_at_moderation
from tests.arena.factories import begin, make_arena, make_models
from tests.arena.test_moderation_model import classifier
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def moderation(arena: Arena, **fields: object) -> Moderation:
    model = getattr(arena, "sorter", None) or classifier()
    arena.sorter = model
    stopped = {"state": "stopped", "scores": {"violence": 0.9, "hate": 0.6}, "found": ["violence", "hate"]}
    values = {"arena": arena, "about": "prompt", "revision": model, "digest": "d", "limits": {"*": 0.5}}
    values |= {"asked_at": timezone.now(), "ended_at": timezone.now()}
    return Moderation.objects.create(**values, **(stopped | fields))


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(make_user(role="campaign_admin"))
    return client


def page(client: Client, name: str) -> str:
    return re.sub(r"\s+", " ", client.get(reverse(name, args=["arena"])).content.decode())


def test_what_the_model_stopped_waits_for_a_mark_and_integrity_tells_how_often_it_was_right(admin):
    arena = make_arena()
    first, second, third = moderation(arena), moderation(arena, found=["hate"]), moderation(arena, with_picture=True)
    passed = moderation(arena, state="passed", found=[])
    said = page(admin, "arena-rules")
    assert ("to look at" in said, "(with a picture)" in said, "violence" in said) == (True, True, True)
    address = reverse("arena-moderation", args=["arena", first.pk])
    assert admin.post(address, {"outcome": "fine"}).status_code == 422
    for row, outcome in ((first, "right"), (second, "false_alarm"), (third, "right")):
        assert admin.post(reverse("arena-moderation", args=["arena", row.pk]), {"outcome": outcome}).status_code == 302
    assert "Stopped by the moderation model" not in page(admin, "arena-rules")
    # A second look replaces the first; both are events.
    admin.post(reverse("arena-moderation", args=["arena", third.pk]), {"outcome": "false_alarm"})
    third.refresh_from_db()
    assert (third.outcome, Event.objects.filter(verb="looked_at").count()) == ("false_alarm", 4)
    marks = marks_in(arena)
    assert marks.models == [Marked("Guard", 3, 1, 2)]
    assert marks.classes == [Marked("hate", 3, 1, 2), Marked("violence", 2, 1, 1)]
    said = page(admin, "arena-integrity")
    assert ("33.3 %" in said, "50.0 %" in said) == (True, True)
    for number in (passed.pk, 2**63):
        assert admin.post(f"/arenas/arena/moderations/{number}", {"outcome": "right"}).status_code == 404
    with pytest.raises(NothingStopped):
        look_at_moderation(moderation_id=passed.pk, outcome="right", actor=None, now=timezone.now())


def test_rules_are_counted_beside_it_and_what_nobody_looked_at_has_no_precision(admin):
    make_models()
    arena = make_arena()
    add_house_rule(
        arena=arena,
        name="No onions",
        says="",
        kind="words",
        pattern="onion",
        action="refuse",
        on_visitors=True,
        on_models=False,
        actor=None,
        now=timezone.now(),
    )
    for _again in range(2):
        with pytest.raises(HouseRuleBroken):
            begin(prompt="How is an onion cut?", arena=arena)
    assert marks_in(arena).rules == [Marked("No onions", 2, 0, 0)]
    assert "not looked at" in page(admin, "arena-integrity")
    finding = RuleFinding.objects.first()
    look_at_finding(finding_id=finding.pk, outcome="right", actor=None, now=timezone.now())
    assert marks_in(arena).rules[0].precision == 100.0
    assert "100.0 %" in page(admin, "arena-integrity")

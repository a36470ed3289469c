"""What comes too late: an answer after its lease, after somebody else's, and a draft from a tab that is behind; each
with a control without what stands against it.
"""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation.models import Assignment, Draft, Judgment
from annotation.use_cases import save_draft, submit_judgment
from annotation.use_cases.expire_assignments import expire_assignments
from tests.annotation.work.test_pages import answer, fields, joined, open_item
from tests.factories import PREFERENCE, RATIONALE, make_campaign, make_item

pytestmark = pytest.mark.django_db

NOW = timezone.now


def answered_after_the_lease():
    """Nobody has swept yet: the item is still this person's but for its time."""
    campaign = make_campaign(questions=[PREFERENCE])
    make_item(campaign)
    client = joined(campaign)
    page, address = open_item(client, campaign)
    Assignment.objects.update(lease_expires_at=NOW() - timedelta(seconds=1))
    return client.post(address, fields(page) | {"preference": "a"})


def test_an_item_whose_lease_ran_out_is_not_answered():
    late = answered_after_the_lease()
    assert late.status_code == 409
    assert "ran out" in late.content.decode()
    assert not Judgment.objects.exists()


def test_control_without_the_look_at_the_lease_it_is_answered(monkeypatch):
    monkeypatch.setattr(submit_judgment, "refuse_unless_open", lambda *_: None)
    assert answered_after_the_lease().status_code == 302
    assert Judgment.objects.count() == 1


def late_answer() -> int:
    """Somebody else got the only slot and answered; then comes who had it before. Returns how that was met."""
    campaign = make_campaign(questions=[PREFERENCE])
    make_item(campaign, slots=1)
    slow, quick = joined(campaign), joined(campaign)
    page, address = open_item(slow, campaign)
    Assignment.objects.update(lease_expires_at=NOW() - timedelta(hours=1))
    expire_assignments(now=NOW())
    assert answer(quick, campaign).status_code == 302
    return slow.post(address, fields(page) | {"preference": "b"}).status_code


def test_who_answers_when_somebody_else_has_is_too_late():
    assert late_answer() == 409
    assert [each.preference for each in Judgment.objects.all()] == ["a"]


def test_control_without_the_fence_a_late_answer_is_one_too_many(monkeypatch):
    for guard in ("refuse_unless_open", "_end"):
        monkeypatch.setattr(submit_judgment, guard, lambda *_: None)
    assert late_answer() == 302
    assert [each.preference for each in Judgment.objects.order_by("pk")] == ["a", "b"]


def in_two_tabs():
    """What the second of two tabs is told that saves over the same version, and what is there afterwards."""
    campaign = make_campaign(questions=[PREFERENCE, RATIONALE])
    make_item(campaign)
    client = joined(campaign)
    page, address = open_item(client, campaign)
    typed = fields(page) | {"preference": "a", "why": "First words", "draft_version": "0"}
    assert client.post(f"{address}/draft", typed).json() == {"version": 1}
    stale = client.post(f"{address}/draft", typed | {"why": "Of another tab"})
    return stale, open_item(client, campaign)[0]


def test_a_draft_survives_and_a_stale_tab_is_told_what_is_stored():
    stale, page = in_two_tabs()
    assert stale.status_code == 409
    assert (stale.json()["version"], stale.json()["values"]["why"]) == (1, "First words")
    assert "First words" in page
    assert 'data-draft-version="1"' in page
    # Sealed: a copy of the database does not tell.
    assert b"First words" not in bytes(Draft.objects.get().sealed)


def test_control_without_the_version_a_stale_tab_overwrites_what_is_stored(monkeypatch):
    """And says that it is kept: nobody learns that words are gone."""
    unguarded = save_draft.KEEP.replace("WHERE annotation_draft.version = %(version)s", "")
    assert unguarded != save_draft.KEEP
    monkeypatch.setattr(save_draft, "KEEP", unguarded)
    stale, page = in_two_tabs()
    assert (stale.status_code, stale.json()) == (200, {"version": 2})
    assert "First words" not in page
    assert "Of another tab" in page

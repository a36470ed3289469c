"""What becomes of files of battles when their visitor is erased, and while they are being written."""

import threading
from contextlib import nullcontext
from functools import partial

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Person
from accounts.use_cases.create_person import person_of_visitor
from accounts.use_cases.erase_person import erase_person
from annotation.models import Judgment, MediaFile
from annotation.queries.shown import shown_item
from annotation.use_cases.remove_unnamed import remove_unnamed
from annotation.use_cases.sweep_media import sweep_media
from arena import queries
from arena.use_cases.erase_own import erase_own
from foundation.media.store import files_root, media_path
from inference_workers.models import Completion, CompletionFile
from inference_workers.tasks import files as keeping
from inference_workers.use_cases import finish_completion as finishing
from tests.annotation.media.files import picture
from tests.arena.factories import begin
from tests.arena.filing import arena_of_files, made, work
from tests.arena.test_files import load, on_disk, vote
from tests.arena.voting import browser_of
from tests.factories import make_person
from tests.foundation.threads import Meanwhile, run_together

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "cookie-of-who-goes-away-again"


@pytest.fixture(autouse=True)
def media_root(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def person() -> Person:
    return person_of_visitor(token=TOKEN, now=timezone.now())


@pytest.fixture
def browser() -> Client:
    return browser_of(TOKEN)


def finish_while_removed(monkeypatch, person: Person, wait: float) -> None:
    """The file lies there and no completion names it yet; then unnamed files are removed."""
    begin(person, arena=arena_of_files("image"))
    meanwhile = Meanwhile(wait)
    monkeypatch.setattr(keeping, "_written", meanwhile.after(keeping._written))

    def remove() -> int:
        there = [f"files/{path.parent.name}/{path.name}" for path in files_root().glob("??/*")]
        return remove_unnamed(stored=there)

    run_together(work, partial(meanwhile.do, remove))


def test_a_file_is_not_removed_before_its_completion_names_it(person, monkeypatch):
    finish_while_removed(monkeypatch, person, 0.7)
    assert all(media_path(file.stored).is_file() for file in CompletionFile.objects.all())
    assert CompletionFile.objects.count() == 2


def test_control_without_the_lock_a_completion_names_a_file_that_is_gone(person, monkeypatch):
    monkeypatch.setattr(keeping, "advisory_lock", lambda name: nullcontext())
    finish_while_removed(monkeypatch, person, 25)
    assert not all(media_path(file.stored).is_file() for file in CompletionFile.objects.all())


def test_erased_with_its_visitor_no_file_is_left_and_what_was_voted_stays(person, browser):
    battle = made("image", person)
    load(browser, battle)
    vote(browser, battle)
    other = made("image", make_person())
    assert len(on_disk()) == 4
    judged = queries.ballot(battle.pk, person=person).exchanges[0].files
    assert set(judged) == {"a", "b"}
    erase_own(person_id=person.pk, withdraws=False, now=timezone.now())
    assert CompletionFile.objects.filter(completion__person=person).count() == 0
    assert len(on_disk()) == MediaFile.objects.count() == 2
    assert Judgment.objects.count() == 1
    assert [turn.media for each in shown_item(battle.item_id, [0, 1]).responses for turn in each.turns] == [None, None]
    # What somebody else has is theirs.
    (exchange,) = queries.ballot(other.pk, person=other.assignment.respondent.person).exchanges
    assert all(each.media for each in exchange.files.values())


def test_a_file_that_two_have_stays_with_the_other_one(person):
    one, other = make_person(), person
    for each in (one, other):
        made("image", each, picture(shade=1), picture(shade=2))
    assert len(on_disk()) == 2
    erase_own(person_id=one.pk, withdraws=False, now=timezone.now())
    assert (len(on_disk()), MediaFile.objects.count(), CompletionFile.objects.count()) == (2, 2, 2)
    erase_own(person_id=other.pk, withdraws=False, now=timezone.now())
    assert (on_disk(), MediaFile.objects.count(), CompletionFile.objects.count()) == ([], 0, 0)


def test_the_sweeper_removes_files_of_whoever_was_erased_by_a_command(person):
    made("image", person)
    erase_person(person_id=person.pk, now=timezone.now())
    assert len(on_disk()) == 2
    sweep_media(now=timezone.now())
    assert (on_disk(), CompletionFile.objects.count()) == ([], 0)


def finish_while_erased(monkeypatch, person: Person) -> None:
    """The worker has looked whether its visitor is still there; then they are erased, and then it writes."""
    begin(person, arena=arena_of_files("image"))
    looked = threading.Event()
    write = finishing.write_personal_text

    def written(**words):
        looked.set()
        return write(**words)

    def erase():
        with transaction.atomic():
            erase_person(person_id=person.pk, now=timezone.now())
            assert looked.wait(20)

    monkeypatch.setattr(finishing, "write_personal_text", written)
    run_together(erase, work)
    person.refresh_from_db()
    assert person.erased_at is not None


def test_no_file_comes_once_its_visitor_is_erased(person, monkeypatch):
    finish_while_erased(monkeypatch, person)
    assert ("failed", "person_erased") in set(Completion.objects.values_list("state", "error_code"))
    assert CompletionFile.objects.count() == 0


def test_control_without_the_second_look_a_file_outlives_its_visitor(person, monkeypatch):
    monkeypatch.setattr(finishing, "refuse_erased", lambda person: None)
    finish_while_erased(monkeypatch, person)
    assert CompletionFile.objects.count() > 0

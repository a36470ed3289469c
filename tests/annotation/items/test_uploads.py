"""Uploads: received in pieces, mapped, queued, retired; and what is left of a file."""

import os

import pytest
from celery.canvas import Signature
from django.utils import timezone
from kombu.exceptions import OperationalError

from annotation.imports.uploads import UploadTooLarge, upload_path, uploads_root
from annotation.models import Event, Item, ItemUpload, Slot, Source
from annotation.use_cases import import_items as module
from annotation.use_cases.import_items import import_items
from annotation.use_cases.map_upload import BadMapping, UploadTaken, map_upload
from annotation.use_cases.paste_items import paste_items
from annotation.use_cases.receive_upload import receive_upload
from annotation.use_cases.request_import import request_import
from annotation.use_cases.retire_upload import NothingImported, retire_upload
from annotation.use_cases.sweep_uploads import sweep_uploads
from annotation.use_cases.void_item import void_item
from foundation.idempotency import KeyReused
from foundation.transitions import ForbiddenTransition
from tests.annotation.imports.files import write
from tests.annotation.items.files import guessed
from tests.annotation.items.uploads import imported, queued, received
from tests.factories import (
    QUESTIONS,
    claim_and_show,
    make_campaign,
    make_item,
    make_respondent,
    make_user,
    new_key,
)

pytestmark = pytest.mark.django_db(transaction=True)
PLAIN = "prompt,response_1,response_2\np,x,y\nq,x,y\np,y,z\n"


@pytest.fixture
def campaign():
    return make_campaign(questions=[{"name": "better", "type": "preference"}, *QUESTIONS[1:]])


def test_the_same_key_and_file_is_the_same_upload(campaign, tmp_path):
    actor, path, key = make_user(), write(tmp_path, PLAIN, "items.csv"), new_key()
    first, second = (received(campaign, path, actor=actor, key=key) for _ in range(2))
    assert first == second
    assert [path.name for path in uploads_root().iterdir()] == [first.stored]
    with pytest.raises(KeyReused):
        received(campaign, write(tmp_path, PLAIN + "x,y,z\n", "items.csv"), actor=actor, key=key)
    assert received(campaign, path, actor=actor).pk != first.pk


def test_a_file_is_written_in_pieces_and_never_beyond_the_limit(campaign, settings):
    settings.ITEM_UPLOAD_MAX_MB = 1
    taken = []

    def pieces():
        for number in range(100):
            taken.append(number)
            yield b"prompt,response_1,response_2\n" + b"x" * 100_000

    with pytest.raises(UploadTooLarge):
        receive_upload(
            campaign_id=campaign.pk,
            name="items.csv",
            content=pieces(),
            key=new_key(),
            actor=make_user(),
            now=timezone.now(),
        )
    assert (len(taken), list(uploads_root().iterdir()), ItemUpload.objects.count()) == (10, [], 0)


def test_a_name_is_a_title_and_no_path(campaign, tmp_path):
    path = write(tmp_path, PLAIN, "items.csv")
    with path.open("rb") as file:
        upload = receive_upload(
            campaign_id=campaign.pk,
            name="..\\..\\etc/pass\x00wd.csv",
            content=file,
            key=new_key(),
            actor=make_user(),
            now=timezone.now(),
        )
    assert (upload.name, upload_path(upload).parent) == ("passwd.csv", uploads_root())
    assert upload_path(upload).read_text() == PLAIN


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("prompt,response_1,response_2\np,x,y\n", "pasted.csv"),
        ("prompt\tresponse_1\tresponse_2\np\tx\ty\n", "pasted.tsv"),
        ('{"prompt": "p", "response_1": "x", "response_2": "y"}', "pasted.jsonl"),
    ],
)
def test_what_is_pasted_takes_the_same_path(campaign, text, name):
    actor = make_user()
    upload = paste_items(campaign_id=campaign.pk, text=text, key=new_key(), actor=actor, now=timezone.now())
    map_upload(upload_id=upload.pk, columns=guessed(upload_path(upload)), actor=actor, now=timezone.now())
    request_import(upload_id=upload.pk, actor=actor, now=timezone.now())
    done = import_items(upload_id=upload.pk, now=timezone.now())
    assert (upload.name, done.items) == (name, 1)


def test_columns_that_cannot_be_meant_so_are_refused(campaign, tmp_path):
    upload, actor = received(campaign, write(tmp_path, PLAIN, "items.csv")), make_user()
    known = {"prompt": "prompt", "response_1": "response_1", "response_2": "response_2"}
    for changed, said in (
        ({"response_2": ""}, "an item of this campaign has 2 responses: say which column is response_2"),
        ({"prompt": "response_1"}, "one column has two meanings"),
        ({"prompt": "missing"}, "the file has no column 'missing'"),
        ({"colour": "prompt"}, "no column can mean 'colour'"),
        ({"cat_": "prompt"}, "the column 'prompt' is no name for a flag"),
        ({"default_purpose": "fun"}, "items cannot be for that"),
    ):
        stored = {name: column for name, column in (known | changed).items() if column}
        with pytest.raises(BadMapping) as refused:
            map_upload(
                upload_id=upload.pk,
                columns=module.ItemColumns.from_json(stored),
                actor=actor,
                now=timezone.now(),
            )
        assert said in refused.value.problems
    with pytest.raises(BadMapping):
        request_import(upload_id=upload.pk, actor=actor, now=timezone.now())
    done = imported(campaign, tmp_path, PLAIN)
    with pytest.raises(UploadTaken):
        map_upload(upload_id=done.pk, columns=module.ItemColumns.from_json(known), actor=actor, now=timezone.now())
    with pytest.raises(ForbiddenTransition):
        request_import(upload_id=done.pk, actor=actor, now=timezone.now())


def test_asking_tells_a_worker_by_the_tasks_name_and_a_broker_that_is_away_only_delays(campaign, tmp_path, monkeypatch):
    sent = []
    monkeypatch.setattr(Signature, "apply_async", lambda self, **options: sent.append((self.task, self.args)))
    upload = queued(campaign, write(tmp_path, PLAIN, "items.csv"))
    assert sent == [("annotation.import_items", (upload.pk,))]

    def refuse(self, **options):
        raise OperationalError("no broker")

    monkeypatch.setattr(Signature, "apply_async", refuse)
    other = queued(campaign, write(tmp_path, PLAIN, "other.csv"))
    assert sweep_uploads(now=timezone.now()) == [upload.pk, other.pk]


def test_a_retired_file_is_asked_about_no_more_and_its_judgments_count_no_more(campaign, tmp_path):
    upload = imported(campaign, tmp_path, PLAIN)
    other = make_item(campaign)
    respondent = make_respondent(campaign)
    held, impression = claim_and_show(campaign, respondent)
    while held.item_id == other.pk:
        held, impression = claim_and_show(campaign, respondent)
    retired = retire_upload(upload_id=upload.pk, actor=None, reason="wrong file", now=timezone.now())
    assert (retired.source.state, set(Item.objects.filter(source=upload.source).values_list("state", flat=True))) == (
        "retired",
        {"void"},
    )
    assert set(Slot.objects.filter(item__source=upload.source).values_list("state", flat=True)) == {"cancelled"}
    held.refresh_from_db()
    assert (held.state, impression.end.kind) == ("cancelled", "voided")
    other.refresh_from_db()
    assert other.state == "open"
    with pytest.raises(ForbiddenTransition):
        retire_upload(upload_id=upload.pk, actor=None, reason="again", now=timezone.now())
    with pytest.raises(NothingImported):
        retire_upload(
            upload_id=received(campaign, write(tmp_path, PLAIN, "x.csv")).pk,
            actor=None,
            reason="",
            now=timezone.now(),
        )


def test_one_item_is_taken_out_and_once(campaign):
    item = make_item(campaign, slots=2)
    held, _impression = claim_and_show(campaign, make_respondent(campaign))
    void_item(item_id=item.pk, actor=None, reason="personal data", now=timezone.now())
    held.refresh_from_db()
    assert (held.state, set(item.slots.values_list("state", flat=True))) == ("cancelled", {"cancelled"})
    event = Event.objects.get(verb="voided")
    assert (event.from_state, event.to_state, event.reason) == ("open", "void", "personal data")
    with pytest.raises(ForbiddenTransition):
        void_item(item_id=item.pk, actor=None, reason="again", now=timezone.now())


def test_files_that_nobody_waits_for_go_after_a_day(campaign, tmp_path):
    upload = received(campaign, write(tmp_path, PLAIN, "items.csv"))
    left = write(uploads_root(), "half a file", "left.csv")
    fresh = write(uploads_root(), "being sent", "fresh.csv")
    for path in (upload_path(upload), left):
        os.utime(path, (0, 0))
    sweep_uploads(now=timezone.now())
    assert sorted(path.name for path in uploads_root().iterdir()) == sorted([upload.stored, fresh.name])
    assert Source.objects.filter(kind="import").count() == 0

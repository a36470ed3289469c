"""Items of a file stand in a campaign: all of them or none, once, whoever dies meanwhile."""

import json
import threading
from contextlib import nullcontext

import pytest
from django.db import connection
from django.utils import timezone

from annotation.enums import CampaignState
from annotation.imports.item_spool import SpooledItems
from annotation.imports.uploads import upload_path, uploads_root
from annotation.models import Campaign, Contestant, Event, Item, ItemUpload, Prompt, Response, Slot, Turn
from annotation.policies.drafts import CampaignIsClosed
from annotation.use_cases import import_items as module
from annotation.use_cases import upload_lease
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.create_prompt import prompt_digest
from annotation.use_cases.import_items import import_items
from annotation.use_cases.map_upload import map_upload
from annotation.use_cases.request_import import request_import
from annotation.use_cases.sweep_uploads import sweep_uploads
from tests.annotation.imports.files import write
from tests.annotation.items.files import EVERYTHING, guessed
from tests.annotation.items.uploads import counts, imported, queued, received
from tests.factories import (
    QUESTIONS,
    claim_and_show,
    later,
    make_campaign,
    make_item,
    make_respondent,
    make_user,
)

pytestmark = pytest.mark.django_db(transaction=True)
PLAIN = "prompt,response_1,response_2\np,x,y\nq,x,y\np,y,z\n"


@pytest.fixture
def campaign():
    return make_campaign(questions=[{"name": "better", "type": "preference"}, *QUESTIONS[1:]])


def ask(campaign, **fields):
    Campaign.objects.filter(pk=campaign.pk).update(**fields)
    campaign.refresh_from_db()
    return campaign


def move(campaign, to):
    return change_campaign_state(campaign_id=campaign.pk, to=to, actor=None, reason="test", now=timezone.now())


def run(upload):
    return import_items(upload_id=upload.pk, now=timezone.now())


def test_a_file_becomes_items_with_everything_around_them(campaign, tmp_path):
    ask(campaign, overlap=3)
    upload = imported(campaign, tmp_path, EVERYTHING)
    assert (upload.state, upload.items, upload.progress, upload.problems) == ("done", 2, 1.0, [])
    assert (upload.source.kind, upload.source.name, upload.source.details["columns_not_read"]) == (
        "import",
        "items.csv",
        ["note"],
    )
    work, gold = Item.objects.order_by("pk").select_related("prompt")
    assert (work.prompt.messages, work.prompt_key, work.category, work.flags, work.language) == (
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is 2+2?"}],
        "q1",
        "sums",
        ["math"],
        "en",
    )
    assert (work.state, work.purpose, work.expected, work.source) == ("open", "work", None, upload.source)
    assert (gold.purpose, gold.expected) == ("gold", [{"question": "better", "values": ["a"]}])
    shown = Response.objects.order_by("item", "position").values_list(
        "item", "position", "contestant__name", "turns__number", "turns__kind", "turns__text"
    )
    assert list(shown) == [
        (work.pk, 0, "gpt", 0, "text", "Four."),
        (work.pk, 1, "llama", 0, "text", 'Five, "maybe".'),
        (gold.pk, 0, "gpt", 0, "text", "Six."),
        (gold.pk, 1, None, 0, "text", "Seven."),
    ]
    # A check gets its slot when it is claimed.
    slots = list(Slot.objects.order_by("number").values_list("item", "campaign", "number", "state", "place"))
    assert [slot[:4] for slot in slots] == [(work.pk, campaign.pk, number, "open") for number in (1, 2, 3)]
    assert len({slot[4] for slot in slots}) == 3
    assert not upload_path(upload).exists()


def test_a_digest_is_the_one_that_prompts_have_everywhere(campaign, tmp_path):
    imported(campaign, tmp_path, 'prompt,response_1,response_2\n"Ünï, ""x""\n\\ é",x,y\n')
    prompt = Prompt.objects.get()
    assert prompt.digest == prompt_digest(prompt.messages)


def test_equal_prompts_of_a_file_are_one_row_across_batches(campaign, tmp_path, monkeypatch):
    monkeypatch.setattr("annotation.imports.item_columns.ItemShape.chunk_rows", 3)
    make_item(campaign, prompt="p7")
    before = counts()
    lines = "".join(f"p{number % 10},x{number},y\n" for number in range(40))
    imported(campaign, tmp_path, "prompt,response_1,response_2\n" + lines)
    assert {name: count - before[name] for name, count in counts().items()} == {
        "Source": 1,
        "Prompt": 10,
        "Item": 40,
        "FollowUp": 0,
        "Response": 80,
        "Turn": 80,
        "Slot": 40,
    }
    asked = [item.prompt.messages[0]["content"] for item in Item.objects.order_by("pk").select_related("prompt")]
    assert asked[1:] == [f"p{number % 10}" for number in range(40)]


def test_talks_are_stored_turn_by_turn(campaign, tmp_path):
    def talk(*contents):
        return [{"role": ("assistant", "user")[place % 2], "content": text} for place, text in enumerate(contents)]

    rows = [
        {"prompt": "p", "response_1": "a", "response_2": "b"},
        {"prompt": "q", "response_1": talk("c", "and?", "d"), "response_2": talk("e", "and?", "f")},
    ]
    imported(campaign, tmp_path, "\n".join(json.dumps(row) for row in rows), "items.jsonl")
    turns = Turn.objects.order_by("response__item", "response__position", "number")
    assert list(turns.values_list("response__position", "number", "text")) == [
        *((0, 0, "a"), (1, 0, "b")),
        *((0, 0, "c"), (0, 1, "d"), (1, 0, "e"), (1, 1, "f")),
    ]
    second = Item.objects.order_by("pk")[1]
    assert list(second.follow_ups.values_list("number", "messages")) == [(1, [{"role": "user", "content": "and?"}])]


def test_imported_items_are_judged_like_any_other(campaign, tmp_path):
    imported(campaign, tmp_path, PLAIN)
    respondents = [make_respondent(campaign) for _ in range(3)]
    items = {claim_and_show(campaign, respondent)[0].item_id for respondent in respondents}
    assert items == set(Item.objects.values_list("pk", flat=True))


def test_names_of_models_mean_the_same_in_the_next_file(campaign, tmp_path):
    header = "prompt,response_1,response_2,model_1,model_2\n"
    imported(campaign, tmp_path, header + "p,x,y,gpt,llama\n")
    imported(campaign, tmp_path, header + "q,x,y,llama,mistral\n")
    imported(make_campaign(), tmp_path, header + "q,x,y,llama,\n")
    names = Contestant.objects.filter(campaign=campaign).order_by("name").values_list("name", flat=True)
    assert list(names) == ["gpt", "llama", "mistral"]
    assert Contestant.objects.count() == 4


def test_a_bad_last_line_writes_nothing_and_is_named(campaign, tmp_path):
    before = counts()
    upload = imported(campaign, tmp_path, PLAIN + "p,x,\n")
    assert counts() == before
    assert (upload.state, upload.problems, upload.source) == (
        "failed",
        [{"line": 5, "text": "1 response; an item of this campaign has 2"}],
        None,
    )
    assert upload_path(upload).exists()


def test_a_refused_file_is_read_with_other_columns(campaign, tmp_path):
    upload = imported(campaign, tmp_path, "prompt,first,second,response_1\np,x,y,\n", first="response_2")
    assert upload.state == "failed"
    actor = make_user()
    columns = guessed(upload_path(upload), first="response_1", second="response_2", response_1="")
    map_upload(upload_id=upload.pk, columns=columns, actor=actor, now=timezone.now())
    request_import(upload_id=upload.pk, actor=actor, now=timezone.now())
    assert (run(upload).state, Item.objects.count()) == ("done", 1)


def fail_at(monkeypatch, error, *, table="annotation_turn", time=2):
    """The COPY of that table raises, the second time."""
    monkeypatch.setattr("annotation.imports.item_columns.ItemShape.chunk_rows", 1)
    copy, seen = module.copy_rows, []

    def failing(**copied):
        seen.append(copied["table"])
        if seen.count(table) == time:
            raise error
        copy(**copied)

    monkeypatch.setattr(module, "copy_rows", failing)
    return seen


class Killed(BaseException):
    """Like a kill: no handler of errors sees it."""


def test_a_killed_import_leaves_nothing_and_starts_again_without_doubles(campaign, tmp_path, monkeypatch):
    upload, before = queued(campaign, write(tmp_path, PLAIN, "items.csv")), counts()
    with monkeypatch.context() as patched:
        fail_at(patched, Killed())
        with pytest.raises(Killed):
            run(upload)
    upload.refresh_from_db()
    assert (upload.state, counts()) == ("writing", before)
    assert sweep_uploads(now=timezone.now()) == []
    ItemUpload.objects.update(lease_expires_at=later(seconds=-1))
    assert sweep_uploads(now=timezone.now()) == [upload.pk]
    done = run(upload)
    assert (done.state, done.attempt, done.items, Item.objects.count()) == ("done", 2, 3, 3)
    assert run(upload) is None


def test_control_without_the_transaction_a_killed_import_is_doubled(campaign, tmp_path, monkeypatch):
    upload = queued(campaign, write(tmp_path, PLAIN, "items.csv"))
    with monkeypatch.context() as patched:
        fail_at(patched, Killed())
        patched.setattr(module.transaction, "atomic", nullcontext)
        patched.setattr(upload_lease.transaction, "atomic", nullcontext)
        with pytest.raises(Killed):
            run(upload)
    ItemUpload.objects.update(lease_expires_at=later(seconds=-1))
    sweep_uploads(now=timezone.now())
    run(upload)
    assert Item.objects.count() == 3 + 2


def test_control_without_the_sweeper_a_killed_import_waits_for_ever(campaign, tmp_path, monkeypatch):
    upload = queued(campaign, write(tmp_path, PLAIN, "items.csv"))
    with monkeypatch.context() as patched:
        fail_at(patched, Killed())
        with pytest.raises(Killed):
            run(upload)
    ItemUpload.objects.update(lease_expires_at=later(seconds=-1))
    assert run(upload) is None


def take_over_in_the_middle(upload, monkeypatch):
    """A second worker takes the import over while the first one writes; what the first one's end comes to."""
    write_all, taken = module._write, []

    def slow(*arguments):
        if not taken:
            taken.append(True)
            ItemUpload.objects.filter(pk=upload.pk).update(lease_expires_at=later(seconds=-1))
            sweep_uploads(now=timezone.now())
            taken.append(run(upload))
        write_all(*arguments)

    monkeypatch.setattr(module, "_write", slow)
    return run(upload), taken[1]


def test_a_worker_that_lost_its_lease_writes_nothing(campaign, tmp_path, monkeypatch):
    upload = queued(campaign, write(tmp_path, PLAIN, "items.csv"))
    first, second = take_over_in_the_middle(upload, monkeypatch)
    assert (first, second.state, second.attempt) == (None, "done", 2)
    assert (Item.objects.count(), Event.objects.filter(verb="imported").count()) == (3, 1)


def test_control_without_the_fence_both_workers_write(campaign, tmp_path, monkeypatch):
    upload = queued(campaign, write(tmp_path, PLAIN, "items.csv"))
    monkeypatch.setattr(module, "held_upload", lambda pk, token: ItemUpload.objects.filter(pk=pk))
    monkeypatch.setattr(module, "check", lambda *arguments: None)
    monkeypatch.setattr(upload_lease.Heart, "beat", lambda self, progress: None)
    take_over_in_the_middle(upload, monkeypatch)
    assert Item.objects.count() == 6


def test_an_import_that_fails_three_times_is_parked_with_its_error(campaign, tmp_path, monkeypatch):
    upload, before = queued(campaign, write(tmp_path, PLAIN, "items.csv")), counts()
    for state in ("queued", "queued", "failed"):
        with monkeypatch.context() as patched:
            fail_at(patched, OSError("no space left on device"))
            with pytest.raises(OSError, match="no space"):
                run(upload)
        upload.refresh_from_db()
        assert (upload.state, upload.problems) == (state, [{"line": 0, "text": "OSError: no space left on device"}])
    assert counts() == before


def test_progress_is_seen_while_the_transaction_writes(campaign, tmp_path, monkeypatch):
    monkeypatch.setattr("annotation.imports.item_columns.ItemShape.chunk_rows", 1)
    monkeypatch.setattr(upload_lease, "SECONDS_BETWEEN_BEATS", -1.0)
    upload, seen = queued(campaign, write(tmp_path, PLAIN, "items.csv")), []
    batches = SpooledItems.batches

    def watched(spooled):
        for batch in batches(spooled):
            watcher = threading.Thread(target=lambda: seen.append(look(upload.pk)))
            watcher.start()
            watcher.join()
            yield batch

    monkeypatch.setattr(SpooledItems, "batches", watched)
    run(upload)
    assert [round(progress, 2) for progress, _items in seen] == [0.4, 0.6, 0.8]
    assert {items for _progress, items in seen} == {0}


def test_a_campaign_can_be_paused_while_a_file_is_written(campaign, tmp_path, monkeypatch):
    upload, copy = queued(campaign, write(tmp_path, PLAIN, "items.csv")), module.copy_rows

    def pause():
        try:
            move(campaign, CampaignState.PAUSED)
        finally:
            connection.close()

    def pausing(**copied):
        copy(**copied)
        if copied["table"] == "annotation_slot":
            pauser = threading.Thread(target=pause)
            pauser.start()
            pauser.join()
            campaign.refresh_from_db()

    monkeypatch.setattr(module, "copy_rows", pausing)
    assert (run(upload).state, campaign.state, Slot.objects.count()) == ("done", "paused", 3)


def look(upload_id):
    """What others see: how far the import is, and how many items there are."""
    try:
        return ItemUpload.objects.get(pk=upload_id).progress, Item.objects.count()
    finally:
        connection.close()


def test_a_running_campaign_gets_open_slots_and_a_closed_one_nothing(campaign, tmp_path):
    imported(campaign, tmp_path, PLAIN)
    assert Slot.objects.filter(state="open").count() == 3
    waiting = queued(campaign, write(tmp_path, PLAIN, "again.csv"))
    mapped = received(campaign, write(tmp_path, PLAIN, "later.csv"))
    move(campaign, CampaignState.CLOSED)
    with pytest.raises(CampaignIsClosed):
        received(campaign, write(tmp_path, PLAIN, "third.csv"))
    with pytest.raises(CampaignIsClosed):
        request_import(upload_id=mapped.pk, actor=make_user(), now=timezone.now())
    done = run(waiting)
    assert (done.state, done.problems[0]["text"]) == ("failed", f"campaign {campaign.slug} is closed")
    assert Item.objects.count() == 3
    # Of the three that were sent, the one of the closed campaign is not kept.
    assert len(list(uploads_root().iterdir())) == 2


def test_a_campaign_that_closes_or_changes_meanwhile_gets_nothing(campaign, tmp_path, monkeypatch):
    for change, said in (
        ({"overlap": 2}, "the campaign was changed while the file was read: read it again"),
        ({"state": "closed"}, f"campaign {campaign.slug} is closed"),
    ):
        upload = queued(campaign, write(tmp_path, PLAIN, "items.csv"))
        finish = module._finish

        def late(*arguments, change=change, finish=finish):
            # In the same transaction, whose end takes it back: another one would do the same a moment before.
            Campaign.objects.filter(pk=campaign.pk).update(**change)
            finish(*arguments)

        with monkeypatch.context() as patched:
            patched.setattr(module, "_finish", late)
            done = run(upload)
        assert (done.state, done.problems) == ("failed", [{"line": 0, "text": said}])
    assert Item.objects.count() == 0

"""Files of items whose columns name media, and prompts that show them."""

from pathlib import Path

import pytest
from django.utils import timezone

from annotation.imports.item_campaign import columns_by_meaning, item_reader
from annotation.imports.item_columns import guess_meanings
from annotation.imports.item_spool import spool_items
from annotation.models import Item, ItemUpload, MediaFile, Turn
from annotation.queries.shown import shown_item
from annotation.use_cases import import_items as importing
from annotation.use_cases.copy_items import copy_item
from annotation.use_cases.import_items import import_items
from annotation.use_cases.remove_media import MediaInUse, remove_media
from tests.annotation.imports.files import write
from tests.annotation.items.uploads import imported, queued
from tests.annotation.media.files import one, picture, sound
from tests.factories import make_campaign, make_person

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folders(settings, tmp_path) -> Path:
    settings.MEDIA_ROOT = settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def campaign():
    campaign = make_campaign()
    one(campaign, "a.png", picture())
    one(campaign, "b (2).png", picture(shade=9))
    one(campaign, "map 1.png", picture(shade=80))
    return campaign


def problems(upload: ItemUpload) -> list[tuple[int, str]]:
    assert upload.state == "failed"
    return [(each["line"], each["text"]) for each in upload.problems]


def test_columns_of_files_are_guessed_by_their_names():
    names = ["prompt", "image_a", "image_b", "prompt_image", "model_a"]
    assert guess_meanings(names) == {
        "prompt": "prompt",
        "image_a": "file_1",
        "image_b": "file_2",
        "prompt_image": "prompt_file",
        "model_a": "model_1",
    }


def test_responses_that_are_files_and_a_prompt_that_shows_one(campaign, tmp_path):
    text = (
        "prompt,image_1,image_2,model_1,prompt_image\n"
        "A cat,a.png,b (2).png,ours,\n"
        "Like ![this](<media:map 1.png>)?,b (2).png,a.png,ours,\n"
        ",a.png,a.png,,map 1.png\n"
    )
    done = imported(campaign, tmp_path, text)
    assert (done.state, done.items, done.problems) == ("done", 3, [])
    digests = dict(MediaFile.objects.values_list("name", "sha256"))
    stored = dict(MediaFile.objects.values_list("name", "stored"))
    items = list(Item.objects.order_by("pk"))
    turns = Turn.objects.filter(response__item=items[0]).order_by("response__position")
    assert [(turn.kind, turn.text, turn.file) for turn in turns] == [
        ("file", None, stored["a.png"]),
        ("file", None, stored["b (2).png"]),
    ]
    asked = [item.prompt.messages[-1]["content"] for item in items]
    assert asked[1] == f"Like ![this](media:{digests['map 1.png']})?"
    assert asked[2] == f"![](media:{digests['map 1.png']})"
    shown = shown_item(items[1].pk, [1, 0])
    assert {place: media.kind for place, media in shown.media.items()} == dict.fromkeys(["P-0", "A-0", "B-0"], "image")
    (before, _sides), *_rest = shown.turns
    parts = [(part.text, part.media and part.media.place) for part in before[0]["parts"]]
    assert parts == [("Like", None), ("this", "P-0"), ("?", None)]


def test_what_names_no_file_is_an_error_by_its_line_and_nothing_is_imported(campaign, tmp_path):
    text = (
        "prompt,image_1,image_2,response_2\n"
        "ok,a.png,a.png,\n"
        "ok,a.png,none.png,\n"
        "![x](media:gone.png),a.png,a.png,\n"
        "ok,a.png,,\n"
        "ok,a.png,a.png,both\n"
    )
    found = problems(imported(campaign, tmp_path, text))
    assert [line for line, _text in found] == [3, 4, 5, 6]
    assert "none.png" in found[0][1]
    assert "gone.png" in found[1][1]
    assert "1 response" in found[2][1]
    assert "both given" in found[3][1]
    assert not Item.objects.exists()


def test_a_file_of_another_campaign_is_no_file_of_this_one(campaign, tmp_path):
    one(make_campaign(), "theirs.png", picture(shade=3))
    found = problems(imported(campaign, tmp_path, "prompt,image_1,image_2\np,theirs.png,a.png\n"))
    assert "theirs.png" in found[0][1]


def test_a_text_beside_a_file(campaign, tmp_path):
    done = imported(campaign, tmp_path, "prompt,response_1,file_2\nSay it,In words.,a.png\n")
    assert (done.state, done.items) == ("done", 1)
    kinds = Turn.objects.order_by("response__position").values_list("kind", "text")
    assert list(kinds) == [("text", "In words."), ("file", None)]


def test_what_an_item_shows_is_not_removed_and_what_was_removed_meanwhile_is_not_shown(campaign, tmp_path, monkeypatch):
    imported(campaign, tmp_path, "prompt,image_1,image_2\n![x](<media:map 1.png>),a.png,a.png\n")
    for name in ("a.png", "map 1.png"):
        media = MediaFile.objects.get(name=name)
        with pytest.raises(MediaInUse):
            remove_media(campaign_id=campaign.pk, media_id=media.pk, actor=make_person(), now=timezone.now())

    upload = queued(campaign, write(tmp_path, "prompt,image_1,image_2\np,b (2).png,a.png\n", "late.csv"))
    unused = MediaFile.objects.get(name="b (2).png")
    with pytest.raises(MediaInUse):  # the queue may want it
        remove_media(campaign_id=campaign.pk, media_id=unused.pk, actor=make_person(), now=timezone.now())
    whole = importing._write

    def removed_first(*arguments: object) -> None:
        unused.delete()
        whole(*arguments)

    monkeypatch.setattr(importing, "_write", removed_first)
    done = import_items(upload_id=upload.pk, now=timezone.now())
    assert done is not None
    assert "removed while it was read" in problems(done)[0][1]


def test_a_copy_shows_the_same_file(campaign, tmp_path):
    imported(campaign, tmp_path, "prompt,image_1,image_2\np,a.png,b (2).png\n")
    original = Item.objects.get()
    copy = copy_item(original, campaign_id=campaign.pk, source_id=original.source_id, repeat_of=original)
    assert [m.pk for m in shown_item(copy.pk, [0, 1]).media.values()] == [
        m.pk for m in shown_item(original.pk, [0, 1]).media.values()
    ]


def test_many_rows_look_their_names_up_once_a_piece(campaign, tmp_path, django_assert_num_queries):
    one(campaign, "t.wav", sound())
    rows = "".join(f"p{number} ![x](media:a.png),a.png,t.wav\n" for number in range(500))
    path = write(tmp_path, f"prompt,file_1,file_2\n{rows}", "many.csv")
    columns = columns_by_meaning({"prompt": "prompt", "file_1": "file_1", "file_2": "file_2"}, "work")
    reader = item_reader(campaign, columns)
    with django_assert_num_queries(1), spool_items(path, columns, reader, lambda done: None) as spooled:
        assert (spooled.rows, len(spooled.media)) == (500, 2)

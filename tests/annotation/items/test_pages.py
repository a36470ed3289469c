"""The pages of items: for campaign admins only, from the empty list to a file that is retired."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from annotation.imports.uploads import uploads_root
from annotation.models import Item, ItemUpload
from annotation.use_cases.import_items import import_items
from annotation.use_cases.retire_upload import retire_upload
from tests.annotation.items.files import EVERYTHING
from tests.annotation.items.uploads import imported
from tests.factories import QUESTIONS, claim_and_show, make_campaign, make_item, make_respondent, make_user, new_key

pytestmark = pytest.mark.django_db(transaction=True)
PLAIN = "prompt,response_1,response_2,extra\np,x,y,\n=SUM(A1),x,<b>y</b>,\n"


@pytest.fixture
def campaign():
    return make_campaign(slug="trial", questions=[{"name": "better", "type": "preference"}, *QUESTIONS[1:]])


@pytest.fixture
def admin():
    client = Client()
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    return client


def send(admin, text=PLAIN, name="items.csv", **data):
    file = SimpleUploadedFile(name, text.encode() if isinstance(text, str) else text)
    return admin.post(reverse("item-upload-new", args=["trial"]), {"file": file, "key": new_key(), **data})


def choices(*meanings, purpose="work"):
    return {"default_purpose": purpose} | {f"column_{number}": meaning for number, meaning in enumerate(meanings)}


def test_a_file_goes_from_the_upload_to_the_list(campaign, admin):
    answer = send(admin)
    upload = ItemUpload.objects.get()
    page = reverse("item-upload", args=["trial", upload.pk])
    assert (answer.status_code, answer["Location"]) == (302, page)
    shown = admin.get(page).content.decode()
    assert '<option value="response_2" selected>Response 2</option>' in shown
    assert "Not read: extra" in shown
    assert "=SUM(A1)" in shown
    assert "&lt;b&gt;y&lt;/b&gt;" in shown
    assert ItemUpload.objects.get().mapping == {}
    start = reverse("item-upload-import", args=["trial", upload.pk])
    answer = admin.post(start, choices("prompt", "response_1", "response_2", ""))
    assert (answer.status_code, answer["Location"]) == (302, page)
    waiting = admin.get(page).content.decode()
    assert ("Waiting for a worker" in waiting, 'hx-trigger="every 1s"' in waiting) == (True, True)
    assert import_items(upload_id=upload.pk, now=timezone.now()).state == "done"
    part = admin.get(reverse("item-upload-status", args=["trial", upload.pk])).content.decode()
    assert ("2 items in the campaign" in part, "hx-get" in part, "<html" in part) == (True, False, False)
    assert "Columns not read</dt><dd>extra" in part
    listed = admin.get(reverse("campaign-items", args=["trial"])).content.decode()
    assert listed.count("0 of 1") == 2
    assert "2 items" in listed


def test_the_preview_follows_the_form_and_stores_nothing(campaign, admin):
    send(admin, "q,one,two,label\nWhat?,x,y,fun\n")
    address = reverse("item-upload-preview", args=["trial", ItemUpload.objects.get().pk])
    good = admin.get(address, choices("prompt", "response_2", "response_1", "category")).content.decode()
    assert good.index(">y<") < good.index(">x<")
    assert ("<html" in good, "What?" in good, "fun" in good) == (False, True, True)
    gold = admin.get(address, choices("prompt", "response_1", "response_2", "", purpose="gold")).content.decode()
    assert "Line 2:" in gold
    assert "the item is for gold" in gold
    few = admin.get(address, choices("prompt", "response_1", "", "")).content.decode()
    assert "say which column is response_2" in few
    twice = admin.get(address, choices("prompt", "prompt", "response_1", "response_2")).content.decode()
    assert "Two columns are said to be: Prompt" in twice
    assert ItemUpload.objects.get().mapping == {}


def test_a_file_that_cannot_be_taken_is_refused_with_the_form(campaign, admin, settings):
    for text, name, said in (
        ("", "items.csv", "the file is empty"),
        (PLAIN.encode("utf-16"), "items.csv", "encoded in UTF-16"),
        (b"PK\x03\x04...", "items.xlsx", "compressed, or a workbook"),
        ("prompt,prompt\nx,y\n", "items.csv", "a column twice"),
    ):
        answer = send(admin, text, name)
        assert (answer.status_code, said in answer.content.decode()) == (422, True), name
    assert send(admin, key="").status_code == 422
    assert send(admin, key="two words").status_code == 422
    settings.ITEM_UPLOAD_MAX_MB = 0
    assert "more than 0 MB" in send(admin).content.decode()
    assert (ItemUpload.objects.count(), list(uploads_root().iterdir())) == (0, [])


def test_rows_are_pasted(campaign, admin):
    address = reverse("item-paste", args=["trial"])
    rows = {"text": "prompt\tchosen\trejected\np\tx\ty\n", "key": new_key()}
    first, second = admin.post(address, rows), admin.post(address, rows)
    assert (first.status_code, first["Location"]) == (302, second["Location"])
    assert "pasted.tsv" in admin.get(first["Location"]).content.decode()
    refused = admin.post(address, {"text": "[1, 2]", "key": new_key()})
    assert (refused.status_code, "one JSON array" in refused.content.decode()) == (422, True)
    assert admin.post(address, {"text": "", "key": new_key()}).status_code == 422


def test_wrong_columns_are_422_and_a_second_import_too(campaign, admin):
    send(admin)
    start = reverse("item-upload-import", args=["trial", ItemUpload.objects.get().pk])
    for bad in (
        {},
        choices("prompt", "response_1", "", ""),
        choices("colour", "response_1", "response_2", ""),
        choices("prompt", "response_1", "response_2", "", purpose="fun"),
    ):
        assert admin.post(start, bad).status_code == 422
    assert ItemUpload.objects.get().state == "uploaded"
    good = choices("prompt", "response_1", "response_2", "")
    assert admin.post(start, good).status_code == 302
    again = admin.post(start, good)
    assert (again.status_code, "being read already" in again.content.decode()) == (422, True)


def test_problems_are_shown_by_line_and_the_columns_can_be_told_anew(campaign, admin, tmp_path):
    upload = imported(campaign, tmp_path, "prompt,response_1,response_2\np,x,y\nq,x,\n")
    page = admin.get(reverse("item-upload", args=["trial", upload.pk])).content.decode()
    assert "Nothing was imported" in page
    assert '<td class="num">3</td><td class="break">1 response; an item of this campaign has 2</td>' in page
    assert "Import all rows" in page


def test_a_file_that_is_in_the_campaign_already_is_said(campaign, admin, tmp_path):
    imported(campaign, tmp_path, PLAIN, "first.csv")
    page = admin.get(send(admin)["Location"]).content.decode()
    assert "The same file is in the campaign already, as first.csv." in page


def test_rows_that_say_the_same_are_told_before_anything_is_imported(campaign, admin):
    send(admin, "prompt,response_1,response_2,label\np,x,y,a\nq,x,y,b\np,x,y,c\np,x,y,a\n")
    upload = ItemUpload.objects.get()
    page = admin.get(reverse("item-upload", args=["trial", upload.pk])).content.decode()
    assert ("2 rows say the same as an earlier one" in page, "4 as 2, 5 as 2" in page) == (True, True)
    assert "Only the first" not in page
    # What is read besides tells two of them apart.
    preview = reverse("item-upload-preview", args=["trial", upload.pk])
    told = admin.get(preview, choices("prompt", "response_1", "response_2", "category")).content.decode()
    assert ("1 row says the same as an earlier one" in told, "5 as 2" in told) == (True, True)
    # A notice, no refusal: somebody may mean it.
    start = reverse("item-upload-import", args=["trial", upload.pk])
    admin.post(start, choices("prompt", "response_1", "response_2", ""))
    assert import_items(upload_id=upload.pk, now=timezone.now()).state == "done"
    assert Item.objects.count() == 4


def test_of_a_long_file_the_notice_says_how_far_it_was_looked_through(campaign, admin, monkeypatch):
    monkeypatch.setattr("annotation.imports.item_equals.MOST_ROWS", 2)
    page = admin.get(send(admin, "prompt,response_1,response_2\np,x,y\np,x,y\np,x,y\n")["Location"]).content.decode()
    assert "1 row says the same as an earlier one" in page
    assert "Only the first 2 rows were looked at." in page


def test_control_a_file_without_equal_rows_has_no_notice(campaign, admin):
    assert "the same as an earlier one" not in admin.get(send(admin)["Location"]).content.decode()


def test_a_file_is_retired_with_a_reason(campaign, admin, tmp_path):
    upload = imported(campaign, tmp_path, PLAIN)
    address = reverse("item-upload-retire", args=["trial", upload.pk])
    assert admin.post(address, {"reason": ""}).status_code == 422
    assert admin.post(address, {"reason": "wrong file"}).status_code == 302
    assert admin.post(address, {"reason": "again"}).status_code == 422
    upload.refresh_from_db()
    assert upload.source.state == "retired"
    listed = admin.get(reverse("campaign-items", args=["trial"])).content.decode()
    assert ("Retired" in listed, "#retire" in listed) == (True, False)


def test_one_item_is_shown_in_full_and_taken_out(campaign, admin, tmp_path):
    imported(campaign, tmp_path, EVERYTHING)
    work, gold = Item.objects.order_by("pk")
    page = admin.get(reverse("campaign-item", args=["trial", work.pk])).content.decode()
    for text in ("Be brief.", "What is 2+2?", "Four.", "gpt", "llama", "sums", "q1", "items.csv"):
        assert text in page, text
    assert "better: a" in admin.get(reverse("campaign-item", args=["trial", gold.pk])).content.decode()
    address = reverse("campaign-item-void", args=["trial", work.pk])
    assert admin.post(address, {"reason": ""}).status_code == 422
    assert admin.post(address, {"reason": "broken"}).status_code == 302
    assert admin.post(address, {"reason": "broken"}).status_code == 422
    work.refresh_from_db()
    assert work.state == "void"


def test_the_list_is_filtered_and_searched(campaign, admin):
    for number in range(3):
        make_item(campaign, prompt=f'Question "{number}"?')
    make_item(campaign, prompt="Odd %", purpose="training")
    make_item(make_campaign(), prompt="Question of others?")
    address = reverse("campaign-items", args=["trial"])

    def found(**asked):
        return len(admin.get(address, asked).context["listed"])

    assert [found(), found(q='question "1"'), found(q="%"), found(purpose="training"), found(state="void")] == [
        *(4, 1, 1),
        *(1, 0),
    ]
    assert [found(purpose="fun"), found(page="x"), found(page="99"), found(q="x" * 300)] == [4, 4, 4, 4]


def test_pages_hold_so_many_items_at_a_constant_number_of_queries(campaign, admin, django_assert_num_queries, tmp_path):
    imported(campaign, tmp_path, "prompt,response_1,response_2\n" + "".join(f"p{n},x,y\n" for n in range(26)))
    address = reverse("campaign-items", args=["trial"])
    for page, count in (("1", 25), ("2", 1)):
        # Session, user, roles; campaign, count, items, prompts, slots, uploads.
        with django_assert_num_queries(12):
            assert len(admin.get(address, {"page": page}).context["listed"]) == count


def test_slots_are_counted_by_what_became_of_them(campaign, admin, tmp_path):
    make_item(campaign, slots=3)
    claim_and_show(campaign, make_respondent(campaign))
    imported_now = imported(campaign, tmp_path, PLAIN)
    retire_upload(upload_id=imported_now.pk, actor=None, reason="test", now=timezone.now())
    rows = admin.get(reverse("campaign-items", args=["trial"])).context["listed"]
    assert [(row.done, row.wanted) for row in rows] == [(0, 0), (0, 0), (0, 3)]


def test_items_of_another_campaign_are_not_there(campaign, admin, tmp_path):
    other = make_campaign(slug="other")
    item = make_item(other)
    upload = imported(other, tmp_path, PLAIN)
    for name, pk in (("campaign-item", item.pk), ("item-upload", upload.pk), ("item-upload-status", upload.pk)):
        assert admin.get(reverse(name, args=["trial", pk])).status_code == 404
    assert admin.post(reverse("campaign-item-void", args=["trial", item.pk]), {"reason": "x"}).status_code == 404

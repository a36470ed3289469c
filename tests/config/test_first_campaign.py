"""The README's first campaign, page by page: its logins, its rows, its buttons, and what it says comes of them."""

import html
import re
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.use_cases.make_demo_logins import make_demo_logins
from annotation import tasks
from annotation.models import Campaign, ItemUpload, Judgment
from annotation.use_cases.import_items import import_items
from tests.annotation.numbering import number_log

README = Path(__file__).resolve().parents[2] / "README.md"
CAMPAIGN = "/campaigns/first"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_the_first_campaign_of_the_readme_goes_as_it_says(tmp_path, settings):
    settings.DATA_DIR = tmp_path
    steps = README.read_text().split("### A first campaign\n")[1].split("\n### ")[0]
    logins = {login.username for login in make_demo_logins(reset=False, now=timezone.now())}
    assert all(f"`{username}`" in steps for username in logins)
    admin, annotator, reviewer, researcher = map(signed_in, ("admin", "annotator", "reviewer", "researcher"))
    set_up(admin, rows=re.search(r"```\n(.*?)```", steps, re.S)[1].replace("\n   ", "\n").strip())
    judge(annotator, admin)
    number_log()
    tasks.write_fees()
    tasks.bring_boards_up()
    review(reviewer, admin)
    assert "Judgments of work 3 of 3 wanted" in words(admin.get(CAMPAIGN))
    assert "0.75" in words(admin.get(f"{CAMPAIGN}/watch"))
    assert "0.75" in words(admin.get(f"{CAMPAIGN}/payments"))
    press(admin, f"{CAMPAIGN}/payments", "Make a payout")
    results = words(admin.get(f"{CAMPAIGN}/results", follow=True))
    assert results.index("plain") < results.index("vague")
    assert "Not public" in results
    board = admin.get(f"{CAMPAIGN}/results")["Location"]
    assert Client().get(board).status_code == 404
    press(admin, board, "Publish the board")
    assert "plain" in words(Client().get(board))
    assert "/datasets/first/new" in researcher.get("/datasets").content.decode()
    assert "Freeze and build" in words(researcher.get("/datasets/first/new"))


def set_up(admin: Client, *, rows: str) -> None:
    press(admin, "/campaigns/new", "Start", name="First", start="point-pairwise")
    overview = words(admin.get(CAMPAIGN))
    assert "2 things are missing" in overview
    press(admin, f"{CAMPAIGN}/edit/about", "Save", purpose="To see what is better.")
    press(admin, f"{CAMPAIGN}/edit/pay", "Save", pay_per_judgment="0.25", expected_seconds="60")
    press(admin, f"{CAMPAIGN}/items", "Take these rows", text=rows)
    upload = ItemUpload.objects.get()
    press(admin, f"{CAMPAIGN}/uploads/{upload.pk}", "Import all rows")
    done = import_items(upload_id=upload.pk, now=timezone.now())
    assert done is not None
    assert (done.items, done.problems) == (3, [])
    press(admin, CAMPAIGN, "Run")
    assert Campaign.objects.get(slug="first").state == "running"


def judge(annotator: Client, admin: Client) -> None:
    people = press(admin, f"{CAMPAIGN}/people", "Make a link", name="Friends")
    link = re.search(r"/join/[\w-]+", people)[0]
    press(annotator, link, "Join")
    press(annotator, "/annotate/first", "I agree")
    press(annotator, "/annotate/first", "I have read this")
    for _ in range(3):
        shown = annotator.get("/annotate/first/item").content.decode()
        sides = [shown.index(each) if each in shown else 10**9 for each in PLAIN]
        vague = min(shown.index(each) for each in VAGUE if each in shown)
        said = {"preference": "a" if min(sides) < vague else "b", "preference.strength": "2", "why": "It tells me."}
        press(annotator, "/annotate/first/item", "Submit", **said)
    assert Judgment.objects.count() == 3


PLAIN = ("Eight minutes", "Air scatters", "Go to bed")
VAGUE = ("Eggs are good", "It is a lovely", "Sleep is important")


def review(reviewer: Client, admin: Client) -> None:
    """One approves; a rejection of one changes nothing until another agrees."""
    assert "/review" in reviewer.get("/").content.decode()
    first, second, _third = Judgment.objects.order_by("pk").values_list("pk", flat=True)
    press(reviewer, f"{CAMPAIGN}/review/{first}", "Approve")
    press(reviewer, f"{CAMPAIGN}/review/{second}", "Reject", message="Say why.")
    assert "second" in words(admin.get(f"{CAMPAIGN}/review/{second}"))


def signed_in(username: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=username))
    return client


def words(answered) -> str:
    assert answered.status_code == 200, answered
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answered.content.decode())).split())


ATTRIBUTE = re.compile(r'([\w-]+)(?:="([^"]*)")?')


def attributes(tag: str) -> dict[str, str]:
    return {name: html.unescape(value) for name, value in ATTRIBUTE.findall(tag)}


def press(client: Client, address: str, button: str, **typed: str) -> str:
    """Fill in and send the form with this button, as a browser without script does; returns the page that follows."""
    page = client.get(address).content.decode()
    found = [
        (form, tag)
        for form in re.findall(r"<form.*?</form>", page, re.S)
        for tag, label in re.findall(r"<button ([^>]*)>(.*?)</button>", form, re.S)
        if re.sub(r"<kbd.*?</kbd>|<[^>]*>", "", label, flags=re.S).strip() == button
    ]
    assert found, f"{address} has no button “{button}”"
    form, pressed = found[0][0], attributes(found[0][1])
    sent = filled(form) | ({pressed["name"]: pressed["value"]} if "name" in pressed else {}) | typed
    answered = client.post(attributes(form[: form.index(">")]).get("action") or address, sent, follow=True)
    assert answered.status_code == 200, f"“{button}” was answered {answered.status_code}: {words_of_errors(answered)}"
    return answered.content.decode()


def words_of_errors(answered) -> list[str]:
    return re.findall(r"<ul class=\"(?:errorlist|todo)[^>]*>(.*?)</ul>", answered.content.decode(), re.S)


def filled(form: str) -> dict[str, str]:
    values = {}
    for tag in map(attributes, re.findall(r"<input ([^>]*)>", form)):
        if "name" in tag and (tag.get("type") not in ("radio", "checkbox", "file") or "checked" in tag):
            values[tag["name"]] = tag.get("value", "")
    for opening, options in re.findall(r"<select ([^>]*)>(.*?)</select>", form, re.S):
        chosen = re.findall(r'value="([^"]*)" selected', options) + re.findall(r'value="([^"]*)"', options)
        values[attributes(opening)["name"]] = chosen[0]
    for opening, text in re.findall(r"<textarea ([^>]*)>\n?(.*?)</textarea>", form, re.S):
        values[attributes(opening)["name"]] = html.unescape(text)
    return values

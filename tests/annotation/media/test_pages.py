"""Who gets which file of media, under which address, and the share that must be played before an answer is taken."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.enums import Role
from annotation.forms.played import read_shares
from annotation.models import Assignment, Campaign, Judgment, MediaFile, Respondent
from annotation.use_cases.publish_guidelines import publish_guidelines
from annotation.use_cases.skip_assignment import skip_assignment
from annotation.use_cases.submit_judgment import NotPlayed, Process
from annotation.use_cases.submit_work import submit_work
from foundation.media.store import media_path
from tests.annotation.datasets.rows import judge, rows_of, scope_of
from tests.annotation.media.files import film, one, picture, sound
from tests.annotation.media.items import annotator, show_files
from tests.factories import PREFERENCE, make_campaign, make_item, make_user, new_key

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media_root(settings, tmp_path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign(questions=[PREFERENCE])


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    return client


def item_page(client: Client, campaign: Campaign) -> str:
    return client.get(f"/annotate/{campaign.slug}/item").content.decode()


def addresses(page: str) -> list[str]:
    return re.findall(r'src="(/annotate/[^"]+)"', page)


def body(response) -> bytes:
    return b"".join(response.streaming_content)


def test_an_item_shows_its_files_and_nothing_tells_whose_they_are(campaign):
    files = [one(campaign, f"gpt-9-{name}.png", picture(shade=shade)) for name, shade in (("a", 0), ("b", 90))]
    show_files(campaign, files)
    client = annotator(campaign)
    page = item_page(client, campaign)
    assert "gpt-9" not in page
    shown = addresses(page)
    assert len(shown) == 2
    for media in files:
        assert media.sha256 not in page
        assert str(media.stored) not in page
    got = [client.get(address) for address in shown]
    assert {body(each) for each in got} == {media_path(media.stored).read_bytes() for media in files}
    for each in got:
        assert each["Content-Type"] == "image/png"
        assert each["X-Content-Type-Options"] == "nosniff"
        assert each["Content-Disposition"] == "inline"
        assert each["Cache-Control"].startswith("private")
        headers = str(dict(each.items()))
        assert not any(media.sha256 in headers or media.name in headers for media in files)


def test_a_player_gets_the_part_that_it_asks_for(campaign):
    show_files(campaign, [one(campaign, "a.wav", sound()), one(campaign, "b.wav", sound(pitch=300))])
    client = annotator(campaign)
    address = addresses(item_page(client, campaign))[0]
    whole = body(client.get(address))
    part = client.get(address, headers={"range": "bytes=44-143"})
    assert (part.status_code, part["Content-Range"]) == (206, f"bytes 44-143/{len(whole)}")
    assert part["Content-Type"] == "audio/wav"
    assert body(part) == whole[44:144]
    assert client.get(address, headers={"range": f"bytes={len(whole)}-"}).status_code == 416


def test_a_file_is_seen_by_who_has_the_item_and_only_while_they_have_it(campaign, admin):
    files = [one(campaign, "a.png", picture()), one(campaign, "b.png", picture(shade=9))]
    show_files(campaign, files)
    client, other = annotator(campaign), annotator(campaign)
    address = addresses(item_page(client, campaign))[0]
    assert client.get(address).status_code == 200
    assert other.get(address).status_code == 404
    assert Client().get(address).status_code == 302
    assert admin.get(address).status_code == 404
    for place in ("A-1", "C-0", "P-0", "Z-0", "a-0", "A-0000"):
        assert client.get(address.replace("A-0", place)).status_code == 404
    own = f"/campaigns/{campaign.slug}/media/{files[0].pk}/file"
    assert admin.get(own).status_code == 200
    assert client.get(own).status_code == 403
    assert admin.get(f"/campaigns/{make_campaign().slug}/media/{files[0].pk}/file").status_code == 404

    held = Assignment.objects.get()
    skip_assignment(
        assignment_id=held.pk,
        lease_token=held.lease_token,
        respondent=held.respondent,
        reason="other",
        now=timezone.now(),
    )
    assert client.get(address).status_code == 404


def test_side_a_is_what_was_shown_as_side_a(campaign):
    files = [one(campaign, "a.png", picture()), one(campaign, "b.png", picture(shade=9))]
    for _ in range(6):
        show_files(campaign, files)
    seen = set()
    for _ in range(6):
        client = annotator(campaign)
        first = body(client.get(addresses(item_page(client, campaign))[0]))
        order = Assignment.objects.latest("pk").impressions.latest("pk").order
        assert first == media_path(files[order[0]].stored).read_bytes()
        seen.add(tuple(order))
    assert seen <= {(0, 1), (1, 0)}


def test_a_prompt_shows_the_campaigns_files_and_a_response_cannot(campaign, admin):
    media = one(campaign, "map.png", picture())
    item = show_files(
        campaign,
        [one(campaign, "a.wav", sound()), one(campaign, "b.webm", film())],
        prompt=f"Where is this? ![A map](media:{media.sha256}) ![x](media:{'0' * 64}) <b>&",
    )
    client = annotator(campaign)
    page = item_page(client, campaign)
    assert [address[-3:] for address in addresses(page)] == ["P-0", "A-0", "B-0"]
    assert 'alt="A map"' in page
    assert f"![x](media:{'0' * 64}) &lt;b&gt;&amp;" in page
    assert body(client.get(addresses(page)[0])) == media_path(media.stored).read_bytes()
    shown = admin.get(f"/campaigns/{campaign.slug}/items/{item.pk}").content.decode()
    assert f"/campaigns/{campaign.slug}/media/{media.pk}/file" in shown

    make_item(other := make_campaign(), texts=(f"![x](media:{media.sha256})", "![x](media:map.png)"))
    assert "<img" not in item_page(annotator(other), other).split("<main", 1)[1].split("<form")[0]


def test_guidelines_show_the_campaigns_own_files_alone(campaign, admin):
    shown, hidden = one(campaign, "good one.png", picture()), one(campaign, "b.png", picture(shade=9))
    text = "![Good](<media:good one.png>) ![far](https://example.org/x.png) ![none](media:none.png)"
    publish_guidelines(campaign_id=campaign.pk, text=text, now=timezone.now())
    client = annotator(campaign)
    page = client.get(f"/annotate/{campaign.slug}/guidelines").content.decode()
    address = f"/annotate/{campaign.slug}/texts/{shown.sha256}"
    assert re.findall(r"<img[^>]*>", page) == [f'<img src="{address}" alt="Good" width="64" height="48">']
    assert client.get(address).status_code == 200
    assert client.get(address.replace(shown.sha256, hidden.sha256)).status_code == 404
    assert annotator(make_campaign()).get(address).status_code == 404
    written = admin.post(f"/campaigns/{campaign.slug}/preview/text", {"text": text}).content.decode()
    assert f'src="/campaigns/{campaign.slug}/media/{shown.pk}/file"' in written


def test_an_admin_sends_files_sees_them_and_removes_what_nobody_shows(campaign, admin):
    address = f"/campaigns/{campaign.slug}/media"
    files = [SimpleUploadedFile("cat.png", picture()), SimpleUploadedFile("tone.wav", sound())]
    page = admin.post(address, {"file": files})
    assert (page.status_code, "2 files are new." in page.content.decode()) == (200, True)
    refused = admin.post(address, {"file": [SimpleUploadedFile("page.png", b"<html>"), files[0]]})
    assert refused.status_code == 422
    assert "page.png: its content is no picture" in refused.content.decode()
    inserted = admin.post(f"{address}/insert", {"file": [SimpleUploadedFile("dog.png", picture(shade=4))]})
    assert inserted.json() == {"names": ["dog.png"], "said": "1 file is new."}
    for nothing in ({}, {"file": ""}, {"file": [SimpleUploadedFile("x", b"")]}):
        assert admin.post(f"{address}/insert", nothing).status_code == 422
        assert admin.post(address, nothing).status_code == 422
    cat = MediaFile.objects.get(name="cat.png")
    assert admin.post(f"{address}/{cat.pk}/remove").status_code == 302
    tone = MediaFile.objects.get(name="tone.wav")
    show_files(campaign, [tone, tone])
    assert admin.post(f"{address}/{tone.pk}/remove").status_code == 422
    assert "tone.wav" in admin.get(f"{address}?kind=audio").content.decode()
    assert "tone.wav" not in admin.get(f"{address}?kind=image").content.decode()


def test_samples_of_previews_are_a_picture_and_a_sound(admin):
    assert admin.get("/samples/image-b").content.startswith(b"\x89PNG")
    assert admin.get("/samples/audio-a").content[8:12] == b"WAVE"
    assert admin.get("/samples/other").status_code == 404


SIDES = [{"A-0": 10.0}, {}, {"C-0": 4.0, "C-1": 6.0}]


@pytest.mark.parametrize(
    ("told", "shares"),
    [
        ({"A-0": [[0, 5], [4, 6]], "C-0": [[0, 4]]}, [0.61, None, 0.4]),
        ({"A-0": [[0, 3], [0, 3], [7, 99]], "C-1": [[-5, 6]]}, [0.61, None, 0.6]),
        ({"A-0": [[5, 1], ["0", 9], [0], None, [0, True]], "B-0": [[0, 9]]}, [0, None, 0]),
        ({"A-0": "all", "C-0": {"0": 4}}, [0, None, 0]),
        ([], [0, None, 0]),
    ],
)
def test_a_share_counts_distinct_seconds_and_nothing_that_makes_no_sense(told, shares):
    assert read_shares(json.dumps(told), SIDES, elapsed_ms=60_000) == shares


def test_nobody_has_played_more_than_time_has_passed():
    told = json.dumps({"A-0": [[0, 10]], "C-0": [[0, 4]], "C-1": [[0, 6]]})
    assert read_shares(told, SIDES, elapsed_ms=1000) == [0.26, None, 0.27]
    assert read_shares(told, SIDES, elapsed_ms=5000) == [1.0, None, 1.0]
    assert read_shares(told, [{}, {}], elapsed_ms=5000) is None
    assert read_shares("[" * 9000, SIDES, elapsed_ms=5000) == [0, None, 0]


def gated() -> Campaign:
    campaign = make_campaign(questions=[PREFERENCE])
    campaign.played_share = 0.9
    campaign.save(update_fields=["played_share"])
    show_files(campaign, [one(campaign, "a.wav", sound(2)), one(campaign, "b.wav", sound(2, pitch=300))])
    return campaign


def test_an_answer_is_taken_once_enough_was_played(monkeypatch):
    campaign = gated()
    client = annotator(campaign)
    page = item_page(client, campaign)
    assert 'data-gate="0.9"' in page
    address = re.search(r'action="(/annotate/[^"]*/items/\d+)"', page)[1]
    fields = dict(re.findall(r'name="(key|lease_token|process\.rendered_at)" value="([^"]*)"', page))
    later = timezone.now() + timedelta(seconds=10)
    monkeypatch.setattr("annotation.forms.judgment.timezone.now", lambda: later)
    told = {"A-0": [[0, 2]], "B-0": [[0, 0.5], [1.5, 2]]}
    answer = fields | {"preference": "a", "process.media_played": json.dumps(told)}
    refused = client.post(address, answer)
    assert refused.status_code == 422
    assert "Still to be played further: B" in refused.content.decode()
    assert not Judgment.objects.exists()
    told["B-0"] = [[0, 1.8]]
    taken = client.post(address, answer | {"process.media_played": json.dumps(told)})
    assert taken.status_code == 302
    assert Judgment.objects.get().media_played == [1.0, 0.95]


@pytest.mark.parametrize("shares", [None, [1.0], [1.0, None], [1.0, 0.5], [0.89, 1.0]])
def test_the_use_case_itself_takes_no_answer_before(shares):
    campaign = gated()
    item_page(annotator(campaign), campaign)
    held = Assignment.objects.get()
    given = {
        "assignment_id": held.pk,
        "lease_token": held.lease_token,
        "respondent": Respondent.objects.get(),
        "answers": {"preference": {"choice": "a"}},
        "now": timezone.now(),
    }
    with pytest.raises(NotPlayed):
        submit_work(**given, key=new_key(), process=Process(media_played=shares))
    assert not Judgment.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_vote_says_which_files_were_judged_and_how_much_of_them_was_played(campaign):
    files = [one(campaign, "a.wav", sound()), one(campaign, "b.png", picture())]
    judge(show_files(campaign, files), 0, process=Process(media_played=[0.5, None]))
    (row,), _dropped = rows_of(scope_of(campaign), "votes")
    assert row["media_played"] == [0.5, None]
    turns = {response["position"]: response["turns"][0] for response in row["responses"]}
    for position, media in enumerate(files):
        told = {name: turns[position][name] for name in ("kind", "text", "file", "file_sha256", "content_type")}
        assert told == {
            "kind": "file",
            "text": None,
            "file": media.name,
            "file_sha256": media.sha256,
            "content_type": media.content_type,
        }

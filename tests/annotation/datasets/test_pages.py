"""The pages of datasets: for researchers only, from the empty list to the downloaded file."""

import asyncio
import hashlib

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from annotation.datasets.folders import version_folder
from annotation.models import DatasetVersion
from annotation.use_cases.build_dataset import build_dataset
from annotation.use_cases.simulate_judgments import simulate_judgments
from tests.annotation.datasets.rows import build, judged, make_models, request
from tests.annotation.numbering import number_log
from tests.factories import make_campaign, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def media(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def campaign():
    campaign = make_campaign(slug="trial", name="Trial")
    models = make_models(campaign)
    for number in range(6):
        judged(campaign, models, number % 2, prompt=f"Question {number}?", strength=2)
    return campaign


@pytest.fixture
def simulated(campaign):
    source = simulate_judgments(
        campaign=campaign, contestants=make_models(campaign, "x", "y"), judgments=4, seed=1, now=timezone.now()
    )
    number_log()
    return source


@pytest.fixture
def researcher():
    client = Client()
    client.force_login(make_user(role=Role.RESEARCHER))
    return client


def addresses(version):
    slug, number = version.campaign.slug, version.number
    return [
        reverse("datasets"),
        reverse("dataset-new", args=[slug]),
        reverse("dataset-preview", args=[slug]),
        reverse("dataset", args=[slug, number]),
        reverse("dataset-status", args=[slug, number]),
        reverse("dataset-file", args=[slug, number, "README.md"]),
    ]


def live(campaign):
    return [campaign.sources.get(kind="live").pk]


def choices(campaign, **changed):
    chosen = {"views": ["preference_pairs", "votes"], "sources": live(campaign), "judged_by": "people"}
    return chosen | {"chosen_by": "majority", "minimum_agreement": "0", "licence": "cc-by-4.0"} | changed


@pytest.mark.slow
def test_nobody_but_researchers_sees_any_of_it(campaign):
    version = build(campaign)
    for address in addresses(version):
        answer = Client().get(address)
        assert (answer.status_code, answer["Location"]) == (302, f"{reverse('account_login')}?next={address}"), address
        for role in (None, Role.ANNOTATOR, Role.REVIEWER, Role.CAMPAIGN_ADMIN, Role.OPERATOR):
            client = Client()
            client.force_login(make_user(role=role))
            assert client.get(address).status_code == 403, (address, role)


def test_a_part_of_a_page_sends_the_whole_page_to_the_sign_in(campaign):
    version = build(campaign)
    page = "http://testserver" + reverse("dataset", args=["trial", version.number])
    answer = Client().get(
        reverse("dataset-status", args=["trial", 1]), headers={"HX-Request": "true", "HX-Current-URL": page}
    )
    assert (answer.status_code, answer["HX-Redirect"]) == (
        200,
        f"{reverse('account_login')}?next={reverse('dataset', args=['trial', 1])}",
    )


def test_what_does_not_exist_is_not_found(campaign, researcher):
    build(campaign)
    for address in (
        "/datasets/none/new",
        "/datasets/none/preview",
        "/datasets/none/v1",
        "/datasets/trial/v2",
        "/datasets/trial/v2/status",
        "/datasets/trial/v1/files/none.parquet",
        "/datasets/trial/v1/files/../v1/README.md",
        "/datasets/trial/v1/files//etc/passwd",
    ):
        assert researcher.get(address).status_code == 404, address


def test_without_judgments_the_list_is_empty(researcher):
    make_campaign()
    assert "No judgments yet" in researcher.get(reverse("datasets")).content.decode()


def test_the_list_costs_the_same_with_one_and_with_three_campaigns(researcher, django_assert_num_queries):
    for count in (1, 3):
        while DatasetVersion.objects.count() < count:
            campaign = make_campaign()
            judged(campaign, make_models(campaign), 0)
            request(campaign)
        # Session, user, roles; campaigns, their versions, what was withdrawn of these, their judgments.
        with django_assert_num_queries(7):
            page = researcher.get(reverse("datasets")).content.decode()
        assert page.count("Version 1") == count


def test_simulated_judgments_are_named_and_not_chosen_beforehand(campaign, simulated, researcher):
    page = researcher.get(reverse("dataset-new", args=["trial"])).content.decode()
    (own,) = live(campaign)
    assert f'<input type="checkbox" name="sources" value="{own}" checked>' in page
    assert f'<input type="checkbox" name="sources" value="{simulated.pk}">' in page
    assert "4 judgments that nobody gave" in page


def test_the_preview_counts_and_shows_the_first_rows(campaign, simulated, researcher):
    address = reverse("dataset-preview", args=["trial"])
    number_log()
    page = researcher.get(address, choices(campaign)).content.decode()
    assert "6 judgments on 6 items" in page
    assert page.count("<b>Question") == 5
    assert "<html" not in page
    votes = researcher.get(address, choices(campaign, views=["votes"])).content.decode()
    assert votes.count("<tr>") == 1 + 5
    both = choices(campaign, views=["votes"], sources=[*live(campaign), simulated.pk])
    assert "10 judgments on 10 items" in researcher.get(address, both).content.decode()
    alone = choices(campaign, views=["reward_pairs"], sources=[simulated.pk])
    assert "make no pair" in researcher.get(address, alone).content.decode()
    assert "Choose at least one view and one source." in researcher.get(address, {}).content.decode()


def test_a_dataset_is_asked_for_built_and_downloaded(campaign, researcher):
    number_log()
    answer = researcher.post(reverse("dataset-new", args=["trial"]), choices(campaign))
    assert (answer.status_code, answer["Location"]) == (302, "/datasets/trial/v1")
    version = DatasetVersion.objects.get()
    assert (version.views, version.filters["licence"]) == (["preference_pairs", "votes"], "cc-by-4.0")
    waiting = researcher.get("/datasets/trial/v1").content.decode()
    assert "Waiting for a worker" in waiting
    assert 'hx-trigger="every 1s"' in waiting
    build_dataset(version_id=version.pk, now=timezone.now())
    version.refresh_from_db()
    part = researcher.get("/datasets/trial/v1/status").content.decode()
    assert "hx-trigger" not in part
    assert "<html" not in part
    assert "6 judgments by 6 respondents on 6 items" in part
    for file in version.files:
        address = reverse("dataset-file", args=["trial", 1, file["name"]])
        assert f'href="{address}"' in part
        download = researcher.get(address)
        content = b"".join(download.streaming_content)
        assert hashlib.sha256(content).hexdigest() == file["digest"]
        assert (download["Content-Length"], download["ETag"]) == (str(len(content)), f'"{file["digest"]}"')
    assert download["Content-Disposition"] == 'attachment; filename="trial-v1-leaderboard.json"'


def test_a_form_that_cannot_be_is_shown_again(campaign, researcher):
    number_log()
    address = reverse("dataset-new", args=["trial"])
    for changed in (
        {"views": []},
        {"views": ["nothing"]},
        {"sources": []},
        {"sources": [10**6]},
        {"sources": ["x"]},
        {"minimum_agreement": "101"},
        {"minimum_agreement": "NaN"},
        {"licence": "mine"},
        {"judged_by": "models"},
    ):
        answer = researcher.post(address, choices(campaign, **changed))
        assert answer.status_code == 422, changed
    assert DatasetVersion.objects.count() == 0


@pytest.fixture
def card(campaign, researcher):
    version = build(campaign)
    return reverse("dataset-file", args=["trial", 1, "README.md"]), (version_folder(version) / "README.md").read_bytes()


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-9", 0, 9), ("bytes=100-", 100, None), ("bytes=-10", -10, None), ("bytes=5-999999999", 5, None)],
)
def test_a_part_of_a_file_is_sent_where_it_is_asked_for(card, researcher, asked, first, last):
    address, content = card
    answer = researcher.get(address, headers={"Range": asked})
    expected = content[first:] if last is None else content[first : last + 1]
    begins = first % len(content)
    assert answer.status_code == 206
    assert b"".join(answer.streaming_content) == expected
    assert answer["Content-Range"] == f"bytes {begins}-{begins + len(expected) - 1}/{len(content)}"
    assert answer["Content-Length"] == str(len(expected))


@pytest.mark.parametrize("asked", ["bytes=999999999-", "bytes=9-5", "bytes=-", "bytes=-0"])
def test_a_part_that_is_not_there_is_refused(card, researcher, asked):
    address, content = card
    answer = researcher.get(address, headers={"Range": asked})
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{len(content)}")


def test_a_part_of_another_build_is_the_whole_file(card, researcher):
    address, content = card
    answer = researcher.get(address, headers={"Range": "bytes=0-9", "If-Range": '"another"'})
    assert (answer.status_code, b"".join(answer.streaming_content)) == (200, content)
    assert researcher.head(address)["Content-Length"] == str(len(content))


def test_under_asgi_a_file_is_sent_in_pieces(campaign):
    version = build(campaign)
    user = make_user(role=Role.RESEARCHER)

    async def download():
        client = AsyncClient()
        await client.aforce_login(user)
        answer = await client.get(reverse("dataset-file", args=["trial", 1, "votes/train.jsonl"]))
        assert answer.is_async
        pieces = [piece async for piece in answer.streaming_content]
        await sync_to_async(connections.close_all)()
        return pieces

    pieces = asyncio.run(download())
    assert b"".join(pieces) == (version_folder(version) / "votes" / "train.jsonl").read_bytes()


def test_a_failed_build_says_why(campaign, researcher):
    request(campaign)
    DatasetVersion.objects.update(state="failed", error_message="OSError: no space left on device")
    page = researcher.get("/datasets/trial/v1").content.decode()
    assert "This dataset could not be built" in page
    assert "no space left on device" in page
    assert "hx-trigger" not in page

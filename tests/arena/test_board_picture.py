"""A board's picture: what it says, that it stands alone, and who may show it."""

import re
from html import unescape
from xml.etree import ElementTree

import pytest

from accounts.enums import Role
from annotation.models import Board, Contestant
from tests.annotation.boards.factories import judge, make_board, refreshed
from tests.arena.test_snapshots import served, voted
from tests.factories import make_campaign, make_contestant, make_user

pytestmark = pytest.mark.django_db(transaction=True)
SVG = "{http://www.w3.org/2000/svg}"
PICTURE = "/leaderboard/the-board.svg"
# What a picture that stands alone has no use for.
DRAWN = {"svg", "title", "desc", "style", "rect", "text", "tspan", "line", "circle"}


def parsed(answer) -> ElementTree.Element:
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml")
    return ElementTree.fromstring(answer.content)


def texts(picture: ElementTree.Element) -> list[str]:
    return ["".join(each.itertext()) for each in picture.iter(f"{SVG}text")]


def test_it_says_which_board_of_when_it_is_and_draws_each_model_with_its_interval(client):
    board, _ = voted(votes=2)
    picture = parsed(client.get(PICTURE))
    snapshot = board.snapshots.get(number=2)
    said = texts(picture)
    assert said[:2] == ["The board", f"Snapshot 2 · {snapshot.created_at:%-d %b %Y} · 2 judgments"]
    assert "What 2 annotators preferred on 2 given prompts" in " ".join(said)
    title, description = (picture.find(f"{SVG}{name}").text for name in ("title", "desc"))
    first = snapshot.standings["entries"][0]
    assert (title, f"{first['model']}: {first['rating']:.0f}" in description) == ("The board", True)
    assert picture.get("aria-labelledby") == "title desc"
    circles = list(picture.iter(f"{SVG}circle"))
    assert len(circles) == len(snapshot.standings["entries"])
    assert all(16 <= float(each.get("cx")) <= 374 for each in circles)
    assert {"390"} == {picture.get("width")}
    numbered = client.get("/leaderboard/the-board/1.svg")
    assert "Snapshot 1" in texts(parsed(numbered))[1]


def test_of_many_models_the_first_are_drawn_and_the_others_counted(client):
    campaign = make_campaign()
    best, *others = [make_contestant(campaign, f"model-{number}") for number in range(13)]
    for other in others:
        judge(campaign, best, other)
    refreshed(make_board(campaign, slug="the-board"))
    picture = parsed(client.get(PICTURE))
    assert len(list(picture.iter(f"{SVG}circle"))) == 10
    assert "3 more models are not drawn." in texts(picture)


def test_a_board_without_ratings_says_so(client):
    refreshed(make_board(slug="the-board"))
    assert "No ratings yet" in texts(parsed(client.get(PICTURE)))


def test_names_are_text_and_nothing_in_it_runs_or_comes_from_elsewhere(client):
    board, (ada, bea, _) = voted(votes=1)
    Contestant.objects.filter(pk=ada.pk).update(name="<script>alert(1)</script>")
    Contestant.objects.filter(pk=bea.pk).update(name="a & b\x08\ufffe\" onload='x'" + "é" * 60)
    Board.objects.filter(pk=board.pk).update(name="</title><image href='http://x.example'/>")
    answer = client.get(PICTURE)
    picture = parsed(answer)
    assert {each.tag.removeprefix(SVG) for each in picture.iter()} == DRAWN
    assert not any(name.startswith("on") or "href" in name for each in picture.iter() for name in each.attrib)
    assert any("<script>alert(1)</script>" in each for each in texts(picture))
    style = picture.find(f"{SVG}style").text
    assert ("prefers-color-scheme: dark" in style, "url(" in style, "@import" in style) == (True, False, False)


def test_other_sites_may_show_it_as_a_picture_and_as_nothing_else(client):
    voted(votes=1)
    answer = client.get(PICTURE)
    again = client.get(PICTURE, headers={"If-None-Match": answer["ETag"]})
    assert (answer.status_code, again.status_code, again.content) == (200, 304, b"")
    for each in (answer, again):
        policy = dict(part.strip().partition(" ")[::2] for part in each["Content-Security-Policy"].split(";"))
        assert policy == {
            "default-src": "'none'",
            "style-src": "'unsafe-inline'",
            "sandbox": "",
            "frame-ancestors": "'none'",
        }
        assert (each["Cross-Origin-Resource-Policy"], each["X-Content-Type-Options"]) == ("cross-origin", "nosniff")


def test_a_board_that_is_not_public_has_no_picture_for_anybody(client):
    board, _ = voted(votes=1)
    Board.objects.filter(pk=board.pk).update(is_public=False)
    client.force_login(make_user(role=Role.RESEARCHER))
    assert {client.get(each).status_code for each in (PICTURE, "/leaderboard/the-board/1.svg")} == {404}
    assert "Embed this board" not in client.get("/leaderboard/the-board").content.decode()


@pytest.mark.parametrize("number", ["", "/1"])
def test_the_page_gives_the_markup_to_copy(client, number):
    board, _ = served()
    Board.objects.filter(pk=board.pk).update(name='A "board" & <b>')
    page = client.get(f"/leaderboard/the-board{number}").content.decode()
    markup = unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)[1])
    address = f"http://testserver/leaderboard/the-board{number}"
    assert markup == (
        f'<a href="{address}"><img src="{address}.svg" alt="A &quot;board&quot; &amp; &lt;b&gt;" width="390"></a>'
    )

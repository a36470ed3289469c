"""A board's methods through the client: each beside what `ranking` says of the same votes, and whom the pages name."""

import csv
import json
import re
from dataclasses import replace
from html import unescape
from io import StringIO

import numpy as np
import pytest
from django.core.cache import caches
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from annotation.boards.methods.declared import METHODS
from annotation.boards.methods.words import DIAGNOSTICS, WARNINGS, WHY_NOT
from annotation.models import Board, Contestant, Respondent
from annotation.queries import readable_snapshot
from annotation.queries.methods import LOCK, evidence_of, method_board
from annotation.use_cases.refresh_board import refresh_board
from foundation.database import lock_number
from ranking import (
    Comparisons,
    choose_cyclic_rank,
    fit_bradley_terry,
    fit_davidson,
    fit_ordinal,
    generator,
    group_difference,
    kemeny,
    max_min_board,
    tournament_of_ranks,
)
from tests.annotation.boards.factories import imported, make_board, refreshed
from tests.arena.drawn import priced_board
from tests.arena.test_snapshots import hide, served
from tests.arena.voted import GROUPS, NAMES, people_of, voted_board
from tests.factories import make_campaign, make_user

pytestmark = pytest.mark.django_db(transaction=True)
CARRIED = ("bradley-terry", "davidson", "graded", "cyclic", "max-min-groups", "categories")


def words(answer) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def address(board: Board, method: str = "", kind: str = "") -> str:
    if not method:
        return reverse("board-methods", args=[board.slug])
    if not kind:
        return reverse("board-method", args=[board.slug, method])
    return reverse("board-method-file", args=[board.slug, method, kind])


def found(board: Board, method: str) -> dict:
    return method_board(readable_snapshot(board), METHODS[method])


def points_of(found: dict) -> dict[int, float]:
    return {each["contestant"]: each["value"] for each in found["rows"]}


def comparisons(board: Board) -> tuple[Comparisons, list[int]]:
    evidence = evidence_of(readable_snapshot(board))
    return evidence.comparisons(), evidence.pairs.contestants


def test_each_method_says_what_ranking_says_of_the_votes_of_the_snapshot(tmp_path):
    board = voted_board(tmp_path)
    votes, ids = comparisons(board)
    evidence = evidence_of(readable_snapshot(board))
    graded = replace(votes, strength=evidence.strength)
    for method, fit in (
        ("bradley-terry", fit_bradley_terry(votes)),
        ("davidson", fit_davidson(votes)),
        ("graded", fit_ordinal(graded, levels=3)),
    ):
        points = dict(zip(ids, fit.to_points().points, strict=True))
        assert points_of(found(board, method)) == pytest.approx(points, abs=1e-5), method
    # The board itself is the first of them: the same ratings and rank ranges.
    entries = readable_snapshot(board).standings["entries"]
    own = {
        row["contestant"]: (row["value"], row["rank_low"], row["rank_high"])
        for row in found(board, "bradley-terry")["rows"]
    }
    assert own == {each["contestant"]: (each["rating"], each["rank_low"], each["rank_high"]) for each in entries}
    assert found(board, "davidson")["diagnostics"]["nu"] == pytest.approx(fit_davidson(votes).nu, abs=1e-6)
    held_out = choose_cyclic_rank(votes, rng=generator(evidence.seed), most=1, starts=2)
    assert found(board, "cyclic")["diagnostics"]["held_out_gain"] == pytest.approx(held_out.gain[1], abs=1e-6)


def test_groups_that_differ_are_found_with_each_ones_board_and_the_one_that_is_served_worst(tmp_path):
    board = voted_board(tmp_path)
    said, (votes, ids) = found(board, "max-min-groups"), comparisons(board)
    people = people_of(board)
    members = [np.array([each.pk for each in people if each.groups == [name]]) for name in GROUPS]
    evidence = evidence_of(readable_snapshot(board))
    truth = group_difference(votes, members, rng=generator(evidence.seed))
    assert said["diagnostics"]["p_value"] == pytest.approx(truth.p_value, abs=1e-6)
    assert truth.p_value <= 0.05
    assert "groups_differ" in said["warnings"]
    regret = dict(zip(ids, 400 / np.log(10) * max_min_board(truth.strength).worst, strict=True))
    assert points_of(said) == pytest.approx(regret, abs=1e-4)
    assert [(each["name"], each["people"]) for each in said["boards"]] == [(name, 20) for name in GROUPS]
    first = readable_snapshot(board).standings["entries"][0]["contestant"]
    lost = max_min_board(truth.strength).regret[:, ids.index(first)]
    assert [each["is_worst_off"] for each in said["boards"]] == [mine == lost.max() for mine in lost]
    for each, ids_of in zip(said["boards"], members, strict=True):
        own = fit_bradley_terry(votes.select(np.isin(votes.annotator, ids_of))).to_points().points
        assert points_of(each) == pytest.approx(dict(zip(ids, own, strict=True)), abs=1e-5)


def test_a_group_of_few_people_is_never_shown_nor_one_outside_of_which_there_are_few(client, tmp_path):
    board = voted_board(tmp_path)
    for few in (people_of(board)[:9], people_of(board)[9:]):
        Respondent.objects.filter(campaign=board.campaign).update(groups=[])
        Respondent.objects.filter(pk__in=[each.pk for each in few]).update(groups=["the secret few"])
        caches["summaries"].clear()
        said = words(client.get(address(board, "max-min-groups"))) + words(client.get(address(board)))
        assert "the secret few" not in said
        assert str(WHY_NOT["no_groups"]) in said


def test_orders_of_categories_are_joined_as_kemeny_says(tmp_path):
    board = voted_board(tmp_path)
    said = found(board, "categories")
    ids = [each["contestant"] for each in said["rows"]]
    ranks = np.array(
        [[{row["contestant"]: row["rank"] for row in part["rows"]}[pk] for pk in ids] for part in said["boards"]], float
    )
    assert [part["name"] for part in said["boards"]] == ["prose", "code"]
    truth = kemeny(tournament_of_ranks(ranks))
    assert said["diagnostics"]["kemeny_agreement"] == pytest.approx(truth.agreement, abs=1e-6)
    bea = Contestant.objects.get(campaign=board.campaign, name="Bea").pk
    assert next(row["rank"] for row in said["boards"][1]["rows"] if row["contestant"] == bea) == 1


def test_every_method_has_a_page_with_its_words_its_numbers_and_its_files_or_says_why_not(client, tmp_path):
    board = voted_board(tmp_path)
    snapshot = readable_snapshot(board)
    overview = words(client.get(address(board)))
    for name, method in METHODS.items():
        page = client.get(address(board, name))
        html, text, said = page.content.decode(), words(page), found(board, name)
        assert page.status_code == 200
        assert 'style="' not in html
        assert f"Snapshot {snapshot.number}" in text
        assert f"up to entry {snapshot.last_sequence:,} of the log" in text
        for shown in (text, overview):
            assert " ".join(str(method.assumes).split()) in shown
        assert (said["reason"] is None) == (name in CARRIED), name
        if said["reason"]:
            assert str(WHY_NOT[said["reason"]]) in text
            assert str(WHY_NOT[said["reason"]]) in overview
            assert client.get(address(board, name, "csv")).status_code == 404
            continue
        assert all(str(WARNINGS[key]) in text for key in said["warnings"])
        assert all(str(DIAGNOSTICS[key].label) in text for key in said["diagnostics"])
        file = client.get(address(board, name, "json")).json()
        assert (file["snapshot"], file["digest"], file["method"]) == (snapshot.number, snapshot.digest, name)
        rows = list(csv.DictReader(StringIO(client.get(address(board, name, "csv")).content.decode())))
        assert [row["model"] for row in rows] == [row["model"] for row in file["rows"]]
        assert [float(row["rank"]) for row in rows] == [row["rank"] for row in said["rows"]]
    assert "same votes by other methods" in words(client.get(reverse("board", args=[board.slug])))


def test_worth_and_level_are_those_of_the_snapshot_in_orders_of_their_own(client):
    board = priced_board()
    caches["summaries"].clear()
    standings = readable_snapshot(board).standings
    worths = {each["contestant"]: each["worth"]["value"] for each in standings["entries"]}
    assert points_of(found(board, "worth")) == worths
    assert [row["rank"] for row in found(board, "worth")["rows"]] == [1, 2, 3, 4]
    chances = {each["contestant"]: each["chance"] for each in standings["level"]["entries"]}
    assert points_of(found(board, "outside-option")) == chances
    assert "few_votes" in found(board, "outside-option")["warnings"]
    assert "few_annotators" in found(board, "worth")["warnings"]
    assert client.get(address(board, "worth")).status_code == 200


def test_a_fit_is_made_once_for_a_snapshot_and_anew_for_the_next(client, tmp_path, monkeypatch):
    board, made = voted_board(tmp_path), []
    fit = METHODS["davidson"].compute
    monkeypatch.setitem(
        METHODS, "davidson", replace(METHODS["davidson"], compute=lambda evidence: made.append(1) or fit(evidence))
    )
    for _ in range(3):
        client.get(address(board, "davidson"))
        client.get(address(board, "davidson", "csv"))
    assert len(made) == 1
    board.campaign.sources.update(state="retired")
    refresh_board(board_id=board.pk, now=timezone.now())
    client.get(address(board, "davidson"))
    assert len(made) == 1  # no votes are left: nothing to fit
    assert str(WHY_NOT["no_votes"]) in words(client.get(address(board, "davidson")))


@pytest.fixture
def another_computes():
    """A connection of its own that holds the lock, as a process does that computes some method."""
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [lock_number(LOCK)])
    yield
    other.close()


def statuses(client, board: Board) -> list[int]:
    asked = (address(board), address(board, "davidson"), address(board, "davidson", "csv"))
    return [client.get(each).status_code for each in asked]


def test_who_asks_while_another_is_computed_is_told_so_and_nothing_is_fitted_twice(client, tmp_path, another_computes):
    board = voted_board(tmp_path)
    assert statuses(client, board) == [200, 202, 503]
    assert "Look again in some seconds" in words(client.get(address(board, "davidson")))
    assert client.get(address(board, "davidson", "csv"))["Retry-After"] == "10"


def test_control_without_the_lock_it_is_computed_beside_the_other(client, tmp_path, monkeypatch, another_computes):
    monkeypatch.setattr("annotation.queries.methods.try_advisory_lock", lambda name: True)
    assert statuses(client, voted_board(tmp_path)) == [200, 200, 200]


def test_who_may_not_read_a_board_reads_none_of_its_methods(client, tmp_path):
    board = voted_board(tmp_path)
    Board.objects.filter(pk=board.pk).update(is_public=False)
    everywhere = [
        address(board),
        address(board, "davidson"),
        *(address(board, "davidson", kind) for kind in ("csv", "json")),
    ]
    assert [client.get(each).status_code for each in everywhere] == [404] * 4
    client.force_login(make_user(role=Role.RESEARCHER))
    assert [client.get(each).status_code for each in everywhere] == [200] * 4
    assert client.get(address(board, "no-such-method")).status_code == 404
    assert client.get(address(board, "davidson", "xml")).status_code == 404


def test_a_model_that_is_hidden_after_the_fit_is_named_by_no_method(client):
    board, models = served()
    caches["summaries"].clear()

    def everything() -> str:
        pages = [client.get(address(board))] + [client.get(address(board, name)) for name in METHODS]
        files = [client.get(address(board, "bradley-terry", kind)) for kind in ("csv", "json")]
        return " ".join(each.content.decode() for each in [*pages, *files])

    assert "Canary one" in everything()
    hide(models[0])
    said = everything()
    assert ("Canary one" in said, "Canary two" in said, "stand-in" in said) == (False, True, True)


def test_models_that_never_met_stand_in_groups_with_a_warning_and_those_that_did_in_none(client, tmp_path):
    pairs = (("Ada", "Bea"), ("Cleo", "Dora"))
    lines = "\n".join(f"{a},{b},{'ab'[number % 3 == 0]}" for number in range(60) for a, b in pairs)
    board = imported(tmp_path, lines + "\n", slug="apart").board
    refresh_board(board_id=board.pk, now=timezone.now())
    caches["summaries"].clear()
    assert str(WARNINGS["not_connected"]) in words(client.get(address(board, "bradley-terry")))
    rows = csv.DictReader(StringIO(client.get(address(board, "bradley-terry", "csv")).content.decode()))
    assert [(row["model"], row["group"], row["rank"]) for row in rows] == [
        ("Ada", "1", "1"),
        ("Bea", "1", "2"),
        ("Cleo", "2", "1"),
        ("Dora", "2", "2"),
    ]
    whole = voted_board(tmp_path)
    assert str(WARNINGS["not_connected"]) not in words(client.get(address(whole, "bradley-terry")))
    assert b",group," not in client.get(address(whole, "bradley-terry", "csv")).content


def test_a_board_without_a_snapshot_or_of_other_answers_says_so(client):
    board = make_board(make_campaign(), slug="bare")
    assert "Not computed yet" in words(client.get(address(board)))
    assert client.get(address(board, "davidson")).status_code == 404
    refreshed(board)
    caches["summaries"].clear()
    assert str(WHY_NOT["no_votes"]) in words(client.get(address(board, "davidson")))


def test_what_is_kept_names_nobody(tmp_path):
    board = voted_board(tmp_path)
    kept = json.dumps([found(board, each) for each in CARRIED])
    assert not [name for name in NAMES if name in kept]

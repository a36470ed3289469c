"""Imported votes stand in the log like any other judgment: all of a file's, or none."""

import threading
from contextlib import nullcontext
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from accounts.models import Person
from annotation.imports.problems import BrokenFile
from annotation.models import (
    Board,
    Campaign,
    Contestant,
    Event,
    Impression,
    ImpressionEvent,
    Item,
    Judgment,
    LiveBoard,
    Question,
    Respondent,
    Response,
    Source,
    Turn,
)
from annotation.queries import latest_snapshot, standing_judgments
from annotation.use_cases import advance_board as advancing
from annotation.use_cases import import_votes as module
from annotation.use_cases import refresh_board as refreshing
from annotation.use_cases.advance_board import advance_board
from annotation.use_cases.import_votes import AnotherImport, BadBoardName, BoardExists, NotAnImportedBoard, import_votes
from annotation.use_cases.refresh_boards import refresh_boards
from annotation.use_cases.sequence_log import _sequence_batch, sequence_log
from annotation.use_cases.verify_log import verify_log
from tests.annotation.imports.files import write
from tests.factories import make_campaign

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
VOTES = (
    "a,b,outcome,judge,prompt,category,language,date,strength,cat_math,cat_code,note\n"
    'gpt,llama,a,ann@example.org,p1,"maths, ""hard""",en,2026-11-20,2,true,true,x\n'
    "llama,gpt,tie,,p2,,de,,0,0,0,\n"
    "gpt,mistral,b,bob,,,,2026-11-19T10:00:00Z,-7,,,\n"
    "mistral,gpt,both_bad,bob,,,,,,,,\n"
)
PLAIN = "a,b,outcome\nx,y,a\ny,x,b\n"
WRITTEN = [Campaign, Source, Board, Contestant, Respondent, Item, Response, Turn, Impression, ImpressionEvent, Judgment]


def imported(folder, text=VOTES, *, slug="votes", name="votes.csv", **options):
    return import_votes(path=write(folder, text, name), board_slug=slug, now=NOW, **options)


def counts():
    return {model.__name__: model.objects.count() for model in WRITTEN}


@pytest.mark.django_db
def test_every_vote_is_a_judgment_with_everything_around_it(tmp_path):
    result = imported(tmp_path, name="my votes.csv")
    assert (result.votes, result.contestants, result.judges, result.ignored_columns, result.replaced) == (
        *(4, 3, 2),
        ("note",),
        0,
    )
    assert result.outcomes == {"a": 1, "b": 1, "tie": 1, "cannot_compare": 0, "both_bad": 1}
    assert counts() == {
        "Campaign": 1,
        # Its own live source, which stays empty, and the import.
        "Source": 2,
        "Board": 1,
        "Contestant": 3,
        "Respondent": 3,
        "Item": 4,
        "Response": 8,
        "Turn": 8,
        "Impression": 4,
        "ImpressionEvent": 4,
        "Judgment": 4,
    }
    assert (result.board.slug, result.board.name, result.source.name) == ("votes", "my votes", "my votes.csv")
    assert (result.board.campaign.slug, Campaign.objects.get().state) == ("votes", "closed")


@pytest.mark.django_db
def test_what_a_vote_says_is_stored_whole(tmp_path):
    campaign = imported(tmp_path).board.campaign
    names = dict(Contestant.objects.values_list("pk", "name"))
    stored = [
        (
            [names[pk] for pk in judgment.contestants],
            judgment.preference,
            (judgment.strength, judgment.strength_scale),
            judgment.answers,
            judgment.item.prompt_key,
            judgment.item.category,
            judgment.item.flags,
            judgment.item.language,
            judgment.submitted_at,
        )
        for judgment in Judgment.objects.order_by("pk").select_related("item")
    ]

    def answer(choice, strength):
        return {"preference": {"choice": choice, "strength": strength, "scale": 7}}

    day, earlier = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 19, 10, tzinfo=UTC)
    assert stored == [
        (["gpt", "llama"], "a", (2, 7), answer("a", 2), "p1", 'maths, "hard"', ["code", "math"], "en", day),
        (["llama", "gpt"], "tie", (0, 7), answer("tie", 0), "p2", "", [], "de", NOW),
        (["gpt", "mistral"], "b", (-7, 7), answer("b", -7), "", "", [], "", earlier),
        (["mistral", "gpt"], "both_bad", (None, None), answer("both_bad", None), "", "", [], "", NOW),
    ]
    assert list(Question.objects.filter(instrument=campaign.instruments.get()).values_list("name", "type")) == [
        ("preference", "preference")
    ]


@pytest.mark.django_db
def test_nothing_was_drawn_so_no_probability_is_given(tmp_path):
    imported(tmp_path, PLAIN)
    shown = Impression.objects.values_list(
        *("pair_design", "side_design", "prompt_design", "questions_design"),
        *("p_pair", "p_side", "p_prompt", "p_questions", "order", "questions_asked", "end__kind"),
    )
    assert list(shown) == 2 * [(*4 * ["imported"], *4 * [None], [0, 1], ["preference"], "answered")]
    assert list(Turn.objects.values_list("kind", "text", "response__position").order_by("pk")) == 2 * [
        ("absent", None, 0),
        ("absent", None, 1),
    ]
    assert set(Item.objects.values_list("state", "prompt")) == {("frozen", None)}


@pytest.mark.django_db
def test_judges_get_pseudonyms_and_the_file_keeps_their_names(tmp_path):
    imported(tmp_path)
    by_judge = list(Judgment.objects.order_by("pk").values_list("respondent__kind", "respondent__pseudonym"))
    assert [kind for kind, _pseudonym in by_judge] == ["imported"] * 4
    ann, nobody, bob, bob_again = (pseudonym for _kind, pseudonym in by_judge)
    assert (nobody, bob) == ("unnamed", bob_again)
    assert len({ann, nobody, bob}) == 3
    assert len(ann) == len(bob) == 16
    assert not Respondent.objects.filter(pseudonym__contains="ann").exists()
    assert Person.objects.count() == 0


@pytest.mark.django_db
def test_a_file_without_judges_says_that_they_are_not_known(tmp_path):
    result = imported(tmp_path, PLAIN)
    assert result.judges is None
    details = result.source.details
    assert (details["judges"], details["votes_without_judge"], details["votes"], details["file"]) == (
        None,
        2,
        2,
        "votes.csv",
    )
    assert list(Respondent.objects.values_list("pseudonym", flat=True)) == ["unnamed"]
    assert len(details["sha256"]) == 64


@pytest.mark.django_db
def test_strengths_that_are_no_small_whole_numbers_stay_in_the_answers(tmp_path):
    text = "a,b,outcome,strength\nx,y,a,0.5\nx,y,b,-64.9\nx,y,tie,\n"
    imported(tmp_path, text)
    stored = list(Judgment.objects.order_by("pk").values_list("strength", "strength_scale", "answers__preference"))
    assert stored == [
        (None, None, {"choice": "a", "scale": 64.9, "strength": 0.5}),
        (None, None, {"choice": "b", "scale": 64.9, "strength": -64.9}),
        (None, None, {"choice": "tie", "scale": 64.9, "strength": None}),
    ]


@pytest.mark.django_db(transaction=True)
def test_imported_votes_are_numbered_in_the_order_of_the_file(tmp_path):
    campaign = imported(tmp_path).board.campaign
    assert sequence_log(now=timezone.now()) == 4
    assert [judgment.preference for judgment in standing_judgments(campaign)] == ["a", "tie", "b", "both_bad"]
    assert (verify_log(now=timezone.now()).ok, verify_log(now=timezone.now()).entries) == (True, 4)


@pytest.mark.django_db
def test_a_broken_line_leaves_nothing_behind(tmp_path):
    before = counts()
    with pytest.raises(BrokenFile, match=r"^line 6: outcome is 'left'"):
        imported(tmp_path, VOTES + "x,y,left,,,,,,,,,\n")
    assert counts() == before == dict.fromkeys(before, 0)


@pytest.mark.django_db(transaction=True)
def test_a_failure_half_way_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("annotation.imports.vote_shape.VoteShape.chunk_rows", 10)
    text = "a,b,outcome\n" + "x,y,a\n" * 100
    written = []

    def failing(**copied):
        written.append(copied["table"])
        if written.count("annotation_judgment") == 5:
            raise OSError("no space left on device")
        module_copy(**copied)

    module_copy = module.copy_rows
    monkeypatch.setattr(module, "copy_rows", failing)
    with pytest.raises(OSError, match="no space"):
        imported(tmp_path, text)
    assert written.count("annotation_judgment") == 5
    assert counts() == dict.fromkeys(counts(), 0)


@pytest.mark.django_db(transaction=True)
def test_control_without_the_transaction_half_a_file_stays(tmp_path, monkeypatch):
    make_board = module._board

    def board_alone(*args):
        with transaction.atomic():
            return make_board(*args)

    monkeypatch.setattr(module, "_board", board_alone)
    monkeypatch.setattr(module, "transaction", SimpleNamespace(atomic=nullcontext))
    monkeypatch.setattr(module, "try_advisory_lock", lambda name: True)
    with pytest.raises(AssertionError):
        test_a_failure_half_way_leaves_nothing_behind(tmp_path, monkeypatch)
    assert (Item.objects.count(), Judgment.objects.count()) == (50, 40)


@pytest.mark.django_db
def test_a_slug_that_is_taken_is_refused(tmp_path):
    imported(tmp_path, PLAIN)
    before = counts()
    with pytest.raises(BoardExists, match="there is a board votes"):
        imported(tmp_path, PLAIN)
    assert counts() == before


@pytest.mark.django_db
@pytest.mark.parametrize("replace", [False, True])
def test_imported_votes_never_take_the_place_of_votes_given_here(tmp_path, replace):
    campaign = make_campaign(slug="arena")
    Board.objects.create(slug="live", name="Live", campaign=campaign)
    with pytest.raises(NotAnImportedBoard):
        imported(tmp_path, PLAIN, slug="arena", replace=replace)
    with pytest.raises(NotAnImportedBoard):
        imported(tmp_path, PLAIN, slug="live", replace=replace)
    assert Judgment.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("slug", ["", "a b", "a/b", "é", "x" * 81])
def test_a_slug_that_fits_no_address_is_refused(tmp_path, slug):
    with pytest.raises(BadBoardName):
        imported(tmp_path, PLAIN, slug=slug)


@pytest.mark.django_db
@pytest.mark.parametrize("name", [" ", "x" * 121, "a\x00b"])
def test_a_name_that_does_not_fit_is_refused(tmp_path, name):
    with pytest.raises(BadBoardName):
        import_votes(path=write(tmp_path, PLAIN), board_slug="votes", name=name, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_replacing_retires_the_former_source_and_keeps_the_board(tmp_path):
    first = imported(tmp_path)
    second = imported(tmp_path, PLAIN + "gpt,x,a\n", replace=True)
    sequence_log(now=timezone.now())
    assert second.board == first.board
    assert second.replaced == 1
    assert list(Source.objects.filter(kind="import").order_by("pk").values_list("state", flat=True)) == [
        "retired",
        "active",
    ]
    assert [judgment.source_id for judgment in standing_judgments(first.board.campaign)] == 3 * [second.source.pk]
    assert Judgment.objects.count() == 7
    assert sorted(Contestant.objects.values_list("name", flat=True)) == ["gpt", "llama", "mistral", "x", "y"]
    verbs = Event.objects.filter(subject="annotation.source").order_by("pk").values_list("verb", "to_state")
    assert list(verbs) == [("imported", "active"), ("retired", "retired"), ("imported", "active")]


@pytest.fixture
def without_rest(monkeypatch):
    """A board is computed again however short ago it was."""
    monkeypatch.setattr("annotation.use_cases.refresh_boards.REST", 0)


def standing_votes_while_numbered(tmp_path) -> list[int]:
    """How many votes the newest snapshot holds before, in the middle of, and after the numbering of a replacement, and
    each time its points."""
    cache.clear()
    board = imported(tmp_path).board
    sequence_log(now=timezone.now())
    seen, points = [], []
    for number in (None, lambda: _sequence_batch(2), lambda: sequence_log(now=timezone.now())):
        if number is None:
            refresh_boards(now=timezone.now())
            advance_board(board_id=board.pk, now=timezone.now())
            imported(tmp_path, PLAIN + "gpt,x,a\n", replace=True)
        else:
            with transaction.atomic():
                number()
            refresh_boards(now=timezone.now())
            advance_board(board_id=board.pk, now=timezone.now())
        seen.append(latest_snapshot(board).judgments)
        points.append(LiveBoard.objects.get(board=board).comparisons)
    assert points == seen
    return seen


@pytest.mark.django_db(transaction=True)
def test_a_board_keeps_its_old_votes_until_all_of_an_import_are_numbered(tmp_path, without_rest):
    assert standing_votes_while_numbered(tmp_path) == [4, 4, 3]


@pytest.mark.django_db(transaction=True)
def test_control_a_board_that_does_not_wait_shows_a_part_of_the_file(tmp_path, without_rest, monkeypatch):
    for each in (refreshing, advancing):
        monkeypatch.setattr(each, "imports_are_being_numbered", lambda board_id: False)
    assert standing_votes_while_numbered(tmp_path) == [4, 2, 3]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("dates", "period"),
    [
        (("2025-01-01", "2025-03-05", ""), ["2025-01-01", "2025-03-05"]),
        (("2025-01-01", "", ""), ["2025-01-01", "2025-01-01"]),
        (("", "", ""), None),
    ],
    ids=["some dated", "one dated", "none dated"],
)
def test_votes_without_a_date_say_nothing_of_when_a_boards_votes_were_given(tmp_path, dates, period):
    lines = "".join(f"x,y,{outcome},{date}\n" for outcome, date in zip("aab", dates, strict=True))
    board = imported(tmp_path, f"a,b,outcome,date\n{lines}").board
    sequence_log(now=timezone.now())
    refreshing.refresh_board(board_id=board.pk, now=timezone.now())
    assert latest_snapshot(board).standings["people"]["period"] == period


@pytest.mark.django_db
def test_replacing_where_there_is_no_board_yet_makes_it(tmp_path):
    assert imported(tmp_path, PLAIN, replace=True).replaced == 0


@pytest.mark.django_db
def test_a_board_is_named_as_asked(tmp_path):
    result = import_votes(path=write(tmp_path, PLAIN), board_slug="votes", name="Crowd 2026", now=NOW)
    assert (result.board.name, result.source.name) == ("Crowd 2026", "Crowd 2026")


def import_twice_at_once(folder):
    """What two imports of one slug at one time come to: the boards that were made, and the errors' classes."""
    paths = [write(folder, PLAIN, f"{name}.csv") for name in ("one", "two")]
    outcomes = []

    def run(path):
        try:
            import_votes(path=path, board_slug="votes", now=NOW)
            outcomes.append("done")
        except (AnotherImport, BoardExists, IntegrityError) as error:
            outcomes.append(type(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert Judgment.objects.count() == 2
    return outcomes


def meet_after(monkeypatch, name):
    """Both threads wait for each other when they have called this function of the use case for the first time."""
    called, barrier, seen = getattr(module, name), threading.Barrier(2), set()

    def wait_for_the_other(*args, **kwargs):
        result = called(*args, **kwargs)
        if threading.get_ident() not in seen:
            seen.add(threading.get_ident())
            barrier.wait(10)
        return result

    monkeypatch.setattr(module, name, wait_for_the_other)


@pytest.mark.django_db(transaction=True)
def test_of_two_imports_of_one_slug_the_second_is_refused_by_name(tmp_path, monkeypatch):
    meet_after(monkeypatch, "try_advisory_lock")
    assert sorted(import_twice_at_once(tmp_path), key=str) == [AnotherImport, "done"]


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_only_the_constraint_stops_the_second(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "try_advisory_lock", lambda name: True)
    meet_after(monkeypatch, "try_advisory_lock")
    meet_after(monkeypatch, "_refuse_taken")
    assert sorted(import_twice_at_once(tmp_path), key=str) == [IntegrityError, "done"]


@pytest.mark.django_db
@pytest.mark.real_data
def test_the_real_sets_import_whole(real_data):
    sets = {"llmfao_crowd": (8_931, 59, 124), "mtbench_human": (3_355, 6, 65), "mqm_sxs_ende": (14_040, 10, 10)}
    for name, expected in sets.items():
        result = import_votes(path=real_data / f"{name}.parquet", board_slug=name, now=NOW)
        assert (result.votes, result.contestants, result.judges) == expected
    assert Judgment.objects.count() == sum(votes for votes, *_rest in sets.values())

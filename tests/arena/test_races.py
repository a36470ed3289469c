"""What meets a vote, a link or a follow-up at the same moment: either comes first, and nothing is left half done."""

from functools import partial

import pytest
from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Person
from accounts.texts import read_personal_texts
from accounts.use_cases.create_person import person_of_visitor
from annotation.models import Campaign, ImpressionEvent, Judgment
from annotation.queries import main_board
from annotation.use_cases import change_campaign_state as turning
from annotation.use_cases import submit_judgment as submitting
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.create_board import create_board
from annotation.use_cases.refresh_board import refresh_board
from annotation.use_cases.submit_judgment import CampaignPaused, LeaseExpired
from annotation.use_cases.verify_log import verify_log
from arena.models import Arena, Battle, Entry, Share
from arena.use_cases import ask_follow_up as following
from arena.use_cases import cast_vote as casting
from arena.use_cases import change_entry as changing
from arena.use_cases import erase_own as erasing
from arena.use_cases import share_battle as sharing
from arena.use_cases import stop_battle as stopping
from arena.use_cases.ask_follow_up import NotReady, ask_follow_up
from arena.use_cases.change_entry import change_entry
from arena.use_cases.erase_own import Erased, erase_own
from arena.use_cases.stop_battle import NotWriting, stop_battle
from inference_workers.models import Completion
from tests.annotation.numbering import number_log
from tests.arena.factories import answer, begin, make_arena, make_models, votable
from tests.arena.test_shares import share, status
from tests.arena.voting import shown, vote, voted
from tests.factories import make_person, new_key
from tests.foundation.threads import WAIT, Meanwhile, run_together

pytestmark = pytest.mark.django_db(transaction=True)
# For whom no lock keeps out.
LONG = 25


@pytest.fixture
def arena() -> Arena:
    """Two have voted, and there is a board."""
    make_models()
    arena = make_arena()
    create_board(slug="arena", name="Arena", campaign=arena.campaign, now=timezone.now())
    for _ in range(2):
        voted(make_person())
    return arena


@pytest.fixture
def person(arena) -> Person:
    return person_of_visitor(token="cookie-of-somebody-in-a-hurry", now=timezone.now())


def counted(arena: Arena) -> dict[int, int]:
    """Judgments of each contestant on a board made now; the log has to agree with itself."""
    number_log()
    board = main_board(arena.campaign)
    refresh_board(board_id=board.pk, now=timezone.now())
    assert verify_log(now=timezone.now()).ok
    return {each["contestant"]: each["judgments"] for each in board.snapshots.latest("number").standings["entries"]}


def stays_after(monkeypatch, module, name: str, wait: float = WAIT) -> Meanwhile:
    """Whoever calls that function stays behind it, in its transaction, until the other is done or kept out."""
    meanwhile = Meanwhile(wait)
    monkeypatch.setattr(module, name, meanwhile.after(getattr(module, name)))
    return meanwhile


def erase(person: Person) -> Erased:
    return erase_own(person_id=person.pk, withdraws=False, now=timezone.now())


def texts_of(person: Person) -> set[str | None]:
    return set(read_personal_texts(person.texts.values_list("pk", flat=True)).values())


def ended(battle: Battle) -> tuple[str, str, list[str]]:
    battle.refresh_from_db()
    ends = ImpressionEvent.objects.filter(impression=battle.impression).values_list("kind", flat=True)
    return battle.state, battle.assignment.state, list(ends)


# -- a vote and the erasure of its visitor


def test_a_vote_that_came_before_its_visitors_erasure_counts_and_no_text_of_theirs_is_readable(
    arena, person, monkeypatch
):
    battle = votable(person)
    before = counted(arena)
    meanwhile = stays_after(monkeypatch, casting, "submit_in_transaction")
    judgment, erased = run_together(partial(vote, battle, person), partial(meanwhile.do, partial(erase, person)))
    assert (judgment.pk, erased) == (Judgment.objects.latest("pk").pk, Erased())
    assert ended(Battle.objects.get(pk=battle.pk)) == ("voted", "submitted", ["answered"])
    assert texts_of(person) == {None}
    assert counted(arena) == {each: number + (each in shown(battle)) for each, number in before.items()}


def vote_while_erased(monkeypatch, battle: Battle, person: Person, wait: float = WAIT):
    """The erasure has looked which battles are open; then the vote comes."""
    found = erasing._hold_battles
    monkeypatch.setattr(erasing, "_hold_battles", lambda person: list(found(person)))
    meanwhile = stays_after(monkeypatch, erasing, "_hold_battles", wait)
    return run_together(partial(erase, person), partial(meanwhile.do, partial(vote, battle, person)))


def test_a_vote_that_comes_after_its_visitors_erasure_is_refused_and_the_battle_is_over(arena, person, monkeypatch):
    battle = votable(person)
    before = counted(arena)
    erased, refused = vote_while_erased(monkeypatch, battle, person)
    assert (erased, type(refused)) == (Erased(), LeaseExpired)
    assert ended(Battle.objects.get(pk=battle.pk)) == ("abandoned", "cancelled", ["abandoned"])
    assert (texts_of(person), counted(arena)) == ({None}, before)


def test_control_without_the_lock_the_erasure_ends_a_battle_that_was_voted_on_and_fails(arena, person, monkeypatch):
    """The database holds that what was shown ends once, so that nobody is erased."""
    battle = votable(person)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda found, **options: found)
    failed, _judgment = vote_while_erased(monkeypatch, battle, person, wait=LONG)
    assert isinstance(failed, IntegrityError)
    assert ended(Battle.objects.get(pk=battle.pk)) == ("voted", "submitted", ["answered"])
    assert texts_of(person) != {None}


# -- a link to a battle and the erasure of its visitor


def share_meets_erasure(monkeypatch, battle: Battle, person: Person, first: str) -> str:
    """The link's address."""
    make, end = partial(share, battle, person), partial(erase, person)
    if first == "link":
        meanwhile = stays_after(monkeypatch, sharing, "_lock")
        address, _ = run_together(make, partial(meanwhile.do, end))
    else:
        meanwhile = stays_after(monkeypatch, erasing, "erase_person")
        _, address = run_together(end, partial(meanwhile.do, make))
    person.refresh_from_db()
    assert (person.erased_at is not None, Share.objects.count()) == (True, 1)
    return address


@pytest.mark.parametrize("first", ["link", "erasure"])
def test_a_link_made_while_its_visitor_is_erased_leads_nowhere(person, monkeypatch, first):
    battle = voted(person)
    assert status(share_meets_erasure(monkeypatch, battle, person, first)) == [404, 404]
    assert texts_of(person) == {None}


@pytest.mark.parametrize("first", ["link", "erasure"])
def test_control_a_link_that_asks_for_itself_alone_leads_to_the_erased(person, monkeypatch, first):
    battle = voted(person)
    address = share_meets_erasure(monkeypatch, battle, person, first)
    monkeypatch.setattr("arena.web.shares.open_share", lambda digest: Share.objects.get(token_digest=digest))
    assert 200 in status(address)


# -- a vote and an arena that changes


def turn(arena: Arena, to: str) -> Campaign:
    return change_campaign_state(campaign_id=arena.campaign_id, to=to, actor=None, reason="a while", now=timezone.now())


@pytest.mark.parametrize("first", ["vote", "pause"])
def test_a_vote_that_meets_the_pause_of_its_arena_is_whole_and_the_next_one_waits(arena, person, monkeypatch, first):
    battle, next_one = votable(person), votable(person)
    before = sum(counted(arena).values())
    cast, pause = partial(vote, battle, person), partial(turn, arena, "paused")
    if first == "vote":
        run_together(cast, partial(stays_after(monkeypatch, casting, "submit_in_transaction").do, pause))
    else:
        run_together(pause, partial(stays_after(monkeypatch, turning, "record_event").do, cast))
    assert Campaign.objects.get(pk=arena.campaign_id).state == "paused"
    assert ended(Battle.objects.get(pk=battle.pk)) == ("voted", "submitted", ["answered"])
    with pytest.raises(CampaignPaused):
        vote(next_one, person)
    assert ended(Battle.objects.get(pk=next_one.pk)) == ("votable", "open", [])
    assert sum(counted(arena).values()) == before + 2
    turn(arena, "running")
    vote(next_one, person)
    assert sum(counted(arena).values()) == before + 4


def test_control_without_the_look_at_the_state_a_paused_arena_takes_votes(arena, person, monkeypatch):
    battle = votable(person)
    turn(arena, "paused")
    monkeypatch.setattr(submitting, "refuse_unless_open", lambda held, token: None)
    vote(battle, person)
    assert ended(Battle.objects.get(pk=battle.pk))[0] == "voted"


def leave(battle: Battle) -> Entry:
    model = battle.item.responses.first().contestant.served.language_model
    entry = Entry.objects.get(language_model=model)
    return change_entry(entry_id=entry.pk, to="retired", reason="Superseded.", actor=None, now=timezone.now())


@pytest.mark.parametrize("first", ["vote", "withdrawal"])
def test_a_vote_that_meets_the_withdrawal_of_an_entry_counts_for_it(arena, person, monkeypatch, first):
    battle = votable(person)
    before = counted(arena)
    cast, withdraw = partial(vote, battle, person), partial(leave, battle)
    if first == "vote":
        _, entry = run_together(cast, partial(stays_after(monkeypatch, casting, "submit_in_transaction").do, withdraw))
    else:
        entry, _ = run_together(withdraw, partial(stays_after(monkeypatch, changing, "record_event").do, cast))
    assert entry.state == "retired"
    assert ended(Battle.objects.get(pk=battle.pk)) == ("voted", "submitted", ["answered"])
    assert counted(arena) == {each: number + (each in shown(battle)) for each, number in before.items()}


def test_control_a_vote_that_asked_who_takes_part_now_would_be_lost(arena, person, monkeypatch):
    """As an entry would hide a result: by leaving before the votes of its open battles come."""
    battle = votable(person)
    before = counted(arena)
    submit = casting.submit_in_transaction

    def among_those_that_play(**how):
        playing = Entry.objects.filter(arena=arena, state="active").count()
        return submit(**how) if playing == 2 else Judgment.objects.latest("pk")

    monkeypatch.setattr(casting, "submit_in_transaction", among_those_that_play)
    leave(battle)
    vote(battle, person)
    assert counted(arena) == before


# -- a follow-up and a stop


def go_on(battle: Battle, person: Person) -> Battle:
    return ask_follow_up(battle_id=battle.pk, person=person, prompt="And at night?", key=new_key(), now=timezone.now())


def stop(battle: Battle, person: Person, turn_count: int) -> Battle:
    return stop_battle(battle_id=battle.pk, turn_count=turn_count, person=person, now=timezone.now())


def jobs() -> list[str]:
    return sorted(Completion.objects.filter(turn__number=1).values_list("state", flat=True))


def test_a_stop_of_the_turn_before_does_not_end_the_follow_up_that_it_meets(arena, person, monkeypatch):
    battle = votable(person)
    meanwhile = stays_after(monkeypatch, following, "ask_models")
    late = partial(stop, battle, person, turn_count=1)
    asked, refused = run_together(partial(go_on, battle, person), partial(meanwhile.do, late))
    assert (asked.turn_count, type(refused)) == (2, NotWriting)
    assert (ended(Battle.objects.get(pk=battle.pk))[0], jobs()) == ("answering", ["queued", "queued"])


def test_control_a_stop_that_looked_before_the_follow_up_ends_it(arena, person, monkeypatch):
    """It saw the first turn being written; meanwhile both were ready and their visitor went on."""
    battle = begin(person)
    meanwhile = Meanwhile(LONG)

    def look(battle_id, person):
        return Battle.objects.select_related("item", "impression", "assignment__slot").get(pk=battle_id)

    monkeypatch.setattr(stopping, "lock_battle", meanwhile.after(look))

    def ready_and_on():
        answer(battle)
        go_on(battle, person)

    run_together(partial(stop, battle, person, turn_count=1), partial(meanwhile.do, ready_and_on))
    assert (ended(Battle.objects.get(pk=battle.pk))[0], jobs()) == ("abandoned", ["cancelled", "cancelled"])


def test_a_follow_up_that_meets_the_stop_of_its_battle_is_refused(arena, person, monkeypatch):
    battle = begin(person)
    meanwhile = stays_after(monkeypatch, stopping, "end_unanswered")
    stopped, refused = run_together(
        partial(stop, battle, person, turn_count=1), partial(meanwhile.do, partial(go_on, battle, person))
    )
    assert (stopped.state, type(refused)) == ("abandoned", NotReady)
    assert (Battle.objects.get(pk=battle.pk).turn_count, jobs()) == (1, [])

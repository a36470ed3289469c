"""The moderation model: what it stops, on every side and turn, what becomes of texts that it says nothing about, and
what nobody gets to know by it. The model is asked over HTTP, or is a folder that the test trains."""

import contextlib
import re
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.use_cases.create_person import person_of_visitor
from annotation.models import Event, Item, Turn
from arena.models import Arena, Battle, Moderation, Moderator
from arena.policies import BadLimits, classes_beyond, read_limits, written_limits
from arena.use_cases.set_moderator import SortsNothing, set_moderator, unset_moderator
from arena.use_cases.sweep_battles import sweep_battles
from arena.web import streams
from inference_workers.engine.scripted import Script, ScriptedBackend, ScriptedSettings
from inference_workers.models import Completion, EndpointGauge
from inference_workers.streams import StreamWriter, sync_client
from inference_workers.tasks.backends import Backends
from inference_workers.tasks.pump import Pump
from tests.arena.factories import answer, begin, let_open, make_arena, make_models
from tests.arena.test_stream_timing import read, write
from tests.arena.voting import browser_of
from tests.factories import make_user, new_key
from tests.inference_workers.engine.json_endpoint import JSONEndpoint
from tests.inference_workers.engine.tiny_classifier import WORD, save_tiny_classifier
from tests.inference_workers.factories import make_endpoint, make_revision

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "cookie-of-a-visitor-who-is-read"
GOOD = "Small particles scatter the short waves of light more."
BAD = "Small particles, and now something vile, scatter light."


def scored(body):
    """Vile texts are violent; the address is asked as OpenAI's is."""
    scores = [0.97 if "vile" in text else 0.02 for text in body["input"]]
    return 200, {"results": [{"flagged": False, "category_scores": {"violence": s, "hate": 0.01}} for s in scores]}


@pytest.fixture
def guard(settings):
    with JSONEndpoint(scored) as endpoint:
        settings.OUTBOUND_ALLOWED_HOSTS = [endpoint.url.split("/")[2]]
        yield endpoint


def classifier(**fields):
    return make_revision(model={"name": "Guard", "slug": "guard", "task": "classes"}, **fields)


def put_before(revision, *, arena: Arena | None = None, on_silence="hold_back", wait_seconds=5, limits=None) -> Arena:
    arena = arena or make_arena()
    set_moderator(
        arena_id=arena.pk,
        language_model=revision.language_model,
        limits=limits or {"*": 0.5},
        wait_seconds=wait_seconds,
        on_silence=on_silence,
        actor=None,
        now=timezone.now(),
    )
    return arena


def over_http(guard, **given) -> Arena:
    endpoint = make_endpoint(backend="openai", base_url=guard.url, timeout_seconds=10)
    return put_before(classifier(endpoint=endpoint, provider_model="guard-1"), **given)


class Saying(Backends):
    """Models that write say `bad` the first times, counted over all, and `GOOD` then; what measures is real."""

    def __init__(self, times: int = 0) -> None:
        super().__init__()
        self.left = times

    def of(self, endpoint):
        def says(request):
            self.left -= 1
            return Script(tuple(re.findall(r"\S+\s*", BAD if self.left >= 0 else GOOD)))

        kept = self.__dict__.setdefault("writing", {})
        return kept.setdefault(endpoint.pk, ScriptedBackend(ScriptedSettings(), rule=says))


def pump(backends=None) -> None:
    lease = timedelta(seconds=30)
    Pump(backends=backends or Saying(), writer=StreamWriter(sync_client()), lease=lease, rest_seconds=30.0).run()
    let_open()


@contextlib.contextmanager
def working():
    """Workers beside the pages of the test."""
    sync_client().flushdb()
    stop = threading.Event()

    def work() -> None:
        backends = Saying()
        while not stop.is_set():
            pump(backends)
            time.sleep(0.02)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def workers():
    with working():
        yield


def asks(prompt: str) -> Client:
    client = browser_of(TOKEN)
    client.last = client.post(reverse("start-battle"), {"prompt": prompt, "key": new_key()})
    return client


def answered(times: int) -> Battle:
    """A battle whose first answers, so many, are vile."""
    sync_client().flushdb()
    make_models()
    battle = begin(person_of_visitor(token=TOKEN, now=timezone.now()))
    pump(Saying(times))
    battle.refresh_from_db()
    return battle


def ends() -> list[tuple[str, str, str]]:
    return list(Moderation.objects.order_by("pk").values_list("about", "state", "silence"))


def begun_unasked(arena: Arena) -> Battle:
    """Its prompt was taken before the arena had a model."""
    moderator = Moderator.objects.get(arena=arena)
    Moderator.objects.filter(arena=arena).delete()
    battle = begin(person_of_visitor(token=TOKEN, now=timezone.now()))
    moderator.save(force_insert=True)
    return battle


def test_a_prompt_that_the_model_stops_is_not_taken_and_stays_in_its_box(guard, workers):
    make_models()
    over_http(guard)
    refused = asks("Say something vile.").last
    page = refused.content.decode()
    assert (refused.status_code, "This arena does not take this: violence." in page) == (422, True)
    assert "Say something vile.</textarea>" in page
    assert (Battle.objects.count(), Item.objects.count()) == (0, 0)
    row = Moderation.objects.get()
    assert (row.state, row.found, row.scores, row.limits) == (
        "stopped",
        ["violence"],
        {"violence": 0.97, "hate": 0.01},
        {"*": 0.5},
    )
    assert (row.revision.provider_model, row.revision.number) == ("guard-1", 1)
    assert guard.asked == [("/v1/moderations", {"model": "guard-1", "input": ["Say something vile."]})]


def test_control_without_the_model_the_same_prompt_is_taken(guard, workers):
    make_models()
    unset_moderator(arena_id=over_http(guard).pk, actor=None)
    assert asks("Say something vile.").last.status_code == 302


def test_a_follow_up_and_the_words_beside_a_vote_are_shown_to_it_too(guard):
    make_models()
    battle = begun_unasked(over_http(guard))
    pump()
    client = browser_of(TOKEN)
    with working():
        said = {"prompt": "And now something vile", "key": new_key()}
        refused = client.post(reverse("follow-up", args=[battle.pk]), said)
        page = refused.content.decode()
        assert (refused.status_code, "does not take this: violence." in page) == (422, True)
        assert "And now something vile</textarea>" in page
        form = {"turn_count": "1", "key": new_key(), "preference": "a", "preference.strength": "1"}
        refused = client.post(reverse("vote", args=[battle.pk]), form | {"rationale": "How vile it was."})
        assert (refused.status_code, "How vile it was." in refused.content.decode()) == (409, True)
        client.post(reverse("vote", args=[battle.pk]), form | {"rationale": "It was clear."})
    battle.refresh_from_db()
    assert battle.state == "voted"
    assert sorted(ends()) == [
        ("answer", "passed", ""),
        ("answer", "passed", ""),
        ("prompt", "stopped", ""),
        ("words", "passed", ""),
        ("words", "stopped", ""),
    ]


@pytest.mark.parametrize(("vile", "state"), [(0, "votable"), (1, "votable"), (3, "void")])
def test_an_answer_that_it_stops_is_asked_for_anew_once_and_its_side_is_not_told(guard, vile, state):
    make_models()
    arena = over_http(guard)
    sync_client().flushdb()
    battle = begun_unasked(arena)
    pump(Saying(vile))
    battle.refresh_from_db()
    assert battle.state == state
    page = browser_of(TOKEN).get(reverse("battle", args=[battle.pk])).content.decode().lower()
    assert ("vile" in page, "violence" in page, "moderation" in page) == (False, False, False)
    if state == "void":
        assert "neither could the one that replaced it" in page
    else:
        assert Turn.objects.filter(replacements=1).count() == vile
        assert {row.state for row in Moderation.objects.filter(completion__turn__isnull=False)} == {"passed"}
    assert Moderation.objects.filter(about="answer").exclude(respondent=None).count() == 0


def test_a_battle_that_is_void_for_one_side_shows_no_word_of_either(guard):
    """What the model stopped is written whole, as what it let through is."""
    make_models()
    battle = answer(begun_unasked(over_http(guard)), (GOOD, BAD))
    pump(Saying(9))
    battle.refresh_from_db()
    browser = browser_of(TOKEN)
    page = browser.get(reverse("battle", args=[battle.pk])).content.decode()
    own = b"".join(browser.get("/mine/data/download").streaming_content).decode()
    assert (battle.state, "did not work out" in page, str(battle.pk) in own) == ("void", True, True)
    assert [text in told for told in (page, own) for text in (GOOD, BAD)] == [False] * 4


def test_control_shown_because_all_are_written_it_would_be_read(guard, monkeypatch):
    monkeypatch.setattr(Battle, "shows", lambda battle, number: battle.state != "answering")
    with pytest.raises(AssertionError):
        test_a_battle_that_is_void_for_one_side_shows_no_word_of_either(guard)


def sent_while_checked(client: Client, battle: Battle) -> list:
    """What a reader is sent within some seconds while both whole answers wait for the model."""
    try:
        return read(client, battle, events=1, most=5.0)
    except TimeoutError:  # where nothing ever comes
        return []


def test_nothing_of_an_answer_is_sent_before_all_were_checked(guard, monkeypatch):
    sync_client().flushdb()
    make_models()
    battle = begun_unasked(over_http(guard))
    write(battle, characters=600, pieces=1, seconds=0)
    assert sent_while_checked(browser_of(TOKEN), battle) == []


def test_control_where_it_is_not_held_text_is_sent_before_anybody_checked_it(guard, monkeypatch):
    sync_client().flushdb()
    make_models()
    battle = begun_unasked(over_http(guard))
    known = streams.answering_turn
    monkeypatch.setattr(streams, "answering_turn", lambda *a, **k: _not_held(known(*a, **k)))
    write(battle, characters=600, pieces=1, seconds=0)
    assert len(sent_while_checked(browser_of(TOKEN), battle)) == 1


def _not_held(turn):
    object.__setattr__(turn, "held", False)
    return turn


def slow(body):
    time.sleep(3.0)
    return scored(body)


FAULTS = {
    "slow": (slow, "late"),
    "500": (lambda body: (500, {}), "late"),
    "broken JSON": (lambda body: (200, b'{"results": [{'), "failed"),
    "wrong shape": (lambda body: (200, {"results": [{"flagged": True}]}), "failed"),
    "HTML": (lambda body: (200, b"<html>It works!</html>"), "failed"),
    "key refused": (lambda body: (401, {}), "failed"),
}


@pytest.mark.parametrize(
    ("fault", "on_silence"), [*zip(FAULTS, ["hold_back", "let_through"] * 3, strict=True), ("slow", "let_through")]
)
def test_a_prompt_that_it_gives_no_answer_to_goes_by_the_setting_and_is_counted(guard, workers, fault, on_silence):
    guard.answers, silence = FAULTS[fault]
    make_models()
    over_http(guard, on_silence=on_silence, wait_seconds=1)
    began = time.monotonic()
    said = asks("Why is the sky blue?").last
    assert time.monotonic() - began < 30
    held = on_silence == "hold_back"
    assert said.status_code == (422 if held else 302)
    state = "held_back" if held else "let_through"
    assert ends()[0][:2] == ("prompt", state)
    assert ends()[0][2] in {silence, "failed"}
    if held:
        page = said.content.decode()
        assert "is checked first, and that does not work right now" in page
        assert "Why is the sky blue?</textarea>" in page
    admin = Client()
    admin.force_login(make_user(role="campaign_admin"))
    page = admin.get(reverse("arena-integrity", args=["arena"])).content.decode()
    assert "The moderation model gave no answer to 1 of 1 texts in the last hour." in page
    assert ("held back: visitors cannot ask" in page) == held


@pytest.mark.parametrize(("on_silence", "state"), [("hold_back", "void"), ("let_through", "votable")])
def test_answers_that_it_keeps_for_too_long_go_by_the_setting_and_what_comes_later_changes_nothing(
    guard, on_silence, state
):
    make_models()
    arena = over_http(guard, on_silence=on_silence, wait_seconds=20)
    battle = answer(begun_unasked(arena), (GOOD, BAD))
    assert battle.state == "answering"
    assert sweep_battles(now=timezone.now())["void"] == 0
    battle.refresh_from_db()
    assert battle.state == "answering"  # it is waited for
    sweep_battles(now=timezone.now() + timedelta(seconds=21))
    let_open()
    battle.refresh_from_db()
    assert battle.state == state
    pump()
    battle.refresh_from_db()
    assert battle.state == state
    assert {end for _about, _state, end in ends()} == {"late"}


def test_a_text_that_fails_at_once_is_not_waited_for_and_an_endpoint_that_failed_is_not_asked(guard, workers):
    guard.answers = FAULTS["broken JSON"][0]
    make_models()
    arena = over_http(guard, on_silence="let_through", wait_seconds=20)
    endpoint = arena.moderator.language_model.current.endpoint
    later = timezone.now() + timedelta(minutes=5)
    EndpointGauge.objects.filter(endpoint=endpoint).update(state="open", opened_until=later, openings=1)
    began = time.monotonic()
    assert asks("Why is the sky blue?").last.status_code == 302
    assert time.monotonic() - began < 15
    assert guard.asked == []
    assert ends()[0] == ("prompt", "let_through", "failed")


def test_after_three_texts_that_were_waited_for_in_vain_nobody_waits_for_a_while(guard):
    make_models()
    over_http(guard, on_silence="let_through", wait_seconds=1)  # no worker is there
    for number in range(5):
        assert asks(f"Why is the sky blue at {number}?").last.status_code == 302
    assert [silence for _about, _state, silence in ends()] == ["late"] * 3 + ["spared"] * 2


def test_under_flood_it_is_not_asked_for_who_has_done_no_work(guard):
    make_models()
    arena = over_http(guard)
    begun_unasked(arena)
    Arena.objects.filter(pk=arena.pk).update(flood_per_minute=1)
    assert asks("Say something vile.").last.status_code == 429
    assert guard.asked == []


def test_a_folder_that_sorts_texts_moderates_in_the_worker(workers, tmp_path, settings):
    folder = save_tiny_classifier(tmp_path / "models" / "tiny-guard")
    settings.MODEL_FOLDERS = [str(tmp_path / "models")]
    make_models()
    endpoint = make_endpoint(backend="transformers")
    revision = classifier(endpoint=endpoint, provider_model=str(folder))
    put_before(revision, limits={"*": 0.5, "harmless": None}, wait_seconds=20)
    assert asks("Why is the sky blue").last.status_code == 302
    refused = asks(f"Why is the {WORD} blue").last
    assert (refused.status_code, "does not take this: violence." in refused.content.decode()) == (422, True)


def test_an_admin_chooses_it_and_is_told_what_is_wrong(client, guard):
    arena = make_arena()
    revision = classifier()
    writes = make_revision()
    client.force_login(make_user(role="campaign_admin"))
    address = reverse("arena-moderator", args=["arena"])
    said = {"language_model": revision.language_model_id, "wait_seconds": "4", "on_silence": "hold_back"}
    for wrong, complaint in {
        "violence": "as class = limit",
        "violence = much": "a number above 0",
        "violence = 1.5": "a number above 0",
        "* = never": "Give at least one class a limit",
        "a = 0.5\na = 0.6": "Write each class once",
    }.items():
        refused = client.post(address, said | {"limits": wrong})
        assert (refused.status_code, complaint in refused.content.decode()) == (422, True), wrong
    refused = client.post(address, said | {"limits": "* = 0.5", "language_model": writes.language_model_id})
    assert refused.status_code == 422
    assert client.post(address, said | {"limits": "* = 0.5\nterror = 0.9"}).status_code == 302
    arena.refresh_from_db()
    assert arena.moderator.limits == {"*": 0.5, "terror": 0.9}
    event = Event.objects.get(verb="moderator_set")
    assert (event.data["language_model"], event.actor.user.email != "") == ("guard", True)
    page = client.get(reverse("arena-rules", args=["arena"])).content.decode()
    assert "terror = 0.9</textarea>" in page
    client.post(reverse("arena-moderator-remove", args=["arena"]))
    assert Event.objects.filter(verb="moderator_unset").exists()
    with pytest.raises(SortsNothing):
        put_before(writes, arena=arena)


def test_the_pages_count_what_it_stopped_by_class_and_model_and_name_classes_that_it_has_not(guard, client):
    make_models()
    arena = over_http(guard, limits={"violence": 0.5, "terror": 0.9})
    sync_client().flushdb()
    begun_unasked(arena)
    pump(Saying(1))
    client.force_login(make_user(role="campaign_admin"))
    page = re.sub(r"\s+", " ", client.get(reverse("arena-integrity", args=["arena"])).content.decode())
    row = '<th scope="row">Answer</th><td class="num">3</td><td class="num">0</td><td class="num">1</td>'
    assert f'{row}<td class="num">33.3</td>' in page
    assert 'Stopped, by class:</b> <span dir="auto">violence</span> <span class="number">1</span>' in page
    stopped = Moderation.objects.get(state="stopped").completion.revision.language_model.name
    assert f'<span dir="auto">{stopped}</span> <span class="number">1</span>' in page
    assert "The model has no class “terror”" in page


def test_limits_are_read_as_they_are_written():
    limits = {"*": 0.5, "violence": 0.7, "harmless": None}
    assert read_limits(written_limits(limits)) == limits
    scores = {"violence": 0.69, "hate": 0.5, "harmless": 1.0, "terror": 0.8}
    assert classes_beyond(scores, limits) == ["terror", "hate"]
    for lines in ("", "=0.5", "x = nan", f"{'x' * 81} = 0.5"):
        with pytest.raises(BadLimits):
            read_limits(lines)


def test_nothing_waits_for_ever_for_a_model_that_was_taken_away(guard):
    make_models()
    arena = over_http(guard)
    battle = answer(begun_unasked(arena), (GOOD, GOOD))
    unset_moderator(arena_id=arena.pk, actor=None)
    sweep_battles(now=timezone.now())
    let_open()
    battle.refresh_from_db()
    assert battle.state == "votable"
    sweep_battles(now=timezone.now() + timedelta(minutes=2))
    assert {state for _about, state, _silence in ends()} == {"dropped"}
    assert Completion.objects.filter(task="classes").count() == 1  # both said the same

"""Several arenas on one site: each with its models, questions, guidelines, text about data use, limits and look."""

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.texts import read_personal_text
from annotation.models import Campaign, Event, Judgment, Respondent
from annotation.queries import main_board
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.publish_consent import publish_consent
from annotation.use_cases.publish_guidelines import publish_guidelines
from annotation.use_cases.publish_instrument import publish_instrument
from arena.models import Arena, Battle, Entry
from arena.use_cases import admit_contestants as module
from arena.use_cases.enter_model import enter_model
from arena.use_cases.open_arena import open_arena
from arena.use_cases.save_arena import BadSettings, OneIsDefault, save_arena
from arena.use_cases.start_battle import TextNotAgreed, start_battle
from inference_workers.models import Completion, LanguageModel
from tests.arena.factories import answer, make_arena, make_models
from tests.arena.test_battles import vote
from tests.factories import make_person, make_user, new_key

pytestmark = pytest.mark.django_db
RANKING = [{"name": "order", "type": "ranking"}]


def open_one(name: str, models, **fields) -> Arena:
    """Running, with these models alone."""
    now = timezone.now()
    arena = open_arena(name=name, lead=f"About {name}.", actor=None, now=now)
    publish_instrument(campaign_id=arena.campaign_id, questions=fields.pop("questions", RANKING), now=now)
    publish_guidelines(campaign_id=arena.campaign_id, text=f"Judge {name}.", now=now)
    change_campaign_state(campaign_id=arena.campaign_id, to="running", actor=None, reason="test", now=now)
    for model in models:
        enter_model(arena=arena, language_model=model, actor=None, now=now)
    for field, value in fields.items():
        setattr(arena, field, value)
    arena.save()
    return Arena.objects.select_related("campaign").get(pk=arena.pk)


def battle_in(arena, person=None):
    values = {"prompt": "Why?", "network": "", "key": new_key(), "now": timezone.now()}
    return start_battle(arena=arena, person=person or make_person(), **values)


def two_arenas():
    make_models(4)
    models = list(LanguageModel.objects.order_by("pk"))
    return open_one("Poems", models[:2], system_prompt="Rhyme."), open_one("Sums", models[2:], look="moss"), models


def drawn_models(battle):
    return set(battle.item.responses.values_list("contestant__revision__language_model", flat=True))


def test_two_arenas_do_not_mix():
    poems, sums, models = two_arenas()
    for _ in range(6):
        assert drawn_models(battle_in(poems)) == {models[0].pk, models[1].pk}
        assert drawn_models(battle_in(sums)) == {models[2].pk, models[3].pk}
    assert Entry.objects.count() == 4
    outstanding = [
        battle.impression.outstanding for battle in Battle.objects.filter(arena=poems).order_by("created_at")
    ]
    assert outstanding == [0, 1, 2, 3, 4, 5]


def test_control_without_its_own_entries_an_arena_draws_the_others(monkeypatch):
    poems, _sums, models = two_arenas()
    monkeypatch.setattr(module, "playing", lambda arena: Entry.objects.select_related("language_model__current"))
    met = set().union(*(drawn_models(battle_in(poems)) for _ in range(12)))
    assert met > {models[0].pk, models[1].pk}


def test_the_system_prompt_of_an_arena_is_what_both_models_are_told_first():
    poems, sums, _models = two_arenas()
    for arena, told in ((poems, ["Rhyme.", "Why?"]), (sums, ["Why?"])):
        battle = battle_in(arena)
        asked = Completion.objects.filter(turn__response__item=battle.item)
        said = [[m["content"] for m in json.loads(read_personal_text(c.personal_messages_id))] for c in asked]
        assert said == [told, told]
        stored = json.loads(read_personal_text(battle.item.prompt.personal_text_id))
        assert [message["content"] for message in stored] == told


def test_a_vote_answers_its_own_arenas_questions_and_moves_its_own_board():
    poems, _sums, _models = two_arenas()
    default = make_arena("other")
    person = make_person()
    battle = answer(battle_in(poems, person))
    judgment = vote(battle, person, answers={"order": [1, 2]})
    assert (judgment.campaign, list(judgment.answers)) == (poems.campaign, ["order"])
    assert judgment.guidelines.text == "Judge Poems."
    assert not Judgment.objects.filter(campaign=default.campaign).exists()


class TestPages:
    def test_visitors_find_the_arenas_and_each_at_its_address(self, client):
        poems, sums, _models = two_arenas()
        page = client.get(reverse("arenas")).content.decode()
        assert [word in page for word in ("Poems", "About Sums.", "2 models")] == [True] * 3
        # The first that was opened stands at the site's first page.
        assert client.get(reverse("arena", args=["poems"]))["Location"] == "/"
        home = client.get("/").content.decode()
        assert ("About Poems." in home, 'href="/arenas/sums"' in home) == (True, True)
        other = client.get(reverse("arena", args=["sums"])).content.decode()
        assert ("look--moss" in other, 'action="/arenas/sums/battles"' in other) == (True, True)
        assert sums.campaign.slug == "sums"
        assert poems.is_default

    def test_a_battle_in_an_arena_leads_back_to_it_and_to_its_guidelines(self, client):
        _poems, sums, _models = two_arenas()
        start = reverse("start-battle-in", args=["sums"])
        begun = client.post(start, {"prompt": "Why?", "key": new_key()})
        battle = answer(Battle.objects.get(pk=begun["Location"].rsplit("/", 1)[1]))
        page = client.get(begun["Location"]).content.decode()
        assert battle.arena == sums
        assert ("Judge Sums." in page, "How to judge" in page, 'href="/arenas/sums"' in page) == (True, True, True)

    def test_a_draft_is_seen_by_its_admins_alone_and_starts_no_battle(self, client):
        make_arena()
        open_arena(name="Later", lead="", actor=None, now=timezone.now())
        address = reverse("arena", args=["later"])
        assert client.get(address).status_code == 404
        assert client.post(f"{address}/battles", {"prompt": "Why?", "key": new_key()}).status_code == 404
        assert "Later" not in client.get(reverse("arenas")).content.decode()
        client.force_login(make_user(role="campaign_admin"))
        assert "only its admins see it" in client.get(address).content.decode()
        assert client.post(f"{address}/battles", {"prompt": "Why?", "key": new_key()}).status_code == 503

    def test_an_arena_that_is_not_listed_is_reached_by_its_address(self, client):
        two_arenas()
        Arena.objects.filter(campaign__slug="sums").update(is_listed=False)
        assert "Sums" not in client.get(reverse("arenas")).content.decode()
        assert client.get(reverse("arena", args=["sums"])).status_code == 200

    def test_a_plain_campaign_is_no_arena(self, client):
        assert client.get(reverse("arena", args=["nothing"])).status_code == 404

    def test_the_list_takes_as_many_queries_for_one_arena_as_for_three(self, client, django_assert_num_queries):
        two_arenas()
        with django_assert_num_queries(1):
            client.get(reverse("arenas"))
        make_arena("third")
        with django_assert_num_queries(1):
            client.get(reverse("arenas"))


class TestTheTextAboutDataUse:
    def arena(self):
        make_models()
        return make_arena(consent="We keep your words.")

    def post(self, client, **values):
        return client.post(reverse("start-battle"), {"prompt": "Why?", "key": new_key()} | values)

    def test_stands_beside_the_button_and_is_kept_with_whoever_starts(self, client):
        arena = self.arena()
        page = client.get("/")
        assert "We keep your words." in page.content.decode()
        assert self.post(client, agreed=arena.campaign.consent_id).status_code == 302
        visitor = Respondent.objects.get()
        assert (visitor.consent_id, visitor.consented_at is not None) == (arena.campaign.consent_id, True)
        assert Event.objects.filter(verb="consent_agreed").count() == 1

    @pytest.mark.parametrize("agreed", [None, 0])
    def test_without_it_no_battle_starts_and_nothing_is_kept(self, client, agreed):
        arena = self.arena()
        said = {} if agreed is None else {"agreed": arena.campaign.consent_id + 1}
        refused = self.post(client, **said)
        assert (refused.status_code, "has changed" in refused.content.decode()) == (422, True)
        assert "Why?" in refused.content.decode()
        assert (Battle.objects.count(), Respondent.objects.count()) == (0, 0)

    def test_a_new_version_is_shown_before_the_next_battle(self, client):
        arena = self.arena()
        first = arena.campaign.consent_id
        self.post(client, agreed=first)
        second = publish_consent(campaign_id=arena.campaign_id, text="And your votes.", now=timezone.now())
        assert self.post(client, agreed=first).status_code == 422
        assert self.post(client, agreed=second.pk).status_code == 302
        assert Respondent.objects.get().consent_id == second.pk
        # Who has agreed to what stands there now is not asked again.
        assert self.post(client).status_code == 302

    def test_control_a_visitor_who_was_not_asked_has_agreed_to_nothing(self):
        arena = self.arena()
        with pytest.raises(TextNotAgreed):
            battle_in(arena)
        Campaign.objects.update(consent=None)
        battle_in(arena)
        assert Respondent.objects.get().consent is None


class TestSettings:
    def save(self, arena, **values):
        return save_arena(arena_id=arena.pk, values=values, actor=None, now=timezone.now())

    def test_what_changed_is_an_event(self):
        arena = make_arena()
        self.save(arena, lead="Short.", look="plum", max_turns=arena.max_turns)
        assert Event.objects.get(verb="settings_saved").data == {"lead": "Short.", "look": "plum"}
        self.save(arena, lead="Short.")
        assert Event.objects.filter(verb="settings_saved").count() == 1

    def test_another_arena_takes_the_first_page(self):
        one, other = make_arena(), make_arena("other")
        self.save(other, is_default=True)
        assert dict(Arena.objects.values_list("campaign__slug", "is_default")) == {"arena": False, "other": True}
        with pytest.raises(OneIsDefault):
            self.save(other, is_default=False)
        assert one.pk != other.pk

    @pytest.mark.parametrize("values", [{"look": "red"}, {"max_turns": 0}, {"max_prompt_chars": 10**7}])
    def test_what_an_arena_cannot_have_is_refused(self, values):
        arena = make_arena()
        with pytest.raises(BadSettings):
            self.save(arena, **values)
        arena.refresh_from_db()
        assert (arena.look, arena.max_turns, arena.max_prompt_chars) == ("plain", 5, 4000)


class TestManaging:
    def test_an_admin_opens_an_arena_enters_models_launches_it_and_visitors_vote(self, client):
        make_models(3)
        client.force_login(make_user(role="campaign_admin"))
        opened = client.post(
            reverse("arena-new"), {"name": "Poems", "lead": "About poems.", "contestants": 2, "output": "text"}
        )
        assert opened["Location"] == reverse("arena-models", args=["poems"])
        for model in LanguageModel.objects.order_by("pk")[:2]:
            entered = client.post(reverse("arena-enter", args=["poems"]), {"model": model.pk})
            assert entered.status_code == 302
        overview = client.get(reverse("campaign", args=["poems"])).content.decode()
        assert ("Nothing is missing" in overview, "Every visitor of the arena" in overview) == (True, True)
        assert "Only with an invitation" not in overview
        assert client.post(reverse("campaign-state", args=["poems"]), {"to": "running"}).status_code == 302
        arena = Arena.objects.select_related("campaign").get()
        assert (arena.is_default, main_board(arena.campaign).is_public) == (True, True)
        begun = client.post(
            reverse("start-battle"), {"prompt": "Why?", "key": new_key(), "agreed": arena.campaign.consent_id}
        )
        assert begun.status_code == 302
        assert Entry.objects.count() == 2

    def test_settings_are_saved_and_what_is_wrong_with_them_is_said(self, client):
        arena = make_arena()
        client.force_login(make_user(role="campaign_admin"))
        page, values = (
            reverse("arena-settings", args=["arena"]),
            {"look": "lake", "output": "text", "position": 1, "examples": "A?\n\nB?", "modes": ["anonymous", "named"]},
        )
        limits = {"max_prompt_chars": 100, "max_turns": 2, "battles_per_day": 5, "max_waiting": 9}
        limits |= {"max_regenerations": 2, "newcomer_votes": 50, "work_bits": 18}
        limits |= {"battles_per_network": 300, "excluded_alarm": 5}
        assert client.post(page, values | limits).status_code == 302
        arena.refresh_from_db()
        assert (arena.look, arena.examples, arena.battles_per_day) == ("lake", ["A?", "B?"], 5)
        assert arena.modes == ["anonymous", "named"]
        # It stays where it stands, whatever a form says.
        assert arena.is_default
        refused = client.post(page, values | limits | {"max_waiting": 0})
        assert (refused.status_code, "greater than or equal to 1" in refused.content.decode()) == (422, True)

    def test_a_model_is_paused_boosted_taken_out_and_let_back(self, client):
        make_models()
        make_arena()
        client.force_login(make_user(role="campaign_admin"))
        entry = Entry.objects.order_by("pk").first()
        state = reverse("arena-entry-state", args=["arena", entry.pk])
        weight = reverse("arena-entry-weight", args=["arena", entry.pk])
        assert client.post(weight, {"weight": "2", "boost": "3", "hours": "24"}).status_code == 302
        assert client.post(weight, {"weight": "2", "boost": "3"}).status_code == 422
        assert client.post(weight, {"weight": "nan", "boost": "1"}).status_code == 422
        assert client.post(state, {"to": "paused"}).status_code == 302
        assert client.post(state, {"to": "retired"}).status_code == 422
        assert client.post(state, {"to": "retired", "reason": "Superseded."}).status_code == 302
        assert client.post(state, {"to": "paused"}).status_code == 422
        page = client.get(reverse("arena-models", args=["arena"])).content.decode()
        assert ("Superseded." in page, "Let it play again" in page) == (True, True)
        assert client.post(state, {"to": "active"}).status_code == 302
        entry.refresh_from_db()
        assert (entry.state, entry.weight, entry.boost, entry.ended_at) == ("active", 2, 3, None)
        verbs = Event.objects.filter(subject="arena.entry", subject_id=str(entry.pk)).order_by("pk")
        assert list(verbs.values_list("verb", flat=True)) == ["entered", "weighed", *["state_changed"] * 3]

    def test_another_arenas_entry_is_not_found(self, client):
        make_models()
        make_arena()
        make_arena("other")
        client.force_login(make_user(role="campaign_admin"))
        entry = Entry.objects.filter(arena__campaign__slug="other").first()
        for way in ("state", "weight"):
            address = reverse(f"arena-entry-{way}", args=["arena", entry.pk])
            assert client.post(address, {"to": "paused"}).status_code == 404

    def test_the_models_take_as_many_queries_for_two_as_for_four(self, client, django_assert_max_num_queries):
        make_models(2)
        make_arena()
        client.force_login(make_user(role="campaign_admin"))
        with django_assert_max_num_queries(30) as two:
            client.get(reverse("arena-models", args=["arena"]))
        make_models(2)
        for model in LanguageModel.objects.all():
            enter_model(arena=Arena.objects.get(), language_model=model, actor=None, now=timezone.now())
        with django_assert_max_num_queries(30) as four:
            client.get(reverse("arena-models", args=["arena"]))
        assert len(two) == len(four)

    def test_the_campaigns_editor_leaves_what_an_arena_needs(self, client):
        make_arena()
        client.force_login(make_user(role="campaign_admin"))
        page = reverse("campaign-edit", args=["arena", "design"])
        form = client.get(page).context["form"]
        values = {name: form[name].value() for name in form.fields if form[name].value() not in (None, "")}
        saved = client.post(page, values | {"pool": "annotators", "overlap": "3", "lease_seconds": "7200"})
        assert saved.status_code == 302
        campaign = Campaign.objects.get()
        assert (campaign.pool, campaign.overlap, campaign.lease_seconds) == ("invited", 1, 7200)

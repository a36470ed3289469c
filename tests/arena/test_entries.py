"""Models enter an arena, are drawn by weight and boost, pause and leave; that they were tested stays public."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from annotation.boards import canonical_json
from annotation.models import Assignment, Campaign, Event, Slot
from annotation.queries import main_board, pairs
from annotation.queries.pairs import known_of
from annotation.selection import Candidate, choose
from annotation.use_cases.create_board import create_board
from annotation.use_cases.expire_assignments import expire_assignments
from annotation.use_cases.refresh_board import refresh_board
from annotation.use_cases.refresh_selection import refresh_selection
from annotation.use_cases.sequence_log import sequence_log
from arena.models import EnteredRevision, Entry
from arena.queries import arenas
from arena.use_cases.change_entry import ReasonMissing, change_entry
from arena.use_cases.start_battle import NotEnoughModels
from arena.use_cases.sweep_battles import sweep_battles
from arena.use_cases.weigh_entry import BadWeight, weigh_entry
from foundation.transitions import ForbiddenTransition
from inference_workers.models import LanguageModel, LanguageModelRevision
from tests.arena.factories import begin, make_arena, make_models, votable
from tests.arena.test_battles import vote
from tests.factories import make_person
from tests.inference_workers.factories import make_revision

pytestmark = pytest.mark.django_db


def models_of(battle):
    return set(battle.item.responses.values_list("contestant__revision__language_model", flat=True))


def entered(count=3):
    make_models(count)
    arena = make_arena()
    return arena, list(Entry.objects.filter(arena=arena).order_by("pk"))


def change(entry, to, reason="for a while"):
    return change_entry(entry_id=entry.pk, to=to, reason=reason, actor=None, now=timezone.now())


def weigh(entry, weight=1.0, boost=1.0, until=None):
    return weigh_entry(entry_id=entry.pk, weight=weight, boost=boost, boost_until=until, actor=None, now=timezone.now())


def as_owner(statement):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL ROLE NONE")
        cursor.execute(statement)


@pytest.mark.parametrize("state", ["paused", "retired"])
def test_a_model_that_is_paused_or_has_left_is_drawn_no_more_and_again_when_it_is_back(state):
    _arena, entries = entered()
    change(entries[0], state)
    assert entries[0].language_model_id not in set().union(*(models_of(begin()) for _ in range(6)))
    change(entries[0], "active")
    change(entries[1], state)
    assert models_of(begin()) == {entries[0].language_model_id, entries[2].language_model_id}
    told = Event.objects.filter(subject="arena.entry", subject_id=str(entries[0].pk)).order_by("pk")
    assert list(told.values_list("verb", "from_state", "to_state", "reason")) == [
        ("entered", "", "active", ""),
        ("state_changed", "active", state, "for a while"),
        ("state_changed", state, "active", "for a while"),
    ]


def test_nobody_leaves_without_a_reason_and_nobody_pauses_who_has_left():
    _arena, (entry, *_others) = entered()
    with pytest.raises(ReasonMissing):
        change(entry, "retired", reason="  ")
    change(entry, "retired")
    with pytest.raises(ForbiddenTransition):
        change(entry, "paused")


def test_an_arena_whose_models_have_left_starts_no_battle():
    _arena, entries = entered(2)
    change(entries[0], "retired")
    with pytest.raises(NotEnoughModels):
        begin()


def test_weights_and_boosts_are_in_the_draw_and_in_the_log():
    _arena, entries = entered()
    until = timezone.now() + timedelta(hours=1)
    weigh(entries[0], weight=2, boost=3, until=until)
    LanguageModel.objects.filter(pk=entries[1].language_model_id).update(weight=0.5)
    impression = begin().impression
    by_model = dict(
        EnteredRevision.objects.values_list("entry__language_model", "contestant").order_by("entry__language_model")
    )
    weights = {str(by_model[e.language_model_id]): w for e, w in zip(entries, (6.0, 0.5, 1.0), strict=True)}
    assert impression.parameters["weights"] == weights
    candidates = [Candidate(int(pk), weight) for pk, weight in weights.items()]
    again = choose(policy="uniform", parameters={}, candidates=candidates, seed=impression.seed)
    shown = list(impression.item.responses.order_by("position").values_list("contestant", flat=True))
    assert (list(again.pair), again.probability) == (shown, pytest.approx(impression.p_pair))


def test_a_boost_ends_on_time():
    _arena, entries = entered()
    weigh(entries[0], boost=5, until=timezone.now() + timedelta(hours=1))
    assert 5.0 in begin().impression.parameters["weights"].values()
    Entry.objects.filter(pk=entries[0].pk).update(boost_until=timezone.now() - timedelta(seconds=1))
    assert "weights" not in begin().impression.parameters


@pytest.mark.parametrize(
    ("weight", "boost", "hours"), [(0, 1, None), (-1, 1, None), (2000, 1, None), (1, 0.5, 1), (1, 2, None), (1, 2, -1)]
)
def test_what_is_no_weight_or_a_boost_without_an_end_is_refused(weight, boost, hours):
    _arena, (entry, *_others) = entered()
    until = None if hours is None else timezone.now() + timedelta(hours=hours)
    with pytest.raises(BadWeight):
        weigh(entry, weight, boost, until)


class TestForGood:
    CHANGES = (
        "DELETE FROM arena_entry",
        "TRUNCATE arena_entry CASCADE",
        "UPDATE arena_entry SET was_private = NOT was_private",
        "UPDATE arena_entry SET entered_at = now() - interval '1 day'",
    )

    @pytest.mark.parametrize("statement", CHANGES)
    def test_nothing_takes_an_entry_away_or_changes_its_beginning(self, statement):
        entered()
        with pytest.raises(DatabaseError, match=r"public for good|append-only"):
            as_owner(statement)
        assert Entry.objects.count() == 3

    @pytest.mark.parametrize("statement", [CHANGES[0], CHANGES[2], CHANGES[3]])
    def test_control_without_the_triggers_it_is_gone(self, statement):
        entered()
        before = list(Entry.objects.values_list("was_private", "entered_at"))
        as_owner("DROP TRIGGER keep_entry ON arena_entry; DROP TRIGGER keep_entries ON arena_entry")
        as_owner(statement)
        assert list(Entry.objects.values_list("was_private", "entered_at")) != before

    def test_a_model_that_left_keeps_its_standing_to_the_byte(self):
        arena, entries = entered(2)
        create_board(slug="arena", name="Arena", campaign=arena.campaign, now=timezone.now())
        for answer in ("a", "b", "a"):
            person = make_person()
            vote(votable(person), person, answers={"preference": {"choice": answer, "strength": 1}})
        sequence_log(now=timezone.now())
        board = main_board(arena.campaign)
        before = refresh_board(board_id=board.pk, now=timezone.now()).standings
        change(entries[0], "retired", "Superseded.")
        assert refresh_board(board_id=board.pk, now=timezone.now()) is None
        anew = create_board(slug="anew", name="Arena", campaign=arena.campaign, now=timezone.now())
        after = refresh_board(board_id=anew.pk, now=timezone.now()).standings
        assert canonical_json(after["entries"]) == canonical_json(before["entries"])
        assert len(after["entries"]) == 2


class TestWhoWasTested:
    def test_private_variants_are_counted_by_organisation_and_stay_counted(self, client):
        for organisation, visibility in (
            ("Acme", "hidden"),
            ("Acme", "hidden"),
            ("Acme", "public"),
            ("Bloom", "public"),
        ):
            self.of(organisation, visibility)
        arena = make_arena()
        create_board(slug="arena", name="Arena", campaign=arena.campaign, now=timezone.now())
        assert self.counts(arena) == {"Acme": (3, 2, 0), "Bloom": (1, 0, 0)}
        first, second = Entry.objects.filter(was_private=True)
        LanguageModel.objects.filter(pk=first.language_model_id).update(visibility="public", name="Acme 1")
        change(second, "retired", "It was not ready.")
        LanguageModel.objects.filter(pk=second.language_model_id).update(visibility="retired", name="Acme secret")
        assert self.counts(arena) == {"Acme": (3, 2, 1), "Bloom": (1, 0, 0)}
        page = client.get(reverse("leaderboard")).content.decode()
        assert ("Who was tested" in page, "a private variant (Acme) left" in page) == (True, True)
        assert ("It was not ready." in page, "Acme secret" in page) == (True, False)

    def test_control_counting_those_that_are_hidden_today_loses_them(self):
        self.of("Acme", "hidden")
        self.of("Acme", "hidden")
        arena = make_arena()
        LanguageModel.objects.update(visibility="public")
        hidden = Entry.objects.filter(language_model__visibility="hidden").count()
        assert (hidden, self.counts(arena)["Acme"]) == (0, (2, 2, 2))

    def test_each_revision_that_battled_before_the_release_is_a_variant(self):
        hidden = self.of("Acme", "hidden")
        self.of("Bloom", "public")
        arena = make_arena()
        begin()
        self.edited(hidden)
        begin()
        LanguageModel.objects.filter(pk=hidden.pk).update(visibility="public")
        self.edited(hidden)
        begin()
        assert EnteredRevision.objects.filter(entry__language_model=hidden).count() == 3
        assert self.counts(arena) == {"Acme": (1, 2, 2), "Bloom": (1, 0, 0)}

    def test_the_list_takes_two_queries_however_many_there_are(self, django_assert_num_queries):
        make_models(2)
        arena = make_arena()
        with django_assert_num_queries(2):
            arenas.tested_in(arena)
        make_models(3)
        begin()
        with django_assert_num_queries(2):
            assert len(arenas.tested_in(arena)) == 5

    def of(self, organisation, visibility):
        return make_revision(model={"organisation": organisation, "visibility": visibility}).language_model

    def edited(self, model):
        """Another system prompt makes another revision."""
        old = LanguageModel.objects.get(pk=model.pk).current
        values = {f.attname: getattr(old, f.attname) for f in old._meta.concrete_fields if f.name != "id"}
        number = values.pop("number") + 1
        new = LanguageModelRevision.objects.create(**values, number=number)
        LanguageModel.objects.filter(pk=model.pk).update(current=new)

    def counts(self, arena):
        return {each.organisation: (each.models, each.private, each.released) for each in arenas.tested_in(arena)}


def learning(policy="robust", **parameters):
    arena, entries = entered(4)
    Campaign.objects.filter(pk=arena.campaign_id).update(policy=policy, policy_parameters=parameters)
    refresh_selection(campaign=Campaign.objects.get(pk=arena.campaign_id), now=timezone.now())
    return arena, entries


class TestLearnedPolicies:
    @pytest.mark.parametrize("policy", ["balanced", "robust", "double_thompson", "arena_rule"])
    def test_a_battles_pair_is_drawn_with_its_probability_and_replays_from_the_seed(self, policy):
        arena, _entries = learning(policy)
        for _ in range(3):
            person = make_person()
            vote(votable(person), person)
        campaign = Campaign.objects.get(pk=arena.campaign_id)
        refresh_selection(campaign=campaign, now=timezone.now())
        known = known_of(campaign).state
        shown = begin().impression
        candidates = [Candidate(pk) for pk in EnteredRevision.objects.values_list("contestant", flat=True)]
        again = choose(
            policy=policy,
            parameters={},
            candidates=sorted(candidates, key=lambda c: c.contestant),
            seed=shown.seed,
            state=known,
        )
        pair = list(shown.item.responses.order_by("position").values_list("contestant", flat=True))
        assert (shown.policy, list(again.pair)) == (policy, pair)
        assert 0 < shown.p_pair <= 1
        assert again.probability == pytest.approx(shown.p_pair)

    def test_battles_that_are_out_count_until_they_end(self):
        arena, _entries = learning()
        campaign = Campaign.objects.get(pk=arena.campaign_id)
        left, person = votable(), make_person()
        vote(votable(person), person)
        begin()
        refresh_selection(campaign=campaign, now=timezone.now())
        assert begin().impression.outstanding == 2
        held = Assignment.objects.filter(pk=left.assignment_id)
        held.update(lease_expires_at=timezone.now() - timedelta(hours=1))
        expire_assignments(now=timezone.now())
        sweep_battles(now=timezone.now())
        refresh_selection(campaign=campaign, now=timezone.now())
        assert begin().impression.outstanding == 2

    def test_control_without_their_pair_policies_see_nothing_out(self, monkeypatch):
        """And without the reading of those that are out from the responses, as of battles of more than two."""
        arena, _entries = learning()
        begin()
        Slot.objects.update(pair_low=None, pair_high=None)
        monkeypatch.setattr(pairs, "SETS_OUT", pairs.SETS_OUT.replace("s.pair_low IS NULL", "false"))
        refresh_selection(campaign=Campaign.objects.get(pk=arena.campaign_id), now=timezone.now())
        assert begin().impression.outstanding == 0

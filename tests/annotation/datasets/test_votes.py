"""Every judgment leaves as it was given, without whoever gave it."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.use_cases.erase_person import erase_person
from annotation.models import Item, Respondent, Source
from annotation.use_cases.block_respondent import block_respondent
from annotation.use_cases.import_votes import import_votes
from annotation.use_cases.publish_instrument import publish_instrument
from annotation.use_cases.simulate_judgments import simulate_judgments
from annotation.use_cases.submit_judgment import Process
from inference_workers.policies.screen import SCREEN_VERSION
from tests.annotation.datasets.rows import judge, judged, make_models, rows_of, scope_of
from tests.annotation.datasets.test_pairs import vote
from tests.annotation.imports.files import write
from tests.arena import factories as arena
from tests.factories import PREFERENCE, RATIONALE, make_campaign, make_item, make_person

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def votes_of(scope):
    return rows_of(scope, "votes")[0]


NO_FILE = dict.fromkeys(("file", "file_sha256", "content_type"))


def test_a_vote_says_everything_the_log_has_of_it():
    campaign = make_campaign()
    models = make_models(campaign)
    item = make_item(campaign, contestants=models, language="en", category="facts")
    seen = Process(rendered_at=NOW, first_touch_at=NOW, active_ms=1200, device_class="phone")
    judgment = judge(item, 0, strength=2, acceptable=(True, False), worth="2.50", process=seen)
    judgment.refresh_from_db()
    shown, (row,) = judgment.impression, votes_of(scope_of(campaign))
    sign = 1 if judgment.order[0] == 0 else -1
    nothing = dict.fromkeys(
        ("revision", "provider_model", "temperature", "top_p", "top_k", "repetition_penalty", "max_tokens"),
    )
    unknown = dict.fromkeys(
        ("seed", "prompt_tokens", "completion_tokens", "first_token_seconds", "total_seconds", "finish_reason"),
    )
    unknown |= dict.fromkeys(("screen_version", "cost", "sampling"))
    unknown |= {"regenerations": 0, "reactions": []}
    unknown |= NO_FILE
    responses = [
        {
            **{"position": position, "model": models[position].name, "kind": "imported", "system_prompt": None},
            **nothing,
            "turns": [{"kind": "text", "text": ("First.", "Second.")[position], **unknown}],
        }
        for position in judgment.order
    ]
    assert row == {
        "id": f"{campaign.slug}-vote-1",
        "sequence": 1,
        "item": item.pk,
        "prompt_cluster": row["prompt_cluster"],
        "split": row["split"],
        "language": "en",
        "category": "facts",
        "flags": [],
        "purpose": "work",
        "repeat_of": None,
        "adjudicated": False,
        "settles": False,
        "prompt": [{"role": "user", "content": "What is it?"}],
        "follow_ups": [],
        "order": judgment.order,
        "models": [response["model"] for response in responses],
        "responses": responses,
        "respondent": judgment.respondent.pseudonym,
        "respondent_kind": "annotator",
        "groups": [],
        "source": campaign.name,
        "source_kind": "live",
        "simulated": False,
        "instrument": 1,
        "guidelines": None,
        "questions_asked": ["preference", "acceptable", "worth"],
        "answers": json.dumps(judgment.answers, sort_keys=True, separators=(",", ":")),
        "texts": None,
        "preference": "a" if sign == 1 else "b",
        "strength": 2 * sign,
        "strength_scale": 3,
        "acceptable": [True, False] if sign == 1 else [False, True],
        "amount_low": 2.5,
        "amount_high": 2.5,
        "net_utility": 2.5 * sign,
        "currency": "USD",
        "amount_mode": "upgrade",
        "incentive": "stated",
        **dict.fromkeys(("tiers", "scores", "thumb", "context", "confidence")),
        "shown_at": shown.shown_at,
        "rendered_at": NOW,
        "first_touch_at": NOW,
        "submitted_at": judgment.submitted_at,
        "active_ms": 1200,
        "media_played": None,
        "device_class": "phone",
        "policy": None,
        "policy_version": None,
        "policy_parameters": "{}",
        "candidate_count": None,
        "seed": shown.seed,
        "floor": None,
        "pair_design": "assigned",
        "p_pair": None,
        "side_design": "drawn",
        "p_side": 0.5,
        "prompt_design": "assigned",
        "p_prompt": None,
        "questions_design": "assigned",
        "p_questions": None,
        "worth__amount": "2.50",
        "worth__amount_state": "given",
        "worth__amount_currency": "USD",
        "worth__amount_incentive": "stated",
        "worth__amount_confirmed": False,
    }
    assert judgment.net_utility == Decimal("2.5") * sign


def test_checks_and_repeats_are_votes_only_where_they_are_asked_for_and_say_what_they_are():
    campaign = make_campaign()
    models = make_models(campaign)
    first, gold, again = (judged(campaign, models, prefer) for prefer in (0, 1, 0))
    expected = [{"question": "preference", "values": ["a"]}]
    Item.objects.filter(pk=gold.pk).update(purpose="gold", expected=expected)
    Item.objects.filter(pk=again.pk).update(repeat_of=first)
    counted, all_of_them = scope_of(campaign), scope_of(campaign, with_checks=True)
    assert [(row["purpose"], row["repeat_of"]) for row in votes_of(counted)] == [("work", None)]
    assert [(row["item"], row["purpose"], row["repeat_of"]) for row in votes_of(all_of_them)][1:] == [
        (gold.pk, "gold", None),
        (again.pk, "work", first.pk),
    ]
    assert "expected" not in votes_of(all_of_them)[1]
    # What boards and pairs are made of stays the same.
    assert list(all_of_them.judgments()) == list(counted.judgments())


def test_questions_of_two_instruments_have_their_columns_side_by_side():
    campaign = make_campaign(questions=[PREFERENCE, {"name": "q", "type": "confidence"}])
    models = make_models(campaign)
    judge(make_item(campaign, contestants=models), 0, q=2)
    questions = [PREFERENCE, {"name": "q", "type": "labels", "settings": {"options": ["Clear", "Right"]}}]
    publish_instrument(campaign_id=campaign.pk, questions=questions, now=NOW)
    campaign.refresh_from_db()
    judge(make_item(campaign, contestants=models), 0, q=["Right"])
    names = ("instrument", "confidence", "q__confidence_levels", "q__labels", "q__labels_by_response")
    assert [[row[name] for name in names] for row in votes_of(scope_of(campaign))] == [
        [1, 2, 5, None, None],
        [2, None, None, ["Right"], None],
    ]


def test_votes_on_one_item_are_never_collapsed_and_ties_stay():
    campaign = make_campaign()
    models = make_models(campaign)
    item = make_item(campaign, contestants=models, slots=3)
    for prefer in (0, "tie", "cannot_compare"):
        judge(item, prefer)
    rows = votes_of(scope_of(campaign))
    assert [row["sequence"] for row in rows] == [1, 2, 3]
    assert [row["preference"] in {"a", "b"} for row in rows] == [True, False, False]
    assert len({row["respondent"] for row in rows}) == 3


def test_a_battles_vote_carries_the_provenance_of_both_texts():
    arena.make_models()
    person = make_person()
    battle = arena.votable(person)
    judgment = vote(battle, person, 0)
    (row,) = votes_of(scope_of(battle.item.campaign))
    revisions = {r.position: r.contestant.revision for r in battle.item.responses.all()}
    completions = {r.position: r.turns.get().completion for r in battle.item.responses.all()}
    assert row["responses"] == [
        {
            "position": position,
            "model": revisions[position].language_model.name,
            "kind": "language_model",
            "system_prompt": revisions[position].system_prompt,
            "revision": 1,
            "provider_model": revisions[position].provider_model,
            "temperature": 0.7,
            "top_p": 0.95,
            "top_k": 0,
            "repetition_penalty": 1.0,
            "max_tokens": 256,
            "turns": [
                {
                    "kind": "completion",
                    "text": ("Because of **Rayleigh**.", "Because it is.")[position],
                    **NO_FILE,
                    "seed": completions[position].seed,
                    "prompt_tokens": 12,
                    "completion_tokens": 5,
                    "first_token_seconds": 0.1,
                    "total_seconds": 0.5,
                    "cost": None,
                    "sampling": None,
                    "finish_reason": "stop",
                    "screen_version": SCREEN_VERSION,
                    "regenerations": 0,
                    "reactions": [],
                }
            ],
        }
        for position in judgment.order
    ]
    assert (row["pair_design"], row["p_pair"], row["policy"]) == ("drawn", 1.0, "uniform")
    assert row["questions_design"] == "drawn"


def test_nothing_personal_is_in_a_vote():
    campaign = make_campaign(questions=[{"name": "preference", "type": "preference"}, RATIONALE])
    item = make_item(campaign, contestants=make_models(campaign))
    judgment = judge(item, 0)
    respondent = Respondent.objects.get(pk=judgment.respondent_id)
    (row,) = votes_of(scope_of(campaign))
    assert str(respondent.person_id) not in str(row)
    assert row["respondent"] == respondent.pseudonym
    assert not {"ip", "user_agent", "email", "network", "person", "user"} & set(row)


def test_an_erased_persons_votes_stay_without_their_texts():
    arena.make_models()
    person = make_person()
    battle = arena.votable(person)
    vote(battle, person, 0)
    scope = scope_of(battle.item.campaign)
    (before,) = votes_of(scope)
    erase_person(person_id=person.pk, now=timezone.now())
    (after,) = votes_of(scope)
    assert before["prompt"] is not None
    assert after["prompt"] is None
    assert [turn["text"] for response in after["responses"] for turn in response["turns"]] == [None, None]
    assert {key: after[key] for key in ("preference", "strength", "models", "respondent", "split")} == {
        key: before[key] for key in ("preference", "strength", "models", "respondent", "split")
    }


def test_a_retracted_vote_leaves_the_next_scope_and_stays_in_the_frozen_one():
    campaign = make_campaign()
    models = make_models(campaign)
    item = make_item(campaign, contestants=models, slots=2)
    first, _second = judge(item, 0), judge(item, 1)
    frozen = scope_of(campaign)
    block_respondent(respondent_id=first.respondent_id, reason="at random", actor=None, now=timezone.now())
    assert [row["sequence"] for row in votes_of(frozen)] == [1, 2]
    assert [row["sequence"] for row in votes_of(scope_of(campaign))] == [2]


def test_sources_are_chosen_and_simulated_votes_say_so():
    campaign = make_campaign()
    models = make_models(campaign)
    judged(campaign, models, 0)
    simulated = simulate_judgments(campaign=campaign, contestants=models, judgments=5, seed=1, now=timezone.now())
    everything = scope_of(campaign)
    live = scope_of(campaign, sources=(campaign.sources.get(kind="live").pk,))
    alone = scope_of(campaign, sources=(simulated.pk,))
    assert [len(votes_of(scope)) for scope in (everything, live, alone)] == [6, 1, 5]
    assert {(row["simulated"], row["source_kind"], row["respondent_kind"]) for row in votes_of(alone)} == {
        (True, "simulation", "simulated")
    }
    assert rows_of(alone)[0] == []


def test_imported_votes_leave_with_what_the_file_said(tmp_path):
    text = "a,b,outcome,prompt,cat_math\nx,y,a,p1,1\ny,x,both_bad,p1,0\n"
    imported = import_votes(path=write(tmp_path, text), board_slug="votes", now=NOW)
    scope = scope_of(imported.board.campaign)
    rows = votes_of(scope)
    taken = ("models", "preference", "flags", "respondent", "prompt", "shown_at", "pair_design", "p_pair")
    assert [[row[name] for name in taken] for row in rows] == [
        [["x", "y"], "a", ["math"], "unnamed", None, NOW, "imported", None],
        [["y", "x"], "both_bad", [], "unnamed", None, NOW, "imported", None],
    ]
    assert [response["turns"] for row in rows for response in row["responses"]] == [[], [], [], []]
    assert len({row["prompt_cluster"] for row in rows}) == 1
    assert rows_of(scope) == ([], {"no_text": 2})


def test_people_and_model_judges_are_not_mixed_unless_asked_for():
    campaign = make_campaign()
    models = make_models(campaign)
    judged(campaign, models, 0)
    item = make_item(campaign, contestants=models)
    by_model = judge(item, 1)
    apart = Source.objects.create(campaign=campaign, kind="judge", state="apart", name="judge")
    Respondent.objects.filter(pk=by_model.respondent_id).update(kind="model_judge", person=None, source=apart)
    assert [row["sequence"] for row in votes_of(scope_of(campaign))] == [1]
    assert [row["sequence"] for row in votes_of(scope_of(campaign, judged_by="models"))] == [2]
    assert [row["sequence"] for row in votes_of(scope_of(campaign, judged_by="both"))] == [1, 2]

"""An arena's prompts: added whole or not at all, offered and drawn with their probability, apart from the pair."""

import json
from collections import Counter
from itertools import product

import pytest
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils import timezone
from scipy.stats import chi2_contingency

from annotation.imports.problems import BrokenFile
from annotation.models import Event, PromptLabel
from annotation.selection import Candidate, choose
from annotation.selection.draws import PAIR, draw_of_groups, draw_places, stream
from arena.enums import PromptDrawKind
from arena.imports.pool import PoolText, pool_of_lines
from arena.models import Battle, PoolPrompt, PromptDraw
from arena.queries.pool import PoolEmpty, digest_of, draw_any, draw_offer
from arena.use_cases import start_battle as starting
from arena.use_cases.fill_pool import PoolFull, fill_pool
from arena.use_cases.start_battle import start_battle
from arena.web.offers import SALT, offer_in, token_of
from tests.arena.factories import make_arena, make_models
from tests.factories import make_person, make_user, new_key

pytestmark = pytest.mark.django_db

POEMS = [PoolText(f"Write poem {number}.", "poems", "en", "own, CC0") for number in range(3)]
SUMS = [PoolText(f"What is {number} + {number}?", "sums") for number in range(7)]


def filled(*prompts, **fields):
    arena = make_arena(**fields)
    fill_pool(
        arena_id=arena.pk, prompts=prompts or [*POEMS, *SUMS], defaults=PoolText(""), actor=None, now=timezone.now()
    )
    return arena


def begin(arena, person=None, **fields):
    return start_battle(
        arena=arena, person=person or make_person(), network="", now=timezone.now(), **{"key": new_key()} | fields
    )


def how(battle):
    impression = battle.impression
    return impression.prompt_design, impression.p_prompt


def admin(client):
    client.force_login(make_user(role="campaign_admin"))
    return client


# ---- the pool


def test_pasted_prompts_are_cleaned_and_come_once_with_what_is_said_of_all(client):
    arena = make_arena()
    sent = {
        "lines": "  Why is the sky blue? \n\nSay \u0000hi.\nSay hi.\n",
        "category": "small talk",
        "language": "en",
        "source": "own, CC0",
    }
    address = reverse("arena-prompts", args=[arena.campaign.slug])
    assert admin(client).post(address, {**sent, "lines": sent["lines"].replace("\0", "")}).status_code == 302
    assert list(PoolPrompt.objects.order_by("pk").values_list("text", "category", "language", "source")) == [
        ("Why is the sky blue?", "small talk", "en", "own, CC0"),
        ("Say hi.", "small talk", "en", "own, CC0"),
    ]
    client.post(address, {"lines": "Say hi.\nSay ho."})
    assert PoolPrompt.objects.count() == 3
    page = client.get(address).content.decode()
    assert all(words in page for words in ("1 prompt is new. 1 was there already.", "asked in 0 battles"))
    assert Event.objects.filter(verb="pool_filled").count() == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("p.csv", 'prompt,category,licence\n"One,\ntwo?",sums,CC0\nThree?,,\n'),
        (
            "p.jsonl",
            '{"prompt": "One,\\ntwo?", "category": "sums", "licence": "CC0"}\n'
            '{"prompt": [{"role": "user", "content": "Three?"}]}\n',
        ),
    ],
)
def test_a_file_brings_its_own_labels_and_defaults_fill_what_it_leaves_out(client, name, content):
    arena = make_arena()
    sent = {"file": SimpleUploadedFile(name, content.encode()), "category": "other", "source": "a friend"}
    assert admin(client).post(reverse("arena-prompts", args=[arena.campaign.slug]), sent).status_code == 302
    assert list(PoolPrompt.objects.order_by("pk").values_list("text", "category", "source")) == [
        ("One,\ntwo?", "sums", "CC0"),
        ("Three?", "other", "a friend"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("p.csv", "prompt\nGood?\n" + "x" * 41 + "\n", "line 3: the prompt has 41 characters; the arena takes 40"),
        ("p.csv", "prompt\nGood?\n   \n", "line 3: "),
        ("p.csv", f"prompt,source\nGood?,{'x' * 201}\n", "line 2: source has 201 characters, more than 200"),
        ("p.csv", "words\nGood?\n", "name the column of the prompts “prompt”"),
        ("p.jsonl", '{"prompt": "Good?"}\n{"prompt": \n', "line 2: "),
        (
            "p.jsonl",
            json.dumps({"prompt": [{"role": "system", "content": "Be."}, {"role": "user", "content": "Hi"}]}) + "\n",
            "line 1: 'prompt' is a chat",
        ),
    ],
)
def test_a_file_with_a_bad_line_is_refused_by_line_and_nothing_of_it_is_kept(client, name, content, said):
    arena = make_arena(max_prompt_chars=40)
    sent = {"file": SimpleUploadedFile(name, content.encode())}
    page = admin(client).post(reverse("arena-prompts", args=[arena.campaign.slug]), sent)
    assert (page.status_code, PoolPrompt.objects.count()) == (422, 0)
    assert said in page.content.decode().replace("&#x27;", "'")


def test_a_pasted_line_that_is_too_long_is_named_and_a_pool_has_an_end(monkeypatch):
    with pytest.raises(BrokenFile, match="line 2: the prompt has 5 characters; the arena takes 4"):
        pool_of_lines("Hi?\nHello", longest=4)
    monkeypatch.setattr("arena.use_cases.fill_pool.MOST_PROMPTS", 9)
    with pytest.raises(PoolFull):
        filled()
    assert PoolPrompt.objects.count() == 0


def test_a_prompt_that_was_asked_stays_with_its_words_and_is_offered_no_more(client):
    make_models()
    arena = filled(*POEMS)
    battle = begin(arena, any_of="")
    asked = battle.prompt_draw.prompt
    with pytest.raises(DatabaseError, match="keeps what it says"), transaction.atomic():
        PoolPrompt.objects.filter(pk=asked.pk).update(text="Another")
    address = reverse("arena-prompt-offered", args=[arena.campaign.slug, asked.pk])
    assert admin(client).post(address, {"to": "retired"}).status_code == 302
    assert asked not in {each for seed in range(20) for each in draw_offer(arena, category="", seed=seed).prompts}
    client.post(address, {"to": "offered"})
    assert Event.objects.filter(subject="arena.poolprompt").count() == 2
    assert client.post(reverse("arena-prompt-offered", args=["elsewhere", asked.pk])).status_code == 404


# ---- battles on prompts of the pool


def test_any_prompt_is_a_draw_with_its_probability_and_can_be_drawn_again():
    make_models()
    arena = filled()
    battle = begin(arena, any_of="")
    drawn = PromptDraw.objects.get(battle=battle)
    ids = list(arena.pool.order_by("pk").values_list("pk", flat=True))
    again = draw_any(arena, category="", seed=battle.impression.seed)
    assert how(battle) == ("drawn", pytest.approx(1 / 10))
    assert (drawn.kind, drawn.pool_size, drawn.pool_digest) == ("any", 10, digest_of(ids))
    assert ([drawn.prompt], drawn.seed) == (list(again.prompts), battle.impression.seed)
    in_category = begin(arena, any_of="poems")
    assert (*how(in_category), in_category.prompt_draw.prompt.category) == ("drawn", pytest.approx(1 / 3), "poems")


def test_categories_come_alike_where_the_arena_says_so():
    make_models()
    arena = filled(pool_by_category=True)
    shares = Counter(draw_any(arena, category="", seed=seed).prompts[0].category for seed in range(600))
    assert shares["poems"] / 600 == pytest.approx(0.5, abs=0.08)
    stated = {
        offer.prompts[0].category: offer.probability
        for offer in (draw_any(arena, category="", seed=seed) for seed in range(20))
    }
    assert stated == {"poems": pytest.approx(1 / 6), "sums": pytest.approx(1 / 14)}
    assert how(begin(arena, any_of=""))[1] in (pytest.approx(1 / 6), pytest.approx(1 / 14))


def test_a_suggestion_taken_as_it_is_was_chosen_among_drawn_ones_and_an_edited_one_is_the_visitors_own():
    make_models()
    arena = filled()
    offer = draw_offer(arena, category="sums", seed=5)
    taken = begin(arena, prompt=f"  {offer.prompts[2].text}\n", offer=offer)
    drawn = taken.prompt_draw
    assert how(taken) == ("offered", None)
    assert (drawn.prompt, drawn.drawn, drawn.category) == (offer.prompts[2], [p.pk for p in offer.prompts], "sums")
    assert (drawn.probability, drawn.seed, drawn.pool_size) == (pytest.approx(4 / 7), 5, 7)
    edited = begin(arena, prompt=offer.prompts[2].text + " Why?", offer=offer)
    other = begin(arena, prompt=POEMS[0].text, offer=offer)
    assert [how(edited), how(other)] == [("chosen", None)] * 2
    assert PromptDraw.objects.count() == 1


def test_the_same_key_draws_one_prompt_for_one_battle():
    make_models()
    arena, person, key = filled(), make_person(), new_key()
    assert begin(arena, person, any_of="", key=key) == begin(arena, person, any_of="", key=key)
    assert (Battle.objects.count(), PromptDraw.objects.count()) == (1, 1)


def test_what_an_admin_said_of_a_prompt_stands_before_what_rules_find_and_they_are_written_beside_it():
    make_models()
    arena, offered = filled(), draw_offer(filled(), category="poems", seed=3)
    drawn = begin(arena, any_of="poems").item
    taken = begin(offered.prompts[0].arena, prompt=offered.prompts[0].text, offer=offered).item
    own = begin(arena, prompt="Write a poem about rain.").item
    assert [(each.category, each.language) for each in (drawn, taken)] == [("poems", "en")] * 2
    assert (own.category, own.language) == ("creative", "")
    labels = PromptLabel.objects.filter(kind="rules", prompt__in=[drawn.prompt, taken.prompt, own.prompt])
    assert [each.labels for each in labels] == [["creative"]] * 3


def test_an_empty_pool_has_nothing_to_draw():
    make_models()
    with pytest.raises(PoolEmpty):
        begin(make_arena(), any_of="")
    arena = filled(*POEMS, max_prompt_chars=5)
    with pytest.raises(PoolEmpty):
        begin(arena, any_of="")
    assert (Battle.objects.count(), draw_offer(arena, category="", seed=1)) == (0, None)


# ---- the pair knows nothing of the prompt


def test_the_pair_is_the_same_whatever_the_pool_and_the_prompt_whatever_the_models(monkeypatch):
    make_models(5)
    arena = filled()
    monkeypatch.setattr(starting, "new_seed", lambda: 4242)
    drawn = begin(arena, any_of="")
    typed = begin(arena, prompt="Something else?")
    small = begin(arena, any_of="poems")
    pairs = {tuple(b.item.responses.values_list("contestant", flat=True)) for b in (drawn, typed, small)}
    assert len(pairs) == 1
    make_models(3)
    more = begin(arena, any_of="")
    assert more.prompt_draw.prompt == drawn.prompt_draw.prompt
    assert more.impression.candidate_count == 8


def pairs_and_prompts(prompt_of, draws=3000):
    """A table of which prompt of six went with which pair of four models, over seeds that are known."""
    pairs = list(product(range(4), repeat=2))
    models = [Candidate(number) for number in range(4)]
    table = Counter(
        (choose(policy="uniform", parameters={}, candidates=models, seed=seed).pair, prompt_of(seed))
        for seed in range(draws)
    )
    met = sorted({pair for pair, _prompt in table} & set(pairs))
    return chi2_contingency([[table[pair, prompt] for prompt in range(6)] for pair in met]).pvalue


def test_prompts_and_pairs_meet_as_often_as_chance_has_it():
    assert pairs_and_prompts(lambda seed: draw_places(6, 1, seed=seed)[0]) > 0.01
    groups = [[0, 1, 2], [3, 4, 5]]
    assert pairs_and_prompts(lambda seed: draw_of_groups(groups, seed=seed)[0]) > 0.01


def test_control_prompts_from_the_pairs_own_stream_hang_together_with_the_pair():
    assert pairs_and_prompts(lambda seed: int(stream(seed, PAIR).random() * 6)) < 1e-6


# ---- the start page


def test_the_start_page_offers_a_handful_new_ones_and_one_that_fills_the_field_without_script(client):
    make_models()
    arena = filled()
    texts = set(arena.pool.values_list("text", flat=True))
    context = client.get(reverse("home")).context["suggestions"]
    assert (len(context.offer.prompts), context.topics) == (4, ["poems", "sums"])
    assert {each.text for each in context.offer.prompts} <= texts
    part = client.get(reverse("suggestions"), {"topic": "poems"}).content.decode()
    assert [each.text in part for each in POEMS + SUMS] == [True] * 3 + [False] * 7
    assert "<html" not in part
    picked = client.get(reverse("home"), {"offer": context.token, "pick": "1"})
    assert picked.context["form"].initial["prompt"] == context.offer.prompts[1].text
    assert picked.context["suggestions"].token == context.token
    assert client.get(reverse("home"), {"offer": "forged", "pick": "99"}).context["form"].initial["prompt"] == ""


def test_a_battle_from_the_page_keeps_what_was_offered_through_a_refusal(client):
    make_models()
    make_arena()
    arena = filled(consent="Read this.", slug="other")
    address = reverse("start-battle-in", args=["other"])
    offered = client.get(reverse("arena", args=["other"])).context["suggestions"]
    sent = {"prompt": offered.offer.prompts[0].text, "key": "k1", "offer": offered.token}
    refused = client.post(address, sent)
    assert (refused.status_code, refused.context["suggestions"].token) == (422, offered.token)
    client.post(address, sent | {"agreed": arena.campaign.consent_id, "key": "k2"})
    assert how(Battle.objects.get()) == ("offered", None)
    any_of = {"key": "k3", "agreed": arena.campaign.consent_id, "category": "poems"}
    assert client.post(reverse("start-any-in", args=["other"]), any_of).status_code == 302
    assert (
        client.post(reverse("start-any-in", args=["other"]), any_of | {"key": "k4", "category": "no"}).status_code
        == 422
    )
    assert Counter(PromptDraw.objects.values_list("kind", flat=True)) == {"offered": 1, "any": 1}


def test_what_this_site_did_not_offer_counts_as_the_visitors_own_words():
    make_models()
    arena, poems = filled(), filled(*POEMS, slug="poems")
    offer = draw_offer(arena, category="", seed=7)
    good = token_of(arena, offer)
    forged = signing.dumps(signing.loads(good, salt=SALT), salt="another", compress=True)
    assert offer_in(arena, good) == offer
    assert [offer_in(poems, good), offer_in(arena, forged), offer_in(arena, ""), offer_in(arena, good[:-1])] == [
        None
    ] * 4
    assert offer.kind == PromptDrawKind.OFFERED


def test_examples_stand_where_there_is_no_pool(client):
    make_models()
    make_arena()
    page = client.get(reverse("home"))
    assert page.context["suggestions"] is None
    assert "Why is the sky blue?" in page.content.decode()

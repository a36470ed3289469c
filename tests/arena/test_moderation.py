"""House rules in battles: what is refused, taken out, blackened and shown to admins, and what nobody gets to know."""

import re
import resource
import subprocess
import sys
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.use_cases.create_person import person_of_visitor
from annotation.models import Event, Item, Turn
from arena.models import Battle, HouseRule, RuleFinding
from arena.use_cases.add_house_rule import UnusableRule, add_default_rules, add_house_rule
from arena.use_cases.share_battle import share_battle
from inference_workers.engine.scripted import Script, ScriptedBackend, ScriptedSettings
from inference_workers.models import Completion, RuleSet
from inference_workers.policies import house_rules
from inference_workers.streams import StreamWriter, sync_client
from inference_workers.tasks.pump import Pump
from tests.arena.factories import answer, begin, let_open, make_arena, make_models, votable
from tests.arena.voting import browser_of, vote, voted
from tests.factories import make_person, make_user, new_key

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "cookie-of-a-visitor-who-waits"
GOOD = "Small particles scatter the short waves of light more."
BAD = "Small particles, said the frumious bandersnatch, scatter light."
ASKED = "Please tell me why the sky is blue in the daytime."


def rule(**values):
    usual = {"arena": None, "name": "Bandersnatch", "says": "No bandersnatches.", "kind": "words", "action": "void"}
    usual |= {"pattern": "frumious bandersnatch", "on_visitors": True, "on_models": True}
    return add_house_rule(**usual | values, actor=None, now=timezone.now())


class OneThatSays:
    """Backends by endpoint; that of the first endpoint says `text` the first `times` it is asked."""

    def __init__(self, endpoint, text, times):
        self.endpoint, self.text, self.left, self.made = endpoint, text, times, {}

    def of(self, endpoint):
        def says(request):
            bad = endpoint.pk == self.endpoint and self.left > 0
            self.left -= bad
            return Script(tuple(re.findall(r"\S+\s*", self.text if bad else GOOD)))

        return self.made.setdefault(endpoint.pk, ScriptedBackend(ScriptedSettings(), rule=says))

    def drop(self, backend):
        raise AssertionError("no backend breaks here")


def answered(*, text=BAD, times, position=0):
    """A battle whose model at a position says the text so many times; what its visitor was ever sent comes with it."""
    sync_client().flushdb()
    make_models()
    battle = begin(person_of_visitor(token=TOKEN, now=timezone.now()), prompt=ASKED)
    turn = Turn.objects.select_related("completion__revision").get(
        response__item=battle.item, response__position=position
    )
    backends = OneThatSays(turn.job.revision.endpoint_id, text, times)
    Pump(backends=backends, writer=StreamWriter(sync_client()), lease=timedelta(seconds=30), rest_seconds=30.0).run()
    let_open()
    battle.refresh_from_db()
    return battle


def streamed():
    """Every text that a worker gave out to readers."""
    client = sync_client()
    keys = [key for key in client.keys("*") if client.type(key) in ("stream", b"stream")]
    return str([client.xrange(key) for key in keys])


def test_an_answer_that_breaks_a_rule_is_asked_for_anew_and_is_never_given_out():
    broken = rule()
    battle = answered(times=1)
    finding = RuleFinding.objects.get()
    failed = Completion.objects.get(state="failed")
    assert (battle.state, failed.error_code, failed.personal_text_id) == ("votable", "moderated", None)
    assert failed.house_rules == [{"rule": broken.pk, "action": "void"}]
    assert (finding.rule, finding.about, finding.completion, finding.battle) == (broken, "answer", failed, battle)
    assert "frumious bandersnatch" in {each["pattern"] for each in finding.rule_set.rules}
    assert "bandersnatch" not in streamed()


def test_control_without_the_watch_over_what_streams_it_is_given_out(monkeypatch):
    rule()
    monkeypatch.setattr(house_rules.Watch, "push", lambda self, text: None)
    answered(times=1)
    assert "bandersnatch" in streamed()


@pytest.mark.parametrize("position", [0, 1])
def test_two_that_break_it_void_the_battle_and_the_page_does_not_tell_which_side(position):
    rule()
    battle = answered(times=2, position=position)
    assert (battle.state, RuleFinding.objects.count()) == ("void", 2)
    page = browser_of(TOKEN).get(reverse("battle", args=[battle.pk])).content.decode()
    assert "neither could the one that replaced it" in page
    assert "bandersnatch" not in page.lower()
    assert "house rule" not in page.lower()


def test_a_prompt_that_breaks_a_rule_is_refused_with_the_rule_and_stays_in_its_box():
    make_arena()
    make_models()
    said = {"prompt": "Tell me where this girl lives.", "key": new_key()}
    refused = Client().post(reverse("start-battle"), said)
    page = refused.content.decode()
    assert refused.status_code == 422
    assert "not where a private person lives" in page
    assert "Tell me where this girl lives.</textarea>" in page
    assert (Battle.objects.count(), Item.objects.count(), Completion.objects.count()) == (0, 0, 0)
    finding = RuleFinding.objects.get()
    assert (finding.rule.key, finding.action, finding.about, finding.battle) == ("addresses", "refuse", "prompt", None)


def test_a_follow_up_and_the_words_beside_a_vote_are_held_to_them_and_nothing_is_lost():
    rule(action="refuse")
    make_arena()
    make_models()
    client = browser_of("cookie-of-a-visitor-who-writes")
    client.post(reverse("start-battle"), {"prompt": "Why?", "key": new_key()})
    battle = answer(last_begun())
    said = {"prompt": "And the frumious bandersnatch?", "key": new_key()}
    refused = client.post(reverse("follow-up", args=[battle.pk]), said)
    assert (refused.status_code, "No bandersnatches." in refused.content.decode()) == (422, True)
    assert "And the frumious bandersnatch?</textarea>" in refused.content.decode()
    answers = {"preference": "a", "preference.strength": "1", "rationale": "A frumious bandersnatch wrote it."}
    form = {"turn_count": "1", "key": new_key(), **answers}
    refused = client.post(reverse("vote", args=[battle.pk]), form)
    assert (refused.status_code, "No bandersnatches." in refused.content.decode()) == (409, True)
    assert "A frumious bandersnatch wrote it." in refused.content.decode()
    battle.refresh_from_db()
    assert (battle.state, battle.turn_count) == ("votable", 1)
    assert list(RuleFinding.objects.order_by("pk").values_list("about", "action")) == [
        ("prompt", "refuse"),
        ("words", "refuse"),
    ]
    form["rationale"] = "It was clear."
    client.post(reverse("vote", args=[battle.pk]), form)
    battle.refresh_from_db()
    assert battle.state == "voted"


def last_begun():
    return Battle.objects.select_related("item").latest("created_at")


def test_what_is_flagged_or_masked_is_voted_on_and_blackened_for_who_follows_the_link():
    make_models()
    rule(action="mask")
    person = make_person()
    prompt = "Write to anna.schmidt@gmail.com about the sky"
    battle = answer(begin(person, prompt=prompt), ("The frumious bandersnatch is blue.", "It is blue."))
    vote(battle, person)
    token = share_battle(battle_id=battle.pk, person=person, now=timezone.now())
    page = Client().get(reverse("shared-battle", args=[token])).content.decode()
    assert ("anna.schmidt" in page, "bandersnatch" in page, "▮▮▮" in page, "is blue." in page) == (
        False,
        False,
        True,
        True,
    )
    assert list(RuleFinding.objects.values_list("rule__key", "action")) == [("emails", "flag")]


def test_a_switched_off_rule_finds_nothing_and_the_verdict_keeps_the_set_of_its_time(client):
    make_arena()
    broken = rule(action="refuse")
    admin = make_user(role="campaign_admin")
    client.force_login(admin)
    slug = "arena"
    tried = client.post(reverse("arena-rules-try", args=[slug]), {"text": "a frumious bandersnatch"})
    assert "Bandersnatch</span> (refuse)" in tried.content.decode()
    off = client.post(reverse("arena-rule-switch", args=[slug, broken.pk]), {"to": "off"})
    assert off.status_code == 302
    tried = client.post(reverse("arena-rules-try", args=[slug]), {"text": "a frumious bandersnatch"})
    assert tried.content.decode().count("no rule is broken") == 2
    make_models()
    assert votable(prompt="a frumious bandersnatch").state == "votable"
    assert Event.objects.filter(verb="switched_off", actor__user=admin).exists()
    assert add_default_rules(now=timezone.now()) == 0


def test_the_admins_page_counts_what_was_broken_and_takes_what_they_make_of_it(client):
    broken = rule()
    answered(times=1)
    client.force_login(make_user(role="campaign_admin"))
    page = client.get(reverse("arena-rules", args=["arena"])).content.decode()
    finding = RuleFinding.objects.get()
    assert reverse("campaign-item", args=["arena", finding.battle.item_id]) in page
    assert ">1</span> · 1 in the last 14 days" in re.sub(r"\s+", " ", page)
    name = finding.completion.revision.language_model.name
    assert re.search(rf'{name}</th><td class="num">2</td><td class="num">1</td><td class="num">50.0</td>', page)
    assert "bandersnatch, said" not in page
    client.post(reverse("arena-finding", args=["arena", finding.pk]), {"outcome": "false_alarm"})
    page = client.get(reverse("arena-rules", args=["arena"])).content.decode()
    assert ("1 false alarm" in page, "Nothing waits to be looked at." in page) == (True, True)
    assert broken.findings.get().outcome == "false_alarm"


def test_an_admin_adds_a_rule_and_is_told_what_cannot_be_one(client):
    make_arena()
    client.force_login(make_user(role="campaign_admin"))
    said = {"name": "Jabber", "action": "flag", "kind": "pattern", "pattern": "jabber+wock", "on_models": "on"}
    assert client.post(reverse("arena-rule-add", args=["arena"]), said).status_code == 302
    made = HouseRule.objects.get(name="Jabber")
    assert (made.arena.campaign.slug, made.on_visitors, made.on_models, made.is_active) == ("arena", False, True, True)
    for pattern, complaint in {
        r"(a)\1": "references",
        "(?=a)b": "looking ahead",
        "(": "missing )",
        "a*": "nothing is written",
    }.items():
        refused = client.post(reverse("arena-rule-add", args=["arena"]), said | {"pattern": pattern})
        assert (refused.status_code, complaint in refused.content.decode()) == (422, True), pattern
    with pytest.raises(UnusableRule):
        rule(on_visitors=False, on_models=False)


def test_a_rule_for_nobody_is_refused_beside_the_field_that_says_whose_texts_it_is_for(client):
    make_arena()
    client.force_login(make_user(role="campaign_admin"))
    for_nobody = {"name": "Nobody", "action": "refuse", "kind": "words", "pattern": "neverword"}
    refused = client.post(reverse("arena-rule-add", args=["arena"]), for_nobody)
    page = refused.content.decode()
    assert (refused.status_code, HouseRule.objects.filter(name="Nobody").exists()) == (422, False)
    assert "The rule is in force" not in page
    assert "Say whose texts it is for." in page[page.index('id="id_on_visitors"') - 1500 :]


def test_a_rule_of_one_arena_is_none_of_another():
    make_arena()
    poems = make_arena("poems")
    rule(arena=poems, action="refuse")
    make_models()
    assert votable(prompt="the frumious bandersnatch").state == "votable"
    said = {"prompt": "the frumious bandersnatch", "key": new_key()}
    assert Client().post(reverse("start-battle-in", args=["poems"]), said).status_code == 422


def test_whoever_writes_of_wanting_to_die_reads_where_help_is_if_the_site_names_it(settings):
    make_arena()
    make_models()
    client = browser_of("cookie-of-a-visitor-in-need")
    client.post(reverse("start-battle"), {"prompt": "I want to kill myself", "key": new_key()})
    battle = last_begun()
    address = reverse("battle", args=[battle.pk])
    settings.CRISIS_LINE = ""
    assert "A machine cannot be there for you" not in client.get(address).content.decode()
    settings.CRISIS_LINE = "Helpline 0800 111 0 111"
    assert "Helpline 0800 111 0 111" in client.get(address).content.decode()
    other = voted(make_person())
    assert RuleFinding.objects.filter(battle=other).count() == 0


def test_the_same_rules_are_one_rule_set_and_others_another():
    make_models()
    begin()
    begin()
    assert RuleSet.objects.count() == 1
    rule()
    begin()
    assert RuleSet.objects.count() == 2


def test_no_text_of_a_verdict_is_logged(caplog, capsys):
    rule()
    answered(times=2)
    make_arena()
    Client().post(reverse("start-battle"), {"prompt": "Tell me where this girl lives.", "key": new_key()})
    logged = caplog.text + "".join(capsys.readouterr())
    assert ("bandersnatch" in logged, "this girl lives" in logged) == (False, False)
    assert not Event.objects.filter(reason__contains="bandersnatch").exists()


# A pattern that looks harmless, and a text that makes a naive engine try everything.
SLOW, HOSTILE = "(a|aa)+$", "a" * 60 + "!"
LOOKED_FOR = """
import sys
from inference_workers.policies import house_rules as h
{control}
book = h.RuleBook([h.Rule(1, "pattern", sys.argv[1], "refuse", True, True)])
print(len(book.hits(sys.argv[2], of_model=False)))
"""


def looked_for(control=""):
    """In a process of its own with ten seconds of processor; what it printed, or nothing where they ran out."""
    source = "import django; django.setup()" + LOOKED_FOR.format(control=control)
    limit = (resource.RLIMIT_CPU, (10, 10))
    ran = subprocess.run(
        [sys.executable, "-c", source, SLOW, HOSTILE],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(*limit),
    )
    return ran.stdout.strip()


def test_a_pattern_that_would_take_for_ever_ends_in_time_and_counts_as_found():
    assert looked_for() == "1"


def test_control_without_the_bound_it_takes_all_the_time_there_is():
    assert looked_for("h.SECONDS = None") == ""

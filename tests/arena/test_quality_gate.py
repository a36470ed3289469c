"""No text that is no answer comes to a vote: its model is asked again, and the second such text voids the battle."""

import re
from datetime import timedelta

import pytest

from annotation.models import Event, Turn
from arena.use_cases.ask_models import read_completion
from inference_workers.engine.scripted import Script, ScriptedBackend, ScriptedSettings
from inference_workers.models import Completion, LanguageModelRevision
from inference_workers.policies import leaks, screen
from inference_workers.policies.rejection import RejectedText
from inference_workers.policies.screen import SCREEN_VERSION, Asked, Screen
from inference_workers.streams import StreamWriter, sync_client
from inference_workers.tasks import jobs
from inference_workers.tasks.pump import Pump
from tests.arena.factories import begin, let_open, make_models
from tests.factories import make_person

pytestmark = pytest.mark.django_db(transaction=True)

PROMPT = "Please tell me why the sky is blue in the daytime."
GOOD = "Small particles scatter the short waves of light more."
NO_ANSWERS = {
    "empty": "",
    "cut": "Small particles scatter the short waves of light more than the long ones, and that is why",
    "looping": "again and " * 200,
    "refusing": "I'm sorry, but I can't help with that.",
    "identity_leak": "I am ChatGPT, and particles scatter light.",
    "wrong_language": "Der Himmel ist blau, weil kleine Teilchen die kurzen Wellen des Lichts stärker streuen.",
}


class OneThatSays:
    """Backends by endpoint; that of one endpoint says `text` the first `times` it is asked."""

    def __init__(self, endpoint, text, times):
        self.endpoint, self.text, self.left = endpoint, text, times
        self.made = {}

    def of(self, endpoint):
        def rule(request):
            if endpoint.pk != self.endpoint or not self.left:
                return script(GOOD)
            self.left -= 1
            return script(self.text)

        return self.made.setdefault(endpoint.pk, ScriptedBackend(ScriptedSettings(), rule=rule))

    def drop(self, backend):
        raise AssertionError("no backend breaks here")


def script(text):
    return Script(tuple(re.findall(r"\S+\s*", text)))


@pytest.fixture(autouse=True)
def empty_redis():
    sync_client().flushdb()


def battle_with(reason, times):
    make_models()
    most = 12 if reason == "cut" else 300
    LanguageModelRevision.objects.update(max_tokens=most, accepts_cut=reason != "cut", system_prompt="Be kind.")
    battle = begin(make_person(), prompt=PROMPT)
    turn = Turn.objects.select_related("completion__revision").get(response__item=battle.item, response__position=0)
    backends = OneThatSays(turn.completion.revision.endpoint_id, NO_ANSWERS[reason], times)
    writer = StreamWriter(sync_client())
    Pump(backends=backends, writer=writer, lease=timedelta(seconds=30), rest_seconds=30.0).run()
    let_open()
    battle.refresh_from_db()
    return battle, turn


@pytest.mark.parametrize("reason", NO_ANSWERS)
def test_after_one_that_is_none_the_model_is_asked_once_more_and_its_answer_is_judged(reason):
    battle, turn = battle_with(reason, times=1)
    turn.refresh_from_db()
    failed = Completion.objects.get(state="failed")
    assert (battle.state, turn.replacements) == ("votable", 1)
    assert (failed.error_code, failed.screen_version, failed.personal_text_id) == (reason, SCREEN_VERSION, None)
    assert set(texts_of(battle)) == {GOOD}


@pytest.mark.parametrize("reason", NO_ANSWERS)
def test_two_that_are_none_void_the_battle(reason):
    battle, _ = battle_with(reason, times=2)
    assert battle.state == "void"
    assert Event.objects.get(verb="voided").reason == f"completion failed twice: {reason}"


def anything_ends(patch):
    finish = Screen.finish

    def finish_anyhow(self, *, cut=False):
        try:
            return finish(self, cut=cut)
        except RejectedText:
            return ""

    patch.setattr(Screen, "finish", finish_anyhow)


RULES_OFF = {
    "empty": anything_ends,
    "cut": lambda patch: patch.setattr(jobs, "Asked", lambda **asked: Asked(**asked | {"accepts_cut": True})),
    "looping": lambda patch: patch.setattr(screen, "is_looping", lambda text: False),
    "refusing": lambda patch: patch.setattr(screen, "is_refusal", lambda text: False),
    "identity_leak": lambda patch: patch.setattr(leaks, "known_names", dict),
    "wrong_language": lambda patch: patch.setattr(screen, "is_in_another_language", lambda text, **asked: False),
}


@pytest.mark.parametrize("reason", NO_ANSWERS)
def test_control_without_its_rule_such_a_text_is_voted_on(reason, monkeypatch):
    RULES_OFF[reason](monkeypatch)
    battle, turn = battle_with(reason, times=2)
    turn.refresh_from_db()
    assert (battle.state, turn.replacements) == ("votable", 0)
    assert any(NO_ANSWERS[reason].startswith(text) and text != GOOD for text in texts_of(battle))


def texts_of(battle):
    return [read_completion(turn.job) for turn in Turn.objects.filter(response__item=battle.item)]

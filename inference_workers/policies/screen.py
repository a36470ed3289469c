"""One completion's way from raw deltas to shown text."""

from collections.abc import Iterable
from dataclasses import dataclass

from inference_workers.enums import Rejection
from inference_workers.policies.house_rules import REMOVES, Hit, RuleBook, Watch
from inference_workers.policies.languages import is_in_another_language
from inference_workers.policies.leaks import LeakGuard
from inference_workers.policies.loops import is_looping
from inference_workers.policies.refusals import is_refusal
from inference_workers.policies.rejection import RejectedText
from inference_workers.policies.tags import EdgeFilter, TagFilter

LOOP_EVERY = 200
# Stored with each completion and exported with what was voted on. A change of any rule of this package gets a new one.
SCREEN_VERSION = "5"


@dataclass(frozen=True, slots=True)
class Asked:
    """What decides whether an answer is one: the last message of who asked, what stood before it, and whether a text
    may end at its length limit."""

    prompt: str = ""
    instructions: str = ""
    accepts_cut: bool = False


NOTHING_ASKED = Asked()
NO_RULES = RuleBook([])


class Screen:
    """One completion's way from raw deltas to shown text.

    Reasoning between think-tags and stray stop tokens go, as does white space at both ends. A text that gives its model
    away, loops, stays empty, is cut, refuses, is in another language than its prompt, or breaks a house rule raises
    RejectedText. The stored text is exactly what was given out since the last reset.
    """

    def __init__(self, names: Iterable[str], asked: Asked = NOTHING_ASKED, house_rules: RuleBook = NO_RULES) -> None:
        self._asked = asked
        self._rules = house_rules
        self._watch = Watch(house_rules)
        # The house rules that the text broke, those too that leave it in.
        self.hits: tuple[Hit, ...] = ()
        self._tags = TagFilter()
        self._ends = EdgeFilter()
        self._guard = LeakGuard(names)
        self._names = self._guard.names
        self._given: list[str] = []
        self._since_check = 0

    @property
    def text(self) -> str:
        return "".join(self._given)

    def push(self, raw: str) -> tuple[bool, str]:
        """Take the next delta. Returns whether readers must forget what they have, and what they get now."""
        before = self._tags.resets
        text = self._tags.push(raw)
        reset = self._tags.resets > before
        if reset:
            self._ends, self._guard, self._watch = EdgeFilter(), LeakGuard(self._names), Watch(self._rules)
            reset = bool(self._given)
            self._given.clear()
        return reset, self._give(self._guard.push(self._ends.push(text)))

    def finish(self, *, cut: bool = False) -> str:
        """The model's text has ended, `cut` by its length limit or by itself; returns the last piece."""
        last = self._give(self._guard.push(self._ends.push(self._tags.finish())) + self._guard.finish())
        if not self._given:
            raise RejectedText(Rejection.EMPTY)
        if cut and not self._asked.accepts_cut and not self._tags.ended:
            raise RejectedText(Rejection.CUT)
        if is_refusal(self.text):
            raise RejectedText(Rejection.REFUSING)
        if is_in_another_language(self.text, prompt=self._asked.prompt, instructions=self._asked.instructions):
            raise RejectedText(Rejection.WRONG_LANGUAGE)
        self.hits = self._watch.finish(self.text)
        self._refuse_removed(next((hit for hit in self.hits if hit.rule.action in REMOVES), None))
        return last

    def _give(self, text: str) -> str:
        if text:
            self._refuse_removed(self._watch.push(text))
            self._given.append(text)
            self._since_check += len(text)
            if self._since_check >= LOOP_EVERY:
                self._since_check = 0
                if is_looping(self.text):
                    raise RejectedText(Rejection.LOOPING)
        return text

    def _refuse_removed(self, hit: Hit | None) -> None:
        if hit is not None:
            self.hits = self.hits or (hit,)
            raise RejectedText(Rejection.MODERATED, f"house rule {hit.rule.id}")


class OpenScreen(Screen):
    """Of what no visitor reads, such as a model judge's verdict: reasoning and stray tokens go, nothing is refused but
    a text that is empty or loops."""

    def __init__(self) -> None:
        super().__init__(())

    def finish(self, *, cut: bool = False) -> str:
        last = self._give(self._guard.push(self._ends.push(self._tags.finish())) + self._guard.finish())
        if not self._given:
            raise RejectedText(Rejection.EMPTY)
        return last

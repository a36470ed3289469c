"""What goes from a model's text before anybody reads it: reasoning, stop tokens, white space at both ends."""

from collections.abc import Sequence

from foundation.text import clean_text

THINKING = {"<think>": "</think>", "<thinking>": "</thinking>", "[THINK]": "[/THINK]"}
# Stop tokens that a badly configured endpoint lets through. A text ends where one stands.
END_MARKS = ("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "<|return|>")


class TagFilter:
    """Leaves out reasoning in think-tags, everything from a stop token on, and the controls no reader needs.

    Some chat templates open the reasoning in the prompt, so that only its end shows: then `resets` grows, and
    everything before was reasoning.
    """

    def __init__(self) -> None:
        self.resets = 0
        self._held = ""
        self._until: str | None = None  # the closing tag, inside of reasoning
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether a stop token ended the text."""
        return self._ended

    def push(self, raw: str) -> str:
        if self._ended:
            return ""
        self._held += raw
        text: list[str] = []
        while not self._ended and (found := self._first_mark()):
            self._pass(found, text)
        keep = self._possible_mark()
        rest, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        if self._until is None:
            text.append(rest)
        return clean_text("".join(text))

    def finish(self) -> str:
        """What was held because it could have become a mark, and did not."""
        rest, self._held = self._held, ""
        return "" if self._until is not None or self._ended else clean_text(rest)

    def _marks(self) -> Sequence[str]:
        return [self._until] if self._until else [*THINKING, *THINKING.values(), *END_MARKS]

    def _first_mark(self) -> tuple[int, str] | None:
        places = [(self._held.find(mark), mark) for mark in self._marks()]
        return min((place for place in places if place[0] >= 0), default=None)

    def _pass(self, found: tuple[int, str], text: list[str]) -> None:
        at, mark = found
        before, self._held = self._held[:at], self._held[at + len(mark) :]
        if self._until:
            self._until = None
        elif mark in THINKING:
            text.append(before)
            self._until = THINKING[mark]
        elif mark in END_MARKS:
            text.append(before)
            self._ended, self._held = True, ""
        else:
            text.clear()
            self.resets += 1

    def _possible_mark(self) -> int:
        """Length of the longest end that begins a mark, or that a line end's second half may follow."""
        marks = self._marks()
        for length in range(min(len(self._held), max(map(len, marks)) - 1), 0, -1):
            end = self._held[-length:]
            if any(mark.startswith(end) for mark in marks):
                return length
        return 1 if self._held.endswith("\r") else 0


class EdgeFilter:
    """Leaves out white space before the first and after the last character of a text."""

    def __init__(self) -> None:
        self._begun = False
        self._space = ""

    def push(self, text: str) -> str:
        if not self._begun:
            text = text.lstrip()
            self._begun = bool(text)
        body = text.rstrip()
        space = text[len(body) :]
        if not body:
            self._space += space
            return ""
        shown, self._space = self._space + body, space
        return shown

"""From what a model emits to text that may be shown and stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class TokenText:
    """Turns token ids into text, piece by piece.

    Byte-level tokens may hold a part of a character; a decoder shows such a part as U+FFFD. Pieces therefore end
    before a trailing U+FFFD, and those that remain, bytes that are no UTF-8, are dropped. `decode` must be the
    tokenizer's own, leaving special tokens out; it sees some tokens again, because decoders treat the first token of
    a text differently (the space before it).
    """

    def __init__(self, decode: Callable[[Sequence[int]], str]) -> None:
        self._decode = decode
        self._ids: list[int] = []
        self._window = 0  # the decoder is given the tokens from here on
        self._whole = 0  # the last place after the window's begin where a token ended with a whole character
        self._given = 0  # characters of the window's text that have been given out

    def push(self, token: int) -> str:
        """The text that this token completes, perhaps none. What is held back at the end of a text is no text."""
        self._ids.append(token)
        shown = self._decode(self._ids[self._window :])
        stable = shown.rstrip(_REPLACEMENT)
        text = stable[self._given :].replace(_REPLACEMENT, "")
        self._given = len(stable)
        if len(stable) == len(shown):
            self._window, self._whole = self._whole, len(self._ids)
            self._given = len(self._decode(self._ids[self._window : self._whole]))
        return text


class TextStream:
    """Cleans a stream of text and ends it before the first stop string.

    `push` returns what may be shown now: without NUL and lone surrogates (a pair split over two pieces is joined), and
    without any beginning of a stop string that the next piece could complete. What was returned is never taken back.
    """

    def __init__(self, stop: tuple[str, ...] = ()) -> None:
        self.stopped = False
        self._stop = stop
        self._held = ""
        self._high = ""  # a high surrogate that waits for its other half
        self._given: list[str] = []

    @property
    def text(self) -> str:
        """All that was returned so far."""
        return "".join(self._given)

    def push(self, raw: str) -> str:
        """Take the next piece. After a stop string everything further is dropped."""
        if self.stopped:
            return ""
        self._held += self._clean(raw)
        found = [at for at in (self._held.find(stop) for stop in self._stop) if at >= 0]
        if found:
            self.stopped = True
            return self._give(min(found), drop_rest=True)
        return self._give(len(self._held) - self._possible_stop())

    def flush(self) -> str:
        """The text has ended: return what was held back."""
        self._high = ""
        return "" if self.stopped else self._give(len(self._held))

    def _give(self, count: int, *, drop_rest: bool = False) -> str:
        text, rest = self._held[:count], self._held[count:]
        self._held = "" if drop_rest else rest
        if text:
            self._given.append(text)
        return text

    def _clean(self, raw: str) -> str:
        raw = self._high + raw.replace("\0", "")
        self._high = ""
        if raw and "\ud800" <= raw[-1] <= "\udbff":
            raw, self._high = raw[:-1], raw[-1]
        return clean(raw)

    def _possible_stop(self) -> int:
        """Length of the longest end of the held text that begins a stop string."""
        longest = max((len(stop) for stop in self._stop), default=1) - 1
        for length in range(min(longest, len(self._held)), 0, -1):
            end = self._held[-length:]
            if any(stop.startswith(end) for stop in self._stop):
                return length
        return 0


def clean(text: str) -> str:
    """The text with surrogate pairs joined, and without NUL and lone surrogates, which PostgreSQL cannot store."""
    if "\0" in text:
        text = text.replace("\0", "")
    if any("\ud800" <= character <= "\udfff" for character in text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    return text

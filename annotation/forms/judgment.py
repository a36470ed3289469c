"""The form of a judgment. Its questions are data, so its fields are made for each instrument and item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.core.signing import BadSignature, Signer
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.forms.played import Players, read_shares, unplayed
from annotation.questions import (
    Asked,
    InvalidAnswers,
    Reading,
    Section,
    Situation,
    collect_answers,
    field_name,
    get_type,
    read_answers,
)
from foundation.text import clean_text

DEVICE_CLASSES = frozenset({"phone", "tablet", "desktop"})
# What a PositiveIntegerField holds; a page may lie open for longer than that many milliseconds.
MOST_MILLISECONDS = 2**31 - 1
RENDERED_AT = "process.rendered_at"


@dataclass(frozen=True)
class Measure:
    """A hidden input that ballot.js fills."""

    key: str
    value: str

    @property
    def name(self) -> str:
        return f"process.{self.key}"


class JudgmentForm(forms.Form):
    """Asks the given questions and turns what was posted into raw answers.

    Once valid, `answers` is what `submit_judgment` takes, `reading` what it will make of them, and `process` what was
    measured. The time of rendering is the server's own, sealed into the page for `subject` (the assignment, say);
    first touch and active time are claims of the browser, cut to what the server's clock allows; what is missing or
    forged is left out and never costs anybody their answer. `typed` are values to be shown that nobody submitted.
    `players` are the seconds of each side's sounds and films; with a `played_share` the answer is refused until so much
    of each was played.
    """

    def __init__(
        self,
        asked: Sequence[Asked],
        situation: Situation,
        data: Mapping[str, Any] | None = None,
        *,
        subject: str = "",
        now: datetime | None = None,
        typed: Mapping[str, Any] | None = None,
        players: Players = (),
        played_share: float | None = None,
    ) -> None:
        super().__init__(data)
        if data is None and typed is not None:
            # Shown again and not yet submitted: nothing of it is judged.
            self.data = dict(typed)
        self.asked = list(asked)
        self.situation = situation
        self.now = now or timezone.now()
        self.players = players
        # The share that is asked for, where there is anything to play.
        self.gate = played_share if played_share and any(players) else None
        self._signer = Signer(salt=f"annotation.forms.rendered_at:{subject}")
        self._invalid = InvalidAnswers({})
        self.answers: dict[str, Any] = {}
        self.reading: Reading | None = None
        for question in self.asked:
            for part in get_type(question.type).parts(question, situation):
                self.fields[field_name(question.name, part)] = forms.Field(required=False)

    def clean(self) -> dict[str, Any]:
        self.answers = collect_answers(self.asked, self._posted(), self.situation)
        try:
            self.reading = read_answers(self.asked, self.answers, self.situation)
        except InvalidAnswers as invalid:
            self._invalid = invalid
            for question, refusals in invalid.refusals.items():
                for refusal in refusals:
                    name = field_name(question, refusal.part)
                    self.add_error(name if name in self.fields else None, refusal.message)
        if left := unplayed(self._played(), self.gate):
            letters = ", ".join(chr(ord("A") + place) for place in left)
            self.add_error(None, _("Still to be played further: %(letters)s") % {"letters": letters})
        return self.cleaned_data

    @property
    def sections(self) -> list[Section]:
        """One for each question, to be drawn by `{% include section.template %}`."""
        self.is_valid()
        return [self._section(question) for question in self.asked]

    @property
    def process(self) -> dict[str, Any]:
        """Members of `submit_judgment.Process`."""
        rendered_at = self._rendered_at()
        device = self.data.get("process.device_class", "")
        touched, active = self._claim("first_touch_ms"), self._claim("active_ms")
        return {
            "rendered_at": rendered_at,
            "first_touch_at": rendered_at + timedelta(milliseconds=touched)
            if rendered_at and touched is not None
            else None,
            "active_ms": active,
            "device_class": device if device in DEVICE_CLASSES else "",
            "media_played": self._played(),
        }

    @property
    def rendered_at_seal(self) -> str:
        """When the ballot was first shown; a form that comes back with errors keeps that moment."""
        rendered_at = self._rendered_at() or self.now
        return self._signer.sign(str(_milliseconds(rendered_at)))

    @property
    def elapsed_ms(self) -> int:
        rendered_at = self._rendered_at()
        return _milliseconds(self.now) - _milliseconds(rendered_at) if rendered_at else 0

    @property
    def measures(self) -> list[Measure]:
        device = self.process["device_class"]
        claims = {key: self._claim(key) for key in ("first_touch_ms", "active_ms")}
        shown = [Measure(key, "" if claim is None else str(claim)) for key, claim in claims.items()]
        # As it was told: a page that is drawn again goes on from there.
        told = self.data.get("process.media_played", "")
        played = [Measure("media_played", told if isinstance(told, str) else "")] if any(self.players) else []
        return [*shown, Measure("device_class", device), *played]

    @property
    def assets(self) -> list[str]:
        """Static files that the questions' templates need, each once."""
        found = [f"questions/{q.type}/{name}" for q in self.asked for name in get_type(q.type).assets]
        return list(dict.fromkeys(found))

    def _section(self, question: Asked) -> Section:
        kind = get_type(question.type)
        parts = kind.parts(question, self.situation)
        posted = self._posted()
        values = {part: posted.get(field_name(question.name, part), "") for part in parts}
        refusals = self._invalid.refusals.get(question.name, [])
        return Section(
            name=question.name,
            type=question.type,
            title=question.title or str(kind.title),
            template=kind.template,
            required=question.required,
            errors=[refusal.message for refusal in refusals],
            view=kind.present(question, values, refusals, self.situation),
            condition=question.condition,
        )

    def _posted(self) -> dict[str, str]:
        """What came, cleaned at once: it is shown again where it is refused."""
        found = {name: self.data.get(name) for name in self.fields}
        return {name: clean_text(value) for name, value in found.items() if isinstance(value, str)}

    def _played(self) -> list[float | None] | None:
        told = self.data.get("process.media_played", "")
        return read_shares(told if isinstance(told, str) else "", self.players, elapsed_ms=self.elapsed_ms)

    def _rendered_at(self) -> datetime | None:
        seal = self.data.get(RENDERED_AT, "")
        try:
            # Signatures are ASCII; comparing anything else with one raises what is no BadSignature.
            sealed = int(self._signer.unsign(seal if seal.isascii() else ""))
        except BadSignature:
            return None
        return min(datetime.fromtimestamp(sealed / 1000, UTC), self.now)

    def _claim(self, key: str) -> int | None:
        """Milliseconds since the ballot was shown, no more than have passed; None where nothing credible came."""
        typed = self.data.get(f"process.{key}", "")
        rendered = self._rendered_at() is not None
        if not rendered or not isinstance(typed, str) or not typed.isascii() or not typed.isdigit() or len(typed) > 15:
            return None
        return min(int(typed), self.elapsed_ms, MOST_MILLISECONDS)


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)

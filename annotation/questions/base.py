"""What a question type is, and the words in which the house asks and reads."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from django.utils.translation import gettext_lazy

from annotation.questions.apart import Given, sets_apart
from annotation.questions.refusals import InvalidSettings, QuestionDoesNotFit, Refusal, Refused
from annotation.questions.registry import check_settings
from annotation.questions.settings import Kind, Setting
from annotation.questions.settings import Text as Text


@dataclass(frozen=True)
class Asked:
    """One question as an instrument holds it. Settings are made canonical; what is unknown in them is refused."""

    name: str
    type: str
    title: str = ""
    required: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    # Asked only of those who gave an earlier question one of these answers.
    condition: "Condition | None" = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", check_settings(self.type, self.settings))


@dataclass(frozen=True)
class Condition:
    """Holds where the earlier `question` was answered with one of `values`, in the words of its `marks`."""

    question: str
    values: tuple[str, ...]

    def holds(self, marks: Mapping[str, frozenset[str]]) -> bool:
        """`marks` by the name of each question answered so far."""
        return not marks.get(self.question, frozenset()).isdisjoint(self.values)


@dataclass(frozen=True)
class Situation:
    """What holds while somebody answers: how many responses are shown, and what amounts are counted in.

    `own_median_amount` is the median of the amounts above zero that this person typed before; None without any.
    `texts` are the responses' last turns as they are stored, in the order shown; empty where nobody has to know them.
    `endowment` is what a paid amount is paid from; `price_direction`, up or down, is how this person's price lists run.
    """

    responses: int
    currency: str
    own_median_amount: Decimal | None = None
    incentive: str = "stated"
    texts: tuple[str, ...] = ()
    endowment: Decimal | None = None
    price_direction: str = "up"


@dataclass(frozen=True)
class Answer:
    """One answer as it was read: JSON to store, the person's own words to seal, columns of the log."""

    stored: Any
    text: str = ""
    columns: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """All answers to one item. `answers` has a key for every question that was asked, answered or not; one whose
    condition did not hold was not asked.

    What was left out is stored as null, or says so in its `state`. `columns` are fields of Judgment; what is absent
    keeps its default there. Lists and signs are in the order shown.
    """

    answers: dict[str, Any]
    texts: dict[str, str]
    columns: dict[str, Any]


@dataclass(frozen=True)
class Export:
    """A column of datasets. `kind` is str, int, float or bool, or a list of what is such a kind: list[list[int]]."""

    kind: Any
    about: Text


class Form(StrEnum):
    """How the answers in a column tell contestants apart where nobody was asked which of two is better."""

    ORDER = "order"  # a place for each response, 1 for the best: implied pairs
    SCORES = "scores"  # a number for each response, higher for better: differences, or means of single responses
    SHARE = "share"  # yes or no, for each response or for the only one: the share of yes


@dataclass(frozen=True)
class Standing:
    """The column of Judgment that a question gives to boards. Of several questions the first form above counts.

    `open_ties`: responses of equal place were not compared; else they were said to be as good as each other.
    `lowest` and `highest` are the ends of the scale that scores are on.
    """

    column: str
    form: Form
    open_ties: bool = False
    lowest: float = 0.0
    highest: float = 1.0


@dataclass(frozen=True)
class ForModel:
    """How a question is put to a model judge: the words that say what its answer means, in English like the rest of the
    prompt, and the JSON schema of the raw answer, which `QuestionType.read` judges like anybody's."""

    words: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Facet:
    """One thing that a question says of each response: an attribute's score, or whether a label holds (1 or 0).

    `name` is the instrument's; empty where the question says one thing alone.
    """

    name: str
    form: Form
    lowest: float = 0.0
    highest: float = 1.0


class Random(Protocol):
    """numpy's Generator and the standard library's Random both are one."""

    def random(self) -> float: ...


def _by_position(mark: str, order: Sequence[int]) -> str:
    place = ord(mark) - ord("a") if len(mark) == 1 else -1
    return chr(ord("a") + order[place]) if 0 <= place < len(order) else mark


class QuestionType(ABC):
    """One way to ask. A subclass lives in a folder of its own with its template, `ask.html`.

    A raw answer is JSON: None where nothing was answered, else what the type's docstring says. It arrives from a form
    through `collect`, from programs and imports as it is, and `read` is the only judge of it.
    `before` holds the columns that earlier questions of the same ballot gave.
    """

    slug: ClassVar[str]
    label: ClassVar[Text]
    # What is asked where the instrument gives no title of its own.
    title: ClassVar[Text]
    settings: ClassVar[Mapping[str, Setting]] = {}
    # Versions of the type's fixed words that can still be asked; the last is the default. A changed wording is a new
    # version, because answers to different words are not answers to the same question.
    wordings: ClassVar[tuple[int, ...]] = (1,)
    # Columns of Judgment that `read` may give, and those it must find given by an earlier question.
    gives: ClassVar[frozenset[str]] = frozenset()
    needs: ClassVar[frozenset[str]] = frozenset()
    # What `export_columns` gives, by name; all types' columns of one name are of one kind.
    exports: ClassVar[Mapping[str, Export]]
    # How many responses an item must show; None is any number.
    responses: ClassVar[int | None] = None
    # Whether an answer may hold words of the person's own, which they release or keep to the campaign.
    takes_words: ClassVar[bool] = False
    # Whether an answer is judged against the responses' own texts, `Situation.texts`.
    reads_texts: ClassVar[bool] = False
    # Whether a mark of one letter means a side as it is shown: such expectations turn with the order.
    marks_are_sides: ClassVar[bool] = False
    # Whether answers of two people can agree: nobody's words or marked passages are another's.
    can_agree: ClassVar[bool] = True
    # Files in the type's own `static` folder that its template needs: "ask.js", "ask.css".
    assets: ClassVar[tuple[str, ...]] = ()

    @property
    def template(self) -> str:
        return f"questions/{self.slug}/ask.html"

    def for_model(self, asked: Asked, situation: Situation) -> ForModel | None:
        """None where a model is not asked: it has no money, writes nobody's own words, and points into no text."""
        return None

    def columns_given(self, asked: Asked) -> frozenset[str]:
        """Of `gives`, what this very question gives: two ratings of an instrument cannot both be its scores."""
        return self.gives

    def columns_needed(self, asked: Asked) -> frozenset[str]:
        """Of `needs`, what this very question must find given."""
        return self.needs

    def columns_heeded(self, asked: Asked) -> frozenset[str]:
        """What its columns must agree with where it is given at all, and so may not be given after it."""
        return frozenset()

    def columns_exported(self, asked: Asked) -> Mapping[str, Export]:
        """Of `exports`, what leaves beside this very question. What it gives the log by that name leaves from there."""
        given = self.columns_given(asked)
        return {name: column for name, column in self.exports.items() if name not in given}

    def standing(self, asked: Asked) -> Standing | None:
        """What boards rank contestants by where no preference was asked; None where this question orders nothing.

        Preferences and amounts, `preference` and `net_utility`, are read by every board and need not be declared.
        """
        return None

    def facets(self, asked: Asked) -> Sequence[Facet]:
        """What it says of each response, one thing after the other, whether or not boards rank by it."""
        return ()

    def facet_values(self, asked: Asked, stored: Any) -> Mapping[str, Sequence[float | None]]:
        """By a facet's name its values in the order shown, of an answer that says anything."""
        return {}

    def as_asked(self, asked: Asked, stored: Any) -> Any:
        """The stored answer with its members in the order asked, which the database does not keep."""
        return stored

    def marks(self, asked: Asked, stored: Any) -> frozenset[str]:
        """What a later question's condition may name of this answer, of `mark_options`; empty if nothing was given.

        The union of the `data-marks` of the checked inputs that made it: see presentation.Option.
        """
        return frozenset()

    def mark_options(self, asked: Asked) -> Sequence[tuple[str, Text]]:
        """Every mark that an answer can have, with its words; empty where no condition can hang on this question."""
        return ()

    def marks_by_position(self, asked: Asked, given: Given) -> frozenset[str]:
        """Sides named by the item's own order, so that what two people said can be compared."""
        marks = self.marks(asked, given.stored)
        return frozenset(_by_position(mark, given.order) for mark in marks) if self.marks_are_sides else marks

    def apart(self, asked: Asked, one: Given, other: Given) -> float:
        """How far the answers of two people to one item lie apart: 0 where they say the same, 1 the opposite."""
        return sets_apart(self.marks_by_position(asked, one), self.marks_by_position(asked, other))

    def ranks(self, asked: Asked) -> bool:
        """Whether `puts_first` may name a response of an answer to this question."""
        return False

    def puts_first(self, asked: Asked, stored: Any) -> int | None:
        """The place, as shown, of the one response that an answer puts above all others; None where it puts none."""
        return None

    def marks_of_worth(self, asked: Asked, *, good: bool) -> Sequence[str]:
        """The marks that call the only response shown good, or bad; empty where this question does not say."""
        return ()

    def check_settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        if not isinstance(settings, Mapping):
            raise InvalidSettings(f"{self.slug}: settings are a mapping, not {type(settings).__name__}")
        known = {**self.settings, "wording": self.wording_setting}
        unknown = sorted(str(key)[:60] for key in settings if key not in known)
        if unknown:
            raise InvalidSettings(f"{self.slug}: no setting {', '.join(unknown)}; there are {', '.join(known)}")
        for name, setting in known.items():
            if name in settings and not setting.accepts(settings[name]):
                raise InvalidSettings(f"{self.slug}: {name} must be {setting.expects}, not {settings[name]!r:.60}")
        return {name: settings.get(name, copy(setting.default)) for name, setting in known.items()}

    def check_fit(self, asked: Asked, situation: Situation) -> None:
        """Raise QuestionDoesNotFit where this question cannot be asked about such an item."""
        if self.responses is not None and situation.responses != self.responses:
            raise QuestionDoesNotFit(f"{asked.name} compares {self.responses} responses, not {situation.responses}")

    @abstractmethod
    def parts(self, asked: Asked, situation: Situation) -> tuple[str, ...]:
        """The inputs of this question in a form; "" is the one that bears the question's own name."""

    @abstractmethod
    def collect(self, asked: Asked, values: Mapping[str, str], before: Mapping[str, Any], situation: Situation) -> Any:
        """The raw answer that posted values (by part, "" where nothing came) make.

        Inputs that belong to another choice than the one made are left unread: a form without script still sends
        what it no longer shows. Otherwise nothing is judged here.
        """

    @abstractmethod
    def read(self, asked: Asked, raw: Any, before: Mapping[str, Any], situation: Situation) -> Answer:
        """Judge a raw answer, whatever it is. Raises Refused, and nothing else."""

    @abstractmethod
    def present(
        self, asked: Asked, values: Mapping[str, str], refusals: Sequence[Refusal], situation: Situation
    ) -> dict[str, Any]:
        """What the type's template needs beside the section. Nothing is chosen that `values` do not hold."""

    @abstractmethod
    def export_columns(self, stored: Any) -> dict[str, Any]:
        """The stored answer as the columns of `exports`; all of them, whatever was answered."""

    @abstractmethod
    def simulate(self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any]) -> Any:
        """The raw answer of somebody to whom the responses, in the order shown, are worth `utilities`.

        Utilities are in the campaign's unit against the outside option, which is 0; noise is already in them.
        """

    def simulate_shown(
        self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any], situation: Situation
    ) -> Any:
        """What is called: `simulate`, overridden by types whose answers refer to what is shown, such as its texts."""
        return self.simulate(asked, rng, utilities, before)

    @property
    def wording_setting(self) -> Setting:
        def accepts(value: Any) -> bool:
            return type(value) is int and value in self.wordings

        expects = " or ".join(str(version) for version in self.wordings)
        return Setting(gettext_lazy("Version of the fixed words"), self.wordings[-1], accepts, expects, Kind.NUMBER)


def members(raw: Any, names: Sequence[str], message: str) -> dict[str, Any]:
    """The members of a JSON object with None for those left out. Refuses anything else, and members beyond `names`."""
    if not isinstance(raw, dict) or any(key not in names for key in raw):
        raise Refused("malformed", message)
    return {name: raw.get(name) for name in names}


def closed(members: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of an object with exactly these members."""
    return {
        "type": "object",
        "properties": dict(members),
        "required": list(members),
        "additionalProperties": False,
    }


def row_of(one: Mapping[str, Any], responses: int) -> dict[str, Any]:
    """The schema of a list with one of these for each response."""
    return {"type": "array", "items": dict(one), "minItems": responses, "maxItems": responses}


def field_name(question: str, part: str) -> str:
    """The name of an input. A question's name is a slug, so the full stop keeps the names of two questions apart."""
    return f"{question}.{part}" if part else question


def side_letter(index: int) -> str:
    """A for the first response shown, B for the second."""
    return chr(ord("A") + index)

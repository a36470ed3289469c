"""The arenas of a site, their models, and what everybody may know of who was tested in them."""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.enums import CampaignState
from annotation.models import Board
from annotation.queries import main_board
from arena.enums import EntryState
from arena.models import Arena, Battle, Entry
from inference_workers.enums import Output, Task, Visibility
from inference_workers.models import LanguageModel
from inference_workers.policies.releases import may_be_named

# What visitors may come to; a pilot is in no list.
SHOWN = (CampaignState.PILOT, CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.CLOSED)


def arena_called(slug: str, *, drafts: bool = False) -> Arena | None:
    """The arena under this address; one in draft only where its admins ask."""
    states = [*SHOWN, *([CampaignState.DRAFT] if drafts else [])]
    return with_texts().filter(campaign__slug=slug, campaign__state__in=states).first()


def default_arena() -> Arena | None:
    """None on an installation where no arena was made yet."""
    return with_texts().filter(is_default=True).first()


def with_texts() -> QuerySet[Arena]:
    return Arena.objects.select_related("campaign__consent", "campaign__guidelines")


def listed_arenas() -> list[Arena]:
    """The default one first, each with `models`, how many take part now."""
    shown = Arena.objects.filter(is_listed=True, campaign__state__in=[CampaignState.RUNNING, CampaignState.PAUSED])
    playing = Q(entries__state=EntryState.ACTIVE)
    return list(shown.select_related("campaign").annotate(models=Count("entries", filter=playing)))


@dataclass(frozen=True)
class Setting:
    """Where a battle takes place, as its page needs it before the vote: nothing here knows a model."""

    arena: Arena
    guidelines: str
    board: Board | None


def setting_of(battle_id: UUID) -> Setting:
    """With the guidelines that the visitor's vote will be filed under."""
    related = ("arena__campaign", "impression__guidelines")
    battle = Battle.objects.select_related(*related).get(pk=battle_id)
    guidelines = battle.impression.guidelines
    return Setting(battle.arena, guidelines.text if guidelines else "", main_board(battle.arena.campaign))


@dataclass(frozen=True)
class Listed:
    """An entry as its arena's admins see it, with its share of the draws beside the others'."""

    entry: Entry
    revisions: int
    weight: float
    is_boosted: bool
    is_playing: bool
    # What its model answers with, where that is not what the arena's battles are of.
    answers_with: str = ""


def entries_of(arena: Arena) -> list[Listed]:
    """All of them, those that left too, in the order in which they came."""
    entries = Entry.objects.filter(arena=arena).annotate(count=Count("revisions"))
    entries = entries.select_related("arena", "language_model__current")
    return [_listed(each, timezone.now()) for each in entries]


def _listed(entry: Entry, now: datetime) -> Listed:
    model, weight = entry.language_model, weight_of(entry, now)
    current = model.current
    fits = current is not None and current.output == entry.arena.output
    can_play = fits and model.visibility != Visibility.RETIRED and weight > 0
    return Listed(
        entry=entry,
        revisions=entry.count,  # type: ignore[attr-defined]
        weight=weight,
        is_boosted=is_boosted(entry, now),
        is_playing=can_play and entry.state == EntryState.ACTIVE,
        answers_with="" if current is None or fits else str(Output(current.output).label),
    )


def arenas_with(language_model_id: int, *, unless_of: str) -> list[str]:
    """The names of open arenas that a model takes part in, or is paused in, and whose battles are of something else."""
    entries = Entry.objects.filter(language_model=language_model_id).exclude(state=EntryState.RETIRED)
    elsewhere = entries.exclude(arena__campaign__state=CampaignState.CLOSED).exclude(arena__output=unless_of)
    return list(elsewhere.order_by("arena__campaign__name").values_list("arena__campaign__name", flat=True))


def weight_of(entry: Entry, now: datetime) -> float:
    """Of the model on the whole site, times that of its entry, times its boost until this ends."""
    return entry.language_model.weight * entry.weight * (entry.boost if is_boosted(entry, now) else 1.0)


def is_boosted(entry: Entry, now: datetime) -> bool:
    return entry.boost_until is not None and entry.boost_until > now


def models_outside(arena: Arena) -> QuerySet[LanguageModel]:
    """Those of the site that could take part and do not."""
    playing = LanguageModel.objects.filter(
        task=Task.TEXT, visibility__in=[Visibility.PUBLIC, Visibility.HIDDEN], current__output=arena.output
    )
    return playing.exclude(entries__arena=arena).order_by("name")


@dataclass(frozen=True)
class Left:
    """A model that takes part no more."""

    name: str
    ended_at: datetime | None
    reason: str


@dataclass(frozen=True)
class Tested:
    """What of an organisation was tested in an arena. A private variant is a revision that battles could draw before
    its model was released; it counts for good, whatever becomes of the model.
    """

    organisation: str
    models: int
    private: int
    released: int
    since: datetime
    left: list[Left] = field(default_factory=list)


def tested_in(arena: Arena) -> list[Tested]:
    """By organisation, in two queries however many there are."""
    entries = Entry.objects.filter(arena=arena).select_related("language_model").prefetch_related("revisions")
    by_name = sorted(entries, key=lambda entry: (entry.language_model.organisation.casefold(), entry.entered_at))
    grouped = groupby(by_name, key=lambda entry: entry.language_model.organisation)
    return [_tested(organisation, list(some)) for organisation, some in grouped]


def _tested(organisation: str, entries: list[Entry]) -> Tested:
    private = [(entry, variants_of(entry)) for entry in entries]
    return Tested(
        organisation=organisation or _("No organisation given"),
        models=len(entries),
        private=sum(count for _entry, count in private),
        released=sum(count for entry, count in private if entry.language_model.released_at is not None),
        since=min(entry.entered_at for entry in entries),
        left=[
            Left(public_name(entry), entry.ended_at, entry.reason)
            for entry in entries
            if entry.state == EntryState.RETIRED
        ],
    )


def variants_of(entry: Entry) -> int:
    """Private ones. A model that entered before its release is one, even before its first chance of a battle."""
    drawn: int = sum(revision.was_private for revision in entry.revisions.all())
    return max(drawn, int(entry.was_private))


def public_name(entry: Entry) -> str:
    """Of what was never released nobody reads the name, whatever became of it."""
    model = entry.language_model
    is_named = may_be_named(visibility=model.visibility, released_at=model.released_at)
    return model.name if is_named else _("a private variant")


def playing_models(arena: Arena) -> QuerySet[LanguageModel]:
    """Released models that its battles may draw, by name."""
    playing = LanguageModel.objects.filter(
        task=Task.TEXT, visibility=Visibility.PUBLIC, weight__gt=0, current__output=arena.output
    )
    taking_part = Entry.objects.filter(arena=arena, state=EntryState.ACTIVE).values("language_model")
    if arena.enters_all:
        # Those without an entry enter on their first chance.
        stopped = Entry.objects.filter(arena=arena).exclude(state=EntryState.ACTIVE).values("language_model")
        return playing.exclude(pk__in=stopped)
    return playing.filter(pk__in=taking_part)

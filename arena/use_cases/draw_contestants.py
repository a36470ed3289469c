from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from accounts.models import Person
from annotation.enums import Design, SourceKind
from annotation.models import Campaign, Contestant
from annotation.queries.pairs import known_of
from annotation.selection import Candidate, Selection, choose
from annotation.selection.draws import PAIR, stream
from annotation.use_cases.show_item import PairChoice
from arena.enums import BattleState, Mode
from arena.errors import ArenaError
from arena.models import Arena, Battle
from arena.queries.next_draw import known_for, newcomer_cap
from arena.queries.sets import kept_models
from arena.use_cases.admit_contestants import Admitted, admit_contestants
from arena.use_cases.refuse_flood import TooBusy
from inference_workers.enums import Visibility
from inference_workers.queries import endpoints_return

# Where the judgments of a mode belong; hidden models that the arena drew belong to its live source, and are counted.
SOURCES = {Mode.NAMED: SourceKind.NAMED, Mode.OWN_SET: SourceKind.OWN_SET}


class NotEnoughModels(ArenaError):
    """A battle needs as many models that take part in the arena and have a weight; an admin can enter one."""


class ModeNotAllowed(ArenaError):
    """The arena does not let its visitors say in this way who meets."""


class NoSuchModel(ArenaError):
    """A model was named that cannot be: it is not there, not released or not playing now. Which is not told."""


class NamedTwice(ArenaError):
    """A battle has different models."""


class SetTooSmall(ArenaError):
    """Of the visitor's own models fewer play now than a battle needs."""


class TooFewTakePictures(ArenaError):
    """Of the models that play now fewer take pictures than a battle needs."""


@dataclass
class TakeNoPictures(ArenaError):
    """Models that the visitor named take no pictures, or so many of their set that the others are too few."""

    names: Sequence[str]


@dataclass(frozen=True)
class Met:
    """Who meets in a battle, by position, and how that came about. `as_written` keeps them in that order."""

    contestants: Sequence[Contestant]
    pair: PairChoice
    as_written: bool = False
    # Every model that could have been drawn takes pictures, so that it tells nothing of those that were drawn.
    takes_images: bool = False


def draw_contestants(
    *,
    arena: Arena,
    campaign: Campaign,
    person: Person,
    mode: str,
    named: Sequence[str],
    category: str,
    seed: int,
    now: datetime,
    with_picture: bool = False,
) -> Met:
    """Who meets, in the caller's transaction. `named` are slugs of released models by side, "" for chance; `category`
    is the prompt's, of which the arena may know enough by itself. With a picture only models that take pictures are
    candidates, and probabilities are of the draw among these.

    Raises ModeNotAllowed, NotEnoughModels, TooFewTakePictures, TooBusy, and for what the visitor chose NoSuchModel,
    NamedTwice, SetTooSmall and TakeNoPictures.
    """
    if mode not in arena.modes:
        raise ModeNotAllowed(f"arena {campaign.slug} has no battles of mode {mode!r}")
    admitted = admit_contestants(arena=arena, now=now)
    if with_picture:
        admitted = _seeing(arena, person, mode, named, admitted)
    if mode == Mode.NAMED:
        met = _as_named(campaign, admitted, named, seed, with_picture=with_picture)
    elif mode == Mode.OWN_SET:
        met = _of_own_set(arena, campaign, person, admitted, seed)
    else:
        _refuse_few(campaign, admitted, with_picture=with_picture)
        selection = _drawn(arena, campaign, admitted, category, seed)
        met = Met([admitted[pk].contestant for pk in selection.contestants], _how(arena, selection))
    if with_picture:
        met = replace(met, pair=replace(met.pair, parameters={**(met.pair.parameters or {}), "picture": True}))
    # Whoever named the models knows which they are.
    candidates = [each.pk for each in met.contestants] if mode == Mode.NAMED else list(admitted)
    return replace(met, takes_images=all(admitted[pk].takes_images for pk in candidates))


def _seeing(
    arena: Arena, person: Person, mode: str, named: Sequence[str], admitted: Mapping[int, Admitted]
) -> dict[int, Admitted]:
    """Those that take pictures. Of models that the visitor chose, and therefore knows, it is said which do not: of
    named ones always, of a set where the others are too few. Raises TakeNoPictures."""
    seeing = {pk: each for pk, each in admitted.items() if each.takes_images}
    if mode == Mode.ANONYMOUS:
        return seeing
    chosen = set(named) if mode == Mode.NAMED else {each.slug for each in kept_models(person, arena)}
    released = {slug: each.pk for slug, each in _released(admitted).items() if slug in chosen}
    blind = sorted(admitted[pk].name for pk in released.values() if pk not in seeing)
    few = len(released) - len(blind) < arena.campaign.responses_per_item
    if blind and (mode == Mode.NAMED or few):
        raise TakeNoPictures(blind)
    return seeing


def _refuse_few(campaign: Campaign, admitted: Mapping[int, Admitted], *, with_picture: bool) -> None:
    wanted = campaign.responses_per_item
    if len(admitted) >= wanted:
        return
    wait = endpoints_return()
    if wait is not None:
        raise TooBusy(wait_seconds=max(5, round(wait.total_seconds())), answer=False)
    if with_picture:
        raise TooFewTakePictures(f"{len(admitted)} models take pictures, a battle needs {wanted}")
    raise NotEnoughModels(f"{len(admitted)} models can be drawn, a battle needs {wanted}")


def _drawn(arena: Arena, campaign: Campaign, admitted: Mapping[int, Admitted], category: str, seed: int) -> Selection:
    known, of = known_for(arena, campaign, category)
    selection = choose(
        state=known.state if known and campaign.policy != "uniform" else None,
        policy=campaign.policy,
        parameters=campaign.policy_parameters,
        candidates=[Candidate(pk, each.weight) for pk, each in admitted.items()],
        seed=seed,
        count=campaign.responses_per_item,
        cap=newcomer_cap(arena, admitted, known_of(campaign) if of else known),
    )
    return replace(selection, parameters=selection.parameters | ({"state": of} if of else {}))


def _as_named(
    campaign: Campaign, admitted: Mapping[int, Admitted], named: Sequence[str], seed: int, *, with_picture: bool
) -> Met:
    """Sides stand as they were named, those left to chance drawn among the released models that nobody named."""
    wanted = campaign.responses_per_item
    given = [*named, *[""] * wanted][:wanted]
    released = _released(admitted)
    chosen = [slug for slug in given if slug]
    if any(slug not in released for slug in chosen):
        raise NoSuchModel("a model was named that cannot be")
    if len(set(chosen)) < len(chosen):
        raise NamedTwice("a model was named for two sides")
    left = {slug: each for slug, each in released.items() if slug not in chosen}
    if with_picture and len(left) < wanted - len(chosen):
        raise TooFewTakePictures(f"{len(left)} released models that take pictures are left")
    drawn = _by_chance(left, wanted - len(chosen), campaign, seed)
    contestants = [released[slug] if slug else drawn.pop(0) for slug in given]
    parameters = {"mode": Mode.NAMED.value, "named": [bool(slug) for slug in given], "among": len(released)}
    return Met(contestants, PairChoice(design=Design.CHOSEN, parameters=parameters), as_written=True)


def _by_chance(left: Mapping[str, Contestant], count: int, campaign: Campaign, seed: int) -> list[Contestant]:
    """Each alike: nothing is learned from these battles."""
    if len(left) < count:
        raise NotEnoughModels(f"{len(left)} released models are left, {count} are to be drawn")
    ordered = sorted(left.values(), key=lambda each: each.pk)
    places = stream(seed, PAIR).permutation(len(ordered))[:count]
    return [ordered[int(place)] for place in places]


def _of_own_set(arena: Arena, campaign: Campaign, person: Person, admitted: Mapping[int, Admitted], seed: int) -> Met:
    """Blind, each of the set alike, with the exact probability; who kept the set is told it is theirs."""
    released = _released(admitted)
    kept = {each.slug for each in kept_models(person, arena)}
    candidates = {each.pk: each for slug, each in released.items() if slug in kept}
    wanted = campaign.responses_per_item
    if len(candidates) < wanted:
        raise SetTooSmall(f"{len(candidates)} of the visitor's models play now, a battle needs {wanted}")
    selection = choose(
        policy="uniform", parameters={}, candidates=[Candidate(pk) for pk in candidates], seed=seed, count=wanted
    )
    own: dict[str, Any] = {**selection.parameters, "mode": Mode.OWN_SET.value}
    return Met(
        [candidates[pk] for pk in selection.contestants], _how(arena, replace(selection, parameters=own, outstanding=0))
    )


def _released(admitted: Mapping[int, Admitted]) -> dict[str, Contestant]:
    """Those that may be named, by the slug of their model: no other can be asked for, nor told from one that is not
    there."""
    found = Contestant.objects.filter(pk__in=admitted, revision__language_model__visibility=Visibility.PUBLIC)
    return {each.served.language_model.slug: each for each in found.select_related("revision__language_model")}


def _how(arena: Arena, selection: Selection) -> PairChoice:
    """What was out when they were drawn: what the policy went by, or else what is open in this arena."""
    unfinished = Battle.objects.filter(arena=arena, state__in=[BattleState.ANSWERING, BattleState.VOTABLE])
    return PairChoice(
        design=Design.DRAWN,
        probability=selection.probability,
        policy=selection.policy,
        policy_version=selection.version,
        parameters=selection.parameters,
        candidate_count=selection.candidate_count,
        candidate_digest=selection.candidate_digest,
        floor=selection.floor,
        outstanding=unfinished.count() if selection.outstanding is None else selection.outstanding,
    )

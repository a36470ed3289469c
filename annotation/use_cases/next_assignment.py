from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

import numpy as np
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from annotation.enums import AssignmentState, Design, ItemPurpose, ItemState, SourceState
from annotation.errors import AnnotationError
from annotation.models import Assignment, Campaign, Impression, Item, Respondent
from annotation.policies.limits import Limits, budget_is_spent, group_is_done, person_is_done
from annotation.policies.stages import READS, Stage
from annotation.queries.feedback import names_sides
from annotation.queries.work import Position, position_of
from annotation.selection import Selection, draw_sequence
from annotation.selection.draws import new_seed, stream
from annotation.use_cases.claim_slot import Claim, claim_pair, claim_slot, take_item
from annotation.use_cases.next_anchor import next_anchor
from annotation.use_cases.repeat_item import repeat_item
from annotation.use_cases.show_item import ASSIGNED_PAIR, PairChoice, show_item

# The stream of an impression's seed that decides what kind of item comes next.
KIND = 3
# A repeat comes back after this many other items at least.
APART = 5
# How many pairs are drawn for one claim and, where it finds nothing, for another, before any slot will do: late in a
# campaign somebody has met most items of a pair.
TRIES = (1, 3)
MEETABLE = (ItemState.OPEN, ItemState.FROZEN)


class NoWork(AnnotationError):
    """There is nothing for this person now; each kind says why."""


class NothingLeft(NoWork):
    """Every item has its judgments, or this person has met what is left."""


class QuotaReached(NoWork):
    """This person, or a group of theirs, has given as many judgments as they may here."""


class BudgetSpent(NoWork):
    """The campaign has all the judgments that it can pay for."""


class EnoughForToday(NoWork):
    """What is left has a content warning, and this person met as many such items today as one may."""


class NotNow(NoWork):
    """This person's stage has no items; it says what comes first, or why nothing comes."""


@dataclass(frozen=True)
class Found:
    """What was claimed or taken, and how its contestants came together."""

    claim: Claim
    pair: PairChoice = ASSIGNED_PAIR
    as_written: bool = False


@dataclass(frozen=True)
class Given:
    """An assignment and what was shown for it."""

    assignment: Assignment
    impression: Impression


def next_assignment(*, campaign: Campaign, respondent: Respondent, now: datetime, ahead: bool = False) -> Given:
    """What this person judges next: what they hold already, or else a newly claimed item, which is thereby shown.

    With `ahead` they may hold one more beside the one on their screen, so that it is there when they are done.
    Raises NothingLeft, EnoughForToday, QuotaReached, BudgetSpent or NotNow.
    """
    if campaign.is_arena:
        raise NothingLeft("an arena's items are its visitors'")
    with transaction.atomic():
        position = position_of(respondent, to_claim=True, lock=_lock_of(campaign))
        if not position.takes_answers:
            # What they hold stays theirs: in a pause no lease runs out.
            raise NotNow(position.stage)
        if position.stage in READS:
            # What they hold waits too, with what was typed for it.
            raise NotNow(position.stage)
        if len(position.held) > int(ahead):
            # What was taken back comes first, and then what stood in its place.
            return _held(position.held[1 if ahead else 0])
        seed = new_seed()
        found = _assign(campaign, respondent, position, seed, now)
        return Given(found.claim.assignment, _show(campaign, respondent, found, seed))


def _lock_of(campaign: Campaign) -> str | None:
    """Limits of a whole campaign are met exactly: those who claim under one wait for each other."""
    has_limit = campaign.budget_judgments is not None or campaign.budget_money is not None or campaign.group_quotas
    return f"annotation.limits:{campaign.pk}" if has_limit else None


def _held(assignment_id: int) -> Given:
    assignment = Assignment.objects.get(pk=assignment_id)
    return Given(assignment, Impression.objects.filter(assignment=assignment).latest("pk"))


def _assign(campaign: Campaign, respondent: Respondent, position: Position, seed: int, now: datetime) -> Found:
    if position.stage in (Stage.TRAINING, Stage.QUALIFICATION):
        found = _next_of_set(campaign, respondent, position)
        if found is None:
            raise (
                EnoughForToday("the rest has a warning")
                if position.is_sated
                else NothingLeft(f"the {position.stage} items are open in another tab")
            )
        taken = _take(campaign, respondent, found.pk, position.stage.value, now)
        return replace(taken, as_written=names_sides(found.explanation))
    if position.stage != Stage.WORK:
        raise NotNow(position.stage)
    if position.session_items is not None and (position.place or 0) >= position.session_items:
        raise NothingLeft("all items of this session are given")
    try:
        _refuse_beyond_limits(campaign, respondent, position)
    except QuotaReached:
        # Anchors are for everybody, whatever else one may be given.
        anchor = _anchor(campaign, respondent, position, seed, now, at_end=True)
        if anchor is None:
            raise
        return anchor
    anchor = _anchor(campaign, respondent, position, seed, now)
    if anchor is not None:
        return anchor
    extra = _extra(campaign, respondent, position, seed, now)
    if extra is not None:
        return extra
    work = _claim_drawn(campaign, respondent, position, seed, now) or _claim_any(campaign, respondent, now)
    if work is None and (anchor := _anchor(campaign, respondent, position, seed, now, at_end=True)) is not None:
        return anchor
    if work is None and position.is_sated:
        raise EnoughForToday("no open slot of an item without a warning")
    if work is None:
        raise NothingLeft("no open slot of an item this person has not met")
    return work


def _claim_drawn(
    campaign: Campaign, respondent: Respondent, position: Position, seed: int, now: datetime
) -> Found | None:
    """An item of a pair of contestants that the campaign's policy draws; None where no pair is known to be open, or
    this person has met what there is of those that were drawn.
    """
    known = position.known
    if known is None:
        return None
    draws = draw_sequence(policy=campaign.policy, parameters=campaign.policy_parameters, known=known, seed=seed)
    passed: list[Selection] = []
    for tries in TRIES:
        drawn = list(islice(draws, tries))
        pairs = [selection.pair for selection in drawn]
        found = claim_pair(campaign=campaign, respondent=respondent, pairs=pairs, now=now) if pairs else None
        if found is not None:
            return Found(found, _how([*passed, *drawn[: found.turn + 1]]))
        passed += drawn
    return None


def _claim_any(campaign: Campaign, respondent: Respondent, now: datetime) -> Found | None:
    found = claim_slot(campaign=campaign, respondent=respondent, now=now)
    return None if found is None else Found(found)


def _how(drawn: list[Selection]) -> PairChoice:
    """Of the last of these draws; those before it found nothing."""
    selection = drawn[-1]
    passed = {"passed": [list(each.pair) for each in drawn[:-1]]} if len(drawn) > 1 else {}
    return PairChoice(
        design=Design.DRAWN,
        probability=selection.probability,
        policy=selection.policy,
        policy_version=selection.version,
        parameters=selection.parameters | passed,
        candidate_count=selection.candidate_count,
        candidate_digest=selection.candidate_digest,
        outstanding=selection.outstanding,
        floor=selection.floor,
    )


def _anchor(
    campaign: Campaign, respondent: Respondent, position: Position, seed: int, now: datetime, *, at_end: bool = False
) -> Found | None:
    found = next_anchor(campaign=campaign, respondent=respondent, position=position, seed=seed, now=now, at_end=at_end)
    return None if found is None else _take(campaign, respondent, found, ItemPurpose.ANCHOR.value, now)


def limits_of(campaign: Campaign) -> Limits:
    return Limits(
        per_person=campaign.quota_per_annotator,
        share_per_person=campaign.share_per_annotator,
        of_groups=campaign.group_quotas,
        judgments=campaign.budget_judgments,
        money=campaign.budget_money,
        pay_per_judgment=campaign.pay_per_judgment,
    )


def _refuse_beyond_limits(campaign: Campaign, respondent: Respondent, position: Position) -> None:
    limits = limits_of(campaign)
    if person_is_done(limits, own=position.own, wanted=position.wanted):
        raise QuotaReached("this person has given as many judgments as one may")
    if position.study_judgments is not None and position.own >= position.study_judgments:
        raise QuotaReached("the study that sent this person asks for no more")
    if group_is_done(limits, position.of_groups):
        raise QuotaReached("this person's group has given as many judgments as it may")
    if budget_is_spent(limits, taken=position.taken):
        raise BudgetSpent("every judgment that can be paid is given or being given")


def _extra(campaign: Campaign, respondent: Respondent, position: Position, seed: int, now: datetime) -> Found | None:
    """A check or a repeat in its share of the showings, drawn from the impression's own seed; None for work."""
    rng = stream(seed, KIND)
    drawn = rng.random()
    checks = campaign.gold_share + campaign.attention_share
    if drawn < checks:
        purpose = ItemPurpose.GOLD if drawn < campaign.gold_share else ItemPurpose.ATTENTION
        unmet = list(_unmet(campaign, respondent, position, purpose).order_by("pk").values_list("pk", flat=True)[:1000])
        if unmet:
            return _take(campaign, respondent, _pick(unmet, rng), "check", now)
    elif drawn < checks + campaign.repeat_share:
        earlier = _repeatable(respondent, position)
        if earlier:
            again = repeat_item(item_id=_pick(earlier, rng), now=now)
            return None if again is None else _take(campaign, respondent, again.pk, "repeat", now)
    return None


def _pick(ids: list[int], rng: np.random.Generator) -> int:
    return ids[int(rng.integers(len(ids)))]


def _take(campaign: Campaign, respondent: Respondent, item_id: int, kind: str, now: datetime) -> Found:
    found = take_item(campaign=campaign, respondent=respondent, item_id=item_id, now=now)
    if found is None:
        raise NothingLeft("the item went away while it was being taken")
    return Found(found, PairChoice(design=Design.ASSIGNED, parameters={"shown_as": kind}))


def _next_of_set(campaign: Campaign, respondent: Respondent, position: Position) -> Item | None:
    """The next item of the training or of the test that is taken now; those that were put off come last."""
    newest = position.training_of if position.stage == Stage.TRAINING else position.test_of
    items = _unmet(campaign, respondent, position, ItemPurpose(position.stage.value)).filter(test_of=newest)
    put_off = Count("assignments", filter=Q(assignments__respondent=respondent))
    return items.annotate(put_off=put_off).order_by("put_off", "pk").first()


def _unmet(campaign: Campaign, respondent: Respondent, position: Position, purpose: ItemPurpose) -> QuerySet[Item]:
    """Items of this purpose that the respondent neither met nor holds nor declined."""
    met = Assignment.objects.filter(respondent=respondent, item=OuterRef("pk")).exclude(state=AssignmentState.EXPIRED)
    items = Item.objects.filter(
        campaign=campaign, purpose=purpose, state__in=MEETABLE, source__state=SourceState.ACTIVE
    ).exclude(warnings__overlap=position.declined)
    if position.is_sated:
        items = items.filter(warnings=[])
    return items.filter(~Exists(met))


def _repeatable(respondent: Respondent, position: Position) -> list[int]:
    """Items answered more than APART items ago that did not come back to this person yet."""
    answered = Assignment.objects.filter(
        respondent=respondent,
        state=AssignmentState.SUBMITTED,
        item__purpose=ItemPurpose.WORK,
        item__repeat_of__isnull=True,
        item__state__in=MEETABLE,
        item__source__state=SourceState.ACTIVE,
    )
    answered = answered.exclude(item__warnings__overlap=position.declined)
    if position.is_sated:
        answered = answered.filter(item__warnings=[])
    ids = list(answered.order_by("-ended_at", "-pk").values_list("item_id", flat=True)[APART:1000])
    again = Assignment.objects.filter(respondent=respondent, item__repeat_of__in=ids)
    repeated = set(again.values_list("item__repeat_of", flat=True))
    return [pk for pk in ids if pk not in repeated]


def _show(campaign: Campaign, respondent: Respondent, found: Found, seed: int) -> Impression:
    assignment = found.claim.assignment
    return show_item(
        campaign=campaign,
        instrument=campaign.asks,
        item_id=assignment.item_id,
        responses=found.claim.responses,
        respondent=respondent,
        assignment=assignment,
        prompt_design=Design.ASSIGNED,
        pair=found.pair,
        seed=seed,
        as_written=found.as_written,
    )

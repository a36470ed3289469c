"""Preference pairs and reward pairs: a row for each item whose judgments prefer one of its two responses, and for each
response that stands behind the best one where they were ranked or rated.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet

from annotation.boards.chances import Chance, Chances
from annotation.datasets.columns import Page
from annotation.datasets.contents import (
    Content,
    Conversation,
    Message,
    Readable,
    Said,
    Speaker,
    Speakers,
    read_contents,
)
from annotation.datasets.listed import Listings
from annotation.datasets.schemas import pair_schema
from annotation.datasets.scope import ChosenBy, Scope
from annotation.datasets.splits import split_of
from annotation.datasets.tally import Given, Tally, columns, given, tally
from annotation.datasets.withdrawn import left_out
from annotation.enums import TurnKind
from annotation.models import Item, Judgment, Turn
from annotation.questions import Form

PAGE = 1000


class Dropped(Exception):
    """Why an item makes no pair; the reason is counted and stands on the card."""


@dataclass(frozen=True)
class Sides:
    """The last turn of both responses and what led to it, the same for both."""

    prompt: list[Message]
    answers: dict[int, str]


@dataclass(frozen=True)
class Pair:
    """Two responses of an item, by position; in the tallies they are 0 and 1, and one of these was chosen.

    `votes` is what the judgments come to, `decided` what those come to that choose: an expert's, or the same.
    """

    item: int
    places: tuple[int, int]
    chosen: int
    votes: Tally
    decided: Tally
    of_several: bool = False

    def name(self, slug: str) -> str:
        """No vote is called like a pair, and no pair of an item like another."""
        better, worse = self.places[self.chosen], self.places[1 - self.chosen]
        return f"{slug}-item-{self.item}" + (f"-{better}-{worse}" if self.of_several else "")

    def said(self) -> dict[str, Any]:
        """What was said of the two, as columns of a row."""
        whole, decided, chosen, rejected = self.votes, self.decided, self.chosen, 1 - self.chosen
        return {
            "n_judgments": whole.compared,
            "agreement": whole.agreement,
            "vote_share": whole.vote_share(chosen),
            "chosen_score": decided.score(chosen),
            "rejected_score": decided.score(rejected),
            "strength": decided.strength_for(chosen),
            "net_utility": decided.net_utility_for(chosen),
            "currency": next(iter(decided.currencies), None),
            "conflict": conflicts(whole, chosen) or conflicts(decided, chosen),
            "chosen_acceptable": whole.acceptable(chosen),
            "rejected_acceptable": whole.acceptable(rejected),
            "source_kind": whole.source_kind,
            "simulated": whole.simulated,
        }


class PairsView:
    """With `fit`, made of exactly the scope's judgments, every pair has its fitted probability.

    With `divisor` it has a margin: what the preference amounts to, in logits, never below 0.
    """

    def __init__(self, scope: Scope, *, fit: Chances | None, divisor: float | None = None) -> None:
        self._scope = scope
        self._fit = fit
        self._divisor = divisor
        self._speakers = Speakers()
        self._listings = Listings()
        self.schema = pair_schema(fitted=fit is not None, margin=divisor is not None)
        self.dropped: Counter[str] = Counter()

    def pages(self) -> Iterator[Page]:
        """Items without any text are counted and not looked at: most of an import is nothing else."""
        texts = Turn.objects.filter(response__item=OuterRef("pk")).exclude(kind=TurnKind.ABSENT)
        items = Item.objects.filter(campaign=self._scope.campaign).annotate(given=Exists(texts))
        silent = self._scope.judgments().order_by().filter(item__in=items.filter(given=False))
        if count := silent.aggregate(items=Count("item", distinct=True))["items"]:
            self.dropped["no_text"] += count
        gone = left_out(self._scope).exclude(item__in=self._scope.judgments().order_by().values("item"))
        if count := gone.aggregate(items=Count("item", distinct=True))["items"]:
            self.dropped["withdrawn"] += count
        given, last = items.filter(given=True).order_by("pk").values_list("pk", flat=True), 0
        while ids := list(given.filter(pk__gt=last)[:PAGE]):
            last = ids[-1]
            yield Page.of_rows(self._rows(ids), self.schema)

    def _rows(self, ids: Sequence[int]) -> list[dict[str, Any]]:
        votes, settling = self._given(self._scope.judgments(), ids), self._given(self._scope.settling(), ids)
        found = [pair for item in votes.keys() | settling.keys() for pair in self._pairs(item, votes, settling)]
        found.sort(key=lambda pair: (pair.item, pair.places))
        contents = read_contents({pair.item for pair in found})
        self._speakers.read(pk for pair in found for pk in pair.votes.contestants.values())
        rows = []
        for pair in found:
            try:
                rows.append(self._row(pair, contents[pair.item]) | {"adjudicated": pair.item in settling})
            except Dropped as reason:
                self.dropped[str(reason)] += 1
        return rows

    def _given(self, judgments: QuerySet[Judgment], ids: Sequence[int]) -> dict[int, list[Given]]:
        """By item, in commit order."""
        found = defaultdict(list)
        taken = judgments.filter(item__in=ids).order_by("item", "log_entry__sequence")
        for item, *values in taken.values_list("item_id", *columns()):
            found[item].append(given(values))
        return found

    def _pairs(
        self, item: int, votes: Mapping[int, Sequence[Given]], settling: Mapping[int, Sequence[Given]]
    ) -> list[Pair]:
        """Where an expert settled the item their answer decides, of several the last."""
        deciding = settling[item][-1:] if item in settling else votes[item]
        form = self._listings.form(deciding)
        if form is not None:
            return self._listed(item, form, deciding, votes.get(item, []))
        decided = tally(deciding)
        whole = tally(votes.get(item, []))
        # Where the votes say nothing about the pair there is the expert's answer alone.
        whole = whole if whole.compared else decided
        try:
            return [Pair(item, (0, 1), choose(decided, self._scope), whole, decided)]
        except Dropped as reason:
            self.dropped[str(reason)] += 1
            return []

    def _listed(self, item: int, form: Form, deciding: Sequence[Given], votes: Sequence[Given]) -> list[Pair]:
        if self._scope.filters.chosen_by == ChosenBy.NET_UTILITY:
            self.dropped["no_amount"] += 1
            return []
        listed, ties = self._listings.pairs(form, deciding, votes)
        if ties:
            self.dropped["tie"] += ties
        pairs, of_several = [], any(len(each.order) > 2 for each in deciding)
        for each in listed:
            try:
                refuse(each.decided, self._scope)
                pairs.append(Pair(item, (each.better, each.worse), 0, each.votes, each.decided, of_several))
            except Dropped as reason:
                self.dropped[str(reason)] += 1
        return pairs

    def _row(self, pair: Pair, content: Content) -> dict[str, Any]:
        item, whole, decided, chosen = pair.item, pair.votes, pair.decided, pair.chosen
        rejected = 1 - chosen
        speakers = {side: self._speaker(whole.contestants.get(side)) for side in (0, 1)}
        of_two = {side: content.turns.get(place, []) for side, place in enumerate(pair.places)}
        sides = last_turn(replace(content, turns=of_two), speakers)
        row = {
            "id": pair.name(self._scope.campaign.slug),
            "item": item,
            "prompt_cluster": content.cluster,
            "split": split_of(content.cluster),
            "language": content.language,
            "category": content.category,
            "flags": content.flags,
            "prompt": sides.prompt,
            "chosen": [{"role": "assistant", "content": sides.answers[chosen]}],
            "rejected": [{"role": "assistant", "content": sides.answers[rejected]}],
            "chosen_model": speakers[chosen].name,
            "rejected_model": speakers[rejected].name,
            "chosen_revision": speakers[chosen].columns["revision"],
            "rejected_revision": speakers[rejected].columns["revision"],
            **pair.said(),
        }
        if self._fit is not None:
            chance = self._chance(self._fit, whole, chosen)
            row |= {"fitted_probability": chance.probability, "fitted_probability_se": chance.standard_error}
        if self._divisor is not None:
            row["margin"] = self._margin(decided, chosen, self._divisor)
        return row

    def _speaker(self, contestant: int | None) -> Speaker:
        if contestant is None:
            raise Dropped("no_contestant")
        return self._speakers[contestant]

    def _chance(self, fit: Chances, whole: Tally, chosen: int) -> Chance:
        first, second = whole.contestants[chosen], whole.contestants[1 - chosen]
        chance = fit.of(first, second) if first is not None and second is not None else None
        if chance is None:
            raise Dropped("not_fitted")
        return chance

    def _margin(self, whole: Tally, chosen: int, divisor: float) -> float:
        by_amount = self._scope.filters.chosen_by == ChosenBy.NET_UTILITY
        preferred_by = whole.net_utility_for(chosen) if by_amount else whole.strength_for(chosen)
        # No strength was given, or the mean contradicts the majority (flagged as a conflict): the plain loss.
        return max(0.0, preferred_by or 0.0) / divisor


def refuse(whole: Tally, scope: Scope) -> None:
    """Raises Dropped where no pair is made whichever of the two is better."""
    if whole.responses != 2:
        raise Dropped("not_a_pair")
    if whole.compared == 0:
        raise Dropped("cannot_compare")
    if 2 * whole.neither > whole.compared or whole.acceptable(0) is whole.acceptable(1) is False:
        raise Dropped("neither_acceptable")
    if whole.agreement < scope.filters.minimum_agreement:
        raise Dropped("low_agreement")


def choose(whole: Tally, scope: Scope) -> int:
    """The response the item's judgments prefer, 0 or 1. Raises Dropped."""
    refuse(whole, scope)
    if scope.filters.chosen_by == ChosenBy.NET_UTILITY:
        worth = whole.net_utility_for(0)
        if worth is None:
            raise Dropped("no_amount")
        difference = worth
    else:
        difference = whole.wins[0] - whole.wins[1]
    if difference == 0:
        raise Dropped("tie")
    return 0 if difference > 0 else 1


def conflicts(whole: Tally, chosen: int) -> bool:
    """Whether votes, strengths or amounts, taken alone, would have chosen the other response."""
    votes = whole.wins[chosen] < whole.wins[1 - chosen]
    strength, worth = whole.strength_for(chosen), whole.net_utility_for(chosen)
    return votes or (strength is not None and strength < 0) or (worth is not None and worth < 0)


def last_turn(content: Content, speakers: dict[int, Speaker]) -> Sides:
    """Both answers of the last turn under their common history.

    Where the histories differ the item makes no pair: the last answers were not given to the same conversation, and
    a pair over whole conversations would train on the person's words. A system prompt is in it if both sides had it.
    """
    first, second = content.turns.get(0, []), content.turns.get(1, [])
    if not first or len(first) != len(second):
        raise Dropped("no_text")
    whole: list[Conversation | Said] = [content.prompt, *content.follow_ups, *first, *second]
    for said in whole:
        refuse_unreadable(said, content)
    if len(content.follow_ups) != len(first) - 1:
        raise Dropped("no_text")
    history = list(content.prompt.messages)
    for follow_up, mine, theirs in zip(content.follow_ups, first[:-1], second[:-1], strict=True):
        if mine.text != theirs.text:
            raise Dropped("histories_differ")
        history += [{"role": "assistant", "content": mine.text or ""}, *follow_up.messages]
    answers = {0: first[-1].text or "", 1: second[-1].text or ""}
    if answers[0] == answers[1]:
        raise Dropped("same_text")
    system = speakers[0].system_prompt
    if system and system == speakers[1].system_prompt:
        history = [{"role": "system", "content": system}, *history]
    return Sides(history, answers)


def refuse_unreadable(said: Conversation | Said, content: Content) -> None:
    if said.readable is Readable.ERASED:
        raise Dropped("erased")
    if said.readable is Readable.PICTURED:
        raise Dropped("pictured")
    if said.readable is Readable.ABSENT:
        raise Dropped("no_prompt" if said is content.prompt else "no_text")

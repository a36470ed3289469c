"""Preference pairs and reward pairs: one row for each item whose judgments prefer one of its two responses."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef

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
from annotation.datasets.schemas import pair_schema
from annotation.datasets.scope import ChosenBy, Scope
from annotation.datasets.splits import split_of
from annotation.datasets.tally import Tally, columns, given, tally
from annotation.datasets.withdrawn import left_out
from annotation.enums import TurnKind
from annotation.models import Item, Turn

PAGE = 1000


class Dropped(Exception):
    """Why an item makes no pair; the reason is counted and stands on the card."""


@dataclass(frozen=True)
class Sides:
    """The last turn of both responses and what led to it, the same for both."""

    prompt: list[Message]
    answers: dict[int, str]


class PairsView:
    """With `fit`, made of exactly the scope's judgments, every pair has its fitted probability.

    With `divisor` it has a margin: what the preference amounts to, in logits, never below 0.
    """

    def __init__(self, scope: Scope, *, fit: Chances | None, divisor: float | None = None) -> None:
        self._scope = scope
        self._fit = fit
        self._divisor = divisor
        self._speakers = Speakers()
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
        judgments = defaultdict(list)
        taken = self._scope.judgments().filter(item__in=ids).order_by("item", "log_entry__sequence")
        for item, *values in taken.values_list("item_id", *columns()):
            judgments[item].append(given(values))
        settled = self._settled(ids)
        tallies = {item: tally(of_item) for item, of_item in judgments.items()}
        # Where the votes say nothing about the pair there is the expert's answer alone.
        tallies |= {item: one for item, one in settled.items() if item not in tallies or not tallies[item].compared}
        chosen = {item: self._chosen_or_count(settled.get(item, each)) for item, each in tallies.items()}
        wanted = [item for item, response in chosen.items() if response is not None]
        contents = read_contents(wanted)
        self._speakers.read(pk for item in wanted for pk in tallies[item].contestants.values())
        rows = []
        for item in wanted:
            try:
                row = self._row(item, tallies[item], chosen[item] or 0, contents[item])
                rows.append(row | {"adjudicated": item in settled})
            except Dropped as reason:
                self.dropped[str(reason)] += 1
        return rows

    def _settled(self, ids: Sequence[int]) -> dict[int, Tally]:
        """What the expert said who settled an item; of several the last."""
        taken = self._scope.settling().filter(item__in=ids).order_by("log_entry__sequence")
        return {item: tally([given(values)]) for item, *values in taken.values_list("item_id", *columns())}

    def _chosen_or_count(self, whole: Tally) -> int | None:
        try:
            return choose(whole, self._scope)
        except Dropped as reason:
            self.dropped[str(reason)] += 1
            return None

    def _row(self, item: int, whole: Tally, chosen: int, content: Content) -> dict[str, Any]:
        rejected = 1 - chosen
        speakers = {position: self._speaker(whole.contestants.get(position)) for position in (0, 1)}
        sides = last_turn(content, speakers)
        row = {
            "id": f"{self._scope.campaign.slug}-{item}",
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
            "n_judgments": whole.compared,
            "agreement": whole.agreement,
            "vote_share": whole.vote_share(chosen),
            "strength": whole.strength_for(chosen),
            "net_utility": whole.net_utility_for(chosen),
            "currency": next(iter(whole.currencies), None),
            "conflict": conflicts(whole, chosen),
            "chosen_acceptable": whole.acceptable(chosen),
            "rejected_acceptable": whole.acceptable(rejected),
            "source_kind": whole.source_kind,
            "simulated": whole.simulated,
        }
        if self._fit is not None:
            chance = self._chance(self._fit, whole, chosen)
            row |= {"fitted_probability": chance.probability, "fitted_probability_se": chance.standard_error}
        if self._divisor is not None:
            row["margin"] = self._margin(whole, chosen, self._divisor)
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


def choose(whole: Tally, scope: Scope) -> int:
    """The response the item's judgments prefer, 0 or 1. Raises Dropped."""
    if whole.responses != 2:
        raise Dropped("not_a_pair")
    if whole.compared == 0:
        raise Dropped("cannot_compare")
    if 2 * whole.neither > whole.compared or whole.acceptable(0) is whole.acceptable(1) is False:
        raise Dropped("neither_acceptable")
    if whole.agreement < scope.filters.minimum_agreement:
        raise Dropped("low_agreement")
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
    if said.readable is Readable.ABSENT:
        raise Dropped("no_prompt" if said is content.prompt else "no_text")

"""Model judges of a campaign: what they may be asked about, how they go on, and what they said."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from annotation.enums import ItemPurpose, ItemState, JudgedItems, SourceState, TurnKind, VerdictState
from annotation.models import Campaign, FollowUp, Item, Judging, Response, Turn, Verdict
from annotation.policies.estimates import Estimate, Wanted, estimate
from annotation.policies.judging import JudgedText, judge_messages, questions_for_model
from annotation.queries.generations import paces, usable_models
from annotation.queries.log import by_whom, instrument_questions
from annotation.queries.shown import shown_item
from annotation.questions import Asked, Situation
from inference_workers.enums import Output
from inference_workers.models import LanguageModel

# Prompts are this long on average, judged by the first.
LOOKED_AT = 40


@dataclass(frozen=True)
class JudgingProgress:
    judging: Judging
    wanted: int
    judged: int
    asked: int
    failed: int
    cost: Decimal | None
    problems: Sequence[tuple[str, int]]

    @property
    def waiting(self) -> int:
        return self.wanted - self.judged - self.asked - self.failed


def judgeable(campaign: Campaign, which: str) -> QuerySet[Item]:
    """Items of work whose texts a model can read and that are nobody's own words: no consent text says that a visitor's
    prompt is sent to a judge."""
    unread = Turn.objects.filter(response__item=OuterRef("pk")).filter(
        ~Q(kind__in=[TurnKind.TEXT, TurnKind.COMPLETION])
        | Q(personal_text__isnull=False)
        | Q(completion__person__isnull=False)
    )
    without = Response.objects.filter(item=OuterRef("pk"), turns__isnull=True)
    items = Item.objects.filter(
        ~Exists(unread),
        ~Exists(without),
        ~Exists(FollowUp.objects.filter(item=OuterRef("pk"))),
        Exists(Response.objects.filter(item=OuterRef("pk"))),
        campaign=campaign,
        purpose=ItemPurpose.WORK,
        repeat_of__isnull=True,
        state__in=[ItemState.OPEN, ItemState.FROZEN],
        source__state=SourceState.ACTIVE,
        prompt__messages__isnull=False,
    )
    if which == JudgedItems.JUDGED:
        people = by_whom(campaign.judgments.filter(item=OuterRef("pk"), kind="answer", superseded_by__isnull=True))
        items = items.filter(Exists(people))
    return items.order_by("pk")


def judging_models() -> list[LanguageModel]:
    """Language models that can be asked for words, by name."""
    return [model for model in usable_models() if model.serves.output == Output.TEXT]


def left_out(campaign: Campaign, items: int) -> int:
    """Items of work that no judge can be asked about."""
    work = campaign.items.filter(purpose=ItemPurpose.WORK, repeat_of__isnull=True)
    return work.filter(state__in=[ItemState.OPEN, ItemState.FROZEN]).count() - items


def situation_of(campaign: Campaign, responses: int) -> Situation:
    return Situation(responses=responses, currency=campaign.currency)


def asked_of_models(campaign: Campaign, instrument_id: int, responses: int) -> list[Asked]:
    return questions_for_model(instrument_questions(instrument_id), situation_of(campaign, responses))


def judged_text(campaign: Campaign, item_id: int, order: Sequence[int]) -> JudgedText:
    shown = shown_item(item_id, order)
    prompt = "\n\n".join(f"{each['role']}: {each['content']}" for each in shown.messages)
    return JudgedText(
        prompt=prompt,
        responses=["\n\n".join(turn.text for turn in response.turns) for response in shown.responses],
        guidelines=campaign.guidelines.text if campaign.guidelines else "",
        standard=campaign.standard,
    )


def why_not_judged(campaign: Campaign, items: int) -> str:
    """What keeps a judge from being asked about so many items, in words; empty where nothing does."""
    if campaign.instrument_id is None:
        return "the campaign’s questions are not published yet: launch the campaign or a pilot of it first"
    if not items:
        return "there is no item that a model judge can be asked about"
    if not asked_of_models(campaign, campaign.instrument_id, campaign.responses_per_item):
        return "none of the campaign’s questions can be put to a model"
    return ""


def sample_messages(campaign: Campaign) -> list[dict[str, str]]:
    """What a judge would be told of the campaign's first item; empty where there is none."""
    item = judgeable(campaign, JudgedItems.ALL).first()
    if item is None or campaign.instrument_id is None:
        return []
    order = list(range(item.responses.count()))
    asked = asked_of_models(campaign, campaign.instrument_id, len(order))
    text = judged_text(campaign, item.pk, order)
    return judge_messages(text, asked, situation_of(campaign, len(order))) if asked else []


def reckoned(campaign: Campaign, items: Sequence[int], models: Sequence[LanguageModel]) -> Estimate:
    """Calls, tokens, money and time of all these models, each about each item in both orders."""
    assert campaign.instrument_id is not None, "see why_not_judged"
    looked = list(Item.objects.filter(pk__in=items[:LOOKED_AT]).annotate(count=Count("responses")))
    orders = 2 if campaign.responses_per_item > 1 else 1
    characters = 0
    for item in looked:
        places = list(range(item.count))
        asked = asked_of_models(campaign, campaign.instrument_id, len(places))
        chat = judge_messages(judged_text(campaign, item.pk, places), asked, situation_of(campaign, len(places)))
        characters += sum(len(message["content"]) for message in chat)
    known, calls = paces(models), len(items) * orders
    return estimate(
        prompts=calls,
        characters=round(characters / len(looked) * calls),
        wanted=[Wanted(pace=known[model.pk], completions=calls) for model in models],
    )


def judgings_of(campaign: Campaign) -> list[JudgingProgress]:
    """The newest first."""
    related = ("revision__language_model", "created_by__user", "source")
    found = list(Judging.objects.filter(campaign=campaign).select_related(*related).order_by("-pk"))
    return [progress_of(each) for each in found]


def progress_of(judging: Judging) -> JudgingProgress:
    counts = dict(Verdict.objects.filter(judging=judging).values_list("state").annotate(count=Count("pk")))
    failed = judging.verdicts.filter(state=VerdictState.FAILED).values_list("problem").annotate(count=Count("pk"))
    return JudgingProgress(
        judging=judging,
        wanted=sum(counts.values()),
        judged=counts.get(VerdictState.JUDGED, 0),
        asked=counts.get(VerdictState.ASKED, 0),
        failed=counts.get(VerdictState.FAILED, 0) + counts.get(VerdictState.CANCELLED, 0),
        cost=judging.verdicts.aggregate(sum=Sum("paid"))["sum"],
        problems=sorted(failed, key=lambda row: -row[1])[:5],
    )

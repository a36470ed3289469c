"""What a model judge says of items, written as judging writes it, without a model."""

from collections.abc import Sequence

from django.utils import timezone

from annotation.enums import Design, RespondentKind, SourceKind, SourceState
from annotation.models import Campaign, Impression, Item, Judgment, Respondent, Source
from annotation.queries import instrument_questions
from annotation.questions import Situation, read_answers

TURNED = {"a": "b", "b": "a", "tie": "tie"}


def plant_judge(campaign: Campaign, name: str = "judge") -> tuple[Source, list[Respondent]]:
    """A source of its own, and a respondent for each order in which it reads."""
    source = Source.objects.create(
        campaign=campaign, kind=SourceKind.JUDGE, state=SourceState.APART, name=name, details={}
    )
    orders = [
        Respondent.objects.create(
            campaign=campaign, kind=RespondentKind.MODEL_JUDGE, source=source, pseudonym=f"{name} {number}"
        )
        for number in (1, 2)
    ]
    return source, orders


def plant_verdicts(
    campaign: Campaign, respondents: Sequence[Respondent], item: Item, *, first: str, second: str | None = None
) -> list[Judgment]:
    """What it says in the item's own order, and with the sides swapped, each by sides as shown."""
    said = [first, TURNED[first] if second is None else second]
    contestants = list(item.responses.order_by("position").values_list("contestant", flat=True))
    judgments = []
    for respondent, order, choice in zip(respondents, ([0, 1], [1, 0]), said, strict=True):
        questions = instrument_questions(campaign.instrument_id)
        answers = {"preference": {"choice": choice, "strength": None}}
        reading = read_answers(questions, answers, Situation(responses=2, currency="USD"))
        impression = Impression.objects.create(
            campaign=campaign,
            item=item,
            respondent=respondent,
            instrument=campaign.instrument,
            order=order,
            pair_design=Design.ASSIGNED,
            side_design=Design.ASSIGNED,
            prompt_design=Design.ASSIGNED,
            questions_design=Design.ASSIGNED,
        )
        judgments.append(
            Judgment.objects.create(
                campaign=campaign,
                item=item,
                respondent=respondent,
                source=respondent.source,
                impression=impression,
                instrument=campaign.instrument,
                order=order,
                contestants=[contestants[position] for position in order],
                answers=reading.answers,
                submitted_at=timezone.now(),
                **reading.columns,
            )
        )
    return judgments

"""What was answered about an item, on its page for campaign admins. That they were shown it is kept."""

from dataclasses import dataclass

from django.urls import reverse

from annotation.models import Item, Judgment
from annotation.queries.answered import Said, said_in
from annotation.queries.people import KINDS
from annotation.queries.reviews import Other, others_on, shown_state
from annotation.web.review_page import right


@dataclass(frozen=True)
class GivenAnswer:
    """One that stands. Sides are named as the item's page names its responses; `person` is the address of who gave it,
    "" of people without a page."""

    judgment: Judgment
    other: Other
    said: list[Said]
    state: str
    is_right: bool | None
    person: str


def given_answers(item: Item) -> list[GivenAnswer]:
    """In a constant number of queries, the oldest first."""
    order = [response.position for response in item.responses.all()]
    others = others_on(item.pk, order=order)
    said = said_in([each.judgment for each in others], order=order)
    is_settled = any(each.settles for each in others)
    return [
        GivenAnswer(
            judgment=each.judgment,
            other=each,
            said=said[each.judgment.pk],
            state=shown_state(each.judgment, is_settled=is_settled),
            is_right=right(item, each.judgment),
            person=_address(item, each.judgment),
        )
        for each in others
    ]


def _address(item: Item, judgment: Judgment) -> str:
    if judgment.respondent.kind not in KINDS:
        return ""
    return reverse("campaign-person", args=[item.campaign.slug, judgment.respondent_id])

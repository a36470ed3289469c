"""What annotators will see: the campaign's questions about one of its items, or about one made up for it."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from annotation.forms import JudgmentForm
from annotation.forms.questions import QuestionsForm
from annotation.models import Campaign
from annotation.policies.drafts import QUESTIONS, as_asked, section_content
from annotation.policies.launch import unfit
from annotation.policies.paid_amounts import money_shown
from annotation.queries import ShownItem, shown_item
from annotation.queries.campaigns import first_item
from annotation.questions import Asked, InvalidSettings, Situation, UnknownQuestionType, all_types, check_instrument
from annotation.web.access import for_campaign_admins
from annotation.web.managed import managed_campaign
from annotation.web.samples import sample_item
from foundation.text import UnsafeJSON, load_json

SUBJECT = "preview"
LONGEST_LIST = 200_000


@dataclass(frozen=True)
class Drawing:
    """A ballot as it will look. `problems` say which questions cannot be drawn; `questions` travel with its form."""

    item: ShownItem
    is_sample: bool
    form: JudgmentForm | None
    questions: str
    problems: list[str] = field(default_factory=list)

    @property
    def stored(self) -> str:
        """What a valid try would store, as JSON that people can read."""
        if self.form is None or self.form.reading is None:
            return ""
        reading = self.form.reading
        found: dict[str, Any] = {"answers": reading.answers, "columns": reading.columns}
        if reading.texts:
            found["texts"] = reading.texts
        return json.dumps(found, indent=2, ensure_ascii=False, default=str)


@require_http_methods(["GET", "POST"])
@for_campaign_admins
def preview(request: HttpRequest, slug: str) -> HttpResponse:
    """A page of its own. A POST is a try: it is judged as a judgment is, and nothing is written."""
    campaign = managed_campaign(slug)
    if request.method == "GET":
        drawing = draw(campaign, section_content(campaign, QUESTIONS))
        return show(request, campaign, drawing, status=200)
    drawing = draw(campaign, posted_questions(request, campaign), request)
    taken = drawing.form is not None and drawing.form.is_valid() and not drawing.problems
    return show(request, campaign, drawing, status=200 if taken else 422)


@require_POST
@for_campaign_admins
def preview_questions(request: HttpRequest, slug: str) -> HttpResponse:
    """The ballot of what stands in the editor now, saved or not."""
    campaign = managed_campaign(slug)
    drawing = draw(campaign, QuestionsForm.of_post(request.POST, bound=True).drawable)
    context = {"campaign": campaign, "preview": drawing}
    return render(request, "annotation/campaigns/preview.html#ballot", context)


def draw(campaign: Campaign, questions: list[dict[str, Any]], request: HttpRequest | None = None) -> Drawing:
    """The questions that can be asked; with a request its answers are judged."""
    real = first_item(campaign)
    count = real.responses.count() if real else campaign.responses_per_item
    sample = str(campaign.draft.get("sample", "text"))
    item = shown_item(real.pk, range(count)) if real else sample_item(sample, count)
    texts = tuple(response.text for response in item.responses)
    money = money_shown(campaign, questions)
    situation = Situation(responses=count, currency=campaign.currency, texts=texts, **money)
    asked, problems = askable(questions, situation)
    form = JudgmentForm(asked, situation, request.POST if request else None, subject=SUBJECT) if asked else None
    return Drawing(item, real is None, form, json.dumps(questions), problems)


def askable(questions: list[dict[str, Any]], situation: Situation) -> tuple[list[Asked], list[str]]:
    """Those that can stand behind each other in one instrument, and why the others cannot."""
    asked: list[Asked] = []
    problems = []
    for question in questions:
        try:
            each = as_asked(question)
            check_instrument([*asked, each])
        except (InvalidSettings, UnknownQuestionType) as invalid:
            problems.append(str(invalid))
            continue
        if why := unfit(each, situation):
            problems.append(why)
        else:
            asked.append(each)
    return asked, problems


def posted_questions(request: HttpRequest, campaign: Campaign) -> list[dict[str, Any]]:
    """Those the form was drawn from; the campaign's own where it does not say so, or says nonsense."""
    try:
        found = load_json(request.POST.get("questions", "")[:LONGEST_LIST])
    except UnsafeJSON:
        found = None
    if isinstance(found, list) and all(is_question(each) for each in found):
        return found
    stored: list[dict[str, Any]] = section_content(campaign, QUESTIONS)
    return stored


def is_question(found: Any) -> bool:
    """In shape, and no more: what it says is judged where it is drawn."""
    return (
        isinstance(found, dict)
        and all(isinstance(found.get(name), str) for name in ("name", "type"))
        and isinstance(found.get("title", ""), str)
        and isinstance(found.get("settings", {}), dict)
    )


def question_assets() -> list[str]:
    """Static files of every type: a question may be added while the page is open."""
    return [f"questions/{slug}/{name}" for slug, kind in all_types().items() for name in kind.assets]


def show(request: HttpRequest, campaign: Campaign, drawing: Drawing, status: int) -> HttpResponse:
    is_part = bool(request.headers.get("HX-Request"))
    template = "annotation/campaigns/preview.html" + ("#ballot" if is_part else "")
    context = {"campaign": campaign, "preview": drawing, "tried": status == 200 and request.method == "POST"}
    return render(request, template, context | {"assets": question_assets(), "section": "preview"}, status=status)

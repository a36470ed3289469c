"""Model judges of a campaign: chosen, reckoned up, started, watched, and compared with people."""

import csv
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.boards.judging import LEAST
from annotation.enums import GenerationState, JudgedItems
from annotation.forms.judging import ChangeJudgingForm, JudgingForm
from annotation.models import Campaign, Judging
from annotation.policies.judging import TEMPLATE_VERSION
from annotation.queries.judged import JudgeBesidePeople, judges_beside_people
from annotation.queries.judges import (
    judgeable,
    judging_models,
    judgings_of,
    left_out,
    reckoned,
    sample_messages,
    why_not_judged,
)
from annotation.transitions import JUDGING
from annotation.use_cases.change_judging import change_judging
from annotation.use_cases.start_judging import CannotJudge, start_judging
from annotation.web.access import for_campaign_admins
from annotation.web.figures import in_words
from annotation.web.judging_words import FIGURES
from annotation.web.managed import actor_of, managed_campaign
from annotation.web.tables import defused
from foundation.idempotency import IdempotencyError, mint_key
from foundation.transitions import ForbiddenTransition
from inference_workers.models import LanguageModel


@require_http_methods(["GET", "HEAD", "POST"])
@for_campaign_admins
def judges(request: HttpRequest, slug: str) -> HttpResponse:
    """A first POST reckons what it takes, a second of the same starts it."""
    campaign, models = managed_campaign(slug), judging_models()
    sent = {"data": request.POST} if request.method == "POST" else {"initial": {"key": mint_key()}}
    form, figures = JudgingForm(models, **sent), None
    if form.is_valid():
        chosen = [model for model in models if model.pk in form.cleaned_data["models"]]
        try:
            items = _items(campaign, form)
            if form.cleaned_data["seen"] == _digest(items, chosen):
                return _start(request, campaign, chosen, form)
            figures = _figures(campaign, items, chosen)
            again = {name: form.cleaned_data[name] for name in ("which", "count", "key")}
            again |= {"models": [str(model.pk) for model in chosen], "seen": _digest(items, chosen)}
            form = JudgingForm(models, initial=again)
        except (CannotJudge, IdempotencyError) as error:
            form.add_error(None, str(error))
    context = _page(campaign, models, form) | {"figures": figures}
    return render(request, "annotation/judging/judges.html", context, status=422 if form.errors else 200)


@require_GET
@for_campaign_admins
def status(request: HttpRequest, slug: str) -> HttpResponse:
    """The part of the page that changes; it asks for itself while a judging runs."""
    return render(request, "annotation/judging/judges.html#progress", _progress(managed_campaign(slug)))


@require_POST
@for_campaign_admins
def change(request: HttpRequest, slug: str, judging_id: int) -> HttpResponse:
    campaign, form = managed_campaign(slug), ChangeJudgingForm(request.POST)
    found = get_object_or_404(Judging, campaign=campaign, pk=judging_id)
    refused = not form.is_valid()
    if not refused:
        try:
            to = form.cleaned_data["to"]
            change_judging(judging_id=found.pk, to=to, actor=actor_of(request), now=timezone.now())
        except ForbiddenTransition:
            refused = True
    if not refused:
        return redirect("campaign-judges", slug)
    context = _page(campaign, judging_models(), JudgingForm(judging_models(), initial={"key": mint_key()}))
    return render(request, "annotation/judging/judges.html", context | {"refused": True}, status=422)


@require_GET
@for_campaign_admins
def figures(request: HttpRequest, slug: str) -> HttpResponse:
    """Judges beside people, side by side; with `format=csv` as a file."""
    campaign = managed_campaign(slug)
    found = judges_beside_people(campaign)
    if request.GET.get("format") == "csv":
        return _csv(campaign, found)
    rows = [{"figure": each, "found": [getattr(judge.figures, each.name) for judge in found]} for each in FIGURES]
    context = {"campaign": campaign, "judges": found, "rows": rows, "least": LEAST}
    return render(request, "annotation/judging/figures.html", context)


def _csv(campaign: Campaign, found: Sequence[JudgeBesidePeople]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{campaign.slug}-judges.csv"'
    writer = csv.writer(response)
    writer.writerow(["judge", "revision", "judging", "template_version", "figure", "items", "value", "low", "high"])
    for judge in found:
        revision = judge.judging.revision
        head = [
            defused(revision.language_model.name),
            revision.number,
            judge.judging.pk,
            judge.judging.template_version,
        ]
        for each in FIGURES:
            figure = getattr(judge.figures, each.name)
            writer.writerow([*head, each.name, figure.n, figure.value, figure.low, figure.high])
    return response


def _items(campaign: Campaign, form: JudgingForm) -> list[int]:
    which, count = form.cleaned_data["which"], form.cleaned_data["count"]
    items = list(judgeable(campaign, which).values_list("pk", flat=True))
    return items[:count] if which == JudgedItems.SAMPLE else items


def _digest(items: Sequence[int], models: Sequence[LanguageModel]) -> str:
    """Of what the figures are about: whoever starts something else sees its own figures first."""
    about = [(model.pk, model.current_id, model.price_read, model.price_written) for model in models]
    return sha256(repr((len(items), items[:1], items[-1:], about)).encode()).hexdigest()[:32]


def _figures(campaign: Campaign, items: Sequence[int], chosen: Sequence[LanguageModel]) -> dict[str, Any]:
    if why_not := why_not_judged(campaign, len(items)):
        raise CannotJudge(why_not)
    found = reckoned(campaign, items, chosen)
    return {"items": len(items), "estimate": found, "time": in_words(found.time)}


def _start(
    request: HttpRequest, campaign: Campaign, chosen: Sequence[LanguageModel], form: JudgingForm
) -> HttpResponse:
    for model in chosen:
        start_judging(
            campaign_id=campaign.pk,
            model_id=model.pk,
            which=form.cleaned_data["which"],
            count=form.cleaned_data["count"],
            key=form.cleaned_data["key"],
            actor=actor_of(request),
            now=timezone.now(),
        )
    return redirect("campaign-judges", campaign.slug)


def _page(campaign: Campaign, models: Sequence[LanguageModel], form: JudgingForm) -> dict[str, Any]:
    count = judgeable(campaign, JudgedItems.ALL).count()
    return _progress(campaign) | {
        "models": models,
        "form": form,
        "items": count,
        "left_out": left_out(campaign, count),
        "why_not": why_not_judged(campaign, count),
        "messages_sent": sample_messages(campaign),
        "template_version": TEMPLATE_VERSION,
    }


def _progress(campaign: Campaign) -> dict[str, Any]:
    found = judgings_of(campaign)
    rows = [
        {
            "progress": each,
            "may_pause": GenerationState.PAUSED in JUDGING[each.judging.state],
            "may_resume": each.judging.state == GenerationState.PAUSED,
            "may_cancel": GenerationState.CANCELLED in JUDGING[each.judging.state],
        }
        for each in found
    ]
    runs = any(each.judging.state == GenerationState.RUNNING for each in found)
    return {"campaign": campaign, "judgings": rows, "runs": runs}

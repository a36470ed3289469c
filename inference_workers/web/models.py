"""Language models: how they are, their revisions side by side, a test, adding and editing. Operators only."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import Person, User
from accounts.use_cases.create_person import person_of_user
from accounts.web.access import for_operators
from inference_workers.enums import CompletionState, Task
from inference_workers.forms import CARD_FIELDS, RECIPE_FIELDS, LanguageModelForm
from inference_workers.models import Completion, CompletionFile, LanguageModel
from inference_workers.policies.logprobs import perplexity
from inference_workers.policies.price_words import price_words
from inference_workers.policies.prices import Prices
from inference_workers.policies.screen import SCREEN_VERSION
from inference_workers.queries import completion_logprobs, completion_texts, worker_status
from inference_workers.queries.health import (
    MadeRevision,
    differences,
    gauge_of,
    health_of,
    history_of,
    listed_endpoints,
    listed_models,
    reason_words,
    revisions_of,
)
from inference_workers.queries.over_time import SPANS, probes_of, series_of
from inference_workers.queries.tested_files import refusal_in_arenas
from inference_workers.use_cases.ask_for_test import TEST_QUESTION, NothingToAsk, ask_for_test
from inference_workers.use_cases.edit_language_model import add_language_model, edit_language_model
from inference_workers.web.charts import bar_chart, line_chart, step_names


def actor_of(request: HttpRequest) -> Person:
    """The person behind a page that only operators see."""
    assert isinstance(request.user, User)  # for_operators has refused everybody else
    return person_of_user(user=request.user, now=timezone.now())


def known_models() -> QuerySet[LanguageModel]:
    return LanguageModel.objects.select_related("current__endpoint__gauge")


@require_GET
@for_operators
def listed(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    context = {"models": listed_models(now), "endpoints": listed_endpoints(now), "worker": worker_status()}
    return render(request, "inference_workers/models.html", context)


@require_GET
@for_operators
def show(request: HttpRequest, model_id: int) -> HttpResponse:
    model = get_object_or_404(known_models(), pk=model_id)
    now = timezone.now()
    health = health_of([model_id], now)[model_id]
    revisions = revisions_of(model)
    windows = [(_("Last hour"), health.hour), (_("Last day"), health.day), (_("Last week"), health.week)]
    context = {
        "model": model,
        "gauge": gauge_of(model),
        "price": price_words(Prices.of(model.current, model)) if model.current else "",
        "health": health,
        "windows": [(name, window, reason_words(window.reasons)) for name, window in windows],
        "screen_version": SCREEN_VERSION,
        "revisions": revisions,
        "history": history_of("language model", model_id),
        "test": own_test(model, request.GET.get("test", "")),
        **over_time(model, request.GET.get("span", ""), now),
        **compared(revisions, request.GET.get("left", ""), request.GET.get("right", "")),
    }
    return render(request, "inference_workers/model.html", context)


def over_time(model: LanguageModel, asked: str, now: datetime) -> dict[str, Any]:
    """How it was in the last day, or the last month, drawn and in figures, and what regular looks found."""
    name = asked if asked in SPANS else "day"
    steps = series_of(model.pk, SPANS[name], now)
    pace = [
        ("middle", _("median"), [step.total[0] for step in steps]),
        ("high", _("95 % within"), [step.total[1] for step in steps]),
    ]
    first = [
        ("middle", _("median"), [step.first_token[0] for step in steps]),
        ("high", _("95 % within"), [step.first_token[1] for step in steps]),
    ]
    charts = [
        line_chart(_("First token"), _("seconds"), first),
        line_chart(_("Whole answer"), _("seconds"), pace),
        bar_chart(
            _("Failed or held back"), _("percent of what ended"), [step.percent_failed for step in steps], top=100
        ),
        bar_chart(_("Pace of answers"), _("tokens a second"), [step.tokens_per_second for step in steps]),
        bar_chart(_("Cost"), _("USD"), [float(step.cost) for step in steps]),
    ]
    return {
        "span": name,
        "steps": steps,
        "charts": charts,
        "names": step_names([step.begin for step in steps]),
        "probes": probes_of(model.pk),
        "probe_minutes": settings.MODEL_PROBE_MINUTES,
    }


def compared(revisions: list[MadeRevision], left: str, right: str) -> dict[str, Any]:
    """The two revisions asked for by number, else the newest and the one before it."""
    by_number = {str(each.revision.number): each.revision for each in revisions}
    newest = [each.revision for each in revisions[:2]]
    first = by_number.get(left, newest[-1] if newest else None)
    second = by_number.get(right, newest[0] if newest else None)
    if first is None or second is None:
        return {}
    return {"left": first, "right": second, "differences": differences(first, second)}


def own_test(model: LanguageModel, asked: str) -> dict[str, Any] | None:
    """A test of this model; no other completion can be looked at by its id."""
    try:
        pk = UUID(asked)
    except ValueError:
        return None
    asks: dict[str, Any] = {"messages": [{"role": "user", "content": TEST_QUESTION}]}
    if model.task != Task.TEXT:
        asks = {"messages__0__content__startswith": TEST_QUESTION}
    row = Completion.objects.filter(pk=pk, revision__language_model=model, person=None, **asks).first()
    if row is None:
        return None
    waiting = row.state in (CompletionState.QUEUED, CompletionState.RUNNING)
    logprobs = completion_logprobs(row)
    text = completion_texts([row])[row.pk]
    if row.measurement is not None:
        count = row.measurement.dimension
        text = ngettext("It gave %(count)s number.", "It gave %(count)s numbers.", count) % {"count": count}
    return {
        "row": row,
        "text": text,
        **own_file(row),
        "waiting": waiting,
        "perplexity": perplexity(logprobs) if logprobs else None,
    }


def own_file(row: Completion) -> dict[str, Any]:
    """What a test brought where its model answers with files, and why no arena would show it."""
    file = CompletionFile.objects.filter(completion=row).first()
    if file is None:
        return {}
    try:
        return {"file": file, "refusal": refusal_in_arenas(file)}
    except FileNotFoundError:
        return {"file": file, "is_gone": True}


@require_http_methods(["GET", "HEAD", "POST"])
@for_operators
def new(request: HttpRequest) -> HttpResponse:
    form = LanguageModelForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            model = add_language_model(card=form.card, recipe=form.recipe, now=timezone.now(), actor=actor_of(request))
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, _("Added. Test it before it meets anybody."))
            warn_of(request, form)
            return redirect("model", model.pk)
    return show_form(request, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
@for_operators
def edit(request: HttpRequest, model_id: int) -> HttpResponse:
    model = get_object_or_404(known_models(), pk=model_id)
    form = LanguageModelForm(request.POST if request.method == "POST" else None, instance=model)
    if form.is_valid():
        actor, now = actor_of(request), timezone.now()
        try:
            edit_language_model(language_model_id=model_id, card=form.card, recipe=form.recipe, now=now, actor=actor)
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, _("Saved."))
            warn_of(request, form)
            return redirect("model", model_id)
    return show_form(request, form, LanguageModel.objects.get(pk=model_id))


def warn_of(request: HttpRequest, form: LanguageModelForm) -> None:
    if form.warning:
        messages.warning(request, form.warning)


def show_form(request: HttpRequest, form: LanguageModelForm, model: LanguageModel | None) -> HttpResponse:
    context = {
        "form": form,
        "model": model,
        "card": [form[name] for name in CARD_FIELDS],
        "recipe": [form[name] for name in RECIPE_FIELDS],
    }
    return render(request, "inference_workers/model_form.html", context, status=422 if form.is_bound else 200)


@require_POST
@for_operators
def test(request: HttpRequest, model_id: int) -> HttpResponse:
    model = get_object_or_404(known_models(), pk=model_id)
    try:
        asked = ask_for_test(language_model_id=model.pk, now=timezone.now())
    except NothingToAsk:
        messages.warning(request, _("There is nothing to ask: it has no revision."))
        return redirect("model", model_id)
    address = redirect("model", model_id)
    address["Location"] += f"?test={asked.pk}#test"
    return address


@require_GET
@for_operators
def tested(request: HttpRequest, model_id: int, completion_id: UUID) -> HttpResponse:
    """A part of the model's page, which asks for it until the test has ended."""
    model = get_object_or_404(known_models(), pk=model_id)
    found = own_test(model, str(completion_id))
    if found is None:
        raise Http404
    return render(request, "inference_workers/model.html#test", {"model": model, "test": found})

"""Endpoints: where language models run, what they may be asked, and a key that goes in and never comes out."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.web.access import for_operators
from inference_workers.forms import DIALECT_FIELDS, LIMIT_FIELDS, EndpointForm
from inference_workers.models import Endpoint
from inference_workers.queries.health import history_of
from inference_workers.use_cases.edit_endpoint import add_endpoint, edit_endpoint
from inference_workers.web.models import actor_of

PLACE_FIELDS = ["name", "backend", "base_url", "api_key"]


@require_http_methods(["GET", "HEAD", "POST"])
@for_operators
def new(request: HttpRequest) -> HttpResponse:
    form = EndpointForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            add_endpoint(settings=form.endpoint_settings, now=timezone.now(), actor=actor_of(request))
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, _("Added. Language models can run there now."))
            return redirect("models")
    return show_form(request, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
@for_operators
def edit(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    endpoint = get_object_or_404(Endpoint, pk=endpoint_id)
    form = EndpointForm(request.POST if request.method == "POST" else None, instance=endpoint)
    if form.is_valid():
        settings, actor = form.endpoint_settings, actor_of(request)
        try:
            edit_endpoint(endpoint_id=endpoint_id, settings=settings, now=timezone.now(), actor=actor)
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, _("Saved."))
            return redirect("models")
    return show_form(request, form, Endpoint.objects.select_related("gauge").get(pk=endpoint_id))


def show_form(request: HttpRequest, form: EndpointForm, endpoint: Endpoint | None) -> HttpResponse:
    removal = ["remove_key"] if endpoint is not None and endpoint.sealed_key else []
    context = {
        "form": form,
        "endpoint": endpoint,
        "gauge": getattr(endpoint, "gauge", None),
        "place": [form[name] for name in PLACE_FIELDS + removal],
        "limits": [form[name] for name in LIMIT_FIELDS],
        "dialect": [form[name] for name in DIALECT_FIELDS],
        "history": history_of("endpoint", endpoint.pk) if endpoint else [],
    }
    return render(request, "inference_workers/endpoint_form.html", context, status=422 if form.is_bound else 200)

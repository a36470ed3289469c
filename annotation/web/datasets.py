"""Datasets: what was exported, what could be, and the files. Researchers only."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from accounts.models import User
from annotation.datasets.card import read_card
from annotation.datasets.folders import version_folder
from annotation.datasets.previews import makes_pairs, offers, preview, supplies
from annotation.datasets.scope import Scope
from annotation.datasets.views import ABOUT
from annotation.enums import DatasetState
from annotation.models import Campaign, DatasetVersion
from annotation.queries import last_sequence
from annotation.use_cases.request_dataset import BadDataset, NothingToExport, request_dataset
from annotation.web.access import for_researchers
from annotation.web.dataset_form import DatasetForm
from annotation.web.downloads import send_file


@require_GET
@for_researchers
def datasets(request: HttpRequest) -> HttpResponse:
    return render(request, "annotation/datasets/list.html", {"offers": offers()})


@require_http_methods(["GET", "POST"])
@for_researchers
def new(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = exported_campaign(slug)
    posted = request.POST if request.method == "POST" else None
    form = DatasetForm(supplies(campaign), posted, makes_pairs=makes_pairs(campaign))
    if form.is_valid() and isinstance(request.user, User):
        try:
            version = request_dataset(
                campaign_id=campaign.pk,
                views=form.cleaned_data["views"],
                filters=form.filters,
                actor=request.user,
                now=timezone.now(),
            )
            return redirect("dataset", slug, version.number)
        except (NothingToExport, BadDataset):
            form.add_error(None, _("No judgment passes these filters. Choose more sources or fewer limits."))
    context = {"campaign": campaign, "form": form, "about": ABOUT}
    return render(request, "annotation/datasets/new.html", context, status=422 if form.errors else 200)


@require_GET
@for_researchers
def show_preview(request: HttpRequest, slug: str) -> HttpResponse:
    """Count and first rows of what the form says now."""
    campaign = exported_campaign(slug)
    form = DatasetForm(supplies(campaign), request.GET)
    found = None
    if form.is_valid():
        found = preview(Scope(campaign, last_sequence(campaign), form.filters), form.cleaned_data["views"])
    context = {"campaign": campaign, "form": form, "preview": found}
    return render(request, "annotation/datasets/new.html#preview", context)


@require_GET
@for_researchers
def dataset(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    return render(request, "annotation/datasets/version.html", version_context(slug, number))


@require_GET
@for_researchers
def status(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """The part of the page that changes while a worker builds; it asks for itself until the build has ended."""
    return render(request, "annotation/datasets/version.html#status", version_context(slug, number))


@require_safe
@for_researchers
def file(request: HttpRequest, slug: str, number: int, name: str) -> HttpResponseBase:
    version = found_version(slug, number)
    listed = next((each for each in version.files if each["name"] == name), None)
    path = version_folder(version) / name
    if version.state != DatasetState.READY or listed is None or not path.is_file():
        raise Http404
    saved_as = f"{slug}-v{number}-{name.replace('/', '-')}"
    return send_file(request, path, name=saved_as, digest=listed["digest"])


def exported_campaign(slug: str) -> Campaign:
    return get_object_or_404(Campaign, slug=slug, shadow_of__isnull=True)


def found_version(slug: str, number: int) -> DatasetVersion:
    versions = DatasetVersion.objects.select_related("campaign", "created_by")
    return get_object_or_404(versions, campaign__slug=slug, number=number)


def version_context(slug: str, number: int) -> dict[str, object]:
    version = found_version(slug, number)
    ready = version.state == DatasetState.READY
    ended = ready or version.state == DatasetState.FAILED
    return {
        "dataset": version,
        "campaign": version.campaign,
        "ready": ready,
        "ended": ended,
        "withdrawals": version.withdrawals.select_related("respondent").order_by("pk"),
        "card": read_card(version) if ready else "",
    }

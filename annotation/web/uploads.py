"""Files of items: received, their columns told, read by a worker, and retired."""

from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from annotation.enums import SourceState, UploadState
from annotation.forms.items import MappingForm, PasteForm, ReasonForm, UploadForm
from annotation.imports.item_campaign import item_reader
from annotation.imports.item_equals import equal_rows
from annotation.imports.item_spool import peek_columns, preview_items
from annotation.imports.problems import BrokenFile
from annotation.imports.uploads import UploadTooLarge, upload_path
from annotation.models import ItemUpload
from annotation.policies.drafts import CampaignIsClosed
from annotation.queries.items import read_before
from annotation.use_cases.map_upload import BadMapping, UploadTaken, map_upload
from annotation.use_cases.paste_items import paste_items
from annotation.use_cases.receive_upload import receive_upload
from annotation.use_cases.request_import import request_import
from annotation.use_cases.retire_upload import NothingImported, retire_upload
from annotation.web.access import for_campaign_admins
from annotation.web.items import list_context
from annotation.web.managed import actor_of, managed_campaign
from foundation.idempotency import IdempotencyError
from foundation.transitions import ForbiddenTransition

PIECE = 1 << 20
MAPPED_IN = frozenset({UploadState.UPLOADED, UploadState.FAILED})
ENDED_IN = frozenset({UploadState.DONE, *MAPPED_IN})
REFUSALS = (BrokenFile, UploadTooLarge, CampaignIsClosed, IdempotencyError)


@require_POST
@for_campaign_admins
def receive(request: HttpRequest, slug: str) -> HttpResponse:
    campaign, form = managed_campaign(slug), UploadForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            upload = receive_upload(
                campaign_id=campaign.pk,
                name=file.name or "",
                content=file.chunks(PIECE),
                key=form.cleaned_data["key"],
                actor=user_of(request),
                now=timezone.now(),
            )
            return redirect("item-upload", slug, upload.pk)
        except REFUSALS as error:
            refuse(form, "file", error)
    return render(request, "annotation/items/list.html", list_context(request, campaign, upload_form=form), status=422)


@require_POST
@for_campaign_admins
def paste(request: HttpRequest, slug: str) -> HttpResponse:
    campaign, form = managed_campaign(slug), PasteForm(request.POST)
    if form.is_valid():
        try:
            upload = paste_items(
                campaign_id=campaign.pk,
                text=form.cleaned_data["text"],
                key=form.cleaned_data["key"],
                actor=user_of(request),
                now=timezone.now(),
            )
            return redirect("item-upload", slug, upload.pk)
        except REFUSALS as error:
            refuse(form, "text", error)
    return render(request, "annotation/items/list.html", list_context(request, campaign, paste_form=form), status=422)


@require_GET
@for_campaign_admins
def upload(request: HttpRequest, slug: str, upload_id: int) -> HttpResponse:
    found = found_upload(slug, upload_id)
    return render(request, "annotation/items/upload.html", upload_context(found, mapping_form(found)))


@require_GET
@for_campaign_admins
def status(request: HttpRequest, slug: str, upload_id: int) -> HttpResponse:
    """The part of the page that changes while a worker reads; it asks for itself until that has ended."""
    found = found_upload(slug, upload_id)
    return render(request, "annotation/items/upload.html#upload", upload_context(found, mapping_form(found)))


@require_GET
@for_campaign_admins
def show_preview(request: HttpRequest, slug: str, upload_id: int) -> HttpResponse:
    """The first rows as the form reads them now; nothing is stored."""
    found = found_upload(slug, upload_id)
    context = upload_context(found, mapping_form(found, request.GET))
    return render(request, "annotation/items/upload.html#preview", context)


@require_POST
@for_campaign_admins
def start_import(request: HttpRequest, slug: str, upload_id: int) -> HttpResponse:
    found, actor = found_upload(slug, upload_id), user_of(request)
    form = mapping_form(found, request.POST)
    if form.is_valid():
        try:
            map_upload(upload_id=found.pk, columns=form.chosen, actor=actor, now=timezone.now())
            request_import(upload_id=found.pk, actor=actor, now=timezone.now())
            return redirect("item-upload", slug, upload_id)
        except (BadMapping, CampaignIsClosed, BrokenFile) as error:
            form.add_error(None, str(error))
        except (UploadTaken, ForbiddenTransition, FileNotFoundError):
            form.add_error(None, _("This file is being read already, or has been, or is not there any more."))
    return render(request, "annotation/items/upload.html", upload_context(found, form), status=422)


@require_POST
@for_campaign_admins
def retire(request: HttpRequest, slug: str, upload_id: int) -> HttpResponse:
    found, form = found_upload(slug, upload_id), ReasonForm(request.POST)
    if form.is_valid():
        try:
            reason = form.cleaned_data["reason"]
            retire_upload(upload_id=found.pk, actor=actor_of(request), reason=reason, now=timezone.now())
            return redirect("item-upload", slug, upload_id)
        except (NothingImported, ForbiddenTransition):
            form.add_error(None, _("This file has no items in the campaign that could be taken out."))
    context = upload_context(found, mapping_form(found), retire_form=form)
    return render(request, "annotation/items/upload.html", context, status=422)


def found_upload(slug: str, upload_id: int) -> ItemUpload:
    uploads = ItemUpload.objects.select_related("campaign", "campaign__instrument", "source", "created_by")
    return get_object_or_404(uploads, campaign=managed_campaign(slug), pk=upload_id)


def mapping_form(found: ItemUpload, data: Any = None) -> MappingForm:
    """Without a column where the file cannot be read any more: then nothing can be said of them."""
    samples: dict[str, list[str]] = {}
    if found.state in MAPPED_IN:
        try:
            samples = peek_columns(upload_path(found)).samples
        except (BrokenFile, OSError):
            samples = {}
    return MappingForm(samples, found.mapping, responses=found.campaign.responses_per_item, data=data)


def upload_context(found: ItemUpload, form: MappingForm, *, retire_form: ReasonForm | None = None) -> dict[str, Any]:
    preview = equal = None
    if form.samples and not form.errors and not form.problems():
        preview = preview_items(upload_path(found), form.chosen, item_reader(found.campaign, form.chosen))
        equal = equal_rows(upload_path(found), form.chosen)
    return {
        "campaign": found.campaign,
        "upload": found,
        "form": form,
        "preview": preview,
        "equal": equal,
        "ended": found.state in ENDED_IN,
        "read_before": read_before(found) if found.state in MAPPED_IN else None,
        "may_retire": found.source is not None and found.source.state == SourceState.ACTIVE,
        "retire_form": retire_form or ReasonForm(),
    }


def refuse(form: Form, field: str, error: Exception) -> None:
    for line in str(error).splitlines():
        form.add_error(field, line)


def user_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # for_campaign_admins has refused everybody else
    return request.user

"""The items of a campaign: the list, and one of them in full as admins see it."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from annotation.enums import ItemState
from annotation.forms.items import FilterForm, PasteForm, ReasonForm, UploadForm
from annotation.forms.reviews import CommentForm
from annotation.models import Campaign, Item
from annotation.queries.gold import explanation_of
from annotation.queries.items import (
    campaign_items,
    campaign_uploads,
    judgments_of,
    listed_items,
    shown_responses,
    whole_item,
)
from annotation.queries.labels import labels_of
from annotation.queries.reviews import settled_items
from annotation.queries.said import questions_in_words
from annotation.queries.shown import message_parts
from annotation.queries.shown_files import files_of
from annotation.transitions import ITEM
from annotation.use_cases.comment_item import comment_item
from annotation.use_cases.note_look import note_look
from annotation.use_cases.void_item import void_item
from annotation.web.access import for_campaign_admins
from annotation.web.item_answers import given_answers
from annotation.web.managed import actor_of, managed_campaign
from annotation.web.review_page import item_audit
from foundation.idempotency import mint_key
from foundation.transitions import ForbiddenTransition

ON_A_PAGE = 25


@require_GET
@for_campaign_admins
def items(request: HttpRequest, slug: str) -> HttpResponse:
    return render(request, "annotation/items/list.html", list_context(request, managed_campaign(slug)))


@require_GET
@for_campaign_admins
def item(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    campaign = managed_campaign(slug)
    return item_page(request, campaign, found_item(campaign, item_id), ReasonForm())


@require_POST
@for_campaign_admins
def void(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    campaign = managed_campaign(slug)
    found = found_item(campaign, item_id)
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            reason = form.cleaned_data["reason"]
            void_item(item_id=found.pk, actor=actor_of(request), reason=reason, now=timezone.now())
            return redirect("campaign-item", slug, item_id)
        except ForbiddenTransition:
            form.add_error(None, _("This item is out already. Nothing was changed."))
            found = found_item(campaign, item_id)
    return item_page(request, campaign, found, form, status=422)


@require_POST
@for_campaign_admins
def comment(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    campaign, form = managed_campaign(slug), CommentForm(request.POST)
    found = found_item(campaign, item_id)
    if form.is_valid():
        words, actor = form.cleaned_data["words"], actor_of(request)
        comment_item(item_id=found.pk, words=words, actor=actor, now=timezone.now())
        return redirect("campaign-item", slug, item_id)
    return item_page(request, campaign, found, ReasonForm(), status=422, comment_form=form)


def list_context(
    request: HttpRequest,
    campaign: Campaign,
    *,
    upload_form: UploadForm | None = None,
    paste_form: PasteForm | None = None,
) -> dict[str, Any]:
    filters = FilterForm(request.GET)
    page = Paginator(campaign_items(campaign, **filters.chosen), ON_A_PAGE).get_page(request.GET.get("page"))
    return {
        "campaign": campaign,
        "filters": filters,
        "filtered": any(filters.chosen.values()),
        "page": page,
        "listed": listed_items(list(page)),
        "settled": settled_items([item.pk for item in page]),
        "uploads": campaign_uploads(campaign),
        "upload_form": upload_form or UploadForm(initial={"key": mint_key()}),
        "paste_form": paste_form or PasteForm(initial={"key": mint_key()}),
    }


def item_page(
    request: HttpRequest, campaign: Campaign, found: Item, form: ReasonForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    """With what was answered, so that a decision of this person's own can say that they had seen it."""
    context = item_context(campaign, found, form)
    if context["answers"]:
        note_look(item=found, actor=actor_of(request), now=timezone.now())
    response = render(request, "annotation/items/item.html", context | more, status=status)
    response["Cache-Control"] = "private, no-store"
    return response


def item_context(campaign: Campaign, found: Item, form: ReasonForm) -> dict[str, Any]:
    files, in_prompt = files_of(found)
    messages = (found.prompt.messages or []) if found.prompt else []
    return {
        "campaign": campaign,
        "item": found,
        "responses": shown_responses(found, files),
        "asked": [{**message, "parts": message_parts(message["content"], in_prompt)} for message in messages],
        "judgments": judgments_of(found),
        "answers": given_answers(found),
        "has_words": bool(questions_in_words(campaign.instrument_id)),
        "explanation": explanation_of(found),
        "labels": labels_of(found.prompt),
        "may_void": ItemState.VOID in ITEM[found.state],
        "form": form,
        **item_audit(found),
    }


def found_item(campaign: Campaign, item_id: int) -> Item:
    found = whole_item(campaign, item_id)
    if found is None:
        raise Http404
    return found

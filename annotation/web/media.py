"""Files of media: sent by campaign admins, and given to those who may see them, whole or by the part."""

from collections.abc import Callable
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.forms.media import MediaFilterForm, MediaForm
from annotation.models import Campaign, MediaFile
from annotation.policies.drafts import CampaignIsClosed
from annotation.queries.media import digest_of, listed_media, media_bytes, published_media
from annotation.queries.shown_files import file_at
from annotation.use_cases.receive_media import MediaRefused, Received, receive_media
from annotation.use_cases.remove_media import MediaInUse, remove_media
from annotation.web.access import for_campaign_admins, for_reviewers, for_signed_in
from annotation.web.downloads import send_file
from annotation.web.managed import actor_of, managed_campaign
from annotation.web.sample_media import sample_file
from annotation.web.work import own_respondent
from foundation.media.captions import CONTENT_TYPE
from foundation.media.store import media_path
from foundation.requests import HtmxRequest

PIECE = 1 << 20
ON_A_PAGE = 48


@require_http_methods(["GET", "HEAD", "POST"])
@for_campaign_admins
def media(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = managed_campaign(slug)
    form = MediaForm(request.POST, request.FILES) if request.method == "POST" else MediaForm()
    received = take(request, campaign, form) if form.is_valid() else None
    context = media_context(request, campaign, form) | {"received": received, "said": received and said_of(received)}
    return render(request, "annotation/media/list.html", context, status=422 if form.errors else 200)


@require_POST
@for_campaign_admins
def insert(request: HttpRequest, slug: str) -> JsonResponse:
    """Takes files for a text that is being written; says what they are called there."""
    campaign, form = managed_campaign(slug), MediaForm(request.POST, request.FILES)
    received = take(request, campaign, form) if form.is_valid() else None
    if received is None:
        return JsonResponse(
            {"names": [], "said": " ".join(str(text) for text in form.errors.get("file", []))}, status=422
        )
    return JsonResponse({"names": [each.name for each in received.files], "said": said_of(received)})


@require_POST
@for_campaign_admins
def remove(request: HttpRequest, slug: str, media_id: int) -> HttpResponse:
    campaign = managed_campaign(slug)
    found = get_object_or_404(MediaFile, campaign=campaign, pk=media_id)
    try:
        remove_media(campaign_id=campaign.pk, media_id=found.pk, actor=actor_of(request), now=timezone.now())
    except MediaInUse:
        context = media_context(request, campaign, MediaForm())
        context["problem"] = _("%(name)s is shown by an item or a text, or items are being read. It stays.") % {
            "name": found.name
        }
        return render(request, "annotation/media/list.html", context, status=422)
    return redirect("campaign-media", slug)


@require_safe
@for_reviewers
def file(request: HttpRequest, slug: str, media_id: int) -> HttpResponseBase:
    found = get_object_or_404(MediaFile, campaign=managed_campaign(slug), pk=media_id)
    return send_media(request, found, seen_by="admins")


@require_safe
@for_signed_in
def of_assignment(request: HtmxRequest, slug: str, assignment_id: int, place: str) -> HttpResponseBase:
    """What stands at a place of the item that this person has before them."""
    respondent = own_respondent(request, slug)
    return send_media(request, file_at(respondent, assignment_id, place), seen_by=f"assignment {assignment_id}")


@require_safe
@for_signed_in
def of_text(request: HtmxRequest, slug: str, digest: str) -> HttpResponseBase:
    """What the campaign's guidelines or its consent text show."""
    return send_media(request, published_media(own_respondent(request, slug).campaign, digest), seen_by="texts")


@require_safe
@for_campaign_admins
def sample(request: HttpRequest, name: str) -> HttpResponse:
    """A picture or a sound for previews of campaigns that have no item yet."""
    made = sample_file(name)
    if made is None:
        raise Http404
    return HttpResponse(
        made.content, content_type=made.content_type, headers={"Cache-Control": "private, max-age=3600"}
    )


def send_media(
    request: HttpRequest, found: MediaFile | None, *, seen_by: str, when_sent: Callable[[], object] | None = None
) -> HttpResponseBase:
    """The file, or with `?captions` those of the film; `when_sent` is for the file alone. Nothing in the answer tells
    the file's name, nor, but to its own assignment, that two files are the same."""
    is_captions = "captions" in request.GET
    stored = "" if found is None else found.captions if is_captions else found.stored
    path = media_path(stored) if stored else None
    if found is None or path is None or not path.is_file():
        raise Http404
    content_type = CONTENT_TYPE if is_captions else found.content_type
    tag = salted_hmac("annotation.web.media", f"{seen_by}:{digest_of(stored)}").hexdigest()
    ending = None if is_captions else when_sent
    response = send_file(request, path, name="", digest=tag, content_type=content_type, when_sent=ending)
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex"
    return response


def take(request: HttpRequest, campaign: Campaign, form: MediaForm) -> Received | None:
    files = [(each.name or "", each.chunks(PIECE)) for each in form.cleaned_data["file"]]
    try:
        return receive_media(campaign_id=campaign.pk, files=files, actor=actor_of(request), now=timezone.now())
    except MediaRefused as refused:
        for problem in refused.problems:
            form.add_error("file", str(problem))
    except CampaignIsClosed:
        form.add_error("file", _("This campaign is closed and takes no more media."))
    return None


def said_of(received: Received) -> str:
    known = len(received.files) - received.new
    said = []
    if received.files or not received.captions:
        new = ngettext("%(count)d file is new.", "%(count)d files are new.", received.new)
        said.append(new % {"count": received.new})
    if known:
        said.append(ngettext("%(count)d was there already.", "%(count)d were there already.", known) % {"count": known})
    if received.captions:
        words = ngettext("%(count)d film has captions now.", "%(count)d films have captions now.", received.captions)
        said.append(words % {"count": received.captions})
    return " ".join(said)


def media_context(request: HttpRequest, campaign: Campaign, form: MediaForm) -> dict[str, Any]:
    filters = MediaFilterForm(request.GET)
    page = Paginator(listed_media(campaign, **filters.chosen), ON_A_PAGE).get_page(request.GET.get("page"))
    return {
        "campaign": campaign,
        "form": form,
        "filters": filters,
        "filtered": any(filters.chosen.values()),
        "page": page,
        "bytes": media_bytes(campaign),
    }

"""What is one's own: battles, a board of one's own votes, everything that is stored, and its deletion."""

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.contrib.auth import logout
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.enums import LinkPurpose
from accounts.models import Person, PersonLink
from accounts.use_cases.link_person import NoSuchLink, link_person, open_link, use_link
from arena.forms import AppealForm, EraseForm, OwnLinkForm
from arena.queries.appeals import set_apart_of
from arena.queries.own import own_battles, own_boards
from arena.queries.own_data import own_data
from arena.queries.own_holdings import own_holdings
from arena.use_cases.appeal_block import AppealedBefore, NothingToAppeal, appeal_block
from arena.use_cases.erase_own import LastSuperuser, erase_by_link, erase_own
from arena.web.visitors import COOKIE, known_person
from foundation.requests import HtmxRequest


def private(response: HttpResponseBase) -> HttpResponseBase:
    """Kept by no cache and found by no search engine."""
    patch_cache_control(response, no_store=True)
    response["X-Robots-Tag"] = "noindex"
    return response


@require_GET
def battles(request: HtmxRequest) -> HttpResponseBase:
    return show_battles(request, known_person(request))


def show_battles(
    request: HtmxRequest, person: Person | None, *, refused: AppealForm | None = None, of: int = 0, status: int = 200
) -> HttpResponseBase:
    """`refused` is a form that was sent against the block of the part `of`."""
    page, listed = own_battles(person, request.GET.get("page", "1")) if person else (None, [])
    apart = set_apart_of(person) if person else []
    context = {
        "page": page,
        "battles": listed,
        "set_apart": [(each, refused if each.respondent.pk == of and refused else AppealForm()) for each in apart],
    }
    return private(render(request, "arena/mine/battles.html", context, status=status))


@require_POST
def appeal(request: HtmxRequest, respondent_id: int) -> HttpResponseBase:
    """Against a block: once, in words."""
    person, form = found_person(request), AppealForm(request.POST)
    if respondent_id >= 2**63:
        raise Http404
    if form.is_valid():
        try:
            words = form.cleaned_data["words"]
            appeal_block(respondent_id=respondent_id, person=person, words=words, now=timezone.now())
            return redirect("mine")
        except NothingToAppeal as missing:
            raise Http404 from missing
        except AppealedBefore:
            return redirect("mine")
    if not any(each.respondent.pk == respondent_id for each in set_apart_of(person)):
        raise Http404
    return show_battles(request, person, refused=form, of=respondent_id, status=422)


@require_GET
def board(request: HtmxRequest) -> HttpResponseBase:
    person = known_person(request)
    boards = own_boards(person) if person else []
    return private(render(request, "arena/mine/board.html", {"boards": boards}))


@require_GET
def data(request: HtmxRequest) -> HttpResponseBase:
    return show_data(request, known_person(request), EraseForm())


def show_data(
    request: HtmxRequest, person: Person | None, form: EraseForm, *, status: int = 200, **made: str
) -> HttpResponseBase:
    context = {"form": form, "holdings": own_holdings(person, now=timezone.now()) if person else None, **made}
    return private(render(request, "arena/mine/data.html", context, status=status))


@require_GET
def download(request: HttpRequest) -> HttpResponseBase:
    return send_data(request, found_person(request))


def found_person(request: HttpRequest) -> Person:
    person = known_person(request)
    if person is None:
        raise Http404
    return person


def send_data(request: HttpRequest, person: Person) -> HttpResponseBase:
    pieces = own_data(person, now=timezone.now())
    response = StreamingHttpResponse(
        in_turn(pieces) if isinstance(request, ASGIRequest) else pieces, content_type="application/json"
    )
    response["Content-Disposition"] = 'attachment; filename="cardinal-own-data.json"'
    return private(response)


async def in_turn(pieces: Iterator[str]) -> AsyncIterator[str]:
    """Django would read a plain iterator to its end before it sends the first byte."""
    while piece := await sync_to_async(lambda: next(pieces, ""))():
        yield piece


@require_POST
def make_link(request: HtmxRequest) -> HttpResponseBase:
    person, form = found_person(request), OwnLinkForm(request.POST)
    if not form.is_valid():
        return show_data(request, person, EraseForm(), status=422)
    purpose = LinkPurpose(form.cleaned_data["purpose"])
    token = link_person(person_id=person.pk, purpose=purpose, now=timezone.now())
    link = request.build_absolute_uri(reverse("own-link", args=[token]))
    return show_data(request, person, EraseForm(), link=link, link_purpose=purpose.value)


@require_POST
def erase(request: HtmxRequest) -> HttpResponseBase:
    person, form = found_person(request), EraseForm(request.POST)
    if form.is_valid():
        try:
            erase_own(person_id=person.pk, withdraws=form.cleaned_data["withdraws"], now=timezone.now())
            return after_erasing(request, person)
        except LastSuperuser:
            form.add_error(None, last_superuser())
    return show_data(request, person, form, status=422)


def last_superuser() -> str:
    return _("Yours is the only account that can run this site. Make another superuser first. Nothing was changed.")


def after_erasing(request: HtmxRequest, erased: Person) -> HttpResponseBase:
    """`erased` is as they were before. Their browser forgets them too; somebody else's stays as it is."""
    response = redirect("own-erased")
    if request.user.is_authenticated and request.user.pk == erased.user_id:
        logout(request)
    if known_person(request) is None:
        response.delete_cookie(COOKIE, samesite="Lax")
    return private(response)


@require_GET
def erased(request: HtmxRequest) -> HttpResponseBase:
    return private(render(request, "arena/mine/erased.html"))


@require_http_methods(["GET", "HEAD", "POST"])
def by_link(request: HtmxRequest, token: str) -> HttpResponseBase:
    """What the link is for is done when its page is sent back; looking at it changes nothing."""
    try:
        link = open_link(token=token, now=timezone.now())
        if request.method != "POST":
            return show_link(request, link, EraseForm())
        if link.purpose == LinkPurpose.DATA:
            return send_data(request, use_link(token=token, now=timezone.now()).person)
        return erase_with(request, token, link)
    except NoSuchLink as missing:
        raise Http404 from missing


def show_link(request: HtmxRequest, link: PersonLink, form: EraseForm, *, status: int = 200) -> HttpResponseBase:
    context = {"link": link, "form": form, "holdings": own_holdings(link.person, now=timezone.now())}
    return private(render(request, "arena/mine/link.html", context, status=status))


def erase_with(request: HtmxRequest, token: str, link: PersonLink) -> HttpResponseBase:
    form = EraseForm(request.POST)
    if form.is_valid():
        try:
            erase_by_link(token=token, withdraws=form.cleaned_data["withdraws"], now=timezone.now())
            return after_erasing(request, link.person)
        except LastSuperuser:
            form.add_error(None, last_superuser())
    return show_link(request, link, form, status=422)

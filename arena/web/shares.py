"""Sharing a battle by a link: its visitor's page, and the page of whoever reads it."""

from dataclasses import replace
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from arena import queries
from arena.models import Share
from arena.queries.shared import SharedBattle, current_share, open_share, shared_battle, unfolded
from arena.use_cases.ask_follow_up import NotYourBattle
from arena.use_cases.share_battle import NotVoted, revoke_share, share_battle, share_digest
from arena.web.files import with_addresses
from arena.web.mine import found_person, private
from foundation.requests import HtmxRequest


@require_http_methods(["GET", "HEAD", "POST"])
def share(request: HtmxRequest, battle_id: UUID) -> HttpResponseBase:
    person, link = found_person(request), ""
    ballot = queries.ballot(battle_id, person=person)
    if ballot is None or not queries.reveal(battle_id, person=person):
        raise Http404
    if request.method == "POST":
        try:
            token = share_battle(battle_id=battle_id, person=person, now=timezone.now())
        except (NotYourBattle, NotVoted) as missing:
            raise Http404 from missing
        link = request.build_absolute_uri(reverse("shared-battle", args=[token]))
    context = {"ballot": ballot, "link": link, "share": current_share(battle_id)}
    return private(render(request, "arena/shared/make.html", context))


@require_POST
def revoke(request: HttpRequest, battle_id: UUID) -> HttpResponseBase:
    try:
        revoke_share(battle_id=battle_id, person=found_person(request), now=timezone.now())
    except NotYourBattle as missing:
        raise Http404 from missing
    messages.success(request, _("The link leads nowhere any more."))
    return redirect("share-battle", battle_id)


@require_GET
def shared(request: HtmxRequest, token: str) -> HttpResponseBase:
    """The conversation. Neither the models nor the vote are in it."""
    battle = _read(open_or_missing(token), token)
    if battle is None:
        raise Http404
    return untold(render(request, "arena/shared/read.html", {"battle": battle, "token": token}))


@require_GET
def models(request: HtmxRequest, token: str) -> HttpResponseBase:
    """What the page folds: for htmx alone, for others with the conversation."""
    share = open_or_missing(token)
    battle, found = _read(share, token), unfolded(share)
    if battle is None or found is None:
        raise Http404
    template = "arena/shared/read.html#models" if request.htmx else "arena/shared/read.html"
    return untold(render(request, template, {"battle": battle, "token": token, "unfolded": found}))


def _read(share: Share, token: str) -> SharedBattle | None:
    found = shared_battle(share)
    if found is None:
        return None
    placed = with_addresses(list(found.exchanges), lambda place: reverse("shared-file", args=[token, place]))
    return replace(found, exchanges=placed)


def untold(response: HttpResponseBase) -> HttpResponseBase:
    """Nor is its address told to any other page. On a page with forms a browser would then say of them that they come
    from nowhere, and they would be refused.
    """
    response["Referrer-Policy"] = "no-referrer"
    return private(response)


def open_or_missing(token: str) -> Share:
    found = open_share(share_digest(token))
    if found is None:
        raise Http404
    return found

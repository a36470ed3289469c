"""Who says which models meet: the choice above the prompt, and the page of somebody's own set."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from arena.enums import Mode
from arena.models import Arena
from arena.queries import arenas
from arena.queries.answering import SIDES
from arena.queries.sets import Nameable, kept_models, nameable_models
from arena.use_cases.draw_contestants import NoSuchModel
from arena.use_cases.keep_models import keep_models
from arena.web.access import may_manage
from arena.web.arena_forms import SetForm, first_error
from arena.web.visitors import known_person, person_for, remember
from foundation.requests import HtmxRequest

# Addresses: at the site's first page, and in another arena.
ADDRESSES = {
    Mode.ANONYMOUS: ("home", "arena"),
    Mode.NAMED: ("battle-choose", "battle-choose-in"),
    Mode.OWN_SET: ("battle-own", "battle-own-in"),
}
COUNTS = {
    Mode.ANONYMOUS: gettext_lazy(
        "The arena draws the models and hides them until you have voted. Your vote counts on the leaderboard."
    ),
    Mode.NAMED: gettext_lazy(
        "You see the names from the start. Your vote counts on your own board, and on no leaderboard: whoever knows the"
        " names votes for names."
    ),
    Mode.OWN_SET: gettext_lazy(
        "Models of your set answer, and which is which is hidden until you have voted. Your vote counts on your own"
        " board, and on no leaderboard, because you chose who can meet."
    ),
}


@dataclass(frozen=True)
class Tab:
    """One way to say who meets, and where it is."""

    label: str
    address: str
    is_here: bool


@dataclass(frozen=True)
class Pick:
    """The model of one side, by slug; "" for chance."""

    side: str
    letter: str
    chosen: str


def arena_at(slug: str | None, request: HtmxRequest) -> Arena | None:
    """None where the site has no arena yet; one in draft is seen by its admins alone."""
    if slug is None:
        return arenas.default_arena()
    found = arenas.arena_called(slug, drafts=may_manage(request.user))
    if found is None:
        raise Http404
    return found


def address_of(arena: Arena | None, mode: str = Mode.ANONYMOUS) -> str:
    """Of the page where its battles begin."""
    first, other = ADDRESSES[Mode(mode)]
    return reverse(first) if arena is None or arena.is_default else reverse(other, args=[arena.campaign.slug])


def set_address(arena: Arena) -> str:
    return reverse("battle-set") if arena.is_default else reverse("battle-set-in", args=[arena.campaign.slug])


def mode_context(request: HtmxRequest, arena: Arena, mode: str, named: list[str]) -> dict[str, Any]:
    """What the page of a mode shows beside the prompt. Only that on which models are chosen names any."""
    known = [each for each in Mode if each in arena.modes]
    tabs = [Tab(str(each.label), address_of(arena, each), each == mode) for each in known]
    context: dict[str, Any] = {"mode": mode, "tabs": tabs, "mode_counts": COUNTS[Mode(mode)]}
    if mode == Mode.NAMED:
        given = [*named, *[""] * len(SIDES)]
        sides = SIDES[: arena.campaign.responses_per_item]
        context["picks"] = [Pick(side, side.upper(), given[place]) for place, side in enumerate(sides)]
        context["nameable"] = nameable_models(arena)
    if mode == Mode.OWN_SET:
        kept = kept_models(known_person(request), arena)
        wanted = arena.campaign.responses_per_item
        context |= {"kept": kept, "set_address": set_address(arena), "wanted": wanted, "lacks": len(kept) < wanted}
    return context


@require_http_methods(["GET", "HEAD", "POST"])
def own_set(request: HtmxRequest, slug: str | None = None) -> HttpResponseBase:
    arena = arena_at(slug, request)
    if arena is None or Mode.OWN_SET not in arena.modes:
        raise Http404
    if request.method != "POST":
        return show_set(request, arena, kept_models(known_person(request), arena))
    form = SetForm(request.POST)
    if not form.is_valid():
        return show_set(request, arena, kept_models(known_person(request), arena), problem=first_error(form))
    try:
        keep_models(arena=arena, person=person_for(request), slugs=form.cleaned_data["named"], now=timezone.now())
    except NoSuchModel:
        problem = _("One of these models cannot be chosen any more. Look again and save.")
        return remember(request, show_set(request, arena, kept_models(known_person(request), arena), problem=problem))
    messages.success(request, _("Your set is saved."))
    return remember(request, redirect(address_of(arena, Mode.OWN_SET)))


def show_set(request: HtmxRequest, arena: Arena, kept: list[Nameable], problem: str = "") -> HttpResponseBase:
    context = {
        "arena": arena,
        "nameable": nameable_models(arena),
        "kept": {each.slug for each in kept},
        "wanted": arena.campaign.responses_per_item,
        "back": address_of(arena, Mode.OWN_SET),
        "problem": problem,
    }
    response = render(request, "arena/own_set.html", context, status=422 if problem else 200)
    response["X-Robots-Tag"] = "noindex"
    response["Cache-Control"] = "no-store"
    return response

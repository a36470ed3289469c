"""Prompts from an arena's pool: new ones to choose from, and a battle on one that is drawn."""

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.errors import PersonErased
from arena.enums import Mode
from arena.errors import ArenaError
from arena.queries.pool import PoolEmpty
from arena.use_cases.start_battle import ModeNotAllowed, start_battle
from arena.web.arena_forms import AnyForm, StartForm
from arena.web.battles import not_started, show_home
from arena.web.modes import address_of, arena_at
from arena.web.offers import suggestions_of
from arena.web.visitors import person_for, remember
from foundation.clientaddress import network_digest
from foundation.idempotency import InFlight, KeyReused
from foundation.requests import HtmxRequest


@never_cache  # one drawn for somebody else is no draw
@require_GET
def suggestions(request: HtmxRequest, slug: str | None = None) -> HttpResponse:
    """The part of the start page that offers prompts, drawn anew."""
    arena = arena_at(slug, request)
    found = suggestions_of(arena, topic=request.GET.get("topic", "")) if arena else None
    return render(request, "arena/home.html#suggestions", {"arena": arena, "suggestions": found})


@require_http_methods(["GET", "HEAD", "POST"])
def start_any(request: HtmxRequest, slug: str | None = None) -> HttpResponseBase:
    """A battle on a prompt that nobody chose."""
    arena = arena_at(slug, request)
    if request.method != "POST":
        return redirect(address_of(arena))  # a refusal leaves this address in the browser
    form = AnyForm(request.POST)
    blank = StartForm.blank()
    if arena is None or not form.is_valid():
        return show_home(request, arena, blank, status=422 if arena else 200)
    asked = form.cleaned_data
    try:
        battle = start_battle(
            arena=arena,
            person=person_for(request),
            network=network_digest(request),
            now=timezone.now(),
            key=asked["key"],
            agreed=asked["agreed"],
            any_of=asked["category"],
            work=asked["work"],
        )
    except (InFlight, KeyReused):
        return redirect(address_of(arena))
    except ModeNotAllowed as missing:
        raise Http404 from missing
    except PoolEmpty:
        return show_home(request, arena, blank, status=422, refusal=_("There is no prompt to draw any more."))
    except (ArenaError, PersonErased) as refused:
        return not_started(request, arena, blank, refused, Mode.ANONYMOUS, sender="#give-any")
    return remember(request, redirect("battle", battle.pk))

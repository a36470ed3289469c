"""What an arena's admins do beside its campaign's pages: open it, set it up, and say which models take part."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.web.access import for_campaign_admins
from annotation.web.managed import actor_of
from arena.models import Arena, Entry
from arena.queries.arenas import entries_of, listed_arenas, models_outside
from arena.use_cases.change_entry import ReasonMissing, change_entry
from arena.use_cases.enter_model import OtherOutput, enter_model
from arena.use_cases.open_arena import open_arena
from arena.use_cases.save_arena import OutputFixed, save_arena
from arena.use_cases.weigh_entry import weigh_entry
from arena.web.access import may_manage
from arena.web.arena_forms import ArenaForm, EnterForm, EntryStateForm, NewArenaForm, WeightForm, first_error
from foundation.transitions import ForbiddenTransition


@require_GET
def arenas(request: HttpRequest) -> HttpResponse:
    """The arenas that visitors may choose from."""
    context = {"arenas": listed_arenas(), "may_manage": may_manage(request.user)}
    return render(request, "arena/arenas.html", context)


@require_http_methods(["GET", "POST"])
@for_campaign_admins
def new(request: HttpRequest) -> HttpResponse:
    form = NewArenaForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "arena/manage/new.html", {"form": form}, status=422 if form.is_bound else 200)
    arena = open_arena(actor=actor_of(request), now=timezone.now(), **form.cleaned_data)
    return redirect("arena-models", arena.campaign.slug)


@require_http_methods(["GET", "POST"])
@for_campaign_admins
def settings(request: HttpRequest, slug: str) -> HttpResponse:
    arena = managed_arena(slug)
    form = ArenaForm(managed_arena(slug), request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return show_settings(request, arena, form)
    try:
        save_arena(arena_id=arena.pk, values=form.cleaned_data, actor=actor_of(request), now=timezone.now())
    except OutputFixed:
        form.add_error("output", _("A battle began meanwhile, so this stays as it is."))
        return show_settings(request, arena, form)
    messages.success(request, _("Saved."))
    return redirect("arena-settings", slug)


def show_settings(request: HttpRequest, arena: Arena, form: ArenaForm) -> HttpResponse:
    context = {"arena": arena, "campaign": arena.campaign, "form": form, "section": "arena"}
    return render(request, "arena/manage/settings.html", context, status=422 if form.is_bound else 200)


@require_GET
@for_campaign_admins
def models(request: HttpRequest, slug: str) -> HttpResponse:
    return show_models(request, managed_arena(slug))


@require_POST
@for_campaign_admins
def enter(request: HttpRequest, slug: str) -> HttpResponse:
    arena = managed_arena(slug)
    form = EnterForm(models_outside(arena), request.POST)
    if not form.is_valid():
        return show_models(request, arena, problem=_("Choose a model that does not take part yet."))
    model = form.cleaned_data["model"]
    try:
        enter_model(arena=arena, language_model=model, actor=actor_of(request), now=timezone.now())
    except OtherOutput:
        return show_models(request, arena, problem=_("It answers with something else than the battles here are of."))
    messages.success(request, _("%(model)s takes part from now on.") % {"model": model.name})
    return redirect("arena-models", slug)


@require_POST
@for_campaign_admins
def change(request: HttpRequest, slug: str, entry_id: int) -> HttpResponse:
    """Pause, leave, come back."""
    entry, form = entry_in(slug, entry_id), EntryStateForm(request.POST)
    if not form.is_valid():
        return show_models(request, entry.arena, problem=first_error(form))
    try:
        change_entry(entry_id=entry.pk, actor=actor_of(request), now=timezone.now(), **form.cleaned_data)
    except ReasonMissing:
        return show_models(request, entry.arena, problem=_("Say why it leaves: everybody reads it on the leaderboard."))
    except (ForbiddenTransition, KeyError):
        return show_models(request, entry.arena, problem=_("It does not go there from where it is now."))
    return redirect("arena-models", slug)


@require_POST
@for_campaign_admins
def weigh(request: HttpRequest, slug: str, entry_id: int) -> HttpResponse:
    entry, form, now = entry_in(slug, entry_id), WeightForm(request.POST), timezone.now()
    if not form.is_valid():
        return show_models(request, entry.arena, problem=first_error(form))
    weight, boost, hours = (form.cleaned_data[name] for name in ("weight", "boost", "hours"))
    until = now + timedelta(hours=hours) if hours and boost > 1 else None
    weigh_entry(entry_id=entry.pk, weight=weight, boost=boost, boost_until=until, actor=actor_of(request), now=now)
    messages.success(request, _("Saved."))
    return redirect("arena-models", slug)


def managed_arena(slug: str) -> Arena:
    return get_object_or_404(Arena.objects.select_related("campaign"), campaign__slug=slug)


def entry_in(slug: str, entry_id: int) -> Entry:
    """404 for one of another arena, and for a number that no row can have."""
    if entry_id >= 2**63:
        raise Http404
    found = Entry.objects.select_related("arena__campaign", "language_model")
    return get_object_or_404(found, pk=entry_id, arena__campaign__slug=slug)


def show_models(request: HttpRequest, arena: Arena, *, problem: str = "") -> HttpResponse:
    outside = models_outside(arena)
    context: dict[str, Any] = {
        "arena": arena,
        "campaign": arena.campaign,
        "section": "arena-models",
        "listed": entries_of(arena),
        "enter": EnterForm(outside) if outside else None,
        "problem": problem,
    }
    return render(request, "arena/manage/models.html", context, status=422 if problem else 200)

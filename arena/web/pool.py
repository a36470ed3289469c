"""An arena's prompts, as its admins see them: what there is, more of them, and which are offered."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from annotation.imports.problems import BrokenFile
from annotation.imports.uploads import UploadTooLarge, store_file
from annotation.queries.labels import asked_in
from annotation.web.access import for_campaign_admins
from annotation.web.managed import actor_of
from arena.imports.pool import PoolText, pool_of_file, pool_of_lines
from arena.models import Arena, PoolPrompt
from arena.queries.classifier import classified, classifier_of
from arena.queries.pool import pool_counts, pool_page
from arena.use_cases.fill_pool import Filled, PoolFull, fill_pool
from arena.use_cases.offer_pool_prompt import offer_pool_prompt
from arena.use_cases.set_classifier import set_classifier
from arena.web.arena_forms import PoolForm
from arena.web.manage import managed_arena
from arena.web.rule_forms import ClassifierForm

REFUSALS = (BrokenFile, UploadTooLarge, PoolFull)
MOST_NAMED = 20


@require_http_methods(["GET", "HEAD", "POST"])
@for_campaign_admins
def prompts(request: HttpRequest, slug: str) -> HttpResponse:
    """The pool, and a form that adds to it: every prompt that was given, or none."""
    arena = managed_arena(slug)
    form = PoolForm(request.POST, request.FILES) if request.method == "POST" else PoolForm()
    if form.is_valid():
        try:
            filled = _fill(request, arena, form)
        except REFUSALS as error:
            for line in str(error).splitlines()[:MOST_NAMED]:
                form.add_error(None, line)
        else:
            messages.success(request, said_of(filled))
            return redirect("arena-prompts", slug)
    return render(request, "arena/manage/prompts.html", _page(request, arena, form), status=422 if form.errors else 200)


def _fill(request: HttpRequest, arena: Arena, form: PoolForm) -> Filled:
    asked = form.cleaned_data
    return fill_pool(
        arena_id=arena.pk,
        prompts=_read(form, longest=arena.max_prompt_chars),
        defaults=PoolText("", asked["category"], asked["language"].lower(), asked["source"]),
        actor=actor_of(request),
        now=timezone.now(),
    )


def _read(form: forms.Form, *, longest: int) -> list[PoolText]:
    """A file is kept only as long as it is read."""
    sent = form.cleaned_data["file"]
    if not sent:
        return pool_of_lines(form.cleaned_data["lines"], longest=longest)
    stored = store_file(sent.name, sent.chunks())
    try:
        return pool_of_file(stored.path, longest=longest)
    finally:
        stored.path.unlink(missing_ok=True)


def said_of(filled: Filled) -> str:
    words = ngettext("%(count)d prompt is new.", "%(count)d prompts are new.", filled.added) % {"count": filled.added}
    if filled.known:
        words += " " + ngettext("%(count)d was there already.", "%(count)d were there already.", filled.known) % {
            "count": filled.known
        }
    return words


def _page(
    request: HttpRequest, arena: Arena, form: PoolForm, classifier_form: ClassifierForm | None = None
) -> dict[str, Any]:
    category, words = request.GET.get("category", "")[:80], request.GET.get("q", "")[:200]
    return {
        "arena": arena,
        "campaign": arena.campaign,
        "section": "arena-prompts",
        "form": form,
        "counts": pool_counts(arena),
        "asked": asked_in(arena.campaign),
        "classified": (shown := classified(arena)),
        "classifier_form": classifier_form or ClassifierForm(shown.classifier),
        "page": pool_page(
            arena,
            number=request.GET.get("page", "1"),
            category=category.replace("\0", ""),
            words=words.replace("\0", ""),
        ),
        "category": category,
        "words": words,
    }


@require_POST
@for_campaign_admins
def offer(request: HttpRequest, slug: str, prompt_id: int) -> HttpResponse:
    """Offer a prompt again, or no more."""
    if prompt_id >= 2**63:
        raise Http404
    prompt = get_object_or_404(PoolPrompt, pk=prompt_id, arena__campaign__slug=slug)
    to = request.POST.get("to")
    if to not in ("offered", "retired"):
        form = PoolForm()
        context = _page(request, managed_arena(slug), form) | {"problem": _("Say whether it is offered.")}
        return render(request, "arena/manage/prompts.html", context, status=422)
    offer_pool_prompt(prompt_id=prompt.pk, is_active=to == "offered", actor=actor_of(request), now=timezone.now())
    return redirect("arena-prompts", slug)


@require_POST
@for_campaign_admins
def classifier(request: HttpRequest, slug: str) -> HttpResponse:
    """Which model labels prompts beside the rules, if any."""
    arena = managed_arena(slug)
    form = ClassifierForm(classifier_of(arena), request.POST)
    if not form.is_valid():
        context = _page(request, arena, PoolForm(), form)
        return render(request, "arena/manage/prompts.html", context, status=422)
    set_classifier(arena_id=arena.pk, actor=actor_of(request), now=timezone.now(), **form.cleaned_data)
    messages.success(request, _("Saved. The workers label the newest prompts first."))
    return redirect("arena-prompts", slug)

"""Admins' view of what goes wrong in an arena: who leaves battles without a vote, and
house rules: what they are, what they find, and what an admin makes of it. No page here shows a text that
a rule found: the links go to the pages where admins may read it anyway."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.enums import RespondentKind, RespondentState
from annotation.forms.people import BlockForm
from annotation.models import Respondent
from annotation.use_cases.block_respondent import block_respondent
from annotation.web.access import for_campaign_admins
from annotation.web.managed import actor_of
from arena.enums import ModerationState
from arena.models import Arena, BlockAppeal, HouseRule, Moderation, RuleFinding
from arena.queries.appeals import set_apart_in, visitor_in
from arena.queries.excluded import excluded_in
from arena.queries.house_rules import (
    DAYS,
    book_in_force,
    findings_to_look_at,
    listed_rules,
    removed_rates,
    rules_of,
)
from arena.queries.integrity import DAYS as INTEGRITY_DAYS
from arena.queries.integrity import LEAST_VOTES, integrity_of
from arena.queries.marks import LISTED, marks_in, stopped_to_look_at
from arena.queries.moderation import DAYS as MODERATED_DAYS
from arena.queries.moderation import moderated, moderator_of
from arena.use_cases.add_house_rule import UnusableRule, add_house_rule
from arena.use_cases.look_at_finding import look_at_finding
from arena.use_cases.look_at_moderation import look_at_moderation
from arena.use_cases.release_visitor import release_visitor
from arena.use_cases.set_moderator import set_moderator, unset_moderator
from arena.use_cases.settle_block_appeal import settle_block_appeal
from arena.use_cases.switch_house_rule import switch_house_rule
from arena.web.arena_forms import first_error
from arena.web.manage import managed_arena
from arena.web.rule_forms import AppealDecisionForm, ModeratorForm, OutcomeForm, RuleForm, SwitchForm, TryForm
from foundation.transitions import ForbiddenTransition

ON_A_PAGE = 25
LARGEST = 2**63


@require_GET
@for_campaign_admins
def rules(request: HttpRequest, slug: str) -> HttpResponse:
    return show_rules(request, managed_arena(slug))


@require_GET
@for_campaign_admins
def integrity(request: HttpRequest, slug: str) -> HttpResponse:
    """Who leaves battles without a vote, and whether they choose which; whose votes are set apart."""
    return show_integrity(request, managed_arena(slug))


@require_http_methods(["GET", "HEAD", "POST"])
@for_campaign_admins
def visitor(request: HttpRequest, slug: str, respondent_id: int) -> HttpResponse:
    """One visitor: set their votes apart, with a reason, or have them count again."""
    arena = managed_arena(slug)
    if respondent_id >= LARGEST:
        raise Http404
    found = get_object_or_404(Respondent, pk=respondent_id, campaign=arena.campaign_id, kind=RespondentKind.VISITOR)
    form = BlockForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        act: Callable[..., object] = block_respondent
        if found.state == RespondentState.BLOCKED:
            act = release_visitor
        try:
            reason = form.cleaned_data["reason"]
            act(respondent_id=found.pk, reason=reason, actor=actor_of(request), now=timezone.now())
            return redirect("arena-visitor", slug, found.pk)
        except ForbiddenTransition:
            form.add_error(None, _("This visitor has left. Nothing was changed."))
    context = {
        "campaign": arena.campaign,
        "section": "arena-integrity",
        "shown": visitor_in(arena, found, now=timezone.now()),
        "form": form,
    }
    return render(request, "arena/manage/visitor.html", context, status=422 if form.errors else 200)


@require_POST
@for_campaign_admins
def appeal(request: HttpRequest, slug: str, appeal_id: int) -> HttpResponse:
    """Decide about a visitor's appeal against a block."""
    arena, form = managed_arena(slug), AppealDecisionForm(request.POST)
    if appeal_id >= LARGEST:
        raise Http404
    found = get_object_or_404(BlockAppeal, pk=appeal_id, respondent__campaign=arena.campaign_id)
    if form.is_valid():
        said = {"granted": form.cleaned_data["decision"] == "grant", "answer": form.cleaned_data["answer"]}
        try:
            settle_block_appeal(appeal_id=found.pk, actor=actor_of(request), now=timezone.now(), **said)
            return redirect("arena-integrity", slug)
        except ForbiddenTransition:
            form.add_error(None, _("This appeal was decided before. Nothing was changed."))
    return show_integrity(request, arena, problem=first_error(form), status=422)


def show_integrity(request: HttpRequest, arena: Arena, *, status: int = 200, **more: Any) -> HttpResponse:
    now = timezone.now()
    context = {
        "campaign": arena.campaign,
        "section": "arena-integrity",
        "found": integrity_of(arena, now=now),
        "excluded": excluded_in(arena, now=now),
        "set_apart": set_apart_in(arena),
        "days": INTEGRITY_DAYS,
        "least": LEAST_VOTES,
        "moderated": moderated(arena, now=now),
        "moderated_days": MODERATED_DAYS,
        "marks": marks_in(arena),
    }
    return render(request, "arena/manage/integrity.html", context | more, status=status)


@require_POST
@for_campaign_admins
def add(request: HttpRequest, slug: str) -> HttpResponse:
    arena, form = managed_arena(slug), RuleForm(request.POST)
    if not form.is_valid():
        return show_rules(request, arena, form=form, status=422)
    values = form.cleaned_data
    everywhere = values.pop("everywhere")
    try:
        add_house_rule(arena=None if everywhere else arena, actor=actor_of(request), now=timezone.now(), **values)
    except UnusableRule as refused:
        form.add_error("pattern", str(refused))
        return show_rules(request, arena, form=form, status=422)
    messages.success(request, _("The rule is in force."))
    return redirect("arena-rules", slug)


@require_POST
@for_campaign_admins
def switch(request: HttpRequest, slug: str, rule_id: int) -> HttpResponse:
    arena, form = managed_arena(slug), SwitchForm(request.POST)
    rule = rule_in(arena, rule_id)
    if not form.is_valid():
        return show_rules(request, arena, problem=first_error(form), status=422)
    switch_house_rule(
        rule_id=rule.pk, is_active=form.cleaned_data["to"] == "on", actor=actor_of(request), now=timezone.now()
    )
    return redirect("arena-rules", slug)


@require_POST
@for_campaign_admins
def try_text(request: HttpRequest, slug: str) -> HttpResponse:
    """Which rules a pasted text breaks. The text is neither kept nor logged."""
    arena, form = managed_arena(slug), TryForm(request.POST)
    if not form.is_valid():
        return show_rules(request, arena, tried=form, status=422)
    text, book = form.cleaned_data["text"], book_in_force(arena)
    names = dict(rules_of(arena).values_list("pk", "name"))
    found = {
        "visitor": [(names[hit.rule.id], hit.rule.action) for hit in book.hits(text, of_model=False)],
        "model": [(names[hit.rule.id], hit.rule.action) for hit in book.hits(text, of_model=True)],
        "masked": book.masked(text, of_model=False),
    }
    return show_rules(request, arena, tried=form, found=found)


@require_POST
@for_campaign_admins
def model(request: HttpRequest, slug: str) -> HttpResponse:
    """Which moderation model is shown what is written here."""
    arena = managed_arena(slug)
    form = ModeratorForm(moderator_of(arena), request.POST)
    if not form.is_valid():
        return show_rules(request, arena, moderator_form=form, status=422)
    set_moderator(arena_id=arena.pk, actor=actor_of(request), now=timezone.now(), **form.cleaned_data)
    messages.success(request, _("The moderation model is in force."))
    return redirect("arena-rules", slug)


@require_POST
@for_campaign_admins
def unset_model(request: HttpRequest, slug: str) -> HttpResponse:
    """The rules alone, from now on."""
    unset_moderator(arena_id=managed_arena(slug).pk, actor=actor_of(request))
    return redirect("arena-rules", slug)


@require_POST
@for_campaign_admins
def look(request: HttpRequest, slug: str, finding_id: int) -> HttpResponse:
    """What an admin made of what a rule found."""
    arena = managed_arena(slug)
    if finding_id >= LARGEST:
        raise Http404
    finding = get_object_or_404(RuleFinding, arena=arena, pk=finding_id)
    return _mark(request, arena, partial(look_at_finding, finding_id=finding.pk))


@require_POST
@for_campaign_admins
def look_model(request: HttpRequest, slug: str, moderation_id: int) -> HttpResponse:
    """What an admin made of a text that the moderation model stopped."""
    arena = managed_arena(slug)
    if moderation_id >= LARGEST:
        raise Http404
    row = get_object_or_404(Moderation, arena=arena, pk=moderation_id, state=ModerationState.STOPPED)
    return _mark(request, arena, partial(look_at_moderation, moderation_id=row.pk))


def _mark(request: HttpRequest, arena: Arena, look_at: Callable[..., object]) -> HttpResponse:
    form = OutcomeForm(request.POST)
    if not form.is_valid():
        return show_rules(request, arena, problem=first_error(form), status=422)
    look_at(outcome=form.cleaned_data["outcome"], actor=actor_of(request), now=timezone.now())
    return redirect("arena-rules", arena.campaign.slug)


def rule_in(arena: Arena, rule_id: int) -> HouseRule:
    """404 for one of another arena, and for a number that no row can have."""
    if rule_id >= LARGEST:
        raise Http404
    return get_object_or_404(rules_of(arena), pk=rule_id)


def show_rules(
    request: HttpRequest,
    arena: Arena,
    *,
    form: RuleForm | None = None,
    tried: TryForm | None = None,
    moderator_form: ModeratorForm | None = None,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    shown_to = moderated(arena, now=timezone.now())
    page = Paginator(findings_to_look_at(arena), ON_A_PAGE).get_page(request.GET.get("page"))
    context |= {
        "arena": arena,
        "campaign": arena.campaign,
        "section": "arena-rules",
        "listed": listed_rules(arena, now=timezone.now()),
        "days": DAYS,
        "page": page,
        "rates": removed_rates(arena),
        "form": form or RuleForm(),
        "try_form": tried or TryForm(),
        "stopped": Paginator(stopped_to_look_at(arena), LISTED).page(1),
        "moderated": shown_to,
        "moderator_form": moderator_form or ModeratorForm(shown_to.moderator),
    }
    return render(request, "arena/manage/rules.html", context, status=status)

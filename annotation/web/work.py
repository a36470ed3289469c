"""What annotators see: their campaigns, the steps before work, one item after another, and what they answered."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.enums import Role
from accounts.models import Person, User
from accounts.policies import allow_sign_up
from accounts.texts import browser_key_of
from accounts.use_cases.create_person import person_of_user
from annotation.enums import FlagReason, RespondentState
from annotation.forms import JudgmentForm
from annotation.forms.content import DeclineForm
from annotation.forms.withdrawal import OwnTextsForm
from annotation.models import Respondent
from annotation.policies.stages import TAKES_WORK, Stage
from annotation.queries import asks_for_words
from annotation.queries.asked import news_for
from annotation.queries.earnings import earned_by_slug
from annotation.queries.history import decided_against
from annotation.queries.screened import screened_out
from annotation.queries.studies import participant_of
from annotation.queries.tasks import Answered, Task, campaigns_of, open_pools, respondent_of, task_of
from annotation.queries.work import position_of
from annotation.use_cases.agree_to_texts import HasWithdrawn, TextChanged, give_consent, read_guidelines
from annotation.use_cases.decline_content import decline_content
from annotation.use_cases.join_campaign import (
    InvitationNotValid,
    NotInPool,
    join_by_invitation,
    join_from_pool,
    open_invitation,
    open_or_own,
)
from annotation.use_cases.next_assignment import (
    BudgetSpent,
    EnoughForToday,
    NotNow,
    NoWork,
    QuotaReached,
    next_assignment,
)
from annotation.web.access import for_signed_in
from annotation.web.session_steps import session_context
from foundation.idempotency import mint_key
from foundation.requests import HtmxRequest, number_posted

# Without a script the page after an answer is a new one, which still says that a break is offered.
JUST_NOW = timedelta(minutes=1)


# Who has withdrawn is told so, and not asked to join again.
GONE = RespondentState.WITHDRAWN
# Where whoever a study sent goes back to it.
ENDS = frozenset({Stage.SCREENED_OUT, Stage.BLOCKED, Stage.WITHDRAWN, Stage.CLOSED, Stage.DRAWN})


def person_of(request: HtmxRequest) -> Person:
    """The person behind a page that only those who are signed in see."""
    assert isinstance(request.user, User)  # for_signed_in has refused
    return person_of_user(user=request.user, now=timezone.now())


def own_respondent(request: HtmxRequest, slug: str) -> Respondent:
    """Who is asking, as a respondent of this campaign; 404 for everybody else, whether or not it exists."""
    assert isinstance(request.user, User)  # for_signed_in has refused
    respondent = respondent_of(request.user, slug)
    if respondent is None:
        raise Http404
    return respondent


@require_GET
@for_signed_in
def home(request: HtmxRequest) -> HttpResponse:
    person = person_of(request)
    user = request.user
    is_expert = isinstance(user, User) and user.has_role(Role.REVIEWER)
    is_annotator = is_expert or (isinstance(user, User) and user.has_role(Role.ANNOTATOR))
    pools = open_pools(person, is_annotator=is_annotator, is_expert=is_expert)
    context = {"campaigns": campaigns_of(person), "pools": pools, "earned": earned_by_slug(person)}
    context["against"] = decided_against(person, timezone.now())
    return render(request, "annotation/work/home.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HtmxRequest, token: str) -> HttpResponseBase:
    """The way in by a link. Who has no account yet may make one, in this browser and for a while."""
    now, user = timezone.now(), request.user
    person = person_of(request) if isinstance(user, User) else None
    try:
        invitation = open_invitation(token, now=now) if person is None else open_or_own(token, person, now)
        if person is not None and request.method == "POST":
            respondent = join_by_invitation(token=token, person=person, now=now)
            form = DeclineForm(respondent.campaign, respondent, request.POST)
            if form.is_valid() and form.cleaned_data["declined"]:
                decline_content(respondent_id=respondent.pk, declined=form.cleaned_data["declined"], now=now)
            return redirect("work-campaign", respondent.campaign.slug)
    except InvitationNotValid:
        return render(request, "annotation/work/no_invitation.html", status=404)
    if person is not None and invitation.campaign.respondents.filter(person=person, state=GONE).exists():
        return redirect("work-campaign", invitation.campaign.slug)
    if person is None:
        allow_sign_up(request.session, now=now)
    context = {"campaign": invitation.campaign, "content_form": DeclineForm(invitation.campaign)}
    return never_stored(render(request, "annotation/work/join.html", context))


@require_POST
@for_signed_in
def join_pool(request: HtmxRequest, slug: str) -> HttpResponseBase:
    user, person = request.user, person_of(request)
    is_expert = isinstance(user, User) and user.has_role(Role.REVIEWER)
    is_annotator = is_expert or (isinstance(user, User) and user.has_role(Role.ANNOTATOR))
    open_to_them = [
        campaign
        for campaign in open_pools(person, is_annotator=is_annotator, is_expert=is_expert)
        if campaign.slug == slug
    ]
    if not open_to_them:
        raise Http404
    try:
        join_from_pool(campaign_id=open_to_them[0].pk, person=person, is_expert=is_expert, now=timezone.now())
    except NotInPool as refused:
        raise Http404 from refused
    return redirect("work-campaign", slug)


@require_GET
@for_signed_in
def campaign(request: HtmxRequest, slug: str) -> HttpResponseBase:
    """The next step in this campaign: a text to agree to, items, or why there is nothing."""
    return show_step(request, own_respondent(request, slug))


def show_step(request: HtmxRequest, respondent: Respondent, *, status: int = 200, **context: Any) -> HttpResponseBase:
    position = position_of(respondent)
    stage = position.stage
    context |= {"campaign": respondent.campaign, "respondent": respondent, "stage": stage.value}
    if position.is_sated and stage in TAKES_WORK and not _has_more(respondent):
        context.setdefault("nothing", _why(EnoughForToday()))
    if stage in (Stage.CONSENT, Stage.GUIDELINES):
        context["text"] = respondent.campaign.consent if stage == Stage.CONSENT else respondent.campaign.guidelines
    if stage == Stage.CONSENT and asks_for_words(respondent.campaign):
        context["texts_form"] = OwnTextsForm(initial={"releases_texts": respondent.releases_texts})
    context["takes_work"] = stage in TAKES_WORK
    if respondent.person is not None and not request.htmx:
        told = decided_against(respondent.person, timezone.now(), slug=respondent.campaign.slug)
        context["against"] = told.get(respondent.campaign.slug)
    if stage == Stage.SCREENED_OUT:
        context["screened"] = screened_out(respondent)
    if stage in ENDS or "nothing" in context:
        context["participant"] = participant_of(respondent)
    if respondent.campaign.warned_content and "content_form" not in context:
        context["content_form"] = DeclineForm(respondent.campaign, respondent)
    context |= session_context(respondent, stage, context, timezone.now())
    return never_stored(render(request, "annotation/work/step.html", context, status=status))


@require_POST
@for_signed_in
def agree(request: HtmxRequest, slug: str, what: str) -> HttpResponseBase:
    respondent, now = own_respondent(request, slug), timezone.now()
    text = number_posted(request, "text")
    try:
        if what == "consent":
            released = _released(request, respondent)
            give_consent(respondent_id=respondent.pk, consent_id=text, releases_texts=released, now=now)
        elif what == "guidelines":
            read_guidelines(respondent_id=respondent.pk, guidelines_id=text, now=now)
        else:
            raise Http404
    except HasWithdrawn:
        return show_step(request, respondent, status=422)
    except TextChanged:
        return show_step(request, respondent, status=422, problem=_("The text has changed. Please read it again."))
    return redirect("work-item" if request.POST.get("back") == "item" else "work-campaign", slug)


def _released(request: HtmxRequest, respondent: Respondent) -> bool | None:
    if not asks_for_words(respondent.campaign):
        return None
    form = OwnTextsForm(request.POST)
    return form.is_valid() and bool(form.cleaned_data["releases_texts"])


@require_GET
@for_signed_in
def guidelines(request: HtmxRequest, slug: str) -> HttpResponse:
    respondent = own_respondent(request, slug)
    return render(request, "annotation/work/guidelines.html", {"campaign": respondent.campaign})


@require_GET
@for_signed_in
def item(request: HtmxRequest, slug: str) -> HttpResponseBase:
    """The item this person holds, or a newly claimed one."""
    respondent = own_respondent(request, slug)
    offered_at = respondent.break_offered_at
    just_offered = offered_at is not None and timezone.now() - offered_at < JUST_NOW
    return show_next(request, respondent, break_offered=just_offered)


@require_GET
@for_signed_in
def ahead(request: HtmxRequest, slug: str) -> HttpResponse:
    """The item after the one on the screen, to be shown at once when that is done; 204 where there is none."""
    respondent = own_respondent(request, slug)
    try:
        given = next_assignment(campaign=respondent.campaign, respondent=respondent, now=timezone.now(), ahead=True)
    except NoWork:
        return HttpResponse(status=204)
    if str(given.assignment.pk) == request.GET.get("shown"):
        return HttpResponse(status=204)
    # By the time it is shown the one on the screen is done.
    context = item_context(respondent, given.assignment.pk, given_before=1)
    response = render(request, "annotation/work/item.html#inside", context)
    response["X-Assignment"] = str(given.assignment.pk)
    return never_stored(response)


def show_next(request: HtmxRequest, respondent: Respondent, *, status: int = 200, **context: Any) -> HttpResponseBase:
    """The next item, or the step page where there is none."""
    try:
        given = next_assignment(campaign=respondent.campaign, respondent=respondent, now=timezone.now())
    except NotNow:
        return show_step(request, respondent, status=status, **context)
    except NoWork as none:
        return show_step(request, respondent, status=status, nothing=_why(none), **context)
    return show_item_page(request, respondent, given.assignment.pk, status=status, **context)


def show_item_page(
    request: HtmxRequest, respondent: Respondent, assignment_id: int, *, status: int = 200, **context: Any
) -> HttpResponse:
    template = "annotation/work/item.html#inside" if request.htmx else "annotation/work/item.html"
    # Whoever answered it had it before their eyes; without a script the page is asked for once more to show it.
    revealed = (request.method == "POST" and "form" in context) or request.GET.get("reveal") == str(assignment_id)
    context = {"revealed": revealed} | item_context(respondent, assignment_id) | context
    return never_stored(render(request, template, context, status=status))


def item_context(respondent: Respondent, assignment_id: int, *, given_before: int = 0) -> dict[str, Any]:
    task = task_of(respondent, assignment_id)
    if task is None or not task.is_open:
        raise Http404
    form = judgment_form(task, typed=task.typed)
    assert respondent.person is not None  # task_of found nothing else
    return {
        "campaign": respondent.campaign,
        "owner": browser_key_of(respondent.person).mark,
        "task": task,
        "form": form,
        "done": task.done + given_before,
        "session": session_place(task.session_items, (task.session_done or 0) + given_before),
        "key": mint_key(),
        "flag_reasons": FlagReason.choices,
        "news": news_for(respondent),
    }


def session_place(items: int | None, done: int) -> dict[str, Any] | None:
    """Which item of a paid session this is; None in any other."""
    if not items:
        return None
    return {"number": min(done + 1, items), "items": items, "is_last": done + 1 >= items}


def judgment_form(shown: Task | Answered, data: Any = None, **values: Any) -> JudgmentForm:
    if isinstance(shown, Task):
        values |= {"players": shown.item.played, "played_share": shown.played_share}
    return JudgmentForm(shown.asked, shown.situation, data, subject=shown.subject, **values)


def never_stored(response: HttpResponse) -> HttpResponse:
    patch_cache_control(response, no_store=True)
    response["X-Robots-Tag"] = "noindex"
    return response


def lease_named(request: HtmxRequest) -> UUID:
    """The fence the form was rendered with; one that fits nothing where it names none."""
    try:
        return UUID(request.POST.get("lease_token", ""))
    except ValueError:
        return UUID(int=0)


def _has_more(respondent: Respondent) -> bool:
    own = campaigns_of(respondent.person) if respondent.person is not None else []
    return any(each.has_more for each in own if each.slug == respondent.campaign.slug)


def _why(none: NoWork) -> str:
    if isinstance(none, QuotaReached):
        return _("You have given as many judgments as one person may give here. Thank you.")
    if isinstance(none, EnoughForToday):
        return _("You have met as many items with a content warning as one may in a day. If there are more, they wait.")
    if isinstance(none, BudgetSpent):
        return _("This campaign has all the judgments that it can pay for. Thank you.")
    return _("There is nothing left for you here at the moment. If somebody gives an item back, it shows up here.")

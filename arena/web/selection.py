"""Where an arena's next questions go, and why; its admins choose what they aim at."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from annotation.forms.campaign import POLICY_NAMES
from annotation.policies.drafts import CampaignIsClosed
from annotation.selection import POLICIES, UnknownPolicy
from annotation.use_cases.aim_selection import aim_selection
from annotation.web.access import for_campaign_admins
from annotation.web.managed import actor_of
from arena.models import Arena
from arena.queries.selection import outlook_of
from arena.web.manage import managed_arena

WHY = {
    "newcomer": gettext_lazy("One of them is new"),
    "unmet": gettext_lazy("They have not met"),
    "open": gettext_lazy("Their order is open"),
    "close": gettext_lazy("Their order is open, and other pairs tell more"),
    "floor": gettext_lazy("Their order is clear: what remains is chance"),
}
NOT_SAID = {
    "few": gettext_lazy("Not known yet: there are no votes."),
    "pairs": gettext_lazy("Not given: pairs have effects of their own, which one strength per model does not explain."),
    "beyond": gettext_lazy("Not given: a hundred times the votes, drawn alike, would not do."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@for_campaign_admins
def selection(request: HttpRequest, slug: str) -> HttpResponse:
    arena = managed_arena(slug)
    if request.method != "POST":
        return show_selection(request, arena)
    try:
        policy = request.POST.get("policy", "")
        aim_selection(campaign_id=arena.campaign_id, policy=policy, actor=actor_of(request), now=timezone.now())
    except UnknownPolicy:
        return show_selection(request, arena, _("Choose one of the aims in the list. Nothing was changed."))
    except CampaignIsClosed:
        return show_selection(request, arena, _("The arena is closed and asks nothing more. Nothing was changed."))
    messages.success(request, _("Saved. It holds from the next battle on."))
    return redirect("arena-selection", slug)


def show_selection(request: HttpRequest, arena: Arena, problem: str = "") -> HttpResponse:
    category = request.GET.get("category", "")
    outlook = outlook_of(arena, category=category, now=timezone.now())
    if category and category not in {each.name for each in outlook.categories}:
        raise Http404
    context = {
        "campaign": arena.campaign,
        "arena": arena,
        "section": "arena-selection",
        "outlook": outlook,
        "pairs": [(each, WHY[each.why]) for each in outlook.pairs],
        "not_said": NOT_SAID.get(outlook.saved.why, ""),
        "aims": [(name, POLICY_NAMES.get(name, name)) for name in POLICIES],
        "aim": POLICY_NAMES.get(arena.campaign.policy, arena.campaign.policy),
        "problem": problem,
    }
    return render(request, "arena/manage/selection.html", context, status=422 if problem else 200)

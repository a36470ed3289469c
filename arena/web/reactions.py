"""What a visitor says of one answer, before the vote or after it."""

from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import Person
from annotation.use_cases.record_reaction import TooManyReactions
from arena import queries
from arena.forms import ReactionForm
from arena.use_cases.ask_follow_up import NotYourBattle
from arena.use_cases.react import NotShown, react
from arena.use_cases.start_battle import VisitorGone
from arena.web.battles import conflict, show_battle
from arena.web.sentences import SENTENCES
from arena.web.visitors import known_person
from foundation.requests import HtmxRequest


@require_POST
def reaction(request: HtmxRequest, battle_id: UUID) -> HttpResponseBase:
    """htmx gets the answer's reactions anew, open as they were; without it the browser goes back to the answer."""
    person, form = known_person(request), ReactionForm(request.POST)
    ballot = queries.ballot(battle_id, person=person)
    if person is None or ballot is None:
        raise Http404
    if not form.is_valid():
        return _refused(request, battle_id, person, _("Nothing of this kind can be said of it."), status=422)
    try:
        react(battle_id=battle_id, person=person, **form.said)
    except NotYourBattle as missing:
        raise Http404 from missing
    except VisitorGone as refused:
        return _refused(request, battle_id, person, str(SENTENCES[type(refused)]))
    except TooManyReactions:
        return _refused(request, battle_id, person, _("That is as often as one may change one’s mind about an answer."))
    except NotShown:
        return moved_on(request, battle_id, person)
    if not request.htmx:
        return redirect(f"{reverse('battle', args=[battle_id])}#side-{form.side}-{form.cleaned_data['number']}")
    return of_one_answer(request, battle_id, form)


def moved_on(request: HtmxRequest, battle_id: UUID, person: Person) -> HttpResponse:
    return _refused(request, battle_id, person, _("This battle has moved on, perhaps in another tab."))


def _refused(
    request: HtmxRequest, battle_id: UUID, person: Person, problem: str, *, status: int | None = None
) -> HttpResponse:
    """The whole page says why, and not the place of one answer's reactions."""
    response = show_battle(request, battle_id, person, status=status or conflict(request), problem=problem)
    if request.htmx:
        response["HX-Retarget"], response["HX-Reswap"] = "#main", "innerHTML"
    return response


def of_one_answer(request: HtmxRequest, battle_id: UUID, form: ReactionForm) -> HttpResponseBase:
    ballot = queries.ballot(battle_id, person=known_person(request))
    if ballot is None:
        raise Http404
    found = ballot.exchanges[form.cleaned_data["number"]].reactions[form.side]
    context = {"battle_id": battle_id, "reactions": found, "is_open": True}
    response = render(request, "arena/reactions.html", context)
    patch_cache_control(response, no_store=True)
    return response

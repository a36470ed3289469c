"""What a visitor does about a turn: stop what is being written, and have both sides write it anew."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from arena.use_cases.ask_follow_up import NotReady, NotYourBattle
from arena.use_cases.demand_work import WorkWanted
from arena.use_cases.refuse_flood import TooBusy
from arena.use_cases.regenerate_all import NoMoreTries, OtherAnswers, regenerate_all
from arena.use_cases.start_battle import ArenaClosed, VisitorGone
from arena.use_cases.stop_battle import NotWriting, stop_battle
from arena.web.battles import after_change, answers_named, conflict, show_battle, too_busy, work_first
from arena.web.sentences import SENTENCES
from arena.web.visitors import known_person
from foundation.idempotency import BadKey, InFlight, KeyReused
from foundation.requests import HtmxRequest

LONGEST_WORK = 700


@require_POST
def stop(request: HtmxRequest, battle_id: UUID) -> HttpResponseBase:
    person = known_person(request)
    if person is None:
        raise Http404
    try:
        stop_battle(battle_id=battle_id, **answers_named(request), person=person, now=timezone.now())
    except NotYourBattle as missing:
        raise Http404 from missing
    except NotWriting:
        late = _("There was nothing left to stop: this battle has moved on.")
        return show_battle(request, battle_id, person, status=conflict(request), problem=late)
    return after_change(request, battle_id, person)


@require_POST
def regenerate(request: HtmxRequest, battle_id: UUID) -> HttpResponseBase:
    person = known_person(request)
    if person is None:
        raise Http404
    asked: dict[str, Any] = {name: request.POST.get(name, "")[:LONGEST_WORK] for name in ("key", "work")}
    asked |= answers_named(request)
    try:
        regenerate_all(battle_id=battle_id, **asked, person=person, now=timezone.now())
    except WorkWanted as wanted:
        return work_first(request, battle_id, person, wanted, of="again")
    except TooBusy as busy:
        return too_busy(request, battle_id, person, busy)
    except NotYourBattle as missing:
        raise Http404 from missing
    except (ArenaClosed, VisitorGone) as refused:
        said = str(SENTENCES[type(refused)])
        return show_battle(request, battle_id, person, status=conflict(request), problem=said)
    except (NotReady, OtherAnswers, NoMoreTries, BadKey, InFlight, KeyReused) as refused:
        said = _("Both have answered anew as often as this arena allows.")
        if not isinstance(refused, NoMoreTries):
            said = _("This battle has moved on, perhaps in another tab.")
        return show_battle(request, battle_id, person, status=conflict(request), problem=said)
    return after_change(request, battle_id, person)

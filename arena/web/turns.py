"""What a visitor does about a turn that is being written."""

from uuid import UUID

from django.http import Http404, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from arena.use_cases.ask_follow_up import NotYourBattle
from arena.use_cases.stop_battle import NotWriting, stop_battle
from arena.web.battles import after_change, conflict, show_battle, turn_named
from arena.web.visitors import known_person
from foundation.requests import HtmxRequest


@require_POST
def stop(request: HtmxRequest, battle_id: UUID) -> HttpResponseBase:
    person = known_person(request)
    if person is None:
        raise Http404
    try:
        stop_battle(battle_id=battle_id, turn_count=turn_named(request), person=person, now=timezone.now())
    except NotYourBattle as missing:
        raise Http404 from missing
    except NotWriting:
        late = _("There was nothing left to stop: this battle has moved on.")
        return show_battle(request, battle_id, person, status=conflict(request), problem=late)
    return after_change(request, battle_id, person)

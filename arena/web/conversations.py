"""What a visitor does after a vote that left the models hidden: go on with both, or have the models shown."""

from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.errors import PersonErased
from accounts.models import Person
from arena.errors import ArenaError
from arena.forms import LETTERS, GoOnForm
from arena.policies import PromptRefused
from arena.use_cases.ask_follow_up import NoMoreTurns, NotReady, NotYourBattle
from arena.use_cases.ask_models import TextErased
from arena.use_cases.continue_battle import ModelsLeft, continue_battle
from arena.use_cases.demand_work import WorkWanted
from arena.use_cases.keep_picture import NoPictures
from arena.use_cases.refuse_flood import TooBusy, TooManyBattles
from arena.use_cases.show_models import NothingHeld, StillMoving, show_models
from arena.use_cases.start_battle import ArenaClosed, VisitorGone
from arena.web.battles import show_battle, too_busy, work_first
from arena.web.reactions import moved_on
from arena.web.sentences import SENTENCES
from arena.web.visitors import known_person
from foundation.clientaddress import network_digest
from foundation.idempotency import InFlight, KeyReused
from foundation.requests import HtmxRequest


@require_POST
def go_on(request: HtmxRequest, battle_id: UUID) -> HttpResponseBase:
    person, form = known_person(request), GoOnForm(request.POST, request.FILES)
    if person is None:
        raise Http404
    if not form.is_valid():
        problem = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return _refused(request, battle_id, person, problem)
    said, base = form.cleaned_data, form.cleaned_data["base"]
    try:
        following = continue_battle(
            battle_id=battle_id,
            prompt=said["prompt"],
            picture=said["picture"],
            place=LETTERS.index(base) if base else None,
            person=person,
            network=network_digest(request),
            key=said["key"],
            work=said["work"],
            now=timezone.now(),
        )
    except (NotYourBattle, PersonErased, TextErased) as missing:
        raise Http404 from missing
    except TooBusy as busy:
        return too_busy(request, battle_id, person, busy)
    except WorkWanted as wanted:
        return work_first(request, battle_id, person, wanted, of="go_on")
    except (NotReady, InFlight, KeyReused):
        return moved_on(request, battle_id, person)
    except ArenaError as refused:
        return _refused(request, battle_id, person, _why(refused))
    return redirect("battle", following.pk)


def _why(refused: ArenaError) -> str:
    """What has no words crashes."""
    if isinstance(refused, PromptRefused):
        return str(refused)
    if isinstance(refused, NoMoreTurns):
        return _("A conversation has no more turns than this. Have the models shown, or start a new battle.")
    if isinstance(refused, ModelsLeft):
        return _("Not all of these models can be asked any more. Have them shown, or start a new battle.")
    if isinstance(refused, ArenaClosed | VisitorGone | TooManyBattles | NoPictures):
        return str(SENTENCES[type(refused)])
    raise refused


def _refused(request: HtmxRequest, battle_id: UUID, person: Person, problem: str) -> HttpResponse:
    """What was written stays on the page."""
    said, base = request.POST.get("prompt", ""), request.POST.get("base", "")
    return show_battle(request, battle_id, person, status=422, problem=problem, said=said, base=base)


@require_POST
def show(request: HtmxRequest, battle_id: UUID) -> HttpResponseBase:
    """To the last part that was voted on, which tells the models."""
    person = known_person(request)
    if person is None:
        raise Http404
    try:
        voted = show_models(battle_id=battle_id, person=person, now=timezone.now())
    except NotYourBattle as missing:
        raise Http404 from missing
    except (NothingHeld, StillMoving):
        return moved_on(request, battle_id, person)
    return redirect("battle", voted.pk)

"""The battle: a prompt, hidden answers, one vote. Views parse, call one use case and render."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.errors import PersonErased
from accounts.models import Person
from annotation.forms import JudgmentForm
from annotation.questions import Asked, get_type
from annotation.use_cases.submit_judgment import (
    AlreadyAnswered,
    CampaignClosed,
    CampaignPaused,
    ItemNotOpen,
    LeaseExpired,
    NotPlayed,
    Process,
)
from arena import queries
from arena.enums import Mode
from arena.errors import ArenaError
from arena.forms import PromptForm
from arena.models import Arena
from arena.policies import PromptRefused
from arena.queries import arenas
from arena.queries.conversations import part_of
from arena.queries.house_rules import shows_support
from arena.queries.waiting import wait_of
from arena.use_cases.ask_follow_up import NoMoreTurns, NotReady, NotYourBattle, ask_follow_up
from arena.use_cases.ask_models import TextErased
from arena.use_cases.cast_vote import NotLoaded, StaleTurn, cast_vote
from arena.use_cases.demand_work import WorkWanted
from arena.use_cases.hold_to_rules import HouseRuleBroken
from arena.use_cases.keep_picture import NoPictures
from arena.use_cases.settle_completion import open_battle
from arena.use_cases.start_battle import (
    ArenaClosed,
    ModeNotAllowed,
    TakeNoPictures,
    TextNotAgreed,
    TooBusy,
    TooManyBattles,
    VisitorGone,
    VotesSetApart,
    start_battle,
)
from arena.web.arena_forms import StartForm
from arena.web.files import with_addresses
from arena.web.modes import address_of, arena_at, mode_context
from arena.web.offers import offer_in, suggestions_of
from arena.web.sentences import SENTENCES, STATUS, blind_words, checked_words
from arena.web.visitors import known_person, person_for, remember
from foundation.clientaddress import network_digest
from foundation.idempotency import BadKey, InFlight, KeyReused, mint_key
from foundation.requests import HtmxRequest
from inference_workers.queries import worker_status


@require_GET
def home(request: HtmxRequest, slug: str | None = None, mode: str = Mode.ANONYMOUS) -> HttpResponseBase:
    """The default arena, or another at its own address. Where it hides no models its first mode stands in its place."""
    arena = arena_at(slug, request)
    if slug is not None and arena is not None and arena.is_default:
        return redirect(address_of(arena, mode))
    if arena is not None and mode not in arena.modes:
        if mode != Mode.ANONYMOUS:
            raise Http404
        return redirect(address_of(arena, arena.modes[0]))
    return show_home(request, arena, StartForm.blank(picked(request, arena)), mode=mode)


def picked(request: HtmxRequest, arena: Arena | None) -> str:
    """The suggestion behind the link that was followed: without script it does not jump into the field by itself."""
    offer = offer_in(arena, request.GET.get("offer", "")) if arena else None
    place = request.GET.get("pick", "")
    if offer is None or not (place.isascii() and place.isdigit() and len(place) < 3):
        return ""
    return offer.prompts[int(place)].text if int(place) < len(offer.prompts) else ""


@require_http_methods(["GET", "HEAD", "POST"])
def arranged(request: HtmxRequest, mode: str, slug: str | None = None) -> HttpResponseBase:
    """Battles whose visitor has a say in who meets: their page, and their beginning."""
    return start(request, slug, mode) if request.method == "POST" else home(request, slug, mode)


def show_home(
    request: HtmxRequest,
    arena: Arena | None,
    form: PromptForm,
    *,
    mode: str = Mode.ANONYMOUS,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    if arena is None:
        return render(request, "arena/no_arena.html")
    context |= mode_context(request, arena, mode, named_in(form))
    others = [each for each in arenas.listed_arenas() if each.pk != arena.pk]
    # A refused prompt stays what it was: offered, as long as nobody changes it.
    sent = request.POST if request.method == "POST" else request.GET
    context |= checked_words(arena)
    if mode == Mode.ANONYMOUS:
        context["suggestions"] = suggestions_of(
            arena, topic=sent.get("topic") or sent.get("category", ""), token=sent.get("offer", "")
        )
    # A browser sends a file once: who comes back to the form has to choose it again.
    context["picture_again"] = bool(request.FILES) and not form.has_error("picture")
    context |= {"form": form, "arena": arena, "key": mint_key(), "workers": worker_status(), "others": others}
    return render(request, "arena/home.html", context, status=status)


@require_GET
def workers(request: HtmxRequest) -> HttpResponse:
    """The line that says whether the models are awake; the page asks again until they are."""
    return render(request, "arena/home.html#workers", {"workers": worker_status()})


def named_in(form: PromptForm) -> list[str]:
    """What was chosen stays chosen where the form comes back; what is no name of a model does not."""
    return list(form.cleaned_data.get("named", [])) if form.is_bound and hasattr(form, "cleaned_data") else []


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HtmxRequest, slug: str | None = None, mode: str = Mode.ANONYMOUS) -> HttpResponseBase:
    arena = arena_at(slug, request)
    if request.method != "POST":
        return redirect(address_of(arena))  # a refused prompt leaves this address in the browser
    form = StartForm(request.POST, request.FILES)
    if arena is None or not form.is_valid():
        return show_home(request, arena, form, mode=mode, status=422 if arena else 200)
    asked = form.cleaned_data
    try:
        battle = start_battle(
            arena=arena,
            person=person_for(request),
            network=network_digest(request),
            now=timezone.now(),
            mode=mode,
            **asked | {"offer": offer_in(arena, asked["offer"])},
        )
    except (InFlight, KeyReused):
        return redirect(address_of(arena, mode))
    except PromptRefused as refused:
        form.add_error("prompt", str(refused))
        return show_home(request, arena, form, mode=mode, status=422)
    except ModeNotAllowed as missing:
        raise Http404 from missing
    except (ArenaError, PersonErased) as refused:
        return not_started(request, arena, form, refused, mode)
    return remember(request, redirect("battle", battle.pk))


def not_started(
    request: HtmxRequest,
    arena: Arena,
    form: PromptForm,
    refused: ArenaError | PersonErased,
    mode: str,
    *,
    sender: str = "",
) -> HttpResponseBase:
    """Says why, and when to come back where that is known; the prompt is still there. What has no words crashes. After
    its work the browser presses the button `sender` by itself, or else the form's own.
    """
    if isinstance(refused, TooBusy):
        said: dict[str, Any] = {"busy": refused}
    elif isinstance(refused, WorkWanted):
        said = {"work": refused, "work_sender": sender}
    elif isinstance(refused, TakeNoPictures):
        said = {"refusal": blind_words(refused)}
    elif type(refused) in SENTENCES:
        said = {"refusal": SENTENCES[type(refused)], "rereads": isinstance(refused, TextNotAgreed)}
        said["apart"] = isinstance(refused, VotesSetApart)
    else:
        raise refused
    response = show_home(request, arena, form, mode=mode, status=STATUS[type(refused)], **said)
    if isinstance(refused, TooBusy | TooManyBattles | WorkWanted):
        response["Retry-After"] = str(refused.wait_seconds)
    return remember(request, response)


@require_GET
def battle(request: HtmxRequest, battle_id: UUID) -> HttpResponse:
    return show_battle(request, battle_id, known_person(request))


@require_GET
def waiting(request: HtmxRequest, battle_id: UUID) -> HttpResponse:
    """The line that says why nothing has come yet; the page asks again until something has."""
    person = known_person(request)
    ballot = queries.ballot(battle_id, person=person)
    if person is None or ballot is None:
        raise Http404
    wait = wait_of(battle_id, person=person)
    context = {"wait": wait, "contestants": ballot.contestants, "workers": worker_status()}
    response = render(request, "arena/battle.html#waiting", context)
    patch_cache_control(response, no_store=True)
    return response


def show_battle(
    request: HtmxRequest, battle_id: UUID, person: Person | None, *, status: int = 200, **context: Any
) -> HttpResponse:
    """The whole page, or for htmx its inside. What may be seen depends on the battle's state alone."""
    ballot = due_ballot(battle_id, person)
    if ballot is None or person is None:
        raise Http404
    placed = with_addresses(ballot.exchanges, lambda place: reverse("battle-file", args=[battle_id, place]))
    ballot, setting = replace(ballot, exchanges=placed), arenas.setting_of(battle_id)
    context |= {"ballot": ballot, "revealed": queries.reveal(battle_id, person=person), "key": mint_key()}
    context |= {"setting": setting, "home": address_of(setting.arena, ballot.mode), "board": board_of(setting)}
    context["picture_again"] = bool(request.FILES) and status != 200
    context["part"] = part_of(battle_id, person=person)
    context["support"] = settings.CRISIS_LINE if settings.CRISIS_LINE and shows_support(battle_id) else ""
    asked = queries.asked_of(battle_id, person=person) if ballot.is_answering or ballot.is_votable else None
    if asked is not None:
        # What the questions need is there before they are: the page that waits for the answers becomes the ballot.
        context["assets"] = assets_of(asked.questions)
        if ballot.is_votable:
            context["form"] = context.get("form") or judgment_form(battle_id, asked)
    template = "arena/battle.html#inside" if request.htmx else "arena/battle.html"
    response = render(request, template, context, status=status)
    patch_cache_control(response, no_store=True)
    response["X-Robots-Tag"] = "noindex"
    return response


def due_ballot(battle_id: UUID, person: Person | None) -> queries.Ballot | None:
    """The ballot as it is now: a battle whose hour has come is opened by whoever looks first."""
    ballot = queries.ballot(battle_id, person=person)
    if ballot is not None and ballot.is_due(now := timezone.now()):
        open_battle(battle_id=battle_id, now=now)
        ballot = queries.ballot(battle_id, person=person)
    return ballot


def board_of(setting: arenas.Setting) -> str:
    """The address of the leaderboard that a vote moves; of the site's, where there is none."""
    if setting.board is None or setting.arena.is_default:
        return reverse("leaderboard")
    return reverse("board", args=[setting.board.slug])


def assets_of(questions: Sequence[Asked]) -> list[str]:
    """Static files that the questions need, each once."""
    found = [f"questions/{each.type}/{name}" for each in questions for name in get_type(each.type).assets]
    return list(dict.fromkeys(found))


def judgment_form(battle_id: UUID, asked: queries.BattleQuestions, data: Any = None) -> JudgmentForm:
    return JudgmentForm(
        asked.questions,
        asked.situation,
        data,
        subject=f"battle:{battle_id}",
        players=asked.players,
        played_share=asked.played_share,
    )


@require_POST
def follow_up(request: HtmxRequest, battle_id: UUID) -> HttpResponseBase:
    person, form = known_person(request), PromptForm(request.POST, request.FILES)
    if person is None:
        raise Http404
    problem = ""
    try:
        if form.is_valid():
            ask_follow_up(battle_id=battle_id, person=person, now=timezone.now(), **form.cleaned_data)
        else:
            problem = " ".join(str(error) for errors in form.errors.values() for error in errors)
    except PromptRefused as refused:
        problem = str(refused)
    except (ArenaClosed, VisitorGone, NoPictures) as refused:
        problem = str(SENTENCES[type(refused)])
    except TooBusy as busy:
        return too_busy(request, battle_id, person, busy)
    except NoMoreTurns:
        problem = _("A battle has no more turns than this. Vote, or start a new one.")
    except (NotReady, InFlight, KeyReused):
        problem = _("This battle has moved on, perhaps in another tab.")
    except (NotYourBattle, PersonErased, TextErased) as missing:
        raise Http404 from missing
    if problem:
        return show_battle(request, battle_id, person, status=422, problem=problem, said=request.POST.get("prompt", ""))
    return after_change(request, battle_id, person)


def too_busy(request: HtmxRequest, battle_id: UUID, person: Person, busy: TooBusy) -> HttpResponse:
    """What was written stays on the page."""
    words = _("All models are answering others right now. Try again in about %(seconds)d seconds.")
    problem, said = words % {"seconds": busy.wait_seconds}, request.POST.get("prompt", "")
    response = show_battle(request, battle_id, person, status=422 if request.htmx else 429, problem=problem, said=said)
    response["Retry-After"] = str(busy.wait_seconds)
    return response


def work_first(
    request: HtmxRequest, battle_id: UUID, person: Person, wanted: WorkWanted, *, of: str
) -> HttpResponseBase:
    """The browser works and then sends the form `of` again by itself; what was written stays in it."""
    said, status = request.POST.get("prompt", ""), 422 if request.htmx else 429
    sent = {"said": said, "base": request.POST.get("base", "")}
    response = show_battle(request, battle_id, person, status=status, work=wanted, work_of=of, **sent)
    response["Retry-After"] = str(wanted.wait_seconds)
    return response


@require_POST
def vote(request: HtmxRequest, battle_id: UUID) -> HttpResponseBase:
    person = known_person(request)
    asked = queries.asked_of(battle_id, person=person)
    if person is None or asked is None:
        raise Http404
    form = judgment_form(battle_id, asked, request.POST)
    if not form.is_valid():
        return show_battle(request, battle_id, person, status=422, form=form)
    try:
        cast_vote(
            battle_id=battle_id,
            **answers_named(request),
            person=person,
            key=request.POST.get("key", ""),
            answers=form.answers,
            process=Process(**form.process),
            goes_on="goes_on" in request.POST,
            words=words_of(asked.questions, form.answers),
            now=timezone.now(),
        )
    except (CampaignClosed, NotLoaded, NotPlayed, VisitorGone, HouseRuleBroken) as refused:
        # What was chosen stays on the page.
        return show_battle(request, battle_id, person, status=conflict(request), form=form, problem=_not_now(refused))
    except (StaleTurn, ItemNotOpen, LeaseExpired, AlreadyAnswered, BadKey, InFlight, KeyReused) as refused:
        return show_battle(request, battle_id, person, status=conflict(request), problem=_moved_on(refused))
    return after_change(request, battle_id, person)


def words_of(questions: Sequence[Asked], answers: Mapping[str, Any]) -> list[str]:
    """What of the answers a visitor wrote in their own words."""
    said = [answers.get(each.name) for each in questions if get_type(each.type).takes_words]
    lists = [each if isinstance(each, list) else [each] for each in said]
    return [text for texts in lists for text in texts if isinstance(text, str) and text.strip()]


def answers_named(request: HtmxRequest) -> dict[str, int]:
    """The answers that the form was made for: turn 0, which no battle has, where it names none."""
    return {name: _number(request.POST.get(name, "")) for name in ("turn_count", "regenerations")}


def _number(said: str) -> int:
    return int(said) if said.isascii() and said.isdigit() and len(said) < 6 else 0


def conflict(request: HtmxRequest) -> int:
    """409 says that the page is stale; htmx swaps 422 only, and the page it gets says what happened."""
    return 422 if request.htmx else 409


def _not_now(refused: CampaignClosed | NotLoaded | NotPlayed | VisitorGone | HouseRuleBroken) -> str:
    if isinstance(refused, HouseRuleBroken):
        return str(refused)
    if isinstance(refused, VisitorGone):
        return str(SENTENCES[type(refused)])
    if isinstance(refused, NotLoaded):
        return _("The images have not all been loaded. Load this page again, look at them and vote. Nothing is stored.")
    if isinstance(refused, NotPlayed):
        return _("Play the answers further before you vote. Nothing is stored yet.")
    if isinstance(refused, CampaignPaused):
        return _("The arena is paused. Nothing is stored yet, and no time runs out: vote again when it goes on.")
    return _("The arena has ended. This vote came too late and is not stored.")


def _moved_on(refused: Exception) -> str:
    if isinstance(refused, AlreadyAnswered | KeyReused):
        return _("Your vote on this battle was stored before; the first one counts.")
    if isinstance(refused, LeaseExpired):
        return _("This battle has ended before your vote came, which is not stored. Start a new one.")
    return _("This battle has moved on, perhaps in another tab. Look again and vote.")


def after_change(request: HtmxRequest, battle_id: UUID, person: Person) -> HttpResponseBase:
    """htmx gets the new inside at once; without it the browser is sent back to the page."""
    if request.htmx:
        return show_battle(request, battle_id, person)
    return redirect(reverse("battle", args=[battle_id]))

"""Files that models answered with, for whoever may see the battle. An address says the battle, or the link to it, and a
place in it: side, turn, how often all were asked anew."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from annotation.web.media import send_media
from arena.queries import Exchange
from arena.queries.files import file_at
from arena.queries.shared import open_share
from arena.use_cases.note_sent import note_sent
from arena.use_cases.share_battle import share_digest
from arena.web.visitors import known_person


def with_addresses(exchanges: list[Exchange], address: Callable[[str], str]) -> list[Exchange]:
    """Each file under the address of its place."""
    return [
        replace(each, files={side: file.at(address(file.place)) for side, file in each.files.items()})
        for each in exchanges
    ]


@require_safe
def of_battle(request: HttpRequest, battle_id: UUID, place: str) -> HttpResponseBase:
    found = file_at(battle_id, place, person=known_person(request))
    sent = partial(note_sent, battle_id=battle_id, place=place)
    return send_media(request, found, seen_by=f"battle {battle_id}", when_sent=sent)


@require_safe
def of_share(request: HttpRequest, token: str, place: str) -> HttpResponseBase:
    """For whoever has the link to the battle."""
    share = open_share(share_digest(token))
    found = share and file_at(share.battle_id, place, person=share.battle.assignment.respondent.person)
    return send_media(request, found or None, seen_by=f"share {token}")

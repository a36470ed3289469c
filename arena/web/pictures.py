"""Pictures of prompts: for who added them, and for who reads a shared battle."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from accounts.files import OpenFile
from arena.queries.pictures import own_picture, shared_picture
from arena.web.mine import found_person, private
from arena.web.shares import open_or_missing, untold


@require_safe
def of_battle(request: HttpRequest, battle_id: UUID, picture_id: UUID) -> HttpResponseBase:
    return send_picture(own_picture(battle_id, picture_id, person=found_person(request)))


@require_safe
def of_share(request: HttpRequest, token: str, picture_id: UUID) -> HttpResponseBase:
    return untold(send_picture(shared_picture(open_or_missing(token), picture_id)))


def send_picture(file: OpenFile | None) -> HttpResponseBase:
    """Opened by itself it is a picture in a sandbox, whatever its bytes might say to somebody."""
    if file is None:
        raise Http404
    response = HttpResponse(file.content, content_type=file.content_type)
    response["Content-Disposition"] = "inline"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return private(response)

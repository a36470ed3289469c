"""What the annotators' pages need to keep words in the browser until they are sent."""

from django.http import HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.views.decorators.http import require_GET

from accounts.texts import browser_key_of
from annotation.web.access import for_signed_in
from annotation.web.work import never_stored, person_of
from foundation.requests import HtmxRequest


@require_GET
@for_signed_in
def own_key(request: HtmxRequest) -> HttpResponse:
    """Who is signed in now, by a mark; their key; and a token that their forms are taken with."""
    own = browser_key_of(person_of(request))
    return never_stored(JsonResponse({"mark": own.mark, "key": own.key, "token": get_token(request)}))

"""What a visitor was offered, as it travels through their browser: signed, so that it comes back as it was drawn."""

from dataclasses import dataclass
from datetime import timedelta

from django.core import signing

from annotation.selection.draws import new_seed
from arena.enums import PromptDrawKind
from arena.models import Arena, PoolPrompt
from arena.queries.pool import Offer, categories_of, draw_offer

SALT = "arena.offer"
# A page that lies open for longer gives its visitor their own words.
KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Suggestions:
    """What the start page shows of the pool: `topic` is the category that was asked for, "" for all."""

    offer: Offer
    token: str
    topic: str
    topics: list[str]


def suggestions_of(arena: Arena, *, topic: str = "", token: str = "") -> Suggestions | None:
    """Those of the token where it is good, else new ones; of all categories where there is none called `topic`. None
    where the pool is empty.
    """
    topics = categories_of(arena)
    kept = offer_in(arena, token)
    wanted = topic if topic in topics else ""
    offer = kept or draw_offer(arena, category=wanted, seed=new_seed())
    if offer is None:
        return None
    return Suggestions(offer, token if kept else token_of(arena, offer), offer.category, topics)


def token_of(arena: Arena, offer: Offer) -> str:
    return signing.dumps(
        [
            *(arena.pk, offer.category, offer.seed, offer.pool_size, offer.pool_digest, offer.probability),
            [each.pk for each in offer.prompts],
        ],
        salt=SALT,
        compress=True,
    )


def offer_in(arena: Arena, token: str) -> Offer | None:
    """None for none, for one that this site did not sign, an old one, and another arena's: what comes with it counts as
    the visitor's own words.
    """
    try:
        pk, category, seed, size, digest, probability, ids = signing.loads(token, salt=SALT, max_age=KEPT)
    except signing.BadSignature:
        return None
    if pk != arena.pk:
        return None
    found = PoolPrompt.objects.in_bulk(ids)
    prompts = tuple(found[each] for each in ids)
    return Offer(PromptDrawKind.OFFERED, category, False, seed, size, digest, probability, prompts)

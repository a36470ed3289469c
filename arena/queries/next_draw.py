"""What the next draw of an arena's battles goes by."""

from collections.abc import Collection

from django.db.models import QuerySet

from annotation.models import Campaign
from annotation.queries.pairs import known_of, known_of_category
from annotation.selection import Known, NewcomerCap
from arena.enums import EntryState
from arena.models import Arena, Entry
from inference_workers.enums import Visibility
from inference_workers.queries import LEFT_ALONE

PLAYING = (Visibility.PUBLIC, Visibility.HIDDEN)


def playing(arena: Arena) -> QuerySet[Entry]:
    """Entries whose models can be drawn now."""
    entries = Entry.objects.filter(
        arena=arena,
        state=EntryState.ACTIVE,
        language_model__visibility__in=PLAYING,
        language_model__weight__gt=0,
        language_model__current__isnull=False,
        # A model may answer with something else since it entered.
        language_model__current__output=arena.output,
    )
    # Whose endpoint is left alone cannot answer: left out of the draw, and so of its candidates' digest.
    entries = entries.exclude(language_model__current__endpoint__gauge__state__in=LEFT_ALONE)
    return entries.select_related("language_model__current").order_by("language_model")


def known_for(arena: Arena, campaign: Campaign, category: str) -> tuple[Known | None, str]:
    """What the draw goes by, and of which items it is, where the arena tells these apart: of the prompt's category as
    soon as that has the votes for it, else of them all.
    """
    if campaign.policy == "uniform":
        return (known_of(campaign) if arena.newcomer_share is not None else None), ""
    if arena.category_votes is None:
        return known_of(campaign), ""
    own = known_of_category(campaign, category) if category else None
    if own is not None and own.state.votes >= arena.category_votes:
        return own, f"category {category}"
    return known_of(campaign), "whole"


def newcomer_cap(arena: Arena, contestants: Collection[int], known: Known | None) -> NewcomerCap | None:
    """Who is new is a matter of all votes, whatever the category."""
    if arena.newcomer_share is None:
        return None
    votes = dict(zip(known.state.names.tolist(), known.state.battles.tolist(), strict=True)) if known else {}
    new = {pk for pk in contestants if votes.get(pk, 0) < arena.newcomer_votes}
    return NewcomerCap(new, arena.newcomer_share)

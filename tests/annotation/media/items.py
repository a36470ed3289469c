"""Items that show media, for tests."""

from collections.abc import Sequence

from django.test import Client
from django.utils import timezone

from accounts.use_cases.create_person import person_of_user
from annotation.enums import TurnKind
from annotation.models import Campaign, Item, MediaFile, Turn
from annotation.use_cases.invite_people import invite_people
from annotation.use_cases.join_campaign import join_by_invitation
from tests.factories import make_item, make_user


def show_files(campaign: Campaign, files: Sequence[MediaFile], *, prompt: str = "Which one?") -> Item:
    """An item whose responses are these files."""
    item = make_item(campaign, texts=[""] * len(files), prompt=prompt)
    for response, media in zip(item.responses.order_by("position"), files, strict=True):
        Turn.objects.filter(response=response).update(kind=TurnKind.FILE, text=None, file=media.stored)
    return item


def annotator(campaign: Campaign) -> Client:
    """A browser of somebody who has joined."""
    user = make_user()
    _invitation, token = invite_people(campaign_id=campaign.pk, name="All", actor=None, now=timezone.now())
    join_by_invitation(token=token, person=person_of_user(user=user, now=timezone.now()), now=timezone.now())
    client = Client()
    client.force_login(user)
    return client

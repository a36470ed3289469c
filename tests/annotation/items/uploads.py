"""Uploads for tests, made by the real use cases."""

from pathlib import Path
from typing import Any

from django.utils import timezone

from accounts.models import User
from annotation.imports.uploads import upload_path
from annotation.models import Campaign, FollowUp, Item, ItemUpload, Prompt, Response, Slot, Source, Turn
from annotation.use_cases.import_items import import_items
from annotation.use_cases.map_upload import map_upload
from annotation.use_cases.receive_upload import receive_upload
from annotation.use_cases.request_import import request_import
from tests.annotation.imports.files import write
from tests.annotation.items.files import guessed
from tests.factories import make_user, new_key

WRITTEN = [Source, Prompt, Item, FollowUp, Response, Turn, Slot]


def counts() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in WRITTEN}


def received(campaign: Campaign, path: Path, *, actor: User | None = None, key: str = "") -> ItemUpload:
    with path.open("rb") as file:
        return receive_upload(
            campaign_id=campaign.pk,
            name=path.name,
            content=iter(lambda: file.read(1 << 16), b""),
            key=key or new_key(),
            actor=actor or make_user(),
            now=timezone.now(),
        )


def queued(campaign: Campaign, path: Path, **changed: str) -> ItemUpload:
    actor = make_user()
    upload = received(campaign, path, actor=actor)
    columns = guessed(upload_path(upload), **changed)
    map_upload(upload_id=upload.pk, columns=columns, actor=actor, now=timezone.now())
    return request_import(upload_id=upload.pk, actor=actor, now=timezone.now())


def imported(campaign: Campaign, folder: Path, text: str, name: str = "items.csv", **changed: Any) -> ItemUpload:
    upload = queued(campaign, write(folder, text, name), **changed)
    done = import_items(upload_id=upload.pk, now=timezone.now())
    assert done is not None
    return done

"""Where files of a campaign are, and texts that show them."""

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString

from annotation.models import Campaign
from annotation.queries.media import media_of_text
from annotation.queries.shown import ShownMedia
from foundation.markdown import OwnMedia, shown_apart

register = template.Library()


@register.simple_tag
def media_address(media: ShownMedia, campaign: Campaign | str, assignment_id: int | str | None) -> str:
    """Within an assignment by side and turn alone, so that nothing tells what the file is; else for admins."""
    if media.address:
        return media.address
    if not isinstance(campaign, Campaign):
        return ""
    if assignment_id:
        return reverse("work-media", args=[campaign.slug, assignment_id, media.place])
    return reverse("campaign-media-file", args=[campaign.slug, media.pk])


@register.simple_tag
def text_with_media(text: str, campaign: Campaign, for_admins: bool = False) -> SafeString:
    """Guidelines or a consent text, with the campaign's own files in it."""
    files = media_of_text(campaign.pk, text)
    shown = {}
    for name, file in files.items():
        address = (
            reverse("campaign-media-file", args=[campaign.slug, file.pk])
            if for_admins
            else reverse("work-text-media", args=[campaign.slug, file.sha256])
        )
        shown[name] = OwnMedia(
            file.kind, address, file.width, file.height, f"{address}?captions" if file.captions else ""
        )
    return shown_apart(text, shown)

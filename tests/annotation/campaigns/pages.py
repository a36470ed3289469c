"""A campaign admin's browser without a browser: what a page's form would send, and what it is told."""

import re

from django.urls import reverse
from django.utils import timezone

from annotation.enums import CampaignState
from annotation.models import Campaign
from annotation.use_cases.launch_campaign import launch_campaign
from annotation.use_cases.start_campaign import start_campaign
from tests.factories import make_item

WHY = {"name": "why", "type": "rationale", "required": False}
TEXTS = {"guidelines": "Read *both*.", "consent": "You may stop."}
ASKED = [{"name": "preference", "type": "preference"}, WHY]


def start(**settings) -> Campaign:
    draft = settings.pop("draft", {"questions": ASKED, **TEXTS})
    values = {"purpose": "To try.", **settings}
    return start_campaign(name="Trial", draft=draft, settings=values, actor=None, now=timezone.now())


def running(**settings) -> Campaign:
    campaign = start(**settings)
    make_item(campaign)
    return launch_campaign(campaign_id=campaign.pk, to=CampaignState.RUNNING, actor=None, now=timezone.now())


def edit(campaign, section) -> str:
    return reverse("campaign-edit", args=[campaign.slug, section])


def fields(page: str) -> dict[str, list[str]]:
    """What a browser would send of the page's main form, by name: enough of HTML for these forms."""
    form = re.search(r"<form[^>]*data-guard.*?</form>", page, re.DOTALL)[0]
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if not name or (re.search(r'type="(checkbox|radio)"', tag) and "checked" not in tag):
            continue
        found.setdefault(name[1], []).append(value[1] if value else "on" if "checkbox" in tag else "")
    for name, text in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>\n?(.*?)</textarea>', form, re.DOTALL):
        found.setdefault(name, []).append(text)
    for name, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)"[^>]*selected', options)
        found.setdefault(name, []).append(chosen[1] if chosen else "")
    return found


def opened(admin, campaign, section) -> dict[str, list[str]]:
    response = admin.get(edit(campaign, section))
    assert response.status_code == 200
    return fields(response.content.decode())


def errors(response) -> list[str]:
    """Every text that says why something was refused."""
    page = response.content.decode()
    lists = re.findall(r'<ul class="errorlist[^"]*"[^>]*>(.*?)</ul>', page, re.DOTALL)
    notices = re.findall(r'role="alert">.*?<p>(.*?)</p>', page, re.DOTALL)
    return [re.sub(r"<[^>]*>", "", text).strip() for text in (*re.findall(r"<li>(.*?)</li>", "".join(lists)), *notices)]

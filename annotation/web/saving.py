"""What the editor's pages share: saving, how a save is refused, and the frame of a page."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from annotation.enums import CampaignState
from annotation.models import Campaign
from annotation.policies.drafts import (
    CONSENT,
    GUIDELINES,
    CampaignIsClosed,
    QuestionsFrozen,
    StaleDraft,
    questions_are_frozen,
    section_content,
    section_version,
)
from annotation.queries.campaigns import is_judged
from annotation.use_cases.save_campaign_draft import TextHasGaps
from annotation.use_cases.save_campaign_settings import ContentInUse, PayDoesNotStand
from annotation.web.managed import managed_campaign


@dataclass
class Page:
    """A page of one section: what went wrong with a save, and what is stored where somebody else was faster."""

    campaign: Campaign
    section: str
    problems: list[str] = field(default_factory=list)
    is_stale: bool = False

    @cached_property
    def frozen(self) -> bool:
        return questions_are_frozen(self.campaign, judged=is_judged(self.campaign))

    @property
    def version(self) -> str:
        return section_version(self.campaign, self.section)

    @property
    def theirs(self) -> Any:
        """What is stored, to be read beside one's own."""
        return section_content(self.campaign, self.section) if self.is_stale else None

    def attempt(self, save: Callable[[], object]) -> bool:
        """Whether it was saved. If not, the page says why and knows what is stored by now."""
        try:
            save()
            return True
        except StaleDraft:
            self.is_stale = True
            self.problems.append(
                _("Somebody else saved this after you opened it. Nothing is lost: yours stands here, theirs below it.")
            )
        except CampaignIsClosed:
            self.problems.append(_("This campaign is closed and is not changed any more."))
        except QuestionsFrozen:
            self.problems.append(_("The questions are frozen. Copy the campaign to ask others."))
        except ContentInUse as refusal:
            text = _("Items have the category “%(name)s”. As long as they do, it stays.")
            self.problems.append(text % {"name": refusal.category})
        except TextHasGaps as refusal:
            self.problems += refusal.texts
        except PayDoesNotStand as refusal:
            self.problems += [missing.text for missing in refusal.missing]
        self.campaign = managed_campaign(self.campaign.slug)
        self.__dict__.pop("frozen", None)
        return False

    def render(self, request: HttpRequest, template: str, *, invalid: bool = False, **context: Any) -> HttpResponse:
        status = 409 if self.is_stale else 422 if self.problems or invalid else 200
        frame = {"page": self, "campaign": self.campaign, "section": self.section}
        return render(request, template, frame | context, status=status)


def saved(request: HttpRequest, campaign: Campaign, section: str) -> HttpResponse:
    """Back to the section, which says what the save means for those who judge already."""
    text = _("Saved.")
    if section == GUIDELINES and campaign.state != CampaignState.DRAFT:
        text = _("Saved as a new version. Everybody must read the guidelines anew before their next item.")
    if section == CONSENT and campaign.state != CampaignState.DRAFT:
        text = _("Saved as a new version. Everybody is asked for their consent anew before their next item.")
    messages.success(request, text)
    return redirect("campaign-edit", campaign.slug, section)

"""The editor of a campaign: a page for each section that is columns or one text."""

from copy import copy
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from annotation.enums import CampaignState
from annotation.forms.amounts import WorthForm
from annotation.forms.campaign import AboutForm, ConsentForm, DesignForm, GuidelinesForm, PayForm, SectionForm, TextForm
from annotation.forms.content import ContentForm
from annotation.models import Campaign
from annotation.policies.consent import filled, words_now
from annotation.policies.drafts import ABOUT, CONSENT, CONTENT, DESIGN, GUIDELINES, PAY, TERMS, WORTH, section_content
from annotation.policies.launch import hourly_pay
from annotation.policies.paid_amounts import most_one_costs
from annotation.queries.campaigns import supply_of
from annotation.use_cases.save_campaign_draft import save_campaign_draft
from annotation.use_cases.save_campaign_settings import save_campaign_settings
from annotation.web.access import for_campaign_admins
from annotation.web.managed import actor_of, managed_campaign
from annotation.web.saving import Page, saved

SETTINGS_FORMS: dict[str, type[SectionForm]] = {
    ABOUT: AboutForm,
    CONTENT: ContentForm,
    DESIGN: DesignForm,
    PAY: PayForm,
    WORTH: WorthForm,
}
TEXTS: dict[str, str | Promise] = {
    CONSENT: gettext_lazy("Consent text, in Markdown"),
    GUIDELINES: gettext_lazy("Guidelines, in Markdown"),
}


@require_http_methods(["GET", "POST"])
@for_campaign_admins
def edit(request: HttpRequest, slug: str, section: str) -> HttpResponse:
    page = Page(managed_campaign(slug), section)
    if section in SETTINGS_FORMS:
        return edit_settings(request, page)
    if section in TEXTS:
        return edit_text(request, page)
    raise Http404


@require_POST
@for_campaign_admins
def show_text(request: HttpRequest, slug: str) -> HttpResponse:
    """A text as it will be read, while it is written."""
    campaign, text = managed_campaign(slug), request.POST.get("text", "")
    if request.GET.get("section") == CONSENT:
        text = filled(_as_written(campaign, request.POST), text)
    context = {"campaign": campaign, "text": text}
    return render(request, "annotation/campaigns/edit_text.html#read", context)


def _as_written(campaign: Campaign, posted: Any) -> Campaign:
    """With what the page of the consent text says beside it, saved or not."""
    campaign = copy(campaign)
    form = ConsentForm(campaign, CONSENT, "", "", posted)
    form.is_valid()
    for name in TERMS:
        setattr(campaign, name, form.cleaned_data.get(name, getattr(campaign, name)))
    return campaign


def edit_settings(request: HttpRequest, page: Page) -> HttpResponse:
    posted = request.POST if request.method == "POST" else None
    form = SETTINGS_FORMS[page.section](page.campaign, posted, frozen=page.frozen)
    if form.is_valid():
        values, version, actor = form.values, form.cleaned_data["version"], actor_of(request)
        if page.attempt(
            lambda: save_campaign_settings(
                campaign_id=page.campaign.pk,
                section=page.section,
                values=values,
                version=version,
                actor=actor,
                now=timezone.now(),
            )
        ):
            _tell_of_consent(request, page.campaign)
            return saved(request, page.campaign, page.section)
        form.opened_on(page.version)
    theirs = SETTINGS_FORMS[page.section](page.campaign, frozen=page.frozen) if page.is_stale else None
    template = f"annotation/campaigns/edit_{page.section}.html"
    figures = {"hourly": hourly_pay(page.campaign)}
    if page.section == WORTH:
        figures["most"] = most_one_costs(page.campaign, checks=supply_of(page.campaign).checks)
    return page.render(request, template, invalid=bool(form.errors), form=form, stored=theirs, **figures)


def _tell_of_consent(request: HttpRequest, before: Campaign) -> None:
    """The consent text tells of some settings; once people have agreed to it, another one is another version."""
    if managed_campaign(before.slug).consent_id != before.consent_id:
        messages.info(request, _("The consent text tells of this: everybody is asked for their consent anew."))


def edit_text(request: HttpRequest, page: Page) -> HttpResponse:
    posted = request.POST if request.method == "POST" else None
    text = section_content(page.campaign, page.section)
    form = _text_form(page, text, posted)
    if form.is_valid():
        content, version, actor = form.cleaned_data["text"], form.cleaned_data["version"], actor_of(request)
        asks = {name: form.cleaned_data.get(name, False) for name in ("requalify", "retrain")}
        if page.attempt(
            lambda: save_campaign_draft(
                campaign_id=page.campaign.pk,
                section=page.section,
                content=content,
                version=version,
                actor=actor,
                now=timezone.now(),
                terms=form.terms if isinstance(form, ConsentForm) else None,
                **asks,
            )
        ):
            return saved(request, page.campaign, page.section)
        form.opened_on(page.version)
    written, words = form["text"].value() or "", []
    if page.section == CONSENT:
        campaign = _as_written(page.campaign, form.data) if form.is_bound else page.campaign
        written, words = filled(campaign, written), words_now(campaign)
    template = "annotation/campaigns/edit_text.html"
    return page.render(request, template, invalid=bool(form.errors), form=form, text=written, words=words)


def _text_form(page: Page, text: str, posted: Any) -> TextForm:
    if page.section == CONSENT:
        return ConsentForm(page.campaign, page.section, text, TEXTS[page.section], posted)
    form = GuidelinesForm(page.campaign, page.section, text, TEXTS[page.section], posted)
    supply = supply_of(page.campaign)
    works = page.campaign.state != CampaignState.DRAFT
    form.offer(test=works and supply.qualification > 0, training=works and supply.training > 0)
    return form

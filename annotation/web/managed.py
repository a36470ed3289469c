"""The campaign that a page of its admins is about, and who acts on it."""

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone

from accounts.models import Person, User
from accounts.use_cases.create_person import person_of_user
from annotation.models import Campaign


def actor_of(request: HttpRequest) -> Person:
    """The person behind a page that only campaign admins see."""
    assert isinstance(request.user, User)  # for_campaign_admins has refused everybody else
    return person_of_user(user=request.user, now=timezone.now())


def managed_campaign(slug: str) -> Campaign:
    """404 for the shadow of a dry run too: its campaign's pages show it."""
    related = Campaign.objects.select_related("instrument", "guidelines", "consent")
    return get_object_or_404(related, slug=slug, shadow_of__isnull=True)

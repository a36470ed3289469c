"""Campaigns, sources and boards to look at. What changes a state goes through its use case; the log has no form."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.use_cases.create_person import person_of_user
from annotation.enums import SourceState
from annotation.models import Board, Campaign, Source
from annotation.use_cases.retire_source import restore_source, retire_source


class ReadMostly(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that use cases make and nobody deletes here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Campaign)
class CampaignAdmin(ReadMostly):
    list_display = ["name", "slug", "state", "policy", "overlap", "created_at"]
    list_filter = ["state"]
    fields = ["name", "purpose", "slug", "state", "overlap", "lease_seconds", "currency", "policy", "policy_parameters"]
    readonly_fields = ["slug", "state", "overlap", "lease_seconds", "currency", "policy", "policy_parameters"]


@admin.register(Board)
class BoardAdmin(ReadMostly):
    list_display = ["name", "slug", "campaign", "method", "is_public"]
    fields = ["name", "slug", "campaign", "method", "slice", "is_public"]
    readonly_fields = ["slug", "campaign", "method", "slice"]


@admin.register(Source)
class SourceAdmin(ReadMostly):
    list_display = ["name", "kind", "campaign", "state", "created_at"]
    list_filter = ["kind", "state"]
    list_select_related = ["campaign"]
    actions = ["retire", "restore"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing of a source is edited; the actions need the permission all the same."""
        return obj is None and super().has_change_permission(request, obj)

    @admin.action(description=_("Retire: leave them out of every view"), permissions=["change"])
    def retire(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        self._move(request, queryset.filter(state=SourceState.ACTIVE), retire_source)

    @admin.action(description=_("Restore: take them into every view again"), permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        self._move(request, queryset.filter(state=SourceState.RETIRED), restore_source)

    def _move(self, request: HttpRequest, sources: QuerySet[Source], verb: Any) -> None:
        now, user = timezone.now(), request.user
        # The admin lets nobody in who is not signed in.
        actor = person_of_user(user=user, now=now) if isinstance(user, User) else None
        ids = list(sources.order_by("pk").values_list("pk", flat=True))
        for source_id in ids:
            verb(source_id=source_id, actor=actor, reason="in the admin", now=now)
        text = ngettext("%(count)s source changed.", "%(count)s sources changed.", len(ids)) % {"count": len(ids)}
        messages.success(request, text)

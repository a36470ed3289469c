"""Campaigns, sources and boards to look at. What changes one of them goes through its use case; the log has no page."""

from collections.abc import Callable
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
from annotation.use_cases.publish_board import publish_board
from annotation.use_cases.retire_source import restore_source, retire_source


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that use cases make and change."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Whether the actions are offered: to whom Django would let change the row."""
        return super().has_change_permission(request)

    def act(self, request: HttpRequest, rows: QuerySet[Any], verb: Callable[..., Any], **values: Any) -> None:
        """Call a use case for each row, in order, and say how many there were."""
        now, user = timezone.now(), request.user
        # The admin lets nobody in who is not signed in.
        actor = person_of_user(user=user, now=now) if isinstance(user, User) else None
        ids = list(rows.order_by("pk").values_list("pk", flat=True))
        for pk in ids:
            verb(pk, actor=actor, now=now, **values)
        text = ngettext("%(count)s row changed.", "%(count)s rows changed.", len(ids)) % {"count": len(ids)}
        messages.success(request, text)


@admin.register(Campaign)
class CampaignAdmin(ReadOnly):
    list_display = ["name", "slug", "state", "policy", "overlap", "created_at"]
    list_filter = ["state"]
    fields = ["name", "purpose", "slug", "state", "overlap", "lease_seconds", "currency", "policy", "policy_parameters"]


@admin.register(Board)
class BoardAdmin(ReadOnly):
    list_display = ["name", "slug", "campaign", "method", "is_public"]
    list_select_related = ["campaign"]
    fields = ["name", "slug", "campaign", "method", "parent", "slice", "is_public", "created_at"]
    actions = ["publish", "hide"]

    @admin.action(description=_("Show to everybody"), permissions=["act"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Board]) -> None:
        self.act(request, queryset, lambda pk, **values: publish_board(board_id=pk, public=True, **values))

    @admin.action(description=_("Hide from everybody"), permissions=["act"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Board]) -> None:
        self.act(request, queryset, lambda pk, **values: publish_board(board_id=pk, public=False, **values))


@admin.register(Source)
class SourceAdmin(ReadOnly):
    list_display = ["name", "kind", "campaign", "state", "created_at"]
    list_filter = ["kind", "state"]
    list_select_related = ["campaign"]
    fields = ["name", "kind", "campaign", "state", "details", "created_at"]
    actions = ["retire", "restore"]

    @admin.action(description=_("Retire: leave their judgments out of every view"), permissions=["act"])
    def retire(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        active = queryset.filter(state=SourceState.ACTIVE)
        self.act(request, active, lambda pk, **values: retire_source(source_id=pk, reason="in the admin", **values))

    @admin.action(description=_("Restore: take their judgments into every view again"), permissions=["act"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        retired = queryset.filter(state=SourceState.RETIRED)
        self.act(request, retired, lambda pk, **values: restore_source(source_id=pk, reason="in the admin", **values))

from django.contrib import admin
from django.http import HttpRequest

from arena.models import Arena


@admin.register(Arena)
class ArenaAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """To be looked at: arenas are opened and changed on their own pages, /arenas."""

    list_display = ["campaign", "is_default", "is_listed", "max_turns", "battles_per_day"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Arena | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Arena | None = None) -> bool:
        return False

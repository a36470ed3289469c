from django.contrib import admin
from django.http import HttpRequest

from arena.models import Arena


@admin.register(Arena)
class ArenaAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Limits and examples; what was judged is not edited here or anywhere."""

    list_display = ["campaign", "max_prompt_chars", "max_turns", "battles_per_day"]
    readonly_fields = ["campaign"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Arena | None = None) -> bool:
        return False

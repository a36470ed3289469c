from django.contrib import admin

from arena.models import Arena


@admin.register(Arena)
class ArenaAdmin(admin.ModelAdmin):
    """Limits and examples; what was judged is not edited here or anywhere."""

    list_display = ["campaign", "max_prompt_chars", "max_turns", "battles_per_day"]
    readonly_fields = ["campaign"]

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

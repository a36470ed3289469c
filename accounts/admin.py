from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import RoleGrant, User
from accounts.use_cases.grant_role import grant_role, revoke_role


class RoleGrantInline(admin.TabularInline):  # type: ignore[type-arg]
    model = RoleGrant
    fk_name = "user"
    extra = 0
    readonly_fields = ["granted_by", "granted_at"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A grant is given or taken away; another role is another grant."""
        return False


@admin.register(User)
class CardinalUserAdmin(UserAdmin):  # type: ignore[type-arg]
    inlines = [RoleGrantInline]
    list_display = ["username", "email", "is_active", "is_staff"]
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("username", "email", "usable_password", "password1", "password2"),
            },
        ),
    )

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """The roles, this page's only rows beside the user's own."""
        formset.save(commit=False)
        now = timezone.now()
        for removed in formset.deleted_objects:
            revoke_role(user=removed.user, role=removed.role, now=now)
        for grant in formset.new_objects:
            grant_role(user=grant.user, role=grant.role, granted_by=request.user, now=now)  # type: ignore[arg-type]

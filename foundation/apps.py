from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class FoundationConfig(AppConfig):
    name = "foundation"
    label = "foundation"
    verbose_name = _("Foundation")

    def ready(self) -> None:
        from foundation import refusals  # noqa: F401  (registers the start-up checks)
        from foundation.append_only import grant_application_role
        from foundation.key_mark import leave_mark

        post_migrate.connect(leave_mark, sender=self, dispatch_uid="foundation.leave_mark")
        # One sender, so that one migrate grants once, after every app's tables exist.
        post_migrate.connect(grant_application_role, sender=self, dispatch_uid="foundation.grant_application_role")

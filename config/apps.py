from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ConfigApp(AppConfig):
    """The composition root's own commands."""

    name = "config"
    label = "config"

    def ready(self) -> None:
        # Shared tasks bind to the application that exists when they are first called. Not imported by the package
        # itself: that would choose settings for whoever only wants one of its modules.
        from config import celery  # noqa: F401


class CardinalAdmin(AdminConfig):
    default_site = "config.admin_site.CardinalAdminSite"

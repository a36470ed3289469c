from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ConfigApp(AppConfig):
    """The composition root's own commands."""

    name = "config"
    label = "config"


class CardinalAdmin(AdminConfig):
    default_site = "config.admin_site.CardinalAdminSite"

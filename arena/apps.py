from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ArenaConfig(AppConfig):
    name = "arena"
    verbose_name = _("Arena")

    def ready(self) -> None:
        from arena import receivers  # noqa: F401  (connects the signal)
        from arena.queries.excluded import ExcludedCollector
        from foundation.health import add_collector

        add_collector(ExcludedCollector())

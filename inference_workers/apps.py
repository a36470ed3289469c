from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from foundation.health import add_collector


class InferenceWorkersConfig(AppConfig):
    name = "inference_workers"
    verbose_name = _("Language models")

    def ready(self) -> None:
        from inference_workers.queries.measured import EndpointCollector

        add_collector(EndpointCollector())

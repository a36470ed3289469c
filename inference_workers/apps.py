from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InferenceWorkersConfig(AppConfig):
    name = "inference_workers"
    verbose_name = _("Language models")

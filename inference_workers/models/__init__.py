"""Language models, their revisions, and the completions they are asked for. A completion's row is the job."""

from inference_workers.models.completions import Completion, CompletionFile
from inference_workers.models.endpoints import Endpoint, EndpointGauge
from inference_workers.models.events import OperatorEvent, OutboxEntry
from inference_workers.models.language_models import LanguageModel, LanguageModelRevision
from inference_workers.models.measurements import Measurement
from inference_workers.models.rules import RuleSet

__all__ = [
    "Completion",
    "CompletionFile",
    "Endpoint",
    "EndpointGauge",
    "LanguageModel",
    "LanguageModelRevision",
    "Measurement",
    "OperatorEvent",
    "OutboxEntry",
    "RuleSet",
]

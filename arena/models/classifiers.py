from django.db import models
from django.db.models import Q

from arena.models.arenas import Arena
from inference_workers.models import LanguageModel


class PromptClassifier(models.Model):
    """The language model that labels an arena's prompts beside the rules. Nothing waits for it."""

    arena = models.OneToOneField(Arena, on_delete=models.PROTECT, primary_key=True, related_name="prompt_classifier")
    language_model = models.ForeignKey(LanguageModel, on_delete=models.PROTECT, related_name="+")
    # The least score of a class that becomes a label.
    limit = models.FloatField(default=0.5)
    changed_at = models.DateTimeField()
    # The oldest prompt that the sweeps have come to on their way down; empty: they begin again below the newest.
    reached = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(name="classifier_limit_in_range", condition=Q(limit__gt=0, limit__lte=1))]

    def __str__(self) -> str:
        return f"classifier of arena {self.arena_id}"

    @property
    def version(self) -> str:
        """Of its labels: another revision or limit labels anew."""
        return f"{self.language_model.slug[:50]} r{self.language_model.serves.number} from {self.limit:g}"

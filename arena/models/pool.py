from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from arena.enums import PromptDrawKind
from arena.models.arenas import Arena
from arena.models.battles import Battle
from foundation.append_only import AppendOnly


class PoolPrompt(models.Model):
    """A prompt that an arena's visitors are offered. What it says stays as it is: a trigger refuses a change of it, and
    a prompt that is not to be offered any more is switched off.
    """

    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="pool")
    text = models.TextField()
    # SHA-256 of the text: once in each arena.
    digest = models.CharField(max_length=64)
    category = models.CharField(_("category"), max_length=80, blank=True)
    language = models.CharField(_("language"), max_length=12, blank=True)
    source = models.CharField(_("source and licence"), max_length=200, blank=True)
    is_active = models.BooleanField(default=True, db_default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["arena", "digest"], name="one_pool_prompt_per_text")]
        indexes = [models.Index(fields=["arena", "category"], name="pool_active", condition=Q(is_active=True))]

    def __str__(self) -> str:
        return f"pool prompt {self.pk}"


class PromptDraw(AppendOnly):
    """Which prompt of the pool a battle asks, and how it was drawn: before the pair, and without it."""

    battle = models.OneToOneField(Battle, on_delete=models.PROTECT, related_name="prompt_draw")
    prompt = models.ForeignKey(PoolPrompt, on_delete=models.PROTECT, related_name="draws")
    kind = models.CharField(max_length=10, choices=PromptDrawKind)
    # The category that was asked for; empty took the whole pool.
    category = models.CharField(max_length=80, blank=True)
    # Drawn by way of a category, each alike.
    by_category = models.BooleanField()
    seed = models.BigIntegerField()
    # Prompts that could be drawn, and SHA-256 of their ids in ascending order.
    pool_size = models.PositiveIntegerField()
    pool_digest = models.CharField(max_length=64)
    # Ids in the order drawn.
    drawn = ArrayField(models.BigIntegerField())
    # That this prompt is among the drawn ones; which of them the visitor takes is a choice.
    probability = models.FloatField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(name="prompt_draw_probability", condition=Q(probability__gt=0, probability__lte=1))
        ]

    def __str__(self) -> str:
        return f"prompt {self.prompt_id} of battle {self.battle_id}"

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotation.models import Respondent
from arena.enums import FindingOutcome, JudgedText
from arena.models.arenas import Arena
from arena.models.battles import Battle
from inference_workers.enums import RuleAction, RuleKind
from inference_workers.models import Completion, RuleSet


class HouseRule(models.Model):
    """What may not be asked, answered or published: on the whole site, or in one arena. What it looks for never
    changes; it is switched off, and another takes its place."""

    # Null for the whole site.
    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, null=True, related_name="house_rules")
    # Of a rule that sites begin with.
    key = models.CharField(max_length=20, null=True, unique=True)
    name = models.CharField(_("name"), max_length=80)
    says = models.CharField(_("what a visitor reads whose text it refuses"), max_length=300, blank=True)
    kind = models.CharField(_("how it finds it"), max_length=8, choices=RuleKind)
    pattern = models.TextField(_("what it looks for"))
    action = models.CharField(_("what becomes of it"), max_length=8, choices=RuleAction)
    on_visitors = models.BooleanField(_("for what visitors write"), default=True)
    on_models = models.BooleanField(_("for what models answer"), default=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(name="house_rule_is_for_somebody", condition=Q(on_visitors=True) | Q(on_models=True))
        ]

    def __str__(self) -> str:
        return self.name


class RuleFinding(models.Model):
    """A text that broke a house rule: which rule, of which rule set, and what became of it; never the text."""

    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="findings")
    rule = models.ForeignKey(HouseRule, on_delete=models.PROTECT, related_name="findings")
    action = models.CharField(max_length=8, choices=RuleAction)
    about = models.CharField(max_length=8, choices=JudgedText)
    # Null for a prompt that was refused: no battle exists.
    battle = models.ForeignKey(Battle, on_delete=models.PROTECT, null=True, related_name="findings")
    # Whose part in the arena it was, where they had one.
    respondent = models.ForeignKey(Respondent, on_delete=models.PROTECT, null=True, related_name="+")
    # Of an answer.
    completion = models.ForeignKey(Completion, on_delete=models.PROTECT, null=True, related_name="+")
    rule_set = models.ForeignKey(RuleSet, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    # What an admin made of it.
    outcome = models.CharField(max_length=12, choices=FindingOutcome, blank=True, db_default="")
    looked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["arena", "created_at"], name="finding_recent")]
        constraints = [
            models.CheckConstraint(
                name="finding_looked_at_has_outcome",
                condition=Q(outcome="", looked_at__isnull=True) | (~Q(outcome="") & Q(looked_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="finding_of_an_answer_names_it",
                condition=Q(about="answer", completion__isnull=False)
                | (~Q(about="answer") & Q(completion__isnull=True)),
            ),
            models.UniqueConstraint(fields=["completion", "rule"], name="one_finding_per_answer_and_rule"),
        ]

    def __str__(self) -> str:
        return f"finding {self.pk} of rule {self.rule_id}"

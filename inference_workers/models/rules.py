from django.db import models
from django.db.models.functions import Now

from foundation.append_only import AppendOnly


class RuleSet(AppendOnly):
    """House rules as they were at a moment; the same rules are one row. What stands in them is said in
    `policies.house_rules`."""

    digest = models.CharField(max_length=64, primary_key=True)
    rules = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"rule set {self.digest[:12]}"

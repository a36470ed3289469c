from django.db import models


class IdempotencyRecord(models.Model):
    """The answer to a request that took effect. It exists only if the effect does: one transaction wrote both."""

    scope = models.CharField(max_length=120)
    key = models.CharField(max_length=64)
    body_hash = models.CharField(max_length=64)
    response = models.JSONField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope", "key"], name="one_answer_per_key"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}"

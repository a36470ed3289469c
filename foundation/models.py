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


class KeyMark(models.Model):
    """The one row that says which deployment key this database is sealed under; see `foundation.key_mark`."""

    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(name="one_key_per_database", condition=models.Q(id=1))]

    def __str__(self) -> str:
        return self.digest[:8]
